"""Costs around the simulation: overhead per point, start-up, cores, memory, an experiment."""

from __future__ import annotations

import dataclasses
import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import xarray as xr

import pipeline
from pipeline.engine import compiled
from tests.benchmarks.contestants import ROOT, lasting, parameters, the_notebook
from tests.benchmarks.plan import Plan
from tests.benchmarks.shell import Ended, pipeline_command, python_command
from tests.benchmarks.table import Row, ratio_text, size_text, time_text

#: Runs so short that the overhead dominates.
_TINY = ("simulation.duration=2", "simulation.dt=1")
_RATES = range(10, 20)

#: Amplitudes of the resumed sweep, for each seed.
_AMPLITUDES = 100

#: One run of negligible time.
_INSTANT = ("simulation.duration=20",)

#: Twenty samples in ten seconds.
_SAMPLES = "record.weight_interval=500"

#: Number of points with Hydra's own launcher, which is slow.
_HYDRA_POINTS = 20


def overhead(plan: Plan) -> Iterator[Row]:
    """Yield the time per point beyond its simulation, from the total and from the slope."""
    n_points = plan.n_seeds * len(_RATES)
    _wide_sweep(plan)
    turns = [
        (
            # With one worker the simulation time is all part of the wall time.
            _wide_sweep(plan, "run.n_jobs=1").seconds,
            pipeline_command(plan.folder, *_TINY).seconds,
            _simulation_alone(plan.n_seeds),
        )
        for _ in range(plan.repeats)
    ]
    whole, one, alone = (statistics.median(times) for times in zip(*turns, strict=True))
    what = f"Sweep overhead per point: {n_points:,} points from the shell, one worker"
    parts = (
        f"command {time_text(whole)}, command of one point {time_text(one)}; "
        f"simulation alone {time_text(alone)}"
    )
    yield Row(
        f"{what}, total time minus simulation",
        ours=_point_text((whole - alone) / n_points),
        check=f"{parts}; medians",
    )
    ours = (whole - one - alone) / (n_points - 1)
    hydra = _hydra_slope(plan)
    yield Row(
        f"{what}, slope minus simulation",
        "Hydra's own sweeper and launcher (`hydra/sweeper=basic`)",
        _point_text(ours),
        f"{_point_text(hydra)} (slope over {_HYDRA_POINTS} points)",
        ratio_text(hydra / ours),
        "the same points; Hydra writes a directory and a file for each",
    )


def start_up(plan: Plan) -> Iterator[Row]:
    """Yield the wall time of a command with negligible work."""
    pipeline_command(plan.folder, *_INSTANT)
    seconds = [pipeline_command(plan.folder, *_INSTANT).seconds for _ in range(plan.repeats)]
    yield Row(
        "Start-up: complete command for one run of 20 ms, warm cache",
        ours=time_text(statistics.median(seconds)),
        check=f"median of {plan.repeats}",
    )


def resume(plan: Plan) -> Iterator[Row]:
    """Yield the wall time of repeating a sweep of which all points are done."""
    n_points = plan.n_seeds * _AMPLITUDES
    axes = (f"seed=range({plan.n_seeds})", f"stdp.A_plus=range(0.001,{_AMPLITUDES + 1}e-3,1e-3)")
    command = ("-m", "pipeline", "-m", *axes, *_TINY, "name=resumed")
    first, _ = python_command(plan.folder, *command)
    start = pipeline_command(plan.folder, *_INSTANT).seconds
    times = [python_command(plan.folder, *command)[0] - start for _ in range(plan.repeats)]
    yield Row(
        f"Resume: {n_points:,} points, all of them done, `results.nc` rewritten",
        "running them",
        time_text(statistics.median(times)),
        time_text(first - start),
        ratio_text((first - start) / statistics.median(times)),
        f"minus start-up; median of {plan.repeats}",
    )


def two_cores(plan: Plan) -> Iterator[Row]:
    """Yield the speed-up of two workers over one, without start-up."""
    sweep = ("-m", f"seed=range({plan.n_points})", f"simulation.duration={plan.long}")
    pipeline_command(plan.folder, *_INSTANT)
    turns = []
    for _ in range(plan.repeats):
        start = pipeline_command(plan.folder, *_INSTANT).seconds
        one, two = (
            pipeline_command(plan.folder, *sweep, f"run.n_jobs={n}").seconds - start for n in (1, 2)
        )
        turns.append((one, two))
    one, two = (statistics.median(times) for times in zip(*turns, strict=True))
    yield Row(
        f"Two workers: {plan.n_points} points of {plan.long / 1000:,g} s, minus start-up",
        "one worker",
        time_text(two),
        time_text(one),
        ratio_text(statistics.median(one / two for one, two in turns)),
        f"median of {plan.repeats} pairs",
    )


