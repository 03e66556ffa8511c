"""What a command does with its grid: run it, say what came of it, end with the right exit code."""

from __future__ import annotations

import sys

from pipeline.experiment import Outcome, run_grid
from pipeline.grid import Grid
from pipeline.runner import Run
from pipeline.store import Directory

#: Exit codes; 0 is: all points done.
SOME_FAILED, WRONG_REQUEST, INTERRUPTED = 1, 2, 130


def run_and_report(grid: Grid, run: Run, directory: Directory) -> None:
    """Run a grid into a directory, print what came of it, and exit unless all is well."""
    try:
        outcome = run_grid(grid, run, directory)
    except KeyboardInterrupt:
        print(f"interrupted; what had finished is in {directory.results}", file=sys.stderr)
        print("to go on, repeat the command with the name of that directory", file=sys.stderr)
        sys.exit(INTERRUPTED)
    print(summary(outcome))
    print(directory.results)
    if outcome.failed or outcome.missing:
        print(f"the reasons are in {directory.log}", file=sys.stderr)
        sys.exit(SOME_FAILED)


def summary(outcome: Outcome) -> str:
    """Return one line on the numbers of a sweep."""
    values = outcome.results.values
    n_points = values("status").size
    words = [f"{n_points:,} point{'s' if n_points > 1 else ''} in {outcome.seconds:.1f} s"]
    if outcome.reused:
        words.append(f"{outcome.reused:,} finished before")
    if outcome.failed or outcome.missing:
        words.append(f"{outcome.failed:,} FAILED, {outcome.missing:,} missing")
    if n_points == 1 and outcome.done:
        n_spikes = values("spike_count").item()
        words.append(f"{n_spikes:,} output spike{'s' if n_spikes != 1 else ''}")
        words.append(f"{values('output_rate').item():.2f} Hz")
        words.append(f"mean weight {values('mean_weight').item():.5f}")
    silent = int((values("spike_count") == 0).sum())
    if silent:
        words.append(f"{silent:,} silent (no output spike)")
    return ", ".join(words)
