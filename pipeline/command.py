"""What a command does with its grid: run it, say what came of it, end with the right exit code."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from omegaconf import DictConfig

from pipeline.experiment.dry_run import plan_grid
from pipeline.experiment.run import Outcome, run_grid
from pipeline.request.compose import is_dry, run_settings_of
from pipeline.request.grid import Grid
from pipeline.storage.directory import Directory
from pipeline.system import host
from pipeline.system.atomic_files import StorageError
from pipeline.system.signals import INTERRUPTED, raise_at_interrupts

#: Exit codes beside that of an interruption; 0 is: all points done.
SOME_FAILED, WRONG_REQUEST = 1, 2


def run_and_report(grid: Grid, config: DictConfig, path: Path) -> None:
    """Run a grid into a directory, print what came of it, and exit unless all is well."""
    settings, directory, name = run_settings_of(config), Directory(path), str(config.name)
    if is_dry(config):
        print(plan_grid(grid, settings, directory))
        return
    raise_at_interrupts()
    try:
        outcome = run_grid(grid, settings, directory)
    except StorageError as error:
        print(f"error: {error}", file=sys.stderr)
        print(f"once that is mended, go on with\n{_again(name)}", file=sys.stderr)
        sys.exit(SOME_FAILED)
    except KeyboardInterrupt:
        print("interrupted; what had finished is kept, go on with", file=sys.stderr)
        print(_again(name), file=sys.stderr)
        sys.exit(INTERRUPTED)
    print(summary(outcome))
    print(directory.results)
    if outcome.asked.failed:
        print(f"the reasons are in {directory.reasons}", file=sys.stderr)
    if outcome.asked.failed or outcome.asked.missing:
        print(f"to try again\n{_again(name)}", file=sys.stderr)
        sys.exit(SOME_FAILED)


def _again(name: str) -> str:
    """Return the command that goes on where this one ended: itself, into the same directory."""
    command = host.command_line()
    named = any(word.startswith("name=") for word in sys.argv)
    return command if named else f"{command} {shlex.quote(f'name={name}')}"


def summary(outcome: Outcome) -> str:
    """Return one line on the numbers of a sweep."""
    n_asked, n_points = sum(outcome.asked), sum(outcome.everything)
    values = outcome.results.values
    words = [f"{_points(n_asked)} in {outcome.seconds:.1f} s"]
    if outcome.reused:
        words.append(f"{outcome.reused:,} finished before")
    if outcome.asked.failed or outcome.asked.missing:
        words.append(f"{outcome.asked.failed:,} FAILED, {outcome.asked.missing:,} missing")
    if n_points == 1 and outcome.asked.done:
        n_spikes = values("spike_count").item()
        words.append(f"{n_spikes:,} output spike{'s' if n_spikes != 1 else ''}")
        words.append(f"{values('output_rate').item():.2f} Hz")
        words.append(f"mean weight {values('mean_weight').item():.5f}")
    silent = int((values("spike_count") == 0).sum())
    if silent:
        words.append(f"{silent:,} silent (no output spike)")
    if n_points > n_asked:
        done, failed, missing = outcome.everything
        words.append(f"in the file {_points(n_points)}: {done:,} done")
        words += [f"{failed:,} failed"] * bool(failed) + [f"{missing:,} missing"] * bool(missing)
    return ", ".join(words)


def _points(number: int) -> str:
    return f"{number:,} point{'s' if number != 1 else ''}"
