"""Variables of many points, filled in the order in which points finish: in memory, or gathered."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pipeline.model.variables import NO_COUNT

#: Values that are gathered at once [bytes], at least one point.
_BLOCK = 16_000_000


class Column(NamedTuple):
    """Number type and shape of a variable of one point."""

    dtype: np.dtype
    shape: tuple[int, ...]

    def empty(self, n_points: int) -> NDArray:
        """Return the values of points that are not done.

        Parameters
        ----------
        n_points : int
            Number of points.

        Returns
        -------
        ndarray, (n_points, ...)
            NaN, or `NO_COUNT` if whole numbers; unit as in `variables.VARIABLES`.
        """
        fill = NO_COUNT if self.dtype.kind == "i" else np.nan
        return np.full((n_points, *self.shape), fill, self.dtype)


class HeldColumns:
    """Variables of all points as arrays in memory.

    Parameters
    ----------
    columns : mapping of str to Column
        By name. A first dimension of length 0 grows to the longest that is added.
    n_points : int
        Number of points.
    """

    def __init__(self, columns: Mapping[str, Column], n_points: int) -> None:
        self._arrays = {name: column.empty(n_points) for name, column in columns.items()}

    def add(self, positions: NDArray, rows: NDArray, source: Mapping[str, NDArray]) -> None:
        """Fill in finished points.

        Parameters
        ----------
        positions : ndarray of int, (n,)
            Indices of the points, dimensionless.
        rows : ndarray of int, (n,)
            Their indices in `source`, dimensionless.
        source : mapping of str to ndarray, (n_rows, ...)
            Variables by name, in their units; shorter ones are padded.
        """
        for name in self._arrays.keys() & source.keys():
            column, array = source[name], self._arrays[name]
            if array.ndim == 2 and column.shape[1] > array.shape[1]:
                wider = Column(array.dtype, column.shape[1:]).empty(len(array))
                wider[:, : array.shape[1]] = array
                self._arrays[name] = array = wider
            _fill(array, positions, column, rows)

    def variable(self, name: str) -> NDArray:
        """Return all values of a variable.

        Parameters
        ----------
        name : str
            Its name.

        Returns
        -------
        ndarray, (n_points, ...)
            In its unit.
        """
        return self._arrays[name]


class GatheredColumns:
    """Variables of all points that stay where the points finished, such as in files.

    Parameters
    ----------
    columns : mapping of str to Column
        By name.
    n_points : int
        Number of points.
    """

    def __init__(self, columns: Mapping[str, Column], n_points: int) -> None:
        self._columns = columns
        self._sources: list[Mapping[str, NDArray]] = []
        self._source = np.full(n_points, -1, dtype=np.int32)
        self._row = np.zeros(n_points, dtype=np.int32)

    def add(self, positions: NDArray, rows: NDArray, source: Mapping[str, NDArray]) -> None:
        """Note where finished points are; arguments as of `HeldColumns.add`.

        Parameters
        ----------
        positions : ndarray of int, (n,)
            Indices of the points, dimensionless.
        rows : ndarray of int, (n,)
            Their indices in `source`, dimensionless.
        source : mapping of str to ndarray, (n_rows, ...)
            Variables by name, in their units, read whenever they are gathered.
        """
        self._source[positions] = len(self._sources)
        self._row[positions] = rows
        self._sources.append(source)

    def variable(self, name: str, longest: int = 0) -> GatheredVariable:
        """Return a variable whose values are gathered when they are used.

        Parameters
        ----------
        name : str
            Its name.
        longest : int
            Length of a dimension whose length was not known in advance.
        """
        dtype, shape = self._columns[name]
        column = Column(dtype, tuple(size or longest for size in shape))
        gather = functools.partial(self._gathered, name, column)
        return GatheredVariable(gather, column, (len(self._source),))

    def _gathered(self, name: str, column: Column, start: int, stop: int) -> NDArray | None:
        """Return the values of consecutive points, (stop - start, ...); None if none is done."""
        number = self._source[start:stop]
        if (number < 0).all():
            return None
        block = column.empty(stop - start)
        by_source = np.argsort(number, kind="stable")
        sources, begins = np.unique(number[by_source], return_index=True)
        for source, positions in zip(sources, np.split(by_source, begins[1:]), strict=True):
            if source >= 0 and name in self._sources[source]:
                rows = self._row[start:stop][positions]
                _fill(block, positions, self._sources[source][name], rows)
        return block


class GatheredVariable:
    """A variable with the shape and the number type of an array; its values are made when used.

    Parameters
    ----------
    gather : callable
        `gather(start, stop)` returns the values of consecutive points, (stop - start, ...), or None
        if all of them are missing.
    column : Column
        Number type and shape of those of one point.
    grid_shape : tuple of int
        Dimensions of the grid.

    Attributes
    ----------
    dtype : dtype
        Number type.
    shape : tuple of int
        As of an array: dimensions of the grid, then those of one point.
    """

    def __init__(
        self,
        gather: Callable[[int, int], NDArray | None],
        column: Column,
        grid_shape: tuple[int, ...],
    ) -> None:
        self._gather = gather
        self._column = column
        self._grid_shape = grid_shape
        self.dtype = column.dtype
        self.shape = (*grid_shape, *column.shape)
        self.size = math.prod(self.shape)

    def reshape(self, shape: Sequence[int]) -> GatheredVariable:
        """Return the variable with other dimensions of the grid, of the same number of points."""
        grid_shape = tuple(shape[: len(shape) - len(self._column.shape)])
        return GatheredVariable(self._gather, self._column, grid_shape)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray:
        n_points = math.prod(self._grid_shape)
        gathered = self._gather(0, n_points)
        values = self._column.empty(n_points) if gathered is None else gathered
        return values.reshape(self.shape).astype(dtype or self.dtype, copy=False)

    def blocks(self, chunks: Sequence[int]) -> Iterator[tuple[tuple[slice, ...], NDArray]]:
        """Yield the values in blocks of consecutive points that consist of whole chunks.

        Blocks of missing numbers are left out, which are NaN in a file of themselves: a point that
        failed for want of memory needs none here.

        Parameters
        ----------
        chunks : sequence of int
            Sizes of a chunk, contiguous as those of `contiguous_sizes`.

        Yields
        ------
        tuple of slice, ndarray
            The place of a block in the dimensions of the grid, and its values in the unit of the
            variable.
        """
        bytes_of_one = self.dtype.itemsize * math.prod(self._column.shape)
        room = max(1, _BLOCK // max(1, bytes_of_one))
        sizes = [
            size if size == whole else max(1, size // chunk) * chunk
            for size, whole, chunk in zip(
                contiguous_sizes(self._grid_shape, room), self._grid_shape, chunks, strict=False
            )
        ]
        starts = [range(0, n, size) for n, size in zip(self._grid_shape, sizes, strict=True)]
        start = 0
        for corner in itertools.product(*starts):
            place = tuple(
                slice(i, min(i + size, n))
                for i, size, n in zip(corner, sizes, self._grid_shape, strict=True)
            )
            shape = [part.stop - part.start for part in place]
            stop = start + math.prod(shape)
            values = self._gather(start, stop)
            start = stop
            if values is None and self.dtype.kind != "f":
                values = self._column.empty(math.prod(shape))
            if values is not None:
                yield place, values.reshape((*shape, *self._column.shape))


def contiguous_sizes(shape: Sequence[int], room: int) -> list[int]:
    """Return sizes of parts of an array that are contiguous in memory and about equal.

    Parameters
    ----------
    shape : sequence of int
        Of the array.
    room : int
        Largest number of values in a part.
    """
    sizes: list[int] = []
    for size in reversed(shape):
        n_parts = -(-size // room) if room and size else 1
        sizes.insert(0, max(1, -(-size // n_parts) if room else 1))
        room //= max(1, size)
    return sizes


def _fill(array: NDArray, positions: NDArray, column: NDArray, rows: NDArray) -> None:
    """Copy rows of a column, which may be shorter or padded, to positions of an array."""
    lengths = zip(array.shape[1:], column.shape[1:], strict=True)
    index: tuple[Any, ...] = tuple(slice(min(own, others)) for own, others in lengths)
    if array.dtype.kind == "f" and array.shape[1:] != column.shape[1:]:
        array[positions] = np.nan  # of an earlier batch
    array[(positions, *index)] = column[rows][(slice(None), *index)]
