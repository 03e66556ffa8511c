"""`python -m pipeline.merge outputs/NAME`: merge shards, or experiments, into one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.model.errors import RequestError
from pipeline.options import Parser
from pipeline.system import host
from pipeline.system.atomic_files import StorageError
from pipeline.system.output import (
    closed_pipes_ignored,
    complain,
    prepare_streams,
    say,
)
from pipeline.system.signals import INTERRUPTED, exit_on_interrupts, raise_on_interrupts
from pipeline.system.words import counted, counted_points

if TYPE_CHECKING:
    from pipeline.experiment.merging import Incomplete, Merged

#: Exit codes besides 0, which means that the union is whole.
SOME_MISSING, WRONG_REQUEST = 1, 2

#: Up to this many shards are shown in lines of their own.
_MOST_SHOWN = 20


def main(arguments: list[str] | None = None) -> int:
    """Merge the directories of the command line; return the exit code."""
    parser = Parser(
        prog=host.merge_command(),
        description="Merge the shards of an experiment into its directory, or experiments into "
        "another one. What is merged is only read. Exit code 0: all is there, 1: points failed, or "
        "shards are missing or incomplete (the others are merged), 2: nothing could be merged.",
    )
    parser.add_argument(
        "experiments", type=Path, nargs="+", metavar="DIR", help="outputs/NAME, with its shards"
    )
    parser.add_argument(
        "--into",
        type=Path,
        metavar="OUT",
        help="the directory that is written; without it, the one DIR, from its shards",
    )
    parser.add_run_given_code("rules and processes that the directories contain")
    try:
        with closed_pipes_ignored():
            given = parser.parse_args(arguments)
        from pipeline.experiment.merging import merge

        raise_on_interrupts()
        merged = merge(given.experiments, given.into, given.run_given_code)
    except RequestError as error:
        complain(" ".join(["error:", *str(error).split()]))
        return WRONG_REQUEST
    except StorageError as error:
        complain(f"error: {error}; once the cause is removed, the same command goes on")
        return SOME_MISSING
    except KeyboardInterrupt:
        complain("Interrupted; the same command goes on")
        return INTERRUPTED
    say(_summary(merged))
    say(merged.results)
    for line in _complaints(merged):
        complain(line)
    return 0 if merged.is_whole else SOME_MISSING


def _summary(merged: Merged) -> str:
    done, failed, missing = merged.counts
    n_points = sum(merged.counts)
    parts = [f"{counted_points(n_points)}: {done:,} done"]
    parts += [f"{failed:,} FAILED"] * bool(failed) + [f"{missing:,} missing"] * bool(missing)
    files = "file of points is" if merged.n_new == 1 else "files of points are"
    return f"{', '.join(parts)}; {merged.n_new:,} {files} new"


def _complaints(merged: Merged) -> Iterator[str]:
    """Yield what is missing, a line each, and what to do."""
    if merged.n_damaged:
        left, theirs = ("was", "its") if merged.n_damaged == 1 else ("were", "their")
        files = counted(merged.n_damaged, "damaged file")
        yield f"{files} {left} left out; {theirs} points run again there"
    for path, number in merged.lost.items():
        are = "is" if number == 1 else "are"
        points = counted_points(number)
        yield f"{path}: {points} of its results.nc {are} in no file of {path}/points"
    for one in merged.incomplete[:_MOST_SHOWN]:
        yield f"{one.experiment}: shard {one.shard} {_state(one)}"
    if more := merged.incomplete[_MOST_SHOWN:]:
        yield f"and {counted(len(more), 'more shard')}"
    if merged.incomplete:
        yield _advice(merged.incomplete)


def _state(one: Incomplete) -> str:
    _, failed, missing = one.counts
    if not one.came:
        return f"never came: {counted_points(missing)} missing"
    parts = [f"{counted_points(missing)} missing"] * bool(missing)
    return (
        f"is incomplete: {', '.join(parts + [f'{counted_points(failed)} failed'] * bool(failed))}"
    )


def _advice(incomplete: tuple[Incomplete, ...]) -> str:
    total = incomplete[0].shard.total
    numbers = ",".join(str(one.shard.number) for one in incomplete)
    given = f"run.shard=i/{total} for i={numbers}"
    if all(one.task is not None for one in incomplete):
        given = f"sbatch --array={','.join(str(one.task) for one in incomplete)}"
    if duration := incomplete[0].duration:  # points of the shards at a shorter one do not count
        given += f", with simulation.duration={duration:.15g}, the longest of a shard"
    elif incomplete[0].unlike:
        given += ", with all values that any shard has on its axes"
    return f"Run these again, {given}, and merge again"


if __name__ == "__main__":
    prepare_streams()
    exit_on_interrupts()  # the imports of `main` take most of a second
    sys.exit(main())
