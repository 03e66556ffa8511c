"""Parts of a sweep that are run one by one, on one machine or on several: `run.shard=i/n`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.model.errors import RequestError
from pipeline.model.quantity import written

#: The value of `run.shard` by which a task of a Slurm array is the shard of its number.
SLURM = "slurm"

#: Largest number of shards of an experiment.
MOST_SHARDS = 1_000_000

_TEXT = re.compile(r"(\d{1,7})/(\d{1,7})", re.ASCII)


@dataclass(frozen=True)
class Shard:
    """One of the parts into which the points of an experiment are divided.

    Attributes
    ----------
    number : int
        Its number, from 1 to `total`.
    total : int
        How many parts there are.
    """

    number: int
    total: int

    def __str__(self) -> str:
        return f"{self.number}/{self.total}"


def shard_of(text: str) -> Shard:
    """Return the shard that `run.shard` names.

    Raises
    ------
    RequestError
        If the text is not i/n with 1 <= i <= n.
    """
    match = _TEXT.fullmatch(text)
    number, total = map(int, match.groups()) if match else (0, 0)
    if not 1 <= number <= total <= MOST_SHARDS:
        raise RequestError(
            f"{written('run.shard', text)}: must be i/n, shard i of n with 1 <= i <= n <= "
            f"{MOST_SHARDS}, or {SLURM} in a task of a Slurm array"
        )
    return Shard(number, total)
