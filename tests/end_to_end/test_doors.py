"""Doors of the command line: own files, closed pipes, interruptions."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import pipeline
from pipeline.model.errors import RequestError
from tests.conftest import SMALL

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]

SWEEP = "study: own\nhydra:\n  sweeper:\n    params:\n      seed: 1,2\n"


@pytest.fixture
def own(tmp_path):
    """Write a file into a folder of own configurations whose name has a space; return it."""

    def write(name, text):
        file = tmp_path / "own files" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(tmp_path / "own files")

    return write


@pytest.mark.parametrize(
    ("file", "choice", "text"),
    [
        ("experiment/mine.yaml", "+experiment=mine", SWEEP),
        ("experiment/mine.yaml", "+experiment=mine", "input:\n  rate_hz: 20\n"),
        ("experiment/deep/mine.yaml", "+experiment=deep/mine", SWEEP),
        ("experiment/deep/mine.yaml", "+experiment/deep=mine", SWEEP),
        ("mine/one.yaml", "+mine=one", "input:\n  rate_hz: 20\n"),
        ("experiment/mine.yaml", "+experiment=mine", "defaults:\n- override /stdp: notebook\n"),
    ],
)
def test_a_file_without_its_package_line_is_refused(command, own, file, choice, text):
    """Its content would land below the name of its folder: the missing line is named."""
    ended = command("--config-dir", own(file, text), choice, *SMALL)
    assert ended.code == 2
    assert "its first line must be # @package _global_" in ended.err
    assert not Path("outputs").exists()


def test_a_file_with_its_package_line_is_a_sweep(command, own):
    """`--config-dir DIR`, with a space between them and within the name."""
    folder = own("experiment/mine.yaml", f"# @package _global_\n{SWEEP}")
    ended = command("--config-dir", folder, "+experiment=mine", *SMALL, "name=own")
    assert (ended.code, ended.out.split(" in ")[0]) == (0, "2 points")


def test_a_file_hidden_by_one_of_ours_is_refused(command, own):
    """Hydra reads the first of two files of one name, and not the user's."""
    folder = own("experiment/demo.yaml", f"# @package _global_\n{SWEEP}")
    ended = command("--config-dir", folder, "+experiment=demo", *SMALL)
    assert ended.code == 2
    assert "demo.yaml: has no effect, as conf/experiment/demo.yaml has the same name" in ended.err


def test_a_typo_does_not_blame_the_folder(command, own):
    """The word after `--config-dir` is no override."""
    folder = own("stdp/mine.yaml", "A_plus: 0.1\n")
    ended = command("--config-dir", folder, *SMALL, "simulation.durasion=3")
    assert ended.code == 2
    assert ended.err.startswith("error: simulation.durasion=3: unknown key")


@pytest.mark.parametrize("words", [["stdp=partial"], ["-m", "stdp=partial,notebook"]])
def test_an_incomplete_set_is_refused_swept_or_not(command, own, words):
    """Another choice of the axis does not stand in for what a file lacks."""
    folder = own("stdp/partial.yaml", "A_plus: 0.1\n")
    ended = command("--config-dir", folder, *SMALL, *words)
    assert ended.code == 2
    assert ended.err == (
        "error: stdp.ltd_ratio: missing; it needs a value for stdp.rule=additive, typed or of a "
        "parameter set (stdp=? lists them)\n"
    )