def memory(plan: Plan) -> Iterator[Row]:
    """Yield the peak memory of a run, a long run, a large sweep and the notebook's algorithm."""
    configuration = lasting(pipeline.configure(), plan.duration)
    given = json.dumps(parameters(configuration))
    code = "import json, sys; from tests.benchmarks import notebook; "
    code += "notebook.run(json.loads(sys.argv[1]))"
    _, dense = python_command(plan.folder, "-c", code, given)
    against = f"the notebook's algorithm: one run of {plan.duration / 1000:g} s, dt 1 ms"
    n_points = plan.n_seeds * len(_RATES)
    same = pipeline_command(plan.folder, f"simulation.duration={plan.duration}")
    long = pipeline_command(plan.folder, f"simulation.duration={plan.long}", "simulation.dt=0.1")
    for what, ended in (
        (f"one run of {plan.duration / 1000:g} s, dt 1 ms", same),
        (f"one run of {plan.long / 1000:,g} s, dt 0.1 ms", long),
        (f"{n_points:,} points of 300 synapses", _wide_sweep(plan)),
    ):
        yield Row(
            f"Peak memory: {what}",
            against,
            size_text(ended.peak),
            size_text(dense),
            ratio_text(dense / ended.peak),
            "total of the process",
        )


def figures(plan: Plan) -> Iterator[Row]:
    """Yield the time and the peak memory of drawing all figures of a large file."""
    n_seeds = plan.n_seeds // 100
    axes = (
        "input.rate_hz=range(10,60)",
        "stdp.ltd_ratio=range(1,2,0.05)",
        f"seed=range({n_seeds})",
    )
    words = ("-m", *axes, "simulation.duration=10000")
    for what, more in (("final weights", ()), ("20 samples of all weights", (_SAMPLES,))):
        ended = pipeline_command(plan.folder, *words, *more)
        drawn = [
            python_command(plan.folder, "-m", "analysis", str(ended.results))
            for _ in range(plan.repeats)
        ]
        seconds, peak = (statistics.median(values) for values in zip(*drawn, strict=True))
        size = size_text(ended.results.stat().st_size)
        yield Row(
            f"All figures of {n_seeds * 1000:,} points of 300 synapses, {what}",
            ours=f"{time_text(seconds)}, {size_text(int(peak))}",
            check=f"total time of the command; file of {size}; median of {plan.repeats}",
        )


def study(plan: Plan) -> Iterator[Row]:
    """Yield the wall time of an experiment at equilibrium, against the notebook's algorithm."""
    name = "equilibrium"
    if not (ROOT / "conf" / "experiment" / f"{name}.yaml").exists():
        yield Row(f"Experiment `+experiment={name}`", ours="skipped: no such experiment")
        return
    command = (f"+experiment={name}", *plan.study)
    one = pipeline.configure("simulation.dt=0.1")  # that of the experiment
    length = plan.duration / 10  # as many steps, and as much memory, as at dt 1 ms
    notebook = the_notebook(lasting(one, length), plan.folder)
    turns = []
    for _ in range(plan.repeats):
        # The first of two runs includes the allocation of memory by the system.
        dense = min(notebook.run().seconds for _ in range(2))
        ended = pipeline_command(plan.folder, *command)
        turns.append((ended.seconds, dense))
    n_points, duration = _size_of(ended.results)
    n_runs = n_points * duration / length
    seconds, dense = (min(times) for times in zip(*turns, strict=True))
    yield Row(
        f"Experiment `{' '.join(command)}`: {n_points:,} points of {duration / 1000:,g} s",
        "the notebook's algorithm",
        time_text(seconds),
        f"{time_text(n_runs * dense)} ({n_runs:,g} times a run of {length / 1000:g} s)",
        ratio_text(n_runs * dense / seconds),
        f"total time of the command, all cores; minimum of {plan.repeats}",
    )


def _wide_sweep(plan: Plan, *words: str) -> Ended:
    axes = (f"seed=range({plan.n_seeds})", f"input.rate_hz=range({_RATES.start},{_RATES.stop})")
    return pipeline_command(plan.folder, "-m", *axes, *_TINY, *words)


def _simulation_alone(n_seeds: int) -> float:
    """Return the time of the simulations of the large sweep in a plain loop [s]."""
    first = pipeline.configure(*_TINY)
    compiled.run(first)
    points = [
        dataclasses.replace(first, input=inputs, seed=seed)
        for inputs in (dataclasses.replace(first.input, rate_hz=float(rate)) for rate in _RATES)
        for seed in range(n_seeds)
    ]
    started = time.perf_counter()
    for point in points:
        compiled.run(point)
    return time.perf_counter() - started


def _hydra_slope(plan: Plan) -> float:
    """Return the time per point with Hydra's basic sweeper, without start-up [s]."""
    basic = ("-m", "hydra/sweeper=basic", *_TINY)
    many, one = (
        min(pipeline_command(plan.folder, *basic, f"seed=range({n})").seconds for _ in range(2))
        for n in (1 + _HYDRA_POINTS, 1)
    )
    return (many - one) / _HYDRA_POINTS


def _size_of(results: Path) -> tuple[int, float]:
    """Return the number of points in a file and the model time of each [ms]."""
    with xr.open_dataset(results) as data:
        configuration = json.loads(data.attrs["configuration"])
        return data["status"].size, configuration["simulation"]["duration"]


def _point_text(seconds: float) -> str:
    return f"{seconds * 1e3:.3f} ms" if seconds < 0.01 else time_text(seconds)
