"""Input processes of which groups of synapses have values of their own."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.model.errors import RequestError
from pipeline.model.inputs import InputProcess
from pipeline.model.quantity import quantity, written


@dataclass(frozen=True)
class GroupedProcess(InputProcess):
    """Base of processes with groups: the first synapses in order; those left are the last group."""

    theory_gap: ClassVar[str] = "the theory covers inputs of one rate, and these have several"

    group_sizes: int | tuple[int, ...] | None = quantity(
        "number of synapses of each group",
        kind=int,
        at_least=1,
        at_most=10_000_000,
        per_group=True,
        null="no groups",
        neutral=None,
    )
    group_rates_hz: float | tuple[float, ...] | None = quantity(
        "input rate of each group",
        "Hz",
        at_least=0,
        per_group=True,
        null="input.rate_hz",
        neutral=None,
    )

    def refuse_unfit_values(self) -> None:
        """Refuse values that are not allowed together."""
        super().refuse_unfit_values()
        total = sum(self.sizes)
        if total > self.n_synapses:
            raise RequestError(
                f"{written(self.key('group_sizes'), self.group_sizes)}: must add up to "
                f"<= {written(self.key('n_synapses'), self.n_synapses)}, not to {total}"
            )
        for name, declared in self.quantities().items():
            value = getattr(self, name)
            if not declared.per_group or value is None or name == "group_sizes":
                continue
            sizes = written(self.key("group_sizes"), self.group_sizes)
            if not self.sizes:
                raise RequestError(f"{written(self.key(name), value)}: must be null with {sizes}")
            if isinstance(value, tuple) and len(value) != len(self.sizes):
                n = len(self.sizes)
                raise RequestError(
                    f"{written(self.key(name), value)}: must be one number, or {n} in a list, "
                    f"one for each group of {sizes}"
                )

    @functools.cached_property
    def sizes(self) -> tuple[int, ...]:
        """Sizes of the groups that are given."""
        given = self.group_sizes
        return () if given is None else given if isinstance(given, tuple) else (given,)

    @functools.cached_property
    def all_sizes(self) -> tuple[int, ...]:
        """Sizes of all groups, that of the synapses that are left last."""
        left = self.n_synapses - sum(self.sizes)
        return (*self.sizes, left) if left else self.sizes

    def of_groups(self, name: str, left: float) -> NDArray[np.float64]:
        """Return the value of a field for each group.

        Parameters
        ----------
        name : str
            The field.
        left : float
            The value of the synapses that are left, and of all groups where the field is null; in
            its unit.

        Returns
        -------
        ndarray, (n_groups,)
            In the unit of the field, in the order of `all_sizes`.
        """
        values = np.full(len(self.all_sizes), left, dtype=float)
        given = getattr(self, name)
        if given is not None:
            values[: len(self.sizes)] = given
        return values

    def rates_of_groups(self) -> NDArray[np.float64]:
        """Return the mean input rate of each group.

        Returns
        -------
        ndarray, (n_groups,)
            In the order of `all_sizes` [Hz].
        """
        return self.of_groups("group_rates_hz", self.rate_hz)

    def groups(self) -> NDArray[np.int64] | None:
        """Return the group of each synapse; None where there are no groups.

        Returns
        -------
        ndarray of int64, (n_synapses,), or None
            Numbers from 0, those left last; dimensionless.
        """
        if not self.sizes:
            return None
        return np.repeat(np.arange(len(self.all_sizes)), self.all_sizes)

    def rates(self, seed: int) -> NDArray[np.float64]:
        """Return the rate of each synapse; see `InputProcess.rates`.

        Returns
        -------
        ndarray, (n_synapses,)
            Mean rates over time [Hz].
        """
        return np.repeat(self.rates_of_groups(), self.all_sizes)

    def spike_probability(self, dt: float) -> float:
        """Return the mean probability of an input spike in one cell of the lattice."""
        p = np.minimum(self.rates_of_groups() * dt / 1000, 1)
        return float((p * self.all_sizes).sum() / self.n_synapses)

    def refuse_unfit_time_step(self, dt: float) -> None:
        """Raise `RequestError` if a time step [ms] is too long for the rate of a group."""
        super().refuse_unfit_time_step(dt)
        given = self.group_rates_hz
        if given is not None and np.max(given) * dt > 1000 * (1 + 1e-12):
            raise RequestError(
                f"{written(self.key('group_rates_hz'), given)}: with simulation.dt={dt:g} ms each "
                f"must be <= {1000 / dt:g} Hz (one spike per step at each synapse)"
            )
