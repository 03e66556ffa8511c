"""What can be moved in the lab: each field of the chosen variants, with its range as a slider.

All of it comes from the sections, registries and configuration folders of the pipeline, so that a
new parameter, rule, process or parameter set appears by itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.composition.choices import choices_of
from pipeline.composition.compose import CONF
from pipeline.composition.help_text import bounds_text, values_of_key
from pipeline.composition.parameter_sets import default_choices
from pipeline.model.contents import HASHED
from pipeline.model.parameters import SECTIONS, Configuration
from pipeline.model.quantity import Quantity, Section
from pipeline.model.registry import Variant

#: Key of the random seed, the only parameter without section.
SEED = "seed"

#: Sections without controls: the lab records what it shows.
_NOT_SHOWN = ("record",)

#: Positions of a slider.
_N_STEPS = 400

#: A slider reaches from a part to a multiple of the present value by this factor; by the smaller
#: one where a number without unit is compared with 1.
_FACTOR, _FACTOR_OF_RATIO = 10, 2

#: Of a value of 0 without lower bound, the part of the bounds that a slider covers on either side.
_SHARE_OF_BOUNDS = 0.025

#: Neighbouring seeds that a slider reaches on either side.
_SEEDS = 50

#: Digits of the values of a slider.
_DIGITS = 3


@dataclass(frozen=True)
class SliderScale:
    """The values of a slider, at its positions from 0 to `n_steps`.

    Attributes
    ----------
    low, high : float
        Values at both ends, in the unit of the parameter.
    is_log : bool
        Whether equal distances are equal ratios.
    is_whole : bool
        Whether values are whole numbers.
    """

    low: float
    high: float
    is_log: bool = False
    is_whole: bool = False

    @classmethod
    def around(cls, key: str, quantity: Quantity, value: float) -> SliderScale | None:
        """Return a range around a value, within the bounds; None if the value is beyond them.

        Parameters
        ----------
        key : str
            Such as `stdp.A_plus`.
        quantity : Quantity
            Bounds, unit and kind of the parameter.
        value : float
            The present value, in its unit.
        """
        lowest = quantity.at_least if quantity.above is None else quantity.above
        least = -math.inf if lowest is None else lowest
        most = math.inf if quantity.at_most is None else quantity.at_most
        if not (math.isfinite(value) and least <= value <= most):
            return None
        whole = quantity.kind is int
        if key == SEED:
            ends, is_log = (value - _SEEDS, value + _SEEDS), False
        elif value <= 0 and least >= 0:
            ends, is_log = (0.0, float(_FACTOR)), False
        elif value <= 0 or least < 0:
            reach = abs(value) / 2 or (most - least) * _SHARE_OF_BOUNDS
            ends, is_log = (value - reach, value + reach), False
        elif most <= _FACTOR * value:
            ends, is_log = (least, most), False
        else:
            is_ratio = not quantity.units and 1 / 2 <= value <= 2
            factor = _FACTOR_OF_RATIO if is_ratio else _FACTOR
            ends, is_log = (value / factor, value * factor), True
        low, high = max(ends[0], least), min(ends[1], most)
        if not math.isfinite(low) or not math.isfinite(high) or low >= high:
            return None
        if quantity.above is not None and low <= quantity.above:
            low = quantity.above + (high - quantity.above) / _N_STEPS
        return cls(low, high, is_log and low > 0, whole)

    @property
    def n_steps(self) -> int:
        """Number of steps between both ends."""
        few = self.is_whole and not self.is_log
        return min(_N_STEPS, round(self.high - self.low)) if few else _N_STEPS

    def value(self, step: int) -> float | int:
        """Return the value at a position, rounded to a few digits and within the range."""
        share = step / self.n_steps
        if self.is_log:
            value = self.low * (self.high / self.low) ** share
        else:
            value = self.low + (self.high - self.low) * share
        if self.is_whole and not self.is_log:
            return round(value)
        rounded = min(max(float(f"{value:.{_DIGITS}g}"), self.low), self.high)
        return round(rounded) if self.is_whole else rounded

    def step(self, value: float) -> int:
        """Return the position nearest to a value; an end of the range beyond it."""
        inside = min(max(value, self.low), self.high)
        if self.is_log:
            share = math.log(inside / self.low) / math.log(self.high / self.low)
        else:
            share = (inside - self.low) / (self.high - self.low)
        return round(share * self.n_steps)

    def covers(self, value: float) -> bool:
        """Whether a value is within the range."""
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Control:
    """One parameter of the lab.

    Attributes
    ----------
    key : str
        Such as `stdp.A_plus`.
    quantity : Quantity
        Long name, unit, bounds and kind.
    options : tuple of str
        The values of a menu; of numbers and free text none.
    """

    key: str
    quantity: Quantity
    options: tuple[str, ...] = ()

    @classmethod
    def of(cls, key: str, quantity: Quantity) -> Control:
        """Return the control of a parameter."""
        is_number = quantity.kind in (int, float)
        values = () if is_number else tuple(values_of_key(key))
        is_free = {*values} <= {"null"}  # such as the name of a file
        return cls(key, quantity, () if is_free else values)

    @property
    def label(self) -> str:
        """Long name with unit: "LTP time constant (ms)"."""
        name = self.quantity.long_name
        named = name[:1].upper() + name[1:]
        return f"{named} ({self.quantity.units})" if self.quantity.units else named

    @property
    def bounds(self) -> str:
        """The allowed values as short text, and the meaning of null."""
        null = f", or null ({self.quantity.null})" if self.quantity.null else ""
        return bounds_text(self.key, self.quantity) + null

    @property
    def is_number(self) -> bool:
        """Whether it has a slider."""
        return self.quantity.kind in (int, float)

    def scale(self, value: Any) -> SliderScale | None:
        """Return the range of the slider around a value; None of a value that is no number."""
        if not self.is_number or isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return SliderScale.around(self.key, self.quantity, value)


@dataclass(frozen=True)
class SectionControls:
    """The controls of one section.

    Attributes
    ----------
    name : str
        Of the section, such as `stdp`; also of its group of parameter sets.
    title : str
        What it describes.
    sets : mapping of str to str
        One line about each parameter set of its group, by name; none where it has no group.
    controls : tuple of Control
        Of each field of the chosen variant.
    """

    name: str
    title: str
    sets: Mapping[str, str]
    controls: tuple[Control, ...]


def section_controls(name: str, variant: type[Section], folders: Sequence[Path]) -> SectionControls:
    """Return the controls of a section.

    Parameters
    ----------
    name : str
        Of the section.
    variant : type
        The class that holds its values.
    folders : sequence of Path
        The folders of configurations.
    """
    fields = variant.quantities().items()
    controls = tuple(
        Control.of(variant.key(field), quantity)
        for field, quantity in fields
        if variant.key(field) not in HASHED.values()  # which follow from what is typed
    )
    title = SECTIONS[name].title
    return SectionControls(name, title[:1].upper() + title[1:], choices_of(name, folders), controls)


def default_sets() -> dict[str, str]:
    """Return the parameter set of each section that `conf/config.yaml` chooses."""
    return default_choices(CONF)


def seed_control() -> Control:
    """Return the control of the random seed."""
    return Control.of(SEED, Configuration.quantities()[SEED])


def shown_sections() -> list[str]:
    """Return the names of the sections that have controls."""
    return [name for name in SECTIONS if name not in _NOT_SHOWN]


def resolved_value(section: Section, field: str) -> Any:
    """Return the value of a field, in place of null the one that is derived."""
    value = getattr(section, field)
    if value is None and hasattr(section, "value_of"):
        return section.value_of(field)
    return value


def variant_of(name: str, values: Mapping[str, Any]) -> type[Section]:
    """Return the class that holds the values of a section.

    Raises
    ------
    RequestError
        If they name a rule or process that does not exist.
    """
    return SECTIONS[name].variant(values)


def is_choosing(key: str) -> bool:
    """Whether a key chooses a rule or process."""
    section = SECTIONS.get(key.partition(".")[0])
    return section is not None and issubclass(section, Variant) and key in section.choosing_keys()
