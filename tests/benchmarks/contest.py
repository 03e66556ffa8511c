"""Side by side: A B A B ... on one core, the fastest of each, and what came out of both."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pipeline import Configuration
from tests.benchmarks.table import Row, ratio_text, time_text


class AbsentError(Exception):
    """A contestant is not installed, or cannot do it; the message says why."""


@dataclass(frozen=True)
class Turn:
    """One run: its time, and what shows that it did the work."""

    seconds: float
    spikes: int
    mean_weight: float

    def work(self) -> str:
        """Return what came out."""
        return f"{self.spikes:,} spikes, {self.mean_weight:.3f}"


@dataclass(frozen=True)
class Contestant:
    """Who can run a configuration.

    Attributes
    ----------
    name : str
        As the table calls it.
    configuration : Configuration
        What it runs in a turn.
    run : callable
        Runs it once.
    note : str
        What a reader of its time must know.
    """

    name: str
    configuration: Configuration
    run: Callable[[], Turn]
    note: str = ""


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """Keep this thread and the processes it starts on one core, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def side_by_side(
    what: str,
    ours: Callable[[Configuration], Contestant],
    configuration: Configuration,
    other: Contestant,
    repeats: int,
) -> Row:
    """Let two contestants take turns and return the row of their fastest times.

    Parameters
    ----------
    what : str
        What is measured.
    ours : callable
        Makes this project's contestant.
    configuration : Configuration
        What this project runs.
    other : Contestant
        The other; where it runs a shorter time its time is scaled, and what came out is compared
        with what this project gives for that shorter time.
    repeats : int
        Turns of each.
    """
    home = ours(configuration)
    same_work = ours(other.configuration).run()
    scale = configuration.simulation.duration / other.configuration.simulation.duration
    with one_core():
        turns = [(home.run(), other.run()) for _ in range(repeats)]
    fastest = min(turn.seconds for turn, _ in turns)
    others_fastest = scale * min(turn.seconds for _, turn in turns)
    notes = [other.note] if other.note else []
    if scale != 1:
        measured = other.configuration.simulation.duration / 1000
        notes.append(f"{scale:g} times a run of {measured:g} s")
    return Row(
        what,
        other.name,
        time_text(fastest),
        time_text(others_fastest) + (f" ({'; '.join(notes)})" if notes else ""),
        ratio_text(others_fastest / fastest),
        f"{same_work.work()}; {turns[-1][1].work()}",
    )
