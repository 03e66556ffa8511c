"""An experiment that figures are drawn of: its dataset, what is measured once, what titles say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

from analysis.measures import equilibrium, weights
from analysis.measures.seeds import SEED, swept_axes
from analysis.measures.stationarity import NO, NOT_RECORDED, TOO_SHORT, YES, settling
from analysis.reading.dataset import axes, parameter
from analysis.reading.errors import ConditionError
from analysis.reading.select import part_of


@dataclass(frozen=True)
class MeasuredDataset:
    """A dataset, and what several figures need of it.

    Attributes
    ----------
    dataset : Dataset
        As in `results.nc`, or a part of it.
    part, suffix : str
        What the dataset is a part of its file by, in words and in names of files.
    at : float or None
        The moment [ms] at which weights in time are shown; None is the end.
    """

    dataset: xr.Dataset
    part: str = ""
    suffix: str = ""
    at: float | None = None

    @classmethod
    def of(
        cls, dataset: xr.Dataset, where: Sequence[str] = (), at: float | None = None
    ) -> MeasuredDataset:
        """Return the study of the points at some values, `KEY=VALUE`.

        Raises
        ------
        ConditionError
            If there are no such points, or no run lasts until `at`.
        """
        part = part_of(dataset, where)
        longest = float(parameter(part.dataset, "simulation.duration").max())
        if at is not None and not 0 <= at <= longest:
            raise ConditionError(f"--at {at:g}: must be >= 0 and <= {longest:g} ms, the duration")
        return cls(part.dataset, part.description, part.suffix, at)

    @property
    def swept(self) -> list[str]:
        """The swept axes but seed."""
        return swept_axes(self.dataset)

    @property
    def has_seeds(self) -> bool:
        """Whether seeds were swept."""
        return SEED in axes(self.dataset)

    @cached_property
    def silent(self) -> xr.DataArray:
        """Where the neuron never fired, along the axes but seed."""
        return weights.silent(self.dataset)

    @cached_property
    def done(self) -> xr.DataArray:
        """Where any seed is done, along the axes but seed."""
        done = self.dataset["status"] == 0
        return done.any(SEED) if self.has_seeds else done

    @cached_property
    def settling(self) -> xr.Dataset:
        """Whether and when the weights have settled."""
        return settling(self.dataset)

    @cached_property
    def final(self) -> xr.DataArray:
        """Where the weights are those of the equilibrium."""
        return (self.settling["settled"] == YES) & ~self.silent

    @cached_property
    def expected(self) -> xr.Dataset:
        """What the theory expects of the weights."""
        return equilibrium.expected_histogram(self.dataset, self.settling["settled"])

    @cached_property
    def is_late(self) -> bool:
        """Whether rates are those of the last half: where any weights have settled."""
        return bool(self.final.any())

    @cached_property
    def homeostatic_rate(self) -> xr.DataArray:
        """What the theory expects of the output rate."""
        return equilibrium.homeostatic_rate(self.dataset, self.settling["settled"])

    @cached_property
    def shares(self) -> xr.DataArray:
        """Shares of weights in three ranges, at each point."""
        return weights.weight_shares(self.dataset)

    @cached_property
    def bimodality(self) -> xr.DataArray:
        """Bimodality of the weights, at each point."""
        return weights.bimodality(self.dataset)

    def heading(self, when: str, what: str = "") -> str:
        """Return what every title begins with: time, what is shown, what is missing."""
        duration = parameter(self.dataset, "simulation.duration")
        time = f"{when} {duration.item() / 1000:g} s" if duration.ndim == 0 else ""
        missing = weights.n_not_done(self.dataset)
        holes = f"{missing} of {self.dataset['status'].size} points are not done" if missing else ""
        return lines(self.part, words(time, what), holes)

    def seeds(self, several: str) -> str:
        """Return words with the number of seeds that are done where any is: "4", or "2 to 4"."""
        if not self.has_seeds:
            return ""
        done = (self.dataset["status"] == 0).sum(SEED)
        done = done.where(done > 0)
        least, most = int(done.min()), int(done.max())
        number = f"{most}" if least == most else f"{least} to {most}"
        return several.format(number) if most > 1 else ""

    @cached_property
    def settled_words(self) -> str:
        """Say of how many points the weights are those of the equilibrium."""
        answers = self.settling["settled"].values[(self.done & ~self.silent).values]
        return settled_words(answers)


def settled_words(answers: np.ndarray) -> str:
    """Say what `settling` answers, of one point or of several."""
    n = {answer: int((answers == answer).sum()) for answer in (YES, NO, TOO_SHORT, NOT_RECORDED)}
    alone = {
        YES: "Settled",
        NO: "Not settled: on the way to equilibrium",
        TOO_SHORT: "Too short to tell whether this is the equilibrium",
        NOT_RECORDED: "Equilibrium or not: no weight history to tell",
    }
    if answers.size == 0:
        return ""
    for answer, text in alone.items():
        if n[answer] == answers.size:
            return text
    short = f", too short to tell: {n[TOO_SHORT]}" if n[TOO_SHORT] else ""
    return f"Settled: {n[YES]} of {answers.size} points{short}"


def words(*parts: str) -> str:
    """Join what there is, with commas."""
    return ", ".join(filter(None, parts))


def lines(*parts: str) -> str:
    """Join what there is, a line each."""
    return "\n".join(filter(None, parts))
