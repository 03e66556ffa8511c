"""Parameters as quantities: long name, unit, bounds, and validation of values."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from pipeline.model.errors import NO_VALUE, RequestError
from pipeline.model.number_lists import listed, value_text
from pipeline.model.plain_values import CONVERTERS, plain, rounded_all

#: Marks a field without neutral value.
REQUIRED = type("Required", (), {"__repr__": lambda self: "REQUIRED"})()


@dataclasses.dataclass(frozen=True)
class Quantity:
    """Long name, unit and bounds of one parameter.

    Parameters
    ----------
    long_name : str
        Descriptive name, as in a paper; becomes the axis label of a figure.
    units : str
        UDUNITS symbol; empty when dimensionless.
    kind : type
        `float`, `int`, `bool` or `str`.
    above, at_least, at_most : float, optional
        Bounds of a number; `above` is exclusive.
    choices : tuple of str
        The allowed values when `kind` is `str`; any text when there are none.
    null : str
        Meaning of `null`; empty when a value is required.
    neutral : optional
        Value at which the model equals the model without the field. It is left out of a point's
        key and used where a configuration does not set the field. `REQUIRED` when the field has
        none.
    default : optional
        Value where a configuration does not set a field of a user's own class; part of the key.
    per_group : bool
        Whether it may be a list of numbers, one for each group; a number is that of all groups.
    """

    long_name: str
    units: str = ""
    kind: type = float
    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    choices: tuple[str, ...] = ()
    null: str = ""
    neutral: Any = REQUIRED
    default: Any = REQUIRED
    per_group: bool = False

    @property
    def allowed(self) -> str:
        """Description of the allowed values, for messages."""
        if self.kind is str:
            text = " or ".join(self.choices) or "text"
        elif self.kind is bool:
            text = "true or false"
        else:
            bounds = [
                f"{relation} {bound:.15g}"
                for relation, bound in (
                    (">", self.above),
                    (">=", self.at_least),
                    ("<=", self.at_most),
                )
                if bound is not None
            ]
            noun = "a whole number" if self.kind is int else "a finite number"
            text = " ".join([noun, " and ".join(bounds), self.units]).replace("  ", " ").strip()
        if self.per_group:
            text += ", or a list of such numbers, one for each group"
        return f"{text}, or null ({self.null})" if self.null else text

    def admit(self, key: str, value: Any) -> Any:
        """Validate `value`; return it as a plain Python value of this quantity's kind.

        A list of numbers, where it is allowed, is returned as a tuple.

        Raises
        ------
        RequestError
            If the value is of another kind, not finite or out of bounds.
        """
        if value is None and self.null:
            return None
        n_dims = None if isinstance(value, np.generic) else getattr(value, "ndim", None)
        if n_dims == 0 or (n_dims == 1 and self.per_group):
            value = plain(value)  # an array of one value, as of xarray, or one for each group
        try:
            if self.per_group and value and isinstance(value, list | tuple):
                return tuple([self._number(one) for one in value])
            return self._number(value)
        except (TypeError, ValueError, OverflowError):
            raise self._refusal(key, value) from None

    def admit_all(self, key: str, values: Sequence[Any]) -> list[Any]:
        """Validate values; return them as `admit` does, of many numbers several times as fast.

        Raises
        ------
        RequestError
            As of `admit`, for the first value that is refused.
        """
        is_plain = self.kind is float and len(values) > 1 and {*map(type, values)} == {float}
        if not is_plain or not (clean := rounded_all(values)):
            return [self.admit(key, value) for value in values]
        try:
            self._number(min(clean))
            self._number(max(clean))
        except ValueError:
            return [self.admit(key, value) for value in values]
        return clean

    def _number(self, value: Any) -> Any:
        """Return a single value as a plain one; raise `ValueError` or another error if refused."""
        clean: Any = CONVERTERS[self.kind](value)
        if self.kind is str:
            admitted = not self.choices or clean in self.choices
        else:
            admitted = (
                (self.above is None or clean > self.above)
                and (self.at_least is None or clean >= self.at_least)
                and (self.at_most is None or clean <= self.at_most)
            )
        if not admitted:
            raise ValueError
        return clean

    def _refusal(self, key: str, value: Any) -> RequestError:
        shown = repr(value) if isinstance(value, str) and self.kind is not str else value
        as_axis = ""
        if isinstance(value, list | tuple) and len(value) > 1 and not self.per_group:
            as_axis = f"; as an axis it is {written(key, ','.join(map(str, value)))}"
        return RequestError(
            f"{written(key, shown)}: {self.long_name} must be {self.allowed}{as_axis}"
        )


def written(key: str, value: Any) -> str:
    """Return `key=value` as on a command line, on one line, truncated if long."""
    text = "null" if value is None else " ".join(value_text(value).split())
    shown = text if len(text) <= 60 else f"{text[:57]}..."
    return key if value is NO_VALUE else f"{key}={shown}"


def override_text(key: str, value: Any) -> str:
    """Return `key=value` in the grammar of overrides, which gives exactly this value back."""
    if not isinstance(value, str):
        return f"{key}={json.dumps(value, separators=(',', ':'))}"  # also null, true, false
    # A backslash is special only before a quotation mark and before `${`.
    special = re.compile(r"(\\*)(\$\{|'|\Z)")
    escaped = special.sub(lambda found: found[1] * 2 + (found[2] and "\\" + found[2]), value)
    return f"{key}='{escaped}'"


def overrides_by_key(overrides: Iterable[str]) -> dict[str, str]:
    """Return overrides such as `stdp.A_plus=0.01` by their keys."""
    return {text.partition("=")[0].lstrip("+~"): text for text in overrides}


def unknown_key(
    key: str, value: Any, known: Iterable[str], why: str = "unknown key"
) -> RequestError:
    """Return the error for an unknown key: the nearest known key and those of its section."""
    known = list(known)
    section, dot, short_name = key.partition(".")
    own = [name for name in known if dot and name.startswith(f"{section}.")]
    if own and short_name:  # the section is right: it is no part of what is compared
        names = [name.partition(".")[2] for name in own]
        begun = [one for one in names if one.startswith(short_name) or short_name.startswith(one)]
        close = difflib.get_close_matches(short_name, names, n=1, cutoff=0.5) or begun[:1]
        close = [f"{section}.{name}" for name in close]
    else:
        close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    if not close:
        short_name = key.rpartition(".")[2].lower()
        close = [name for name in known if name.rpartition(".")[2].lower() == short_name]
    shown = [name for name in known if name.startswith(f"{section}.")] or [
        f"{name.partition('.')[0]}.*" if "." in name else name for name in known
    ]
    hint = f"; did you mean {close[0]}?" if close else ""
    return RequestError(
        f"{written(key, value)}: {why}{hint} (known: {', '.join(dict.fromkeys(shown))})"
    )


def quantity(long_name: str, units: str = "", **bounds: Any) -> Any:
    """Declare a dataclass field that is a `Quantity`; see there for the arguments."""
    declared = Quantity(long_name, units, **bounds)
    metadata = {"quantity": declared}
    unset = declared.default if declared.neutral is REQUIRED else declared.neutral
    if unset is REQUIRED:
        return dataclasses.field(metadata=metadata)
    return dataclasses.field(default=unset, kw_only=True, metadata=metadata)


class Section:
    """Base of the frozen parameter dataclasses: every field is validated on construction."""

    section: ClassVar[str]
    title: ClassVar[str]

    @classmethod
    @functools.cache
    def quantities(cls) -> dict[str, Quantity]:
        """Return the quantity of each field, by the field's name."""
        return {
            field.name: field.metadata["quantity"]
            for field in dataclasses.fields(cls)  # type: ignore[arg-type]
            if "quantity" in field.metadata
        }

    @classmethod
    def key(cls, name: str) -> str:
        """Return the configuration key of a field, such as `stdp.A_plus`."""
        return f"{cls.section}.{name}" if cls.section else name

    @classmethod
    def variant(cls, mapping: Mapping[str, Any]) -> type[Self]:
        """Return the class that holds the values of a mapping: this one, or a subclass."""
        return cls

    @classmethod
    def variants(cls) -> list[type[Section]]:
        """Return all classes that `variant` may return."""
        return [cls]

    @classmethod
    def unknown_field(cls, name: str, value: Any) -> RequestError:
        """Return the error for a field that the section does not have."""
        names = _value_names(cls)  # type: ignore[arg-type]
        return unknown_key(cls.key(name), value, map(cls.key, names))

    @classmethod
    def missing_field(cls, name: str) -> RequestError:
        """Return the error for a field without a value, and without a neutral one or a default."""
        return RequestError(f"{cls.key(name)}: missing; it needs a value")

    @classmethod
    def choosing_keys(cls) -> set[str]:
        """Return the key of the field that chooses among `variants`, if there are several."""
        return set()

    @classmethod
    @functools.cache
    def neutral_values(cls) -> dict[str, Any]:
        """Return the neutral values of the fields that have one."""
        return {
            name: quantity.neutral
            for name, quantity in cls.quantities().items()
            if quantity.neutral is not REQUIRED
        }

    @classmethod
    @functools.cache
    def default_values(cls) -> dict[str, Any]:
        """Return the defaults of the fields that have one."""
        declared = cls.quantities().items()
        having = [(name, one) for name, one in declared if one.default is not REQUIRED]
        return {name: one.admit(cls.key(name), one.default) for name, one in having}

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """Build the section from plain values; neutral ones and defaults fill in what is missing.

        Raises
        ------
        RequestError
            If a key is unknown or missing, or a value is not allowed.
        """
        chosen = cls.variant(mapping)
        refuse_unknown_keys(chosen, mapping)
        return chosen(**mapping)

    def to_mapping(self) -> dict[str, Any]:
        """Return the section's values by the fields' names, as plain values."""
        return {name: listed(getattr(self, name)) for name in self.quantities()}

    def key_values(self) -> dict[str, Any]:
        """Return the values that determine results, for a point's key, without neutral ones."""
        own, (neutral, has_lists) = vars(self), self._neutral_in_key()
        if has_lists:
            own = {name: list(own[name]) if type(own[name]) is tuple else own[name] for name in own}
        return {name: own[name] for name, value in neutral if own[name] != value}

    @classmethod
    @functools.cache
    def _neutral_in_key(cls) -> tuple[list[tuple[str, Any]], bool]:
        """Return the neutral value of each field, and whether a value may be a list."""
        unset, declared = cls.neutral_values(), cls.quantities()
        return (
            [(name, unset.get(name, REQUIRED)) for name in declared],
            any(one.per_group for one in declared.values()),
        )

    def _repr_html_(self) -> str:
        """Return a table of keys, values, units and long names, which a notebook displays."""
        heading = "".join(f"<th>{name}</th>" for name in ("key", "value", "unit", "meaning"))
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self._rows()
        )
        return f"<table><thead><tr>{heading}</tr></thead><tbody>{rows}</tbody></table>"

    def _rows(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield key, value, unit and long name of each field, those of sections included."""
        quantities = self.quantities()
        for name, value in vars(self).items():
            if isinstance(value, Section):
                yield from value._rows()
            elif declared := quantities.get(name):
                text = f"null ({declared.null})" if value is None else value_text(value)
                yield self.key(name), text, declared.units, declared.long_name

    def with_admitted(self, **values: Any) -> Self:
        """Return a copy with other values, not validated: the caller guarantees them."""
        other = object.__new__(type(self))
        vars(other).update(vars(self), **values)
        return other

    def __post_init__(self) -> None:
        self.complete()
        values = vars(self)
        for name, key, quantity in self._keyed_quantities():
            values[name] = quantity.admit(key, values[name])
        self.refuse_unfit_values()

    def complete(self) -> None:
        """Set fields that the class decides; called before fields are validated."""

    def refuse_unfit_values(self) -> None:
        """Refuse values that are not allowed together, each of which is admitted; see there.

        Raises
        ------
        RequestError
            If there are some.
        """

    def variations(self) -> Callable[[Mapping[str, Any]], Section]:
        """Return what makes copies with other values of fields, validated together.

        It is several times as fast as a new section, of which each field is validated. Its argument
        holds values by name of the field, each admitted by the quantity of the field; it raises
        `RequestError` if values are not allowed together.
        """
        cls: Any = type(self)  # mypy takes it for unhashable
        if cls.__post_init__ is not Section.__post_init__:  # of a class of the user's
            given = self.to_mapping()
            return lambda values: cls.from_mapping(given | dict(values))
        own = vars(self)  # without what was computed from other values, as cached properties
        fixed = {name: own[name] for name in _value_names(cls)}

        def varied(values: Mapping[str, Any]) -> Section:
            other: Any = object.__new__(cls)
            vars(other).update(fixed, **values)
            other.refuse_unfit_values()
            return other

        return varied

    @classmethod
    @functools.cache
    def _keyed_quantities(cls) -> list[tuple[str, str, Quantity]]:
        return [(name, cls.key(name), quantity) for name, quantity in cls.quantities().items()]


def refuse_unknown_keys(cls: type[Section], mapping: Mapping[str, Any]) -> None:
    """Raise `RequestError` if a key is unknown, or a field without neutral value is missing."""
    if not isinstance(mapping, Mapping):
        raise RequestError(
            f"{written(cls.section or cls.title, mapping)}: must be a section of values"
        )
    names = _value_names(cls)  # type: ignore[arg-type]
    for name, value in mapping.items():
        if name not in names:
            raise cls.unknown_field(str(name), value)
    unset = cls.neutral_values() | cls.default_values()
    for name in names:
        if name not in mapping and name not in unset:
            raise cls.missing_field(name)


@functools.cache
def _value_names(cls: type[Section]) -> list[str]:
    """Return the names of the fields that hold values, of a configuration also its sections."""
    return [field.name for field in dataclasses.fields(cls) if field.compare]  # type: ignore[arg-type]
