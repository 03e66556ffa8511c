"""Content keys of many points, held in 16 bytes each and looked up many at a time."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from pipeline.composition.shard import Shard

#: Size of a digest [bytes]; a key is its hexadecimal digits.
DIGEST_SIZE = 16

_KEY = re.compile(rf"[0-9a-f]{{{2 * DIGEST_SIZE}}}")

#: Keys that are converted to text at once.
_TEXTS = 4096


class Keys(Sequence[str]):
    """The content keys of points, in the order of the points.

    Parameters
    ----------
    digests : ndarray of uint64, (n_points, 2)
        The digests, high half before low half, dimensionless.
    """

    def __init__(self, digests: NDArray[np.uint64]) -> None:
        self._digests = digests
        self._order = np.argsort(digests[:, 0], kind="stable").astype(np.int32)
        self._sorted = digests[self._order, 0]

    def __len__(self) -> int:
        return len(self._digests)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return self.texts(np.arange(len(self))[index])
        return _texts(self._digests[operator.index(index)])[0]

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), _TEXTS):
            yield from _texts(self._digests[start : start + _TEXTS])

    def __contains__(self, key: object) -> bool:
        is_key = isinstance(key, str) and _KEY.fullmatch(key)
        return bool(is_key) and len(self.find([str(key)])[1]) > 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Keys) and np.array_equal(self._digests, other._digests)

    __hash__ = None  # type: ignore[assignment]

    def texts(self, positions: Any) -> list[str]:
        """Return the keys of some points.

        Parameters
        ----------
        positions : ndarray of int, (n,)
            Indices of the points.
        """
        return _texts(self._digests[positions])

    def modulo(self, divisor: int) -> NDArray[np.uint64]:
        """Return the remainder of each key, which is a number of 128 bits.

        Parameters
        ----------
        divisor : int
            Positive, less than 2^32, dimensionless.

        Returns
        -------
        ndarray of uint64, (n_points,)
            From 0 to `divisor` - 1, dimensionless.
        """
        high, low = (self._digests % np.uint64(divisor)).T
        return (high * np.uint64(2**64 % divisor) + low) % np.uint64(divisor)

    def of_shard(self, shard: Shard) -> NDArray[np.intp]:
        """Return which points are of a shard: those whose key, modulo `total`, is its number.

        It depends on no other point: a point stays in its shard when an axis grows.

        Parameters
        ----------
        shard : Shard
            The shard.

        Returns
        -------
        ndarray of int, (n,)
            Indices of the points, rising, dimensionless.
        """
        return np.flatnonzero(self.modulo(shard.total) == shard.number - 1)

    def index(self, key: str, start: int = 0, stop: int | None = None) -> int:
        """Return the first position of a key, as of a list: within `[start:stop]`.

        Raises
        ------
        ValueError
            If no point there has it.
        """
        span = range(len(self))[start:stop]
        for position in self.find([key])[1].tolist():
            if position in span:
                return position
        raise ValueError(f"{key} is the key of no point")

    def find(self, keys: Iterable[str]) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
        """Return the positions of some keys: none of an unknown key, several of one that repeats.

        Parameters
        ----------
        keys : iterable of str
            Content keys.

        Returns
        -------
        rows : ndarray of int, (n_found,)
            Indices into `keys`, rising; dimensionless.
        positions : ndarray of int32, (n_found,)
            Indices of the points with these keys, rising for each key; dimensionless.
        """
        wanted = keys._digests if isinstance(keys, Keys) else _digests(keys)
        # Sorted, the keys are found several times as fast.
        by_value = np.argsort(wanted[:, 0], kind="stable")
        left, right = (
            np.searchsorted(self._sorted, wanted[by_value, 0], side) for side in ("left", "right")
        )
        counts = right - left
        rows = np.repeat(by_value, counts)
        before = np.repeat(np.cumsum(counts) - counts, counts)
        positions = self._order[np.repeat(left, counts) + np.arange(len(rows)) - before]
        same = self._digests[positions, 1] == wanted[rows, 1]  # else only the high halves are equal
        rows, positions = rows[same], positions[same]
        in_order = np.argsort(rows, kind="stable")
        return rows[in_order], positions[in_order]

    def first(self, keys: Iterable[str]) -> NDArray[np.int32]:
        """Return the first position of each key that is known.

        Parameters
        ----------
        keys : iterable of str
            Content keys.

        Returns
        -------
        ndarray of int32, (n_known,)
            Indices of points, in the order of `keys`; dimensionless.
        """
        rows, positions = self.find(keys)
        return positions[np.diff(rows, prepend=-1) > 0]

    def are_distinct(self) -> bool:
        """Whether no two points have the same key; two that share half of it are compared."""
        if (self._sorted[1:] != self._sorted[:-1]).all():
            return True
        return len(self.find(self)[0]) == len(self)

    def distinct(self) -> NDArray[np.int32]:
        """Return the first position of every key.

        Returns
        -------
        ndarray of int32, (n_keys,)
            Indices of points, rising; dimensionless.
        """
        positions = np.arange(len(self), dtype=np.int32)
        return positions if self.are_distinct() else positions[self.first(self) == positions]

    def cover(self, keys: Iterable[str]) -> bool:
        """Whether every one of some keys is among these."""
        keys = keys if isinstance(keys, Keys) else list(keys)
        return len(self.first(keys)) == len(keys)


def keys_of(digests: bytes, n_points: int) -> Keys:
    """Return the keys of digests that are written one after the other."""
    words = np.frombuffer(digests, ">u8").astype(np.uint64)
    return Keys(words.reshape(n_points, 2))


def _digests(keys: Iterable[str]) -> NDArray[np.uint64]:
    words = np.frombuffer(bytes.fromhex("".join(keys)), ">u8").astype(np.uint64)
    return words.reshape(-1, 2)


def _texts(digests: NDArray[np.uint64]) -> list[str]:
    text, length = digests.astype(">u8").tobytes().hex(), 2 * DIGEST_SIZE
    return [text[start : start + length] for start in range(0, len(text), length)]
