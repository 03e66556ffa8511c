"""Time, memory and file size of sweeps of a million points.

`python -m tests.benchmarks.large [grid] [shards] [samples] [--points 1000000] [--folder FOLDER]`
prints a table in Markdown for each: a grid is run, resumed, listed, drawn and reported; the same
grid is run in four shards, which are merged; samples of three parameters are run, resumed, drawn
and reported.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

#: Points along the axis of rates; the others are seeds.
_RATES = 40

_SHARDS = 4


def measured(words: list[str], folder: Path) -> tuple[float, float, int]:
    """Run a command; return its time [s], largest memory [MB] and exit code."""
    started = time.monotonic()
    with (folder / "output.txt").open("ab") as output:
        process = subprocess.Popen(words, cwd=folder, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    return seconds, usage.ru_maxrss / 1000, os.waitstatus_to_exitcode(status)


def _sweep(name: str, *words: str) -> list[str]:
    return ["-m", "pipeline", "-m", *words, "simulation.duration=100", f"name={name}"]


def _grid(n_points: int) -> tuple[str, str]:
    return f"seed=range({n_points // _RATES})", f"input.rate_hz=range(5,{5 + _RATES})"


def _read(name: str) -> list[tuple[str, list[str]]]:
    return [
        ("list", ["-m", "stdp", "list"]),
        ("figures", ["-m", "analysis", f"outputs/{name}"]),
        ("report", ["-m", "stdp", "report", f"outputs/{name}"]),
    ]


def grid(n_points: int) -> list[tuple[str, list[str]]]:
    """Return what is measured of a grid: texts, and the words of commands."""
    sweep = _sweep("grid", *_grid(n_points))
    return [("run", sweep), ("resumed, nothing missing", sweep), *_read("grid")]


def shards(n_points: int) -> list[tuple[str, list[str]]]:
    """Return what is measured of the same grid in shards."""
    runs = [
        (f"run.shard={i}/{_SHARDS}", _sweep("shards", *_grid(n_points), f"run.shard={i}/{_SHARDS}"))
        for i in range(1, _SHARDS + 1)
    ]
    merge = ["-m", "stdp", "merge", "outputs/shards"]
    return [*runs, ("merge", merge), ("merge, nothing new", merge)]


def samples(n_points: int) -> list[tuple[str, list[str]]]:
    """Return what is measured of a Latin hypercube."""
    sweep = _sweep(
        "samples",
        "input.rate_hz=interval(5,45)",
        "stdp.ltd_ratio=interval(0.9,1.2)",
        "stdp.A_plus=interval(0.001,0.02)",
        f"sweep.samples={n_points}",
        "sweep.method=lhs",
    )
    return [("run", sweep), ("resumed, nothing missing", sweep), *_read("samples")]


STEPS = {"grid": grid, "shards": shards, "samples": samples}


def size(path: Path) -> float:
    """Return the size of a file, or of all files below a folder [MB]."""
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def print_table(name: str, n_points: int, folder: Path) -> None:
    """Measure every step of one sweep, and print them."""
    print(f"| {name}: {n_points:,} points, 300 synapses | time | memory |\n|---|---|---|")
    for text, words in STEPS[name](n_points):
        seconds, megabytes, code = measured([sys.executable, *words], folder)
        failed = f" (exit code {code})" if code else ""
        print(f"| {text}{failed} | {seconds:.0f} s | {megabytes:.0f} MB |", flush=True)
    directory = folder / "outputs" / name
    n_files = sum(1 for _ in (directory / "points").iterdir())
    print(f"\n`results.nc` {size(directory / 'results.nc'):.0f} MB")
    print(f"`points/` {size(directory / 'points'):.0f} MB in {n_files:,} files\n", flush=True)


def main() -> None:
    """Print the tables that are asked for, by default all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="SWEEP", help=", ".join(STEPS))
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="stdp-large-"))
    for name in given.names or STEPS:
        print_table(name, given.points, folder)


if __name__ == "__main__":
    main()
