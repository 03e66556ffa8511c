"""Run the grid of a command, report the outcome and set the exit code."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from pipeline.composition.compose import is_dry, is_unnamed, run_settings_of
from pipeline.composition.shard import Shard
from pipeline.experiment.dry_run import plan_grid
from pipeline.experiment.run import Outcome, run_grid
from pipeline.model.errors import RequestError
from pipeline.model.quantity import written
from pipeline.model.variables import FLAGS, is_open
from pipeline.request.grid import Grid
from pipeline.storage.directory import Directory
from pipeline.storage.shards import experiment_directory
from pipeline.system import host
from pipeline.system.atomic_files import StorageError
from pipeline.system.memory import what_is_exhausted
from pipeline.system.output import complain, say
from pipeline.system.signals import INTERRUPTED, raise_on_interrupts
from pipeline.system.words import counted_points

#: Exit codes besides `INTERRUPTED`; 0 means that all points are done.
SOME_FAILED, WRONG_REQUEST = 1, 2


def run_and_report(grid: Grid, config: DictConfig, path: Path, made_by_hydra: bool = False) -> None:
    """Run a grid into a directory and print a summary.

    Parameters
    ----------
    grid : Grid
        The requested points.
    config : DictConfig
        The composed config, for run settings, `dry_run` and `name`.
    path : Path
        The experiment directory.
    made_by_hydra : bool
        Whether Hydra has made the directory, for a job of its own launchers.

    Raises
    ------
    SystemExit
        If a point failed, a file cannot be written, or the sweep was interrupted.
    RequestError
        If the request is not allowed.
    """
    settings, name = run_settings_of(config), str(config.name)
    dry = is_dry(config)
    if made_by_hydra and settings.shard is not None:
        raise RequestError(
            f"{written('run.shard', settings.shard)}: must be null with hydra/sweeper=basic, where "
            "each point has a directory of its own"
        )
    unnamed = is_unnamed(config) and not made_by_hydra
    directory = experiment_directory(path, settings, grid, unnamed)
    try:
        if dry:
            say(plan_grid(grid, settings, directory))
            return
        raise_on_interrupts()
        outcome = run_grid(grid, settings, directory)
    except StorageError as error:
        complain(f"error: {error}")
        complain(f"Once the cause is removed, resume with:\n{_again(name, directory)}")
        sys.exit(SOME_FAILED)
    except KeyboardInterrupt as interrupt:
        counts = str(interrupt) or "finished points are saved"
        complain(f"Interrupted: {counts}. Resume with:\n{_again(name, directory)}")
        sys.exit(INTERRUPTED)
    except Exception as error:
        if exhausted := what_is_exhausted(error):
            complain(f"error: {exhausted}; finished points are saved")
            remedy = "With a higher limit, or fewer recordings"
        elif isinstance(error, OSError) and error.filename:  # of a disk that fails, for one
            complain(f"error: {error.filename}: {error.strerror}; finished points are saved")
            remedy = "Once the cause is removed"
        else:
            raise
        complain(f"{remedy}, {'repeat' if dry else 'resume'} with:\n{_again(name, directory)}")
        sys.exit(SOME_FAILED)
    say(summary(outcome, directory.shard))
    say(directory.results)
    if advice := advice_on_open_ends(outcome):
        complain(advice)
    if directory.shard:
        say(f"When all shards are done: {host.merge_command(str(path))}")
    if outcome.asked.failed or outcome.not_continued:
        complain(f"The reasons are in {directory.reasons}")
    if outcome.asked.failed or outcome.asked.missing or outcome.not_continued:
        complain(f"Retry with:\n{_again(name, directory)}")
        sys.exit(SOME_FAILED)


def _again(name: str, directory: Directory) -> str:
    """Return the command that resumes: the same command line, with the name of the directory."""
    if directory.shard:  # of a task of an array: without its number it would be another
        command = host.command_line()
        given = f"run.shard={directory.shard}"
        return command if given in command else f"{command} {given}"
    name = str(Path(name).with_name(directory.path.name))  # it may have taken a free one
    command = host.command_line()
    named = any(word.startswith("name=") for word in sys.argv)
    return command if named else f"{command} {shlex.quote(f'name={name}')}"


def summary(outcome: Outcome, shard: Shard | None = None) -> str:
    """Return one line with the numbers of points and, of a single point, its results.

    Parameters
    ----------
    outcome : Outcome
        Results and numbers of a sweep.
    shard : Shard, optional
        The part of the points that it was.
    """
    n_asked, n_points = sum(outcome.asked), sum(outcome.everything)
    values = outcome.results.values
    parts = [f"{counted_points(n_asked)} in {outcome.seconds:.1f} s"]
    if outcome.reused:
        parts.append(f"{outcome.reused:,} finished before")
    if went_on := outcome.continued - outcome.not_continued:
        parts.append(f"{went_on:,} went on from an earlier end")
    if outcome.not_continued:
        parts.append(f"{outcome.not_continued:,} FAILED to go on and kept their results")
    if outcome.asked.failed or outcome.asked.missing:
        parts.append(f"{outcome.asked.failed:,} FAILED, {outcome.asked.missing:,} missing")
    if n_points == 1 and outcome.asked.done:
        n_spikes = values("spike_count").item()
        rate = f"{values('output_rate').item():.2f} Hz over the whole run"
        parts.append(f"{n_spikes:,} output spike{'s' if n_spikes != 1 else ''} ({rate})")
        parts.append(f"mean weight {values('mean_weight').item():.5f}")
    if shard:
        parts[0] = f"shard {shard} of {counted_points(n_points)}: {parts[0]}"
    elif n_points > n_asked:
        done, failed, missing = outcome.everything
        parts.append(f"in the file {counted_points(n_points)}: {done:,} done")
        parts += [f"{failed:,} failed"] * bool(failed) + [f"{missing:,} missing"] * bool(missing)
    # What follows is counted over all points of the file, and stands behind their number.
    if "settled" in outcome.results.variables:
        counts = np.bincount(values("settled").ravel() + 1, minlength=len(FLAGS) + 1)[1:]
        answers = zip(counts.tolist(), FLAGS, strict=True)
        parts += [f"{count:,} {answer}" for count, answer in answers if count]
    silent = int((values("spike_count") == 0).sum())
    if silent and "settled" not in outcome.results.variables:
        parts.append(f"{silent:,} silent (no output spike)")
    return ", ".join(parts)


def advice_on_open_ends(outcome: Outcome) -> str:
    """Return what to do with runs until they have settled that had not; empty if there are none."""
    if "settled" not in outcome.results.variables:
        return ""
    values = outcome.results.values
    unsettled = is_open(values("settled"))
    if not unsettled.any():
        return ""
    last = float(values("run_duration")[unsettled].max())
    return (
        f"{counted_points(int(unsettled.sum()))} had not settled after {last / 1000:,.15g} s: with "
        f"simulation.duration={2 * last:.15g} or more the same command lets them go on"
    )
