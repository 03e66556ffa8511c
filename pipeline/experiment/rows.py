"""Rows of an array of parameters as configurations."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.model.checks import refuse_contradictions
from pipeline.model.errors import NO_VALUE, RequestError
from pipeline.model.features import FEATURE_KEYS
from pipeline.model.parameters import Configuration
from pipeline.model.plain_values import whole_as_int
from pipeline.model.quantity import overrides_by_key, written

#: Most rows from which run time and memory are estimated.
_MOST_UNLIKE = 1000


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of parameters: a key, its section and field, and whether it is a whole number."""

    key: str
    section: str
    field: str
    whole: bool


class Rows:
    """Makes the configuration of each row of parameters.

    Parameters
    ----------
    base : Configuration
        The parameters that no column has.
    columns : sequence of Column
        The columns.
    lenient : bool
        Whether a row that is not allowed is left out.
    """

    def __init__(self, base: Configuration, columns: Sequence[Column], lenient: bool) -> None:
        self._base, self._columns, self._lenient = base, columns, lenient
        self.names = tuple(column.key for column in columns)
        self.changes_kernel = any(name in FEATURE_KEYS for name in self.names)
        self._changes_size = any(name.startswith(("input.", "simulation.")) for name in self.names)

    def unlike(self, points: Sequence[Configuration]) -> Sequence[Configuration]:
        """Return some points that differ in run time and memory, where columns change these."""
        return points[:: len(points) // _MOST_UNLIKE + 1] if self._changes_size else points[:1]

    def made(
        self, values: Sequence[Sequence[Any]]
    ) -> tuple[list[Configuration | None], dict[int, str]]:
        """Return the configurations, None where refused, and the reasons by the row's index.

        All have the seed of the base.

        Raises
        ------
        RequestError
            If a row is not allowed, unless lenient.
        """
        points: list[Configuration | None] = []
        refused: dict[int, str] = {}
        for i, row in enumerate(values):
            try:
                points.append(self._point(row))
            except RequestError as error:
                refused[i] = str(error)
                if not self._lenient:
                    raise RequestError(f"{error} (row {i})") from None
                points.append(None)
        return points, refused

    def _point(self, row: Sequence[Any]) -> Configuration:
        """Return the configuration of a row: only the sections that it changes are made."""
        fields: dict[str, dict[str, Any]] = {}
        for column, value in zip(self._columns, row, strict=True):
            own = fields.setdefault(column.section, {})
            own[column.field] = whole_as_int(value) if column.whole else value
        sections = {
            name: dataclasses.replace(getattr(self._base, name), **own)
            for name, own in fields.items()
        }
        point = self._base.with_admitted(**sections)
        refuse_contradictions(point)
        return point


def columns_of(configuration: Configuration, names: Iterable[str]) -> list[Column]:
    """Return the columns of some keys.

    Raises
    ------
    RequestError
        If a key is unknown, repeated, not a number, or has no effect.
    """
    keys = [names] if isinstance(names, str) else names
    if not isinstance(keys, Iterable):
        raise RequestError(f"{written('names', names)}: must be a list of keys")
    keys = list(keys)
    if not keys:
        raise RequestError("names=[]: must be keys, at least one")
    references = {key: own for key, own in configuration.references.items() if key not in keys}
    columns: list[Column] = []
    for key in keys:
        if not isinstance(key, str):
            raise RequestError(f"{written('names', key)}: must be a key, such as stdp.A_plus")
        if key == "seed":
            raise RequestError("names=seed: must be given by the argument seeds of each call")
        if keys.count(key) > 1:
            raise RequestError(f"{written('names', key)}: given twice; once is allowed")
        section, field = configuration.replaceable(key, NO_VALUE, references)
        owner = getattr(configuration, section)
        kind = owner.quantities()[field].kind
        if kind not in (int, float) or section == "record":
            what = "what is recorded" if section == "record" else "a value that is not a number"
            raise RequestError(
                f"{written('names', key)}: must be a key with a number; it is {what}, the same for "
                "all rows, set by pipeline.configure"
            )
        columns.append(Column(key, section, field, kind is int))
    _refuse_replaced(configuration, columns)
    return columns


def _refuse_replaced(configuration: Configuration, columns: Sequence[Column]) -> None:
    """Refuse columns that another one, or a value of the configuration, replaces."""
    section = configuration.stdp.section
    given = {column.field: NO_VALUE for column in columns if column.section == section}
    typed = overrides_by_key(configuration.overrides)
    typed |= {column.key: written(column.key, NO_VALUE) for column in columns}
    configuration.stdp.with_admitted(**given).refuse_replaced(typed)


def as_array(parameters: Any, names: Sequence[str]) -> NDArray[Any]:
    """Return parameters as an array.

    Parameters
    ----------
    parameters : array_like, (n, k) or (k,)
        In the units of their keys; a table has a column named by each key.
    names : sequence of str
        The k keys.

    Returns
    -------
    ndarray, (n, k) or (k,)
        The same, in the same units.

    Raises
    ------
    RequestError
        If they have another shape, or are not numbers.
    """
    of_shape = f"must be numbers of shape (n, {len(names)}) or ({len(names)},), a column for each "
    of_shape += f"of {', '.join(names)}"
    columns = {*getattr(parameters, "columns", ())}  # of a DataFrame
    if columns.issuperset(names):
        parameters = parameters[list(names)]
    elif columns.intersection(names):
        lacking = next(name for name in names if name not in columns)
        raise RequestError(f"parameters: the table has no column {lacking}; {of_shape}")
    elif any(isinstance(name, str) for name in columns):
        found = ", ".join(map(str, getattr(parameters, "columns", ())))
        raise RequestError(f"parameters: the table has the columns {found}; {of_shape}")
    try:
        array = np.asanyarray(parameters)
    except (TypeError, ValueError, RuntimeError) as error:  # as of ragged rows, or of PyTorch
        reason = " ".join(str(error).split())
        raise RequestError(f"parameters: {of_shape} ({reason})") from None
    if array.ndim not in (1, 2) or array.shape[-1] != len(names):
        raise RequestError(f"parameters of shape {array.shape}: {of_shape}")
    if array.dtype.kind not in "iufO":
        raise RequestError(f"parameters of type {array.dtype}: {of_shape}")
    return array


def explicit_seeds(seeds: ArrayLike, n: int) -> list[int]:
    """Return explicit seeds of n rows as plain numbers.

    Parameters
    ----------
    seeds : array_like of int, (n,) or ()
        One for each row, or one of all [dimensionless].
    n : int
        Number of rows.

    Raises
    ------
    RequestError
        If there is another number of them, or one is no seed.
    """
    try:
        array = np.asanyarray(seeds)
    except ValueError:
        raise RequestError(f"seeds of unlike lengths: must be () or ({n},), one a row") from None
    if array.shape not in ((), (n,)):
        raise RequestError(f"seeds of shape {array.shape}: must be () or ({n},), one a row")
    admit = Configuration.quantities()["seed"].admit
    return [admit("seeds", whole_as_int(seed)) for seed in np.broadcast_to(array, n).tolist()]
