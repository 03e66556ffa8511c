"""Build the grid of a request: overrides in Hydra's grammar, or a mapping from Python."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from hydra.core.override_parser.types import Override, QuotedString, RangeSweep
from omegaconf import DictConfig, OmegaConf

from pipeline.model.errors import RequestError
from pipeline.model.parameters import SECTIONS, Configuration, by_key
from pipeline.model.quantity import written
from pipeline.request.axis import (
    SWEPT_GROUPS,
    Axis,
    choice_axis,
    listed,
    refuse_entangled,
    refuse_too_many,
    value_axis,
)
from pipeline.request.compose import composed, not_a_choice, parameters_of, plain, without_hydra
from pipeline.request.grid import Grid

#: Composes a config from overrides.
Compose = Callable[[list[str]], DictConfig]


def grid_of_overrides(
    config: DictConfig,
    params: Sequence[Override],
    arguments: Sequence[Override],
    compose_again: Compose,
) -> Grid:
    """Return the grid of an experiment and a command line.

    Parameters
    ----------
    config : DictConfig
        Hydra's composition of all that is not swept.
    params : sequence of Override
        The axes of the experiment, `hydra.sweeper.params`.
    arguments : sequence of Override
        The command line, swept or not; it overrides the axes of the experiment key by key.
    compose_again : callable
        Composes a list of overrides; called once per choice of a swept group.

    Raises
    ------
    RequestError
        If an axis or a point is not allowed.
    """
    _refuse_repeated_axes(arguments)
    fixed = [_text(override) for override in arguments if not override.is_sweep_override()]
    asked = {o.key_or_group: o for o in params} | {o.key_or_group: o for o in arguments}
    swept = {
        key: _axis_values(override)
        for key, override in asked.items()
        if override.is_sweep_override() or override in params
    }
    return _grid(config, swept, lambda choice: compose_again([*fixed, *choice]))


def grid_of_mapping(configuration: Configuration, axes: Mapping[str, Iterable[Any]]) -> Grid:
    """Return the grid of a configuration and values by key, as given from Python.

    A swept group is composed with the overrides that the configuration was composed from, so that
    they override every choice, as on the command line.

    Raises
    ------
    RequestError
        If an axis or a point is not allowed.
    """
    if not isinstance(axes, Mapping) or not all(isinstance(key, str) for key in axes):
        raise RequestError(
            f"{written('axes', axes)}: must map keys such as 'seed' to lists of values"
        )
    fixed = configuration.overrides
    config = composed(fixed)
    if Configuration.from_mapping(parameters_of(config)) != configuration:
        config = OmegaConf.create(configuration.to_mapping())  # changed since it was composed
    return _grid(config, axes, lambda choice: composed([*fixed, *choice]))


def _grid(config: DictConfig, swept: Mapping[str, Iterable[Any]], compose: Compose) -> Grid:
    referred_to = _referred_to(config)
    unchosen = functools.cache(lambda: by_key(parameters_of(compose([]))))
    axes = []
    for key, values in swept.items():
        if key in SWEPT_GROUPS:
            axes.append(_choice_axis(key, values, compose, unchosen))
        elif key.rpartition(".")[2] in referred_to:
            axes.append(_followed_axis(config, value_axis(key, values), set(swept) - {key}))
        else:
            axes.append(value_axis(key, values))
    refuse_entangled(axes)
    return Grid(parameters_of(config), axes)


def _choice_axis(
    group: str, names: Iterable[Any], compose: Compose, unchosen: Callable[[], dict[str, Any]]
) -> Axis:
    """Return the axis of a group; each choice is composed once, for all keys that it changes."""
    names = listed(group, names)
    for name in names:
        if not isinstance(name, str):
            raise not_a_choice(group, name)
    choices = [by_key(parameters_of(compose([f"{group}={name}"]))) for name in names]
    return choice_axis(group, names, _changes(unchosen(), choices, f"{group}."))


def _followed_axis(config: DictConfig, axis: Axis, other_axes: set[str]) -> Axis:
    """Return the axis with the keys that follow its values by `${...}`."""
    base = by_key(parameters_of(config))
    copy = without_hydra(config)
    resolved = []
    for value in axis.values:
        OmegaConf.update(copy, axis.key, value)
        resolved.append(by_key(parameters_of(copy)))
    settings = _changes(base, resolved, axis.key, without=other_axes)
    return dataclasses.replace(axis, settings=tuple(settings))


def _changes(
    base: dict[str, Any],
    choices: list[dict[str, Any]],
    own: str,
    without: Iterable[str] = (),
) -> list[dict[str, Any]]:
    """Return from each choice its own keys, and every other that differs from the base in any.

    Parameters
    ----------
    base : dict
        Values by key where nothing is chosen.
    choices : list of dict
        Values by key of each choice; those of its own keys may be other ones for each.
    own : str
        A key, or all keys of a section when it ends with a dot.
    without : iterable of str
        Keys to leave out.
    """
    changed = {
        key
        for choice in choices
        for key, value in choice.items()
        if key == own
        or (own.endswith(".") and key.startswith(own))
        or (key not in without and base.get(key) != value)
    }
    return [{key: value for key, value in choice.items() if key in changed} for choice in choices]


def _referred_to(config: DictConfig) -> set[str]:
    """Return every word within the `${...}` of the parameters: last parts of keys among them."""
    parameters = OmegaConf.masked_copy(config, [*SECTIONS, "seed"])
    values = by_key(plain(parameters, resolve=False)).values()
    references = (text for text in values if isinstance(text, str) and "${" in text)
    return {word for text in references for word in re.findall(r"\w+", text)}


def _refuse_repeated_axes(arguments: Sequence[Override]) -> None:
    seen: dict[str, Override] = {}
    for override in filter(Override.is_sweep_override, arguments):
        earlier = seen.setdefault(override.key_or_group, override)
        if earlier is not override:
            raise RequestError(
                f"{earlier.input_line} {_text(override)}: the axis is given twice; once is allowed"
            )


def _text(override: Override) -> str:
    return override.input_line or ""


def _axis_values(override: Override) -> list[Any]:
    """Return the values of an axis in Hydra's sweep grammar; a list is expanded."""
    if override.key_or_group == "experiment":
        raise RequestError(f"{_text(override)}: must be one experiment at a time")
    if not override.is_sweep_override():
        value = override.value()
        return value if isinstance(value, list) else [value]
    if not override.is_discrete_sweep():
        raise RequestError(f"{_text(override)}: must be a list, range(...) or choice(...)")
    sweep = override.value()
    if isinstance(sweep, RangeSweep):
        return _range(_text(override), sweep)
    return [v.text if isinstance(v, QuotedString) else v for v in override.sweep_iterator()]


def _range(text: str, sweep: RangeSweep) -> list[float]:
    """Return the numbers of a range, computed in decimal: three steps of 0.1 are 0.3."""
    start, stop, step = (Decimal(repr(x)) for x in (sweep.start, sweep.stop, sweep.step))
    if step == 0:
        raise RequestError(f"{text}: the step of a range must not be 0")
    count = max(0, -int((start - stop) // step))
    refuse_too_many(text, count)
    whole = all(isinstance(x, int) for x in (sweep.start, sweep.stop, sweep.step))
    return [(int if whole else float)(start + i * step) for i in range(count)]