def test_a_file_that_is_not_utf_8_is_named(command, own):
    """The folder is not blamed, the file is."""
    folder = own("stdp/latin.yaml", "A_plus: 0.1  # für\n".encode("latin-1"))
    ended = command("--config-dir", folder, *SMALL, "stdp=latin")
    assert ended.code == 2
    assert ended.err.startswith(f"error: {folder}/stdp/latin.yaml: must be text in UTF-8")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("seed: 010", "010 is read as 8, as the leading zero makes it base 8"),
        ("input: {n_synapses: 0100}", "0100 is read as 64, as the leading zero makes it base 8"),
        ("simulation: {duration: 1:30}", "1:30 is read as 90, as the colon makes it base 60"),
        ("input: {rate_hz: +1:30.5}", "+1:30.5 is read as 90.5, as the colon makes it base 60"),
        ("name: 010", "010 is read as 8, as the leading zero makes it base 8"),
        ("hydra: {sweeper: {params: {seed: 010}}}", "010 is read as 8, as the leading zero"),
    ],
)
def test_a_number_that_yaml_reads_otherwise_is_refused(command, own, text, read):
    """YAML 1.1 has numbers of base 8 and 60; neither is what was meant."""
    folder = own("experiment/mine.yaml", f"# @package _global_\n{text}\n")
    ended = command("--config-dir", folder, "+experiment=mine")
    assert ended.code == 2
    assert f"experiment/mine.yaml: {read}" in ended.err


def test_such_a_number_is_refused_by_every_door(command, own):
    """Ours and Hydra's sweepers, choices of an axis, and Python."""
    folder = own("stdp/mine.yaml", "defaults: [notebook, _self_]\ntau_plus: 020\n")
    refusal = "stdp/mine.yaml: 020 is read as 16, as the leading zero makes it base 8"
    for words in (
        ["stdp=mine"],
        ["-m", "stdp=notebook,mine"],
        ["hydra/sweeper=basic", "stdp=mine"],
    ):
        ended = command("--config-dir", folder, *SMALL, *words)
        assert ended.code == 2
        assert refusal in ended.err
    with pytest.raises(RequestError, match=re.escape(refusal)):
        pipeline.configure(f"hydra.searchpath=['{folder}']", "stdp=mine")


def test_a_byte_order_mark_before_the_package_line_is_named(command, own):
    """Editors of Windows write one; with other line ends a file is read as it is."""
    text = f"# @package _global_\n{SWEEP}"
    words = ("+experiment=mine", *SMALL, "name=own")
    ended = command("--config-dir", own("experiment/mine.yaml", f"\ufeff{text}"), *words)
    assert ended.code == 2
    assert "mine.yaml: begins with a byte order mark" in ended.err
    ended = command("--config-dir", own("experiment/mine.yaml", text.replace("\n", "\r\n")), *words)
    assert (ended.code, ended.out.split(" in ")[0]) == (0, "2 points")


@pytest.mark.parametrize(
    "text", ["seed: 007", "name: '010'", "seed: 7  # 12:30", "input: {rate_hz: 1e1}"]
)
def test_a_number_that_yaml_reads_as_it_looks_is_taken(command, own, text):
    """Zeros before a number that is the same in base 8, and any in comments."""
    folder = own("experiment/mine.yaml", f"# @package _global_\n{text}\n")
    ended = command("--config-dir", folder, "+experiment=mine", *SMALL, "dry_run=true")
    assert ended.code == 0, ended.err


def test_the_sweep_of_an_experiment_is_not_dropped_in_silence(caplog):
    """A configuration is one point: the axes that it leaves out are named, as is where they go."""
    pipeline.configure("+experiment=demo")
    assert "+experiment=demo: its sweep (input.rate_hz=10,20,40, " in caplog.text
    assert "give the axes to pipeline.sweep" in caplog.text
    caplog.clear()
    pipeline.configure("seed=1")
    assert caplog.text == ""


@pytest.mark.parametrize("key", ["run.engine", "run.n_jobs", "name", "outputs"])
def test_settings_of_a_sweep_are_not_replaced(configure, key):
    """They are arguments of `simulate` and `sweep`, and no unknown keys."""
    with pytest.raises(RequestError, match="must be an argument of pipeline.simulate") as refused:
        configure().replaced({key: "x"})
    assert "unknown" not in str(refused.value)


