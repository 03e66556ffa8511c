"""Tables for the command line: all parameters in `--help`, the choices of one key by `key=?`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

from omegaconf import OmegaConf

from pipeline.composition.choices import choices_of, groups_in
from pipeline.composition.known_keys import settings
from pipeline.composition.run_settings import BACKEND_NAMES, RunSettings
from pipeline.model.parameters import SECTIONS, all_quantities
from pipeline.model.quantity import Quantity, Section, unknown_key
from pipeline.model.registry import REGISTRIES
from pipeline.system.host import started_as

#: Ends a word of the command line that asks for what may follow.
QUESTION = "=?"

#: Names of the resolvers by which `conf/config.yaml` inserts the table and the command.
_TABLE, _COMMAND = "table_of_parameters", "this_command"


def declare_help() -> None:
    """Register the resolvers of the table and of the command's name with OmegaConf."""
    OmegaConf.register_new_resolver(_TABLE, _template, replace=True)
    OmegaConf.register_new_resolver(_COMMAND, started_as, replace=True)


def table_of_parameters() -> str:
    """Return one line per key of the configuration, grouped: key, unit, allowed values, meaning."""
    rows = described_keys()
    lines = _in_columns([[key, *row] for key, row in rows.items()])
    grouped: dict[str, list[str]] = {}
    for key, line in zip(rows, lines, strict=True):
        grouped.setdefault(key.rpartition(".")[0], []).append(line)
    return "\n\n".join("\n".join(group) for group in grouped.values())


def described_keys() -> dict[str, list[str]]:
    """Return unit, allowed values and meaning of every key of a configuration, by section."""
    return {key: description(key, quantity) for key, quantity in _quantities().items()}


def answer(key: str, folders: Sequence[Path], classes: Iterable[type[Section]] = ()) -> str:
    """Return what may follow `key=`: one line per choice, or the bounds of a value.

    Parameters
    ----------
    key : str
        A group such as `stdp` or `+experiment`, or a key such as `stdp.A_plus`.
    folders : sequence of Path
        The folders of configurations.
    classes : iterable of type
        Rules and processes that the command names, whose fields come before those of others.

    Raises
    ------
    RequestError
        If there is no such key.
    """
    name = key.lstrip("+~")
    groups, quantities = groups_in(folders), _quantities()
    for cls in classes:
        quantities |= {cls.key(field): one for field, one in cls.quantities().items()}
    if name in groups:
        typed = name if name in (*SECTIONS, "run") else f"+{name}"
        rows = [[f"{typed}={one}", about] for one, about in choices_of(name, folders).items()]
        return "\n".join(_in_columns(rows))
    if name not in quantities:
        raise unknown_key(key, "?", (*groups, *quantities))
    return "  ".join([name, *filter(None, description(name, quantities[name]))])


def values_of_key(key: str) -> tuple[str, ...]:
    """Return the values that a key may have, where they can be listed."""
    if key == RunSettings.key("backend"):
        return tuple(BACKEND_NAMES)
    if key in REGISTRIES:
        return tuple(REGISTRIES[key].classes())
    quantity = _quantities().get(key)
    if quantity is None:
        return ()
    values = ("true", "false") if quantity.kind is bool else quantity.choices
    return (*values, "null") if quantity.null else values


def _quantities() -> dict[str, Quantity]:
    by_section = sorted(all_quantities().items(), key=lambda item: _position(item[0]))
    return dict(by_section) | settings()


def _position(key: str) -> int:
    section = key.rpartition(".")[0]
    return list(SECTIONS).index(section) if section in SECTIONS else len(SECTIONS)


def description(key: str, quantity: Quantity) -> list[str]:
    """Return unit, allowed values and meaning of a key, as a variant of a section declares it."""
    null = f" (null: {quantity.null})" if quantity.null else ""
    return [quantity.units, bounds_text(key, quantity), quantity.long_name + null]


def bounds_text(key: str, quantity: Quantity) -> str:
    """Return the allowed values of a key as short text: `0 to 1`, `> 0`, `float32 or float64`."""
    if quantity.kind in (str, bool):
        choices = [one for one in values_of_key(key) if one != "null"]
        return " or ".join([*choices, *(["FILE.py:CLASS"] if key in REGISTRIES else [])]) or "text"
    if quantity.per_group:
        one = bounds_text(key, dataclasses.replace(quantity, per_group=False))
        return f"{one}; or [...], one per group"
    low, high = quantity.at_least, quantity.at_most
    whole = "whole, " if quantity.kind is int else ""
    if low is not None and high is not None:
        return f"{whole}{low:.15g} to {high:.15g}"
    bounds = ((">", quantity.above), (">=", low), ("<=", high))
    return whole + " and ".join(f"{sign} {end:.15g}" for sign, end in bounds if end is not None)


def _in_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a line for each row, its cells aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _template() -> str:
    """Return the table as Hydra takes it, in which a dollar sign would begin a placeholder."""
    return table_of_parameters().replace("$", "$$")
