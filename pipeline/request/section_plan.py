"""What some axes set in one section: values one by one, and choices that set several."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from pipeline.model.errors import RequestError
from pipeline.model.parameters import declarations
from pipeline.model.quantity import Section
from pipeline.request.axis import Axis


class SectionPlan:
    """How a section at one index of some axes is made from that at another one.

    Parameters
    ----------
    section : str
        Name of the section.
    axes : sequence of Axis
        Those that set it.
    """

    def __init__(self, section: str, axes: Sequence[Axis]) -> None:
        prefix = f"{section}."
        self._choosing = [(i, axis) for i, axis in enumerate(axes) if axis.sets_by_choice]
        by_precedence = sorted(enumerate(axes), key=lambda pair: pair[1].precedence)
        self._columns = {
            key.removeprefix(prefix): (place, values)
            for place, axis in by_precedence
            for key, values in axis.plain_columns().items()
            if key.startswith(prefix)
        }
        self._keys = {name: f"{prefix}{name}" for name in self._columns}
        self._suited: dict[type[Section], bool] = {}

    def chosen_at(self, index: Sequence[int]) -> Hashable:
        """Return what is chosen at an index: sections of equal ones differ in `values_at` alone."""
        if not self._choosing:  # as of most samples, of which there may be a million
            return ()
        return tuple([axis.choice_at(index[place]) for place, axis in self._choosing])

    def values_at(self, index: Sequence[int]) -> dict[str, Any]:
        """Return the values of fields that are set one by one."""
        return {name: values[index[place]] for name, (place, values) in self._columns.items()}

    def suits(self, section: Section) -> bool:
        """Whether the class of a section has all of these fields, and admits all of their values.

        They are admitted by some variant of the section; others may have other bounds.
        """
        cls = type(section)
        if cls not in self._suited:
            self._suited[cls] = bool(self._columns) and all(
                self._admits(cls, name, values) for name, (_, values) in self._columns.items()
            )
        return self._suited[cls]

    def _admits(self, cls: type[Section], name: str, values: Sequence[Any]) -> bool:
        quantity = cls.quantities().get(name)
        if quantity is None:
            return False
        if declarations(self._keys[name]) == [quantity]:
            return True
        try:
            return all(quantity.admit(self._keys[name], value) == value for value in values)
        except RequestError:
            return False