def _into_closed_pipe(folder, module, *words):
    """Run a module whose standard output nobody reads; return exit code and standard error."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", module, *words],
            stdout=writer,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            text=True,
            check=False,
        )
    finally:
        os.close(writer)
    return done.returncode, done.stderr


def test_output_that_nobody_reads_ends_nothing(tmp_path, configure):
    """The work is done, its exit code is that of the work, and nothing is said."""
    made = tmp_path / "outputs" / "a"
    pipeline.sweep(configure(), {"seed": [1, 2]}, made, backend="sequential")
    for module, code, *words in (
        ("pipeline", 0, "--help"),
        ("pipeline", 0, "--shell-completion", "install=bash"),
        ("pipeline", 0, "--cfg", "job"),
        ("pipeline", 0, *SMALL, "dry_run=true"),
        ("pipeline", 0, *SMALL, "name=b", "seed=1"),
        ("pipeline.reproduce", 0, "outputs/a"),
        ("pipeline.reproduce", 0, "--help"),
        ("analysis", 0, "--help"),
        ("analysis", 0, "list"),
        ("analysis", 1, "diff", "outputs/a", "outputs/b"),
        ("analysis", 0, "outputs/a", "--list"),
        ("analysis", 0, "outputs/a", "--figure", "weights", "--figure", "rates"),
    ):
        assert _into_closed_pipe(tmp_path, module, *words) == (code, ""), (module, words)
    figures = {file.stem for file in (made / "figures").iterdir()}
    assert figures == {"weights", "rates_against_seed"}
    assert (tmp_path / "outputs" / "b" / "results.nc").is_file()


@pytest.mark.parametrize(
    "words", [["pipeline.reproduce", "a"], ["analysis", "a"], ["analysis", "list"]]
)
def test_an_interruption_during_imports_is_one_line(tmp_path, words):
    """Ctrl-C while modules are imported: one line and exit code 130."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, time\n"
        "class Slow:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name in ('netCDF4', 'matplotlib'):\n"
        "            print('importing', file=sys.stderr, flush=True)\n"
        "            time.sleep(20)\n"
        "sys.meta_path.insert(0, Slow())\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": f"{tmp_path}:{ROOT}"},
        text=True,
    )
    assert process.stderr.readline() == "importing\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert [line.lower()[:11] for line in said.splitlines()] == ["interrupted"]


def test_an_interruption_is_in_the_log(tmp_path, configure, monkeypatch):
    """`sweep.log` says why the sweep ended, and how many points were finished."""

    def interrupt(pending, settings, start_of):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr("pipeline.experiment.run.run_points", interrupt)
    with pytest.raises(KeyboardInterrupt):
        pipeline.sweep(configure(), {"seed": [1, 2]}, tmp_path / "a")
    log = (tmp_path / "a" / "sweep.log").read_text()
    assert "interrupted: 0 of 2 points are finished and saved" in log


@pytest.mark.parametrize("module", ["analysis", "pipeline.reproduce"])
def test_a_directory_without_results_says_how_it_gets_them(tmp_path, module, capsys):
    """After a kill there is no results.nc: the same command resumes."""
    import importlib

    (tmp_path / "configuration.yaml").write_text("")
    main = importlib.import_module("analysis.__main__" if module == "analysis" else module).main
    assert main([str(tmp_path)]) == 2
    assert "the same command resumes it" in capsys.readouterr().err


def test_every_file_that_is_written_is_printed(tmp_path, configure, capsys):
    """Two formats: two paths."""
    from analysis.__main__ import main

    pipeline.sweep(configure(), {"seed": [1, 2]}, tmp_path / "a", backend="sequential")
    words = ["--figure", "weights", "--format", "pdf", "--format", "png"]
    assert main([str(tmp_path / "a"), *words]) == 0
    printed = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert [path.name for path in printed] == ["weights.pdf", "weights.png"]
    assert all(path.is_file() for path in printed)
