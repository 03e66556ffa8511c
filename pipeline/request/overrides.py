"""What is asked for, in Hydra's sweep grammar or from Python, into the axes of a grid."""

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
from pipeline.request.compose import composed, not_a_choice, physics_of, without_hydra
from pipeline.request.grid import Grid

#: Composes overrides into a config.
Compose = Callable[[list[str]], DictConfig]


def grid_of_overrides(
    config: DictConfig,
    params: Sequence[Override],
    arguments: Sequence[Override],
    compose_again: Compose,
) -> Grid:
    """Return the grid that an experiment and a command line ask for.

    Parameters
    ----------
    config : DictConfig
        Hydra's composition of everything that is not swept.
    params : sequence of Override
        The axes of the experiment, `hydra.sweeper.params`.
    arguments : sequence of Override
        The command line, swept or not; it replaces the experiment's axes key by key.
    compose_again : callable
        Composes a list of overrides; called once per choice of a swept group.

    Raises
    ------
    RequestError
        If an axis or a point is not allowed.
    """
    _refuse_repeated_axes(arguments)
    fixed = [override.input_line for override in arguments if not override.is_sweep_override()]
    asked = {o.key_or_group: o for o in params} | {o.key_or_group: o for o in arguments}
    swept = {
        key: _axis_values(override)
        for key, override in asked.items()
        if override.is_sweep_override() or override in params
    }
    return _grid(config, swept, lambda choice: compose_again([*fixed, *choice]))


def grid_of_mapping(configuration: Configuration, axes: Mapping[str, Iterable[Any]]) -> Grid:
    """Return the grid of a configuration and values by key, as given from Python.

    A swept group is composed with the overrides that the configuration was made from, so that they
    lie over every choice as they do on the command line.

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
    if Configuration.from_mapping(physics_of(config)) != configuration:
        config = OmegaConf.create(configuration.to_mapping())  # changed since it was composed
    return _grid(config, axes, lambda choice: composed([*fixed, *choice]))


def _grid(config: DictConfig, swept: Mapping[str, Iterable[Any]], compose: Compose) -> Grid:
    referred_to = _referred_to(config)
    unchosen = functools.cache(lambda: by_key(physics_of(compose([]))))
    axes = []
    for key, values in swept.items():
        if key in SWEPT_GROUPS:
            axes.append(_choice_axis(key, values, compose, unchosen))
        elif key.rpartition(".")[2] in referred_to:
            axes.append(_followed_axis(config, value_axis(key, values), set(swept) - {key}))
        else:
            axes.append(value_axis(key, values))
    refuse_entangled(axes)
    return Grid(physics_of(config), axes)


def _choice_axis(
    group: str, names: Iterable[Any], compose: Compose, unchosen: Callable[[], dict[str, Any]]
) -> Axis:
    """Compose each choice of a group once, and keep its section and what else it changes."""
    names = listed(group, names)
    for name in names:
        if not isinstance(name, str):
            raise not_a_choice(group, name)
    choices = [by_key(physics_of(compose([f"{group}={name}"]))) for name in names]
    return choice_axis(group, names, _changes(unchosen(), choices, f"{group}."))


def _followed_axis(config: DictConfig, axis: Axis, other_axes: set[str]) -> Axis:
    """Lay each value over the config, and keep what follows it by `${...}`."""
    base = by_key(physics_of(config))
    copy = without_hydra(config)
    laid_over = []
    for value in axis.values:
        OmegaConf.update(copy, axis.key, value)
        laid_over.append(by_key(physics_of(copy)))
    settings = _changes(base, laid_over, axis.key, without=other_axes)
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
    """Return every word within the `${...}` of the parameters; keys are known by their last."""
    physics = OmegaConf.masked_copy(config, [*SECTIONS, "seed"])
    values = by_key(OmegaConf.to_container(physics, resolve=False)).values()
    references = (text for text in values if isinstance(text, str) and "${" in text)
    return {word for text in references for word in re.findall(r"\w+", text)}


def _refuse_repeated_axes(arguments: Sequence[Override]) -> None:
    seen: dict[str, Override] = {}
    for override in filter(Override.is_sweep_override, arguments):
        earlier = seen.setdefault(override.key_or_group, override)
        if earlier is not override:
            raise RequestError(
                f"{earlier.input_line} {override.input_line}: the axis is given twice; "
                "once is allowed"
            )


def _axis_values(override: Override) -> list[Any]:
    """Return the values of an axis in Hydra's sweep grammar; a list stands for its elements."""
    if override.key_or_group == "experiment":
        raise RequestError(f"{override.input_line}: one experiment at a time; run them in turn")
    if not override.is_sweep_override():
        value = override.value()
        return value if isinstance(value, list) else [value]
    if not override.is_discrete_sweep():
        raise RequestError(f"{override.input_line}: must be a list, range(...) or choice(...)")
    sweep = override.value()
    if isinstance(sweep, RangeSweep):
        return _range(override.input_line, sweep)
    return [v.text if isinstance(v, QuotedString) else v for v in override.sweep_iterator()]


def _range(text: str, sweep: RangeSweep) -> list[float]:
    """Return the numbers of a range; in decimal, so that 0.1 three times is 0.3."""
    start, stop, step = (Decimal(repr(x)) for x in (sweep.start, sweep.stop, sweep.step))
    if step == 0:
        raise RequestError(f"{text}: the step of a range must not be 0")
    count = max(0, -int((start - stop) // step))
    refuse_too_many(text, count)
    whole = all(isinstance(x, int) for x in (sweep.start, sweep.stop, sweep.step))
    return [(int if whole else float)(start + i * step) for i in range(count)]
