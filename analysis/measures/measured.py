"""A dataset with its measures, each computed once, on first use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import xarray as xr
from numpy.typing import NDArray

from analysis.measures import equilibrium, late_output, weights
from analysis.measures.seeds import HIGHEST, LOWEST, SEED, least_over_seeds, swept_axes
from analysis.measures.settling import settling
from analysis.measures.stationarity import CANNOT_FIRE, NO_SPIKE, STATIONARY
from analysis.reading.arrange import arranged
from analysis.reading.dataset import axes, parameter
from analysis.reading.errors import ConditionError
from analysis.reading.metadata import DONE
from analysis.reading.select import part_of
from analysis.reading.until import ends_when_settled, run_durations
from analysis.reading.values import canonical

#: With as many expected spikes, none comes with a probability of 5 %: exp(-3). So 3/T is the upper
#: end of the 95 % interval of a rate with which no spike came in a time T (Hanley & Lippman-Hand
#: 1983, JAMA 249:1743).
N_WITHOUT_SPIKE = 3.0


@dataclass(frozen=True)
class MeasuredDataset:
    """A dataset, and the measures that several figures share.

    Attributes
    ----------
    dataset : Dataset
        Results as in `results.nc`, or a selection of their points.
    part, suffix : str
        The values that the points were selected by, for titles and for file names.
    at : float or None
        Time at which weight histories and traces are shown [ms]; None is the end of the run.
    each_seed : bool
        Whether figures along an axis show each seed beside the mean.
    """

    dataset: xr.Dataset
    part: str = ""
    suffix: str = ""
    at: float | None = None
    each_seed: bool = False

    @classmethod
    def of(
        cls,
        dataset: xr.Dataset,
        where: Sequence[str] = (),
        at: float | None = None,
        each_seed: bool = False,
    ) -> MeasuredDataset:
        """Select the points at given values.

        Parameters
        ----------
        dataset : Dataset
            Results, with `status` (...), dimensionless, along all swept axes.
        where : sequence of str
            `KEY=VALUE`: only the points at these values.
        at : float, optional
            Time at which weight histories and traces are shown [ms].
        each_seed : bool
            Whether figures along an axis show each seed beside the mean.

        Returns
        -------
        MeasuredDataset
            Its dataset lacks the axes that were given; units are unchanged.

        Raises
        ------
        ConditionError
            If there are no such points, or no run lasts until `at`.
        LoadError
            If a dimension is empty, or an axis has no values.
        """
        part = part_of(arranged(dataset), where)
        longest = float(run_durations(part.dataset).max())
        if at is not None and not 0 <= canonical(at) <= longest:
            raise ConditionError(f"--at {at:g}: must be >= 0 and <= {longest:g} ms, the duration")
        return cls(part.dataset, part.description, part.suffix, at, each_seed)

    def isel(self, indexers: Mapping[str, int | NDArray]) -> MeasuredDataset:
        """Select points by index; measures that were computed already are selected, too.

        Parameters
        ----------
        indexers : mapping of str to int or ndarray
            Index or indices, (n_values,), along an axis of the sweep other than `seed`.

        Returns
        -------
        MeasuredDataset
            Of the selected points, in the same units; what is counted in it is counted anew.
        """
        part = replace(self, dataset=self.dataset.isel(indexers))
        for name, value in vars(self).items():
            is_measure = isinstance(value, xr.DataArray | xr.Dataset) and name != "dataset"
            if is_measure:
                vars(part)[name] = value.isel(indexers, missing_dims="ignore")
        return part

    @property
    def swept(self) -> list[str]:
        """The swept axes without `seed`."""
        return swept_axes(self.dataset)

    @property
    def has_seeds(self) -> bool:
        """Whether seeds were swept."""
        return SEED in axes(self.dataset)

    @property
    def until_settled(self) -> bool:
        """Whether runs ended on their own, when they had settled."""
        return ends_when_settled(self.dataset)

    @cached_property
    def silent(self) -> xr.DataArray:
        """Where the neuron never fired.

        Returns
        -------
        DataArray of bool, (...)
            Dimensionless, along the swept axes without `seed`.
        """
        return weights.silent(self.dataset)

    @cached_property
    def quiet(self) -> xr.DataArray:
        """Where the neuron never fired or, in runs until settled, not in their last half: marked.

        Returns
        -------
        DataArray of bool, (...)
            Dimensionless, along the swept axes without `seed`.
        """
        if not self.until_settled:
            return self.silent
        return self.silent | self.settling["settled"].isin((CANNOT_FIRE, NO_SPIKE))

    @cached_property
    def done(self) -> xr.DataArray:
        """Where at least one seed is done.

        Returns
        -------
        DataArray of bool, (...)
            Dimensionless, along the swept axes without `seed`.
        """
        done = self.dataset["status"] == DONE
        return done.any(SEED) if self.has_seeds else done

    @cached_property
    def settling(self) -> xr.Dataset:
        """Whether and when output rate and weights have settled.

        Returns
        -------
        Dataset, (...)
            As of `settling`: `settled` and `to_come`, dimensionless, and `settling_time` [ms],
            along the swept axes without `seed`.
        """
        return settling(self.dataset)

    @cached_property
    def at_equilibrium(self) -> xr.DataArray:
        """Where output rate and weights have settled, or are at a bound, and the neuron fires.

        Returns
        -------
        DataArray of bool, (...)
            Dimensionless, along the swept axes without `seed`.
        """
        return self.settling["settled"].isin(STATIONARY) & ~self.silent

    @cached_property
    def weight_histogram(self) -> xr.DataArray:
        """Histogram of final weights, seeds pooled.

        Returns
        -------
        DataArray, (..., weight_bin)
            Shares, dimensionless, along the swept axes without `seed`.
        """
        return weights.weight_histogram(self.dataset)

    @cached_property
    def expected(self) -> xr.Dataset:
        """Histogram of weights in theory.

        Returns
        -------
        Dataset, (..., weight_bin)
            As of `expected_histogram`, dimensionless, along the swept axes without `seed`.
        """
        settled, histogram = self.settling["settled"], self.weight_histogram
        return equilibrium.expected_histogram(self.dataset, settled, histogram=histogram)

    @cached_property
    def any_settled(self) -> bool:
        """Whether any point is at equilibrium."""
        return bool(self.at_equilibrium.any())

    @property
    def unsettled(self) -> xr.DataArray:
        """Where the neuron fires but has not settled: what is marked.

        Of runs of a duration that was given, only if others have settled.

        Returns
        -------
        DataArray of bool, (...)
            Dimensionless, along the swept axes without `seed`.
        """
        is_marked = self.any_settled or self.until_settled
        return self.done & ~self.quiet & ~self.at_equilibrium & is_marked

    @cached_property
    def output_rate(self) -> xr.DataArray:
        """Output rate over the last half of each run.

        Returns
        -------
        DataArray, (...)
            Rate [Hz] along all swept axes; `long_name` states the window.
        """
        return late_output.output_rate(self.dataset).assign_attrs({LOWEST: 0.0})

    @cached_property
    def isi_cv(self) -> xr.DataArray:
        """Coefficient of variation of output intervals over the last half of each run.

        Returns
        -------
        DataArray, (...)
            Dimensionless, along all swept axes; `long_name` states the window.
        """
        return late_output.isi_cv(self.dataset).assign_attrs({LOWEST: 0.0})

    @cached_property
    def fano_factor(self) -> xr.DataArray | None:
        """Fano factor of output spike counts over the last half of each run.

        Returns
        -------
        DataArray, (...), or None
            Dimensionless, along all swept axes; NaN for fewer than `late_output.MIN_WINDOWS`
            counts. None if it is not recorded.
        """
        factor = late_output.fano_factor(self.dataset)
        return None if factor is None else factor.assign_attrs({LOWEST: 0.0})

    @cached_property
    def mean_weight(self) -> xr.DataArray:
        """Mean final weight.

        Returns
        -------
        DataArray, (...)
            Dimensionless, along all swept axes.
        """
        return self.dataset["mean_weight"].assign_attrs({LOWEST: 0.0, HIGHEST: 1.0})

    @property
    def run_duration(self) -> xr.DataArray:
        """Simulated time of each run that ended on its own, in the unit of figures and report.

        Returns
        -------
        DataArray, (...)
            Time [s], along all swept axes.
        """
        ended = self.dataset["run_duration"]
        limit = float(parameter(self.dataset, "simulation.duration").max()) / 1000
        attributes = ended.attrs | {"units": "s", LOWEST: 0.0, HIGHEST: limit}
        return (ended / 1000).assign_attrs(attributes)

    @property
    def last_halves(self) -> xr.DataArray:
        """Length of the last half of each run that ended on its own, the shortest of any seed.

        Returns
        -------
        DataArray, (...)
            Time [s], along the swept axes without `seed`; in n times it, a Poisson process of n
            expected spikes has none with probability exp(-n), see `N_WITHOUT_SPIKE`.
        """
        return least_over_seeds(self.run_duration) / 2

    @cached_property
    def homeostatic_rate(self) -> xr.DataArray:
        """Output rate in theory.

        Returns
        -------
        DataArray, (...)
            Rate [Hz] along the swept axes without `seed`; NaN where the theory gives none.
        """
        settled, histogram = self.settling["settled"], self.weight_histogram
        return equilibrium.homeostatic_rate(self.dataset, settled, histogram)

    @cached_property
    def shares(self) -> xr.DataArray:
        """Shares of weights in three ranges.

        Returns
        -------
        DataArray, (..., range)
            Dimensionless, along all swept axes.
        """
        return weights.weight_shares(self.dataset).assign_attrs({LOWEST: 0.0, HIGHEST: 1.0})

    @cached_property
    def bimodality(self) -> xr.DataArray:
        """Bimodality coefficient of the weights.

        Returns
        -------
        DataArray, (...)
            Dimensionless, along all swept axes.
        """
        return weights.bimodality(self.dataset).assign_attrs({LOWEST: 0.0, HIGHEST: 1.0})
