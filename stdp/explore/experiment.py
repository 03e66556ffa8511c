"""An experiment of which a page shows one parameter combination at a time.

The file is read lazily: of variables with many values per point, the chosen points only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from analysis.measures.measured import MeasuredDataset
from analysis.measures.seeds import SEED
from analysis.plots.style import is_categorical
from analysis.reading.dataset import long_name, open_results
from analysis.reading.errors import LoadError
from analysis.reading.metadata import DONE, FAILED, MISSING, Metadata, read_metadata, results_file
from analysis.reading.samples import SAMPLE, sampled_parameters
from analysis.reading.values import told_apart
from analysis.report.quality import QualityWarning, quality_warnings

#: Dimension of variables that are recorded at every step, which no panel shows.
_EVERY_STEP = "time"

#: Modification time [ns], size and inode of a file: another one is another file.
_Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class AxisChoice:
    """An axis of an experiment, from which one value is chosen.

    Attributes
    ----------
    name : str
        Its dimension in the file.
    title : str
        Long name.
    units : str
        Unit; "" if dimensionless.
    texts : tuple of str
        Its values with their unit: names in the order of the file, numbers in rising order.
    order : tuple of int
        The position in the file of each of them.
    is_numeric : bool
        Whether the values are numbers.
    sets : tuple of DataArray, (n_values,)
        Of samples, the values of each key that they set in its unit, in the order of `texts`; empty
        for other axes.
    """

    name: str
    title: str
    units: str
    texts: tuple[str, ...]
    order: tuple[int, ...]
    is_numeric: bool
    sets: tuple[xr.DataArray, ...] = field(default=(), compare=False)

    @classmethod
    def of(cls, coordinate: xr.DataArray) -> AxisChoice:
        """Return the choices of a coordinate.

        Parameters
        ----------
        coordinate : DataArray, (n_values,)
            Names, or numbers in the unit of its attribute `units`.
        """
        numeric = not is_categorical(coordinate)
        order = np.argsort(coordinate.values) if numeric else np.arange(coordinate.size)
        return cls(
            str(coordinate.name),
            long_name(coordinate),
            coordinate.attrs.get("units", ""),
            tuple(_texts(coordinate, coordinate.values[order].tolist())),
            tuple(order.tolist()),
            numeric,
            tuple(one[order] for one in _set_by_samples(coordinate)),
        )

    @property
    def is_ordered(self) -> bool:
        """Whether neighbours are alike: values, not the numbers of samples."""
        return not self.sets

    def content(self, number: int) -> str:
        """Return what a sample sets: "Input rate 15 Hz, LTP amplitude 0.01"; "" of another axis.

        Of one at a time, as there may be a million.
        """
        values = [(one, one.values[number : number + 1].tolist()) for one in self.sets]
        return ", ".join(f"{long_name(one)} {_texts(one, value)[0]}" for one, value in values)

    @property
    def label(self) -> str:
        """Long name and unit, for the axis of a panel."""
        return f"{self.title} ({self.units})" if self.units else self.title


def _texts(coordinate: xr.DataArray, values: list[Any]) -> list[str]:
    """Return values of a coordinate with its unit."""
    units = coordinate.attrs.get("units", "")
    return [f"{value} {units}".strip() for value in told_apart(values)]


def _set_by_samples(coordinate: xr.DataArray) -> list[xr.DataArray]:
    """Return the values of each key that samples set; nothing for another axis."""
    if coordinate.name != SAMPLE:
        return []
    return [coordinate[name] for name in sampled_parameters(coordinate)]


class Experiment:
    """The results of an experiment, opened for reading.

    Parameters
    ----------
    path : Path
        The experiment directory, or its `results.nc`.

    Raises
    ------
    LoadError
        If there are no results, or they cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = results_file(path)
        self._stamp = _stamp(self.file)
        self._is_closed = False
        self.metadata: Metadata = read_metadata(self.file)
        self._opened = open_results(self.file)
        self.measured = MeasuredDataset.of(self._opened.drop_dims(_EVERY_STEP, errors="ignore"))
        axes = self.measured.swept
        self.axes = tuple(AxisChoice.of(self.measured.dataset[name]) for name in axes)
        self.seeds = self._seeds()

    def _seeds(self) -> AxisChoice | None:
        if not self.measured.has_seeds:
            return None
        return AxisChoice.of(self.measured.dataset[SEED])

    def close(self) -> None:
        """Close the file; its points can no longer be read."""
        self._is_closed = True  # xarray would open it again
        self._opened.close()

    def is_replaced(self) -> bool:
        """Whether the file is no longer the one that was opened, as after a further sweep."""
        return _stamp(self.file) not in (self._stamp, None)

    def is_overwritten(self) -> bool:
        """Whether the content of the same file was replaced, as by `cp`."""
        now, then = _stamp(self.file), self._stamp
        return now is not None and then is not None and now != then and now[-1] == then[-1]

    @property
    def has_history(self) -> bool:
        """Whether weights and output rate are recorded in time."""
        return "weight_history" in self.measured.dataset

    @cached_property
    def points(self) -> str:
        """How many points there are, done and not."""
        status = self.measured.dataset["status"].values
        counts = [
            f"{(status == flag).sum():,} {name}"
            for flag, name in ((DONE, "done"), (FAILED, "failed"), (MISSING, "missing"))
            if flag == DONE or (status == flag).any()
        ]
        noun = "point" if status.size == 1 else "points"
        return f"{status.size:,} {noun}: {', '.join(counts)}"

    @cached_property
    def first(self) -> dict[str, int]:
        """The combination to begin with: of those that are done and fire, the one in the middle."""
        done = self.measured.done.transpose(*self.measured.swept).values
        fires = done & ~self.measured.silent.transpose(*self.measured.swept).values
        chosen = fires if fires.any() else done if done.any() else np.ones_like(done)
        positions = np.argwhere(chosen)
        if not self.axes:
            return {}
        ranks = np.stack(
            [
                np.argsort(axis.order)[found]
                for axis, found in zip(self.axes, positions.T, strict=True)
            ]
        )
        sizes = np.array(done.shape)[:, np.newaxis]
        nearest = int(np.square((ranks - (sizes - 1) / 2) / sizes).sum(axis=0).argmin())
        names = [axis.name for axis in self.axes]
        return dict(zip(names, ranks[:, nearest].tolist(), strict=True))

    def at(self, chosen: Mapping[str, int], seed: int | None = None) -> MeasuredDataset:
        """Return one parameter combination.

        Parameters
        ----------
        chosen : mapping of str to int
            Number of the value of each axis, in the order of `AxisChoice.texts`.
        seed : int, optional
            Number of one seed; all by default.

        Returns
        -------
        MeasuredDataset
            Without axes other than `seed`, in memory.

        Raises
        ------
        LoadError
            If the file was closed, as after it was overwritten.
        """
        if self._is_closed:
            raise LoadError(f"{self.file}: was overwritten")
        index = {axis.name: axis.order[chosen[axis.name]] for axis in self.axes}
        if seed is None or self.seeds is None:
            part = self.measured.isel(index)
        else:  # measures of all seeds are not those of one
            one = index | {SEED: self.seeds.order[seed]}
            part = MeasuredDataset(self.measured.dataset.isel(one))
        # Each measure would read the chosen points anew.
        return MeasuredDataset(part.dataset.load())

    def warnings(self, part: MeasuredDataset) -> list[QualityWarning]:
        """Return the data-quality warnings of some points, in the words of the report.

        Parameters
        ----------
        part : MeasuredDataset
            As of `at`.
        """
        return quality_warnings(part, self.metadata, self.file.parent)


def _stamp(file: Path) -> _Stamp | None:
    """Return what tells a file from one that replaces it; None if there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
