"""Where samples are from, for messages that name one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class SampleSource:
    """Where samples are from.

    Attributes
    ----------
    text : str
        What asked for them, such as `sweep.table=points.csv`; empty for those from Python, and of
        an earlier request.
    noun : str
        What a sample is there: a sample, or a line or a row of a table.
    numbers : sequence of int
        The number of each sample there; empty where they count from 0.
    """

    text: str = ""
    noun: str = "sample"
    numbers: Sequence[int] = ()

    def place(self, index: int) -> str:
        """Return the name of a sample at its source: "line 3"."""
        return f"{self.noun} {self.numbers[index] if self.numbers else index}"

    def named(self, index: int) -> str:
        """Return the name of a sample: "sweep.table=points.csv: line 3"."""
        return f"{self.text}: {self.place(index)}" if self.text else self.place(index)
