"""Time, memory and file size of a sweep of a million points: run, resumed, listed, drawn, reported.

`python -m tests.benchmarks.large [--points 1000000] [--folder FOLDER]` prints a table in Markdown.
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

_NAME = "large"


def measured(words: list[str], folder: Path) -> tuple[float, float, int]:
    """Run a command; return its time [s], largest memory [MB] and exit code."""
    started = time.monotonic()
    with (folder / "output.txt").open("ab") as output:
        process = subprocess.Popen(words, cwd=folder, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    return seconds, usage.ru_maxrss / 1000, os.waitstatus_to_exitcode(status)


def steps(n_points: int) -> list[tuple[str, list[str]]]:
    """Return what is measured: a text, and the words of a command."""
    sweep = [
        *("-m", "pipeline", "-m", f"seed=range({n_points // _RATES})"),
        *(f"input.rate_hz=range(5,{5 + _RATES})", "simulation.duration=100", f"name={_NAME}"),
    ]
    return [
        ("run", sweep),
        ("resumed, nothing missing", sweep),
        ("list", ["-m", "stdp", "list"]),
        ("figures", ["-m", "analysis", f"outputs/{_NAME}"]),
        ("report", ["-m", "stdp", "report", f"outputs/{_NAME}"]),
    ]


def size(path: Path) -> float:
    """Return the size of a file, or of all files below a folder [MB]."""
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def main() -> None:
    """Measure every step, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="stdp-large-"))
    print(f"| {given.points:,} points, 300 synapses | time | memory |\n|---|---|---|")
    for text, words in steps(given.points):
        seconds, megabytes, code = measured([sys.executable, *words], folder)
        failed = f" (exit code {code})" if code else ""
        print(f"| {text}{failed} | {seconds:.0f} s | {megabytes:.0f} MB |", flush=True)
    directory = folder / "outputs" / _NAME
    n_files = sum(1 for _ in (directory / "points").iterdir())
    print(f"\n`results.nc` {size(directory / 'results.nc'):.0f} MB")
    print(f"`points/` {size(directory / 'points'):.0f} MB in {n_files:,} files")


if __name__ == "__main__":
    main()
