"""Contestants: this project's two engines, a program in C, the notebook's algorithm, simulators.

Brian2 and NEST have separate environments: each run is a separate process with a script of
`peers/`, which reports its own time, without start-up and compilation.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline import Configuration
from pipeline.engine import compiled
from pipeline.model import reference
from tests.benchmarks import naive, notebook
from tests.benchmarks.contest import Contestant, Turn
from tests.benchmarks.hand_written_c import Program
from tests.benchmarks.table import time_text
from tests.support.notebook_algorithm import parameters_of
from tests.support.peers import SCRIPTS, answer, interpreter

ROOT = Path(__file__).parent.parent.parent

#: Runs of this project and of C are short: each of their repeats is the minimum of this many.
RUNS_A_TURN = 5


def lasting(configuration: Configuration, duration: float) -> Configuration:
    """Return a configuration with another duration [ms]."""
    simulation = dataclasses.replace(configuration.simulation, duration=duration)
    return dataclasses.replace(configuration, simulation=simulation)


def compiled_engine(configuration: Configuration) -> Contestant:
    """Return this project's default engine, compiled beforehand."""
    compiled.run(configuration)
    return Contestant(
        "compiled engine",
        configuration,
        lambda: _shortest(lambda: _engine_turn(compiled.run, configuration)),
    )


def hand_written_c(configuration: Configuration, folder: Path) -> Contestant:
    """Return the program in C, compiled by the system's compiler.

    Raises
    ------
    AbsentError
        If there is no compiler, or if it fails.
    """
    program = Program(folder)

    def turn() -> Turn:
        started = time.perf_counter()
        n_spikes, weight, _ = program.run(configuration)
        return Turn(time.perf_counter() - started, n_spikes, weight.mean())

    return Contestant(program.name, configuration, lambda: _shortest(turn))


def reference_engine(configuration: Configuration, _: Path) -> Contestant:
    """Return this project's reference engine, in numpy."""
    return Contestant(
        "its own reference engine (numpy)",
        configuration,
        lambda: _engine_turn(reference.run, configuration),
    )


def the_notebook(configuration: Configuration, _: Path) -> Contestant:
    """Return the notebook's algorithm: dense arrays of all state variables at all steps."""
    return Contestant(
        "the notebook's algorithm", configuration, lambda: _timed(notebook.run, configuration)
    )


def naive_numba(configuration: Configuration, _: Path) -> Contestant:
    """Return the notebook's loop, compiled by numba without other changes."""
    naive.run(parameters(lasting(configuration, 100.0)))
    return Contestant(
        "the notebook's loop in numba, dense",
        configuration,
        lambda: _timed(naive.run, configuration),
    )


def brian2(
    configuration: Configuration, folder: Path, target: str = "cpp", rule: str = "same"
) -> Contestant:
    """Return Brian2 with code generation.

    Parameters
    ----------
    configuration : Configuration
        What to run.
    folder : Path
        Directory of the compiled code.
    target : str
        `cpp` (standalone) or `cython`.
    rule : str
        Treatment of coincidences of input and output spikes in one step, `same`: as in this
        project; `usual`: as in Brian2's examples.

    Raises
    ------
    AbsentError
        If it is not installed, or fails.
    """
    python = interpreter("brian2")
    simulation = configuration.simulation
    size = f"{configuration.input.n_synapses}_{simulation.duration:g}_{simulation.dt:g}"
    command = [python, SCRIPTS / "brian2_run.py", target, rule, folder / f"{target}_{rule}_{size}"]
    # The duration is part of what is compiled in C++ alone.
    made = _ask(command, configuration if target == "cpp" else lasting(configuration, 100.0))
    name = {"cpp": "C++ standalone", "cython": "Cython"}[target]
    rule_note = "" if rule == "same" else ", its usual order of operations"
    return Contestant(
        f"Brian2 {made['versions']['Brian2']} {name}{rule_note}",
        configuration,
        lambda: _turn_of(_ask(command, configuration)),
        f"and {time_text(made['compile_seconds'])} to compile",
    )


def nest(configuration: Configuration, _: Path) -> Contestant:
    """Return NEST.

    Raises
    ------
    AbsentError
        If it is not installed, or fails.
    """
    command = [interpreter("nest"), SCRIPTS / "nest_run.py"]
    made = _ask(command, lasting(configuration, 100.0))
    return Contestant(
        f"NEST {made['versions']['NEST']}",
        configuration,
        lambda: _turn_of(_ask(command, configuration)),
    )


#: Factories of contestants, from a configuration and a directory for compiled code.
OTHERS: dict[str, Callable[[Configuration, Path], Contestant]] = {
    "c": hand_written_c,
    "reference": reference_engine,
    "notebook": the_notebook,
    "naive": naive_numba,
    "brian2_cpp": brian2,
    "brian2_cpp_usual": functools.partial(brian2, rule="usual"),
    "brian2_cython": functools.partial(brian2, target="cython"),
    "nest": nest,
}


def parameters(configuration: Configuration) -> dict[str, Any]:
    """Return a configuration as one flat dict, with its seed."""
    return parameters_of(configuration) | {"seed": configuration.seed}


def _shortest(turn: Callable[[], Turn]) -> Turn:
    """Return the shortest of several runs."""
    return min((turn() for _ in range(RUNS_A_TURN)), key=lambda turn: turn.seconds)


def _engine_turn(
    run: Callable[[Configuration], reference.Recording], configuration: Configuration
) -> Turn:
    started = time.perf_counter()
    recording = run(configuration)
    seconds = time.perf_counter() - started
    return Turn(seconds, recording.spike_step.size, recording.weight.mean())


def _timed(
    run: Callable[[dict[str, Any]], tuple[int, float]], configuration: Configuration
) -> Turn:
    given = parameters(configuration)
    started = time.perf_counter()
    n_spikes, mean_weight = run(given)
    return Turn(time.perf_counter() - started, n_spikes, mean_weight)


def _ask(command: list[str | Path], configuration: Configuration) -> dict[str, Any]:
    """Run a peer's script once, with the parameters as its last argument."""
    return answer([*command, json.dumps(parameters(configuration))])


def _turn_of(answer: dict[str, Any]) -> Turn:
    return Turn(answer["seconds"], answer["spikes"], answer["mean_weight"])
