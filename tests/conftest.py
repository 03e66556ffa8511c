"""Shared fixtures: a small configuration, and the command line in this process."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import pytest

import pipeline
from pipeline.execution import batch
from pipeline.model import reference
from pipeline.model.variables import ABOUT_RUNS

matplotlib.use("Agg")

# A shell starts a command in the background with interruptions ignored, and all that tests start
# would inherit it, what they interrupt too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).parents[1]
GOLDEN = Path(__file__).parent / "golden"

#: Overrides of a run of a few milliseconds that spikes: 40 strong synapses for half a second.
SMALL = ("synapse.g_max=0.15", "input.n_synapses=40", "input.rate_hz=40", "simulation.duration=500")


@pytest.fixture
def configure():
    """Compose a small configuration, some of it replaced."""
    return lambda *overrides: pipeline.configure(*SMALL, *overrides)


@pytest.fixture
def keep(configure, tmp_path):
    """Sweep a small configuration into a directory below `tmp_path`."""

    def sweep(name, axes, *overrides):
        pipeline.sweep(configure(*overrides), axes, tmp_path / name, backend="sequential")
        return tmp_path / name

    return sweep


@pytest.fixture
def sweep(configure):
    """Sweep a small configuration in this process."""
    return lambda axes, *overrides: pipeline.sweep(
        configure(*overrides), axes, backend="sequential"
    )


@pytest.fixture
def run_python():
    """Run code in a process of its own, where `peak()` is its memory [kB]; return its output."""
    unit = 1024 if sys.platform == "darwin" else 1  # of what the system reports
    peak = "import resource\ndef peak(): return "
    peak += f"resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // {unit}\n"

    def run(code: str, *arguments: object) -> str:
        command = [sys.executable, "-c", peak + code, *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def fail_for_seed(monkeypatch):
    """Make every engine raise an error for one seed."""

    def arrange(seed: int, error: Exception) -> None:
        def fail_or_run(configuration, *arguments):
            if configuration.seed == seed:
                raise error
            return reference.run(configuration, *arguments)

        monkeypatch.setattr(batch, "engine_named", lambda name: fail_or_run)

    return arrange


@pytest.fixture
def tried(request):
    """Record the counts of a campaign, to be printed after the tests."""

    def note(campaign, counts):
        text = ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
        # xdist passes user properties from its workers to the main process.
        request.node.user_properties.append(("tried", f"{campaign}: {text}"))

    return note


def pytest_terminal_summary(terminalreporter):
    """Print the counts of the campaigns."""
    for report in terminalreporter.stats.get("passed", []):
        for name, text in report.user_properties:
            if name == "tried":
                terminalreporter.write_line(f"campaign, {text}")


@dataclass
class Ended:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    """Run `python -m pipeline` in this process, below a temporary `outputs`."""
    from pipeline.cli import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")
    monkeypatch.setattr(logging.root, "handlers", logging.root.handlers[:])
    monkeypatch.setattr(logging.root, "level", logging.root.level)

    def run(*arguments: str) -> Ended:
        program = str(Path(pipeline.__file__).with_name("__main__.py"))
        monkeypatch.setattr(sys, "argv", [program, *arguments])
        monkeypatch.setenv("HYDRA_FULL_ERROR", "0")
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as exit_:
            code = exit_.code
        captured = capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    return run


@pytest.fixture
def refused(command, tmp_path):
    """Run a command that is refused, with exit code 2 and nothing written; return its one line."""

    def run(*arguments: str) -> str:
        ended = command(*arguments)
        assert ended.code == 2
        (line,) = ended.err.splitlines()
        assert not (tmp_path / "outputs").exists()
        return line

    return run


def numbers_of(dataset):
    """Return a dataset without provenance: neither attributes nor run numbers nor times."""
    return dataset.drop_vars(ABOUT_RUNS).drop_attrs()


def names_in(folder: Path) -> list[str]:
    """Return the names of the files and folders in a folder."""
    return sorted(one.name for one in folder.iterdir())


def golden(name: str) -> dict[str, np.ndarray]:
    """Return the output of the original notebook for one case."""
    with np.load(GOLDEN / f"{name}.npz") as file:
        return {key: file[key] for key in file.files}


def golden_overrides(case: dict[str, np.ndarray]) -> list[str]:
    """Return the overrides that describe a golden run."""
    return [
        "input=notebook",
        f"input.rate_hz={case['rate_hz'].item()}",
        f"input.n_synapses={case['n'].item()}",
        f"seed={case['seed'].item()}",
        f"synapse.w_init={case['g_init'].item() / case['g_max'].item()}",
        f"synapse.g_max={case['g_max'].item()}",
        f"simulation.duration={case['duration'].item()}",
        f"simulation.dt={case['dt'].item()}",
        f"neuron.tau_m={case['tau_m'].item()}",
        f"neuron.t_ref={case['t_ref'].item()}",
        f"stdp.A_plus={case['A_plus'].item()}",
        f"stdp.A_minus={case['A_minus'].item()}",
        f"stdp.tau_plus={case['tau_stdp'].item()}",
    ]
