"""Alternating measurements (A B A B ...) on one core: minimum time and results of each side."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pipeline import Configuration
from tests.benchmarks.table import Row, ratio_text, time_text


@dataclass(frozen=True)
class Turn:
    """One run: its time and its results."""

    seconds: float
    spikes: int
    mean_weight: float

    def work(self) -> str:
        """Return the results as text."""
        return f"{self.spikes:,} spikes, {self.mean_weight:.3f}"


@dataclass(frozen=True)
class Contestant:
    """A program that runs a configuration.

    Attributes
    ----------
    name : str
        Name in the table.
    configuration : Configuration
        The configuration of one run.
    run : callable
        Run it once.
    note : str
        Remark on its time.
    """

    name: str
    configuration: Configuration
    run: Callable[[], Turn]
    note: str = ""


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """Pin this thread and the processes it starts to one core, if the system supports it."""
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
    """Measure two contestants alternately and return the row of their minimum times.

    Parameters
    ----------
    what : str
        What is measured.
    ours : callable
        Factory of this project's contestant.
    configuration : Configuration
        What this project runs.
    other : Contestant
        The other; if its model time is shorter, its run time is scaled, and its results are
        compared with this project's at the shorter model time.
    repeats : int
        Number of runs of each.
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
