"""Completion by Tab: what may follow a line, and what shells make of it."""

import os
import shutil
import sys

import pytest

from stdp.__main__ import SUBCOMMANDS
from stdp.completion import SHELLS, candidates, main
from stdp.errors import CommandError
from tests.conftest import ROOT
from tests.support.rule_files import CLOCK, HARD, SOFT
from tests.support.terminal import Terminal

pytestmark = pytest.mark.long


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("stdp re", ["report ", "reproduce "]),
        ("stdp run st", ["stdp.", "stdp=", "study="]),
        ("stdp run -m +ex", ["+experiment="]),
        ("stdp run stdp.tau", ["stdp.tau_minus=", "stdp.tau_plus=", "stdp.tau_x=", "stdp.tau_y="]),
        (
            "stdp run +experiment=s",
            [
                f"+experiment={name}"
                for name in (
                    *("seeds", "song2000_latency", "song2000_rates", "song2000_ratio"),
                    *("song2001_correlation_time", "song2001_one_group", "song2001_two_groups"),
                    *("song2001_uncorrelated", "song_abbott_2001", "song_abbott_2001_1c"),
                    *("song_miller_abbott_2000", "stdp_window"),
                )
            ],
        ),
        ("stdp run +size=", ["+size=quick"]),
        ("stdp run stdp=notebook,n", []),
        ("stdp run input=poisson,n", ["input=poisson,notebook"]),
        (
            "stdp run run.backend=",
            [f"run.backend={b}" for b in ("dask", "loky", "sequential", "threading")],
        ),
        ("stdp run record.traces=", ["record.traces=false", "record.traces=true"]),
        ("stdp run run.track=", ["run.track=mlflow", "run.track=null"]),
        ("stdp run input.process=po", ["input.process=poisson"]),
        ("stdp run dry_run=t", ["dry_run=true"]),
        ("stdp run sw", ["sweep."]),
        ("stdp run sweep.s", ["sweep.samples=", "sweep.seed="]),
        ("stdp run sweep.method=", [f"sweep.method={m}" for m in ("lhs", "random", "sobol")]),
        ("stdp lab sw", []),
        ("stdp run --config-d", ["--config-dir "]),
        ("stdp l", ["lab ", "list "]),
        ("stdp lab stdp.tau", ["stdp.tau_minus=", "stdp.tau_plus=", "stdp.tau_x=", "stdp.tau_y="]),
        ("stdp lab stdp=n", ["stdp=notebook"]),
        ("stdp lab na", []),
        ("stdp lab --", ["--config-dir ", "--no-browser ", "--port "]),
        ("stdp lab --config-dir ", []),
        ("stdp explore --", ["--no-browser ", "--port "]),
        ("stdp explore outputs", []),
        ("stdp run --config-dir ", []),
        ("stdp run input.rate_hz=", []),
        ("stdp report ", []),
        ("", []),
    ],
)
def test_candidates(line, expected):
    """Subcommands, options, keys, values and choices; none where the shell has names of files."""
    assert candidates(line, SUBCOMMANDS) == expected


def test_choices_of_the_users_folder_are_candidates(tmp_path):
    """Those of `--config-dir`, in both ways of writing it, and of groups of the user."""
    for name in ("stdp/mine", "lab/one"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / f"{name}.yaml").write_text("")
    for option in (f"--config-dir {tmp_path}", f"--config-dir={tmp_path}", f"-cd {tmp_path}"):
        assert candidates(f"stdp run {option} stdp=mi", SUBCOMMANDS) == ["stdp=mine"]
        assert candidates(f"stdp run {option} +l", SUBCOMMANDS) == ["+lab="]


@pytest.fixture
def rule_files(tmp_path, monkeypatch):
    """Files of rules, of which none may run."""
    (tmp_path / "rules").mkdir()
    stop = "raise SystemExit('was run')\n"
    (tmp_path / "rules/two.py").write_text(stop + SOFT + HARD)
    (tmp_path / "soft.py").write_text(stop + SOFT)
    (tmp_path / "clock.py").write_text(stop + CLOCK)
    (tmp_path / "broken.py").write_text("def (")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("stdp run stdp.rule=so", ["stdp.rule=soft.py"]),
        ("stdp run stdp.rule=additive,so", ["stdp.rule=additive,soft.py"]),
        ("stdp run stdp.rule=ru", ["stdp.rule=rules/"]),
        ("stdp run stdp.rule=rules/", ["stdp.rule=rules/two.py"]),
        (
            "stdp lab stdp.rule=rules/two.py:",
            ["stdp.rule=rules/two.py:HardBounds", "stdp.rule=rules/two.py:SoftBounds"],
        ),
        ("stdp run stdp.rule=broken.py:", []),
        ("stdp run stdp.rule=soft.py stdp.A", ["stdp.A=", "stdp.A_minus=", "stdp.A_plus="]),
        ("stdp run stdp.rule=a,rules/two.py:HardBounds stdp.ltd_s", ["stdp.ltd_share="]),
        ("stdp run stdp.rule=broken.py stdp.ltd_s", []),
        ("stdp run input.process=cl", ["input.process=clock.py"]),
        ("stdp run input.process=clock.py:", ["input.process=clock.py:Clock"]),
        ("stdp run input.process=clock.py input.de", ["input.delay="]),
    ],
)
def test_files_of_rules_are_candidates(rule_files, line, expected):
    """Files, the classes in them and their fields, which are read and not run."""
    found = [one for one in candidates(line, SUBCOMMANDS) if "2" not in one and "3" not in one]
    assert found == expected


def test_an_unknown_shell_is_refused():
    """The message names those that there are."""
    with pytest.raises(CommandError, match="invalid choice: 'tcsh' .*bash.*zsh.*fish.*--help"):
        main(["tcsh"], SUBCOMMANDS)


#: How each shell is started without the user's files, and the word before a command.
START = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}


@pytest.fixture(params=SHELLS)
def shell(request, tmp_path):
    """An interactive shell in which completion is turned on, as `stdp completion --help` says."""
    if shutil.which(request.param) is None:
        pytest.skip(reason=f"{request.param} is not installed")
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "stdp"
    script.write_text(
        f"#!{sys.executable}\nimport sys\nfrom stdp.__main__ import main\nsys.exit(main())\n"
    )
    script.chmod(0o755)
    (tmp_path / "work" / "outputs").mkdir(parents=True)
    (tmp_path / "work" / "hard.py").write_text(HARD + SOFT)
    variables = {
        "PATH": f"{script.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "TERM": "xterm",
    }
    environment = os.environ | variables
    with Terminal(START[request.param], tmp_path / "work", environment) as terminal:
        terminal.type(SHELLS[request.param].partition("#")[0].strip() + "; echo is o''n\n")
        terminal.read_until("is on")
        yield terminal


def test_a_shell_completes(shell):
    """Choices, keys, subcommands and, where nothing is known, names of files."""
    for typed, becomes in (
        ("stdp run stdp.A_p\t0.01 stdp=note", "stdp run stdp.A_plus=0.01 stdp=notebook"),
        ("stdp run -m seed=1,2 +exp", r"stdp run -m seed=1,2 \+experiment="),
        ("stdp fi\toutp", "stdp figures outputs/?"),
        ("stdp run stdp.rule=hard.py:Ha", "stdp run stdp.rule=hard.py:HardBounds"),
    ):
        # The completed line becomes the argument of `echo`: the shell itself says what it has.
        shell.type(f"{typed}\t\x01echo '<'\x05'>'\n")
        shell.read_until(f"<{becomes} ?>")
