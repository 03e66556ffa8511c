"""Build the grid of a request: overrides in Hydra's grammar, or a mapping from Python."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from pipeline.composition.compose import (
    CONF,
    composition,
    names_in,
    parameters_of,
    plain,
    references_in,
    sweep_settings_of,
    without_hydra,
)
from pipeline.composition.known_keys import ADDED
from pipeline.composition.own_contents import (
    Places,
    refuse_without_effect,
    settings_of,
    with_contents,
)
from pipeline.composition.own_files import own_files
from pipeline.composition.own_models import names_of
from pipeline.composition.parameter_sets import Origin, for_variant, variant_sections
from pipeline.composition.quoting import texts_quoted
from pipeline.model.errors import RequestError
from pipeline.model.number_lists import listed as as_list
from pipeline.model.parameters import Configuration, by_key
from pipeline.model.quantity import overrides_by_key, written
from pipeline.model.registry import REGISTRIES
from pipeline.request.axis import Axis, listed, refuse_entangled, settings_at
from pipeline.request.axis_kinds import kind_of
from pipeline.request.given_samples import as_declared, samples_of
from pipeline.request.grammar import interval_of, values_of
from pipeline.request.grid import Grid
from pipeline.request.sample_request import requested_samples
from pipeline.request.samples import SAMPLE, Samples

#: Composes parameters from overrides: nested plain values, not validated.
Compose = Callable[[list[str]], Mapping[str, Any]]


def grid_of_overrides(
    config: DictConfig,
    params: Sequence[Override],
    arguments: Sequence[Override],
    compose_again: Callable[[list[str]], DictConfig],
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
        Composes a config, with Hydra's own section, from a list of overrides; called once per
        choice of a swept group.

    Raises
    ------
    RequestError
        If an axis or a point is not allowed.
    """
    _refuse_repeated_axes(arguments)
    _refuse_unsweepable([*params, *arguments])
    fixed = [_text(override) for override in arguments if not override.is_sweep_override()]
    asked = {o.key_or_group: o for o in params} | {o.key_or_group: o for o in arguments}
    intervals = {key: interval_of(o) for key, o in asked.items() if o.is_interval_sweep()}
    swept = {
        key: _axis_values(override)
        for key, override in asked.items()
        if key not in intervals and (override.is_sweep_override() or override in params)
    }

    own, origin = own_files(config, CONF), Origin.of(config, CONF)
    for key in REGISTRIES.keys() & swept.keys():
        folders = origin.folders if asked[key] in params else ()
        swept[key] = names_of(key, swept[key], folders)
    settings = sweep_settings_of(config)
    samples, swept = requested_samples(settings, swept, intervals, origin.folders)
    if samples and settings.table:
        _refuse_columns(arguments, samples)

    def compose(choice: list[str]) -> Mapping[str, Any]:
        composed = compose_again([*fixed, *choice])
        own.update(own_files(composed, CONF))
        return parameters_of(composed)

    parameters, names = parameters_of(config), names_in(references_in(config).values())
    raw = plain(without_hydra(config))
    keys = frozenset({*swept, *(samples.columns if samples else ())})
    made = HydraComposition(parameters, config, names, compose, keys, raw, origin)
    return _grid(made, _with_samples(samples, swept), fixed, own)


def _refuse_columns(arguments: Iterable[Override], samples: Samples) -> None:
    """Refuse single values of keys that a table has for each sample."""
    for override in arguments:
        if override.key_or_group in samples.columns and not override.is_sweep_override():
            raise RequestError(
                f"{_text(override)}: must not be given together with {samples.source.text}, "
                f"which has a column {override.key_or_group}"
            )


def _with_samples(samples: Samples | None, swept: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is swept, with the samples as the first axis if there are any."""
    first: dict[str, Any] = {} if samples is None else {SAMPLE: samples}
    return first | dict(swept)


def grid_of_mapping(
    configuration: Configuration, axes: Mapping[str, Iterable[Any]], samples: Any = None
) -> Grid:
    """Return the grid of a configuration and values by key, as given from Python.

    `samples` is a mapping or a table of keys, with one value for each sample.

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
    if SAMPLE in axes:
        raise RequestError(f"{written('axes', SAMPLE)}: must be given as samples=..., by key")
    drawn = None if samples is None else samples_of(samples)
    sampled = {} if drawn is None else dict(drawn.columns)
    fixed, own = configuration.overrides, dict(configuration.own_files)
    config, names = OmegaConf.create(), frozenset[str]()
    parameters = raw = configuration.to_mapping()
    origin = Origin.of_values(raw, frozenset(overrides_by_key(fixed)))
    chosen = REGISTRIES.keys() & {*axes, *sampled}
    if configuration.references or chosen:
        start = composition(fixed, configuration.conf)
        if start.configuration == configuration:  # else it was changed since: its values hold
            config, names = start.config, start.referred_to
            raw, origin = plain(config), start.loaded.origin
    axes = {key: _named(key, values) for key, values in axes.items()}
    sampled = {key: _named(key, values) for key, values in sampled.items()}

    def compose(choice: list[str]) -> Mapping[str, Any]:
        composed = composition([*fixed, *choice], configuration.conf)
        own.update(composed.loaded.own_files)
        return composed.parameters

    swept = frozenset({*axes, *sampled})
    made = HydraComposition(parameters, config, names, compose, swept, raw, origin)
    drawn = drawn and dataclasses.replace(drawn, columns=sampled)
    return _grid(made, _with_samples(drawn, axes), fixed, own)


def _named(key: str, values: Iterable[Any]) -> Iterable[Any]:
    """Return the values of an axis; those of rules and processes in files by their names."""
    given = listed(key, values)
    return names_of(key, given) if key in REGISTRIES else as_declared(key, given)


@dataclass(frozen=True)
class HydraComposition:
    """What the axes of a sweep are made from, composed by Hydra.

    Attributes
    ----------
    parameters : mapping
        Nested plain values where no axis sets any, not validated.
    config : DictConfig
        The config that has these values; may be empty where none refers to another.
    referred_to : frozenset of str
        All identifiers within `${...}` of the parameters, such as last parts of keys.
    compose : callable
        Composes the parameters again with further overrides.
    swept : frozenset of str
        The keys of all axes.
    raw : mapping
        The values of the parameters before those are left out that a rule or process has not.
    origin : Origin
        Where they are from.
    """

    parameters: Mapping[str, Any]
    config: DictConfig
    referred_to: frozenset[str]
    compose: Compose
    swept: frozenset[str]
    raw: Mapping[str, Any]
    origin: Origin

    @functools.cached_property
    def base(self) -> dict[str, Any]:
        """Values by key where no axis sets any."""
        return by_key(self.parameters)

    @functools.cached_property
    def unchosen(self) -> dict[str, Any]:
        """Values by key where no choice of a swept group is made."""
        return by_key(self.compose([]))

    def with_choice(self, group: str, name: str) -> dict[str, Any]:
        """Return values by key with the choice of a group."""
        return by_key(self.compose(texts_quoted([f"{group}={name}"], [group])))

    def with_value(self, key: str, value: Any) -> dict[str, Any]:
        """Return values by key with another value of a key, and of what refers to it."""
        copy = without_hydra(self.config)
        OmegaConf.update(copy, key, value)
        return by_key(parameters_of(copy, self.origin))

    def following(self, keys: Sequence[str], rows: Iterable[Sequence[Any]]) -> dict[str, list[Any]]:
        """Return the values by key of what refers to some keys, for each row of values of these."""
        copy = without_hydra(self.config)
        following = [key for key in references_in(copy) if key not in self.swept]
        found: dict[str, list[Any]] = {key: [] for key in following}
        for row in rows:
            for key, value in zip(keys, row, strict=True):
                OmegaConf.update(copy, key, as_list(value))
            for key, values in found.items():
                values.append(_selected(copy, key))
        return {
            key: values
            for key, values in found.items()
            if any(value != self.base.get(key) for value in values)
        }

    def with_variant(self, key: str, name: str) -> dict[str, Any]:
        """Return values by key of a section with another rule or process."""
        section = key.partition(".")[0]
        values = for_variant(section, name, self.raw, self.parameters, self.origin)
        places = Places.of(self.raw, self.origin.folders)
        return by_key(with_contents({section: values}, places, self.origin.typed))

    def with_content(self, key: str, name: str) -> dict[str, Any]:
        """Return the keys and values that the name of a content sets."""
        return settings_of(key, name, Places.of(self.raw, (Path.cwd(), *self.origin.folders)))


def _selected(config: DictConfig, key: str) -> Any:
    """Return the plain value of a key, its references resolved."""
    value = OmegaConf.select(config, key)
    return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value


def _grid(
    composition: HydraComposition,
    swept: Mapping[str, Any],
    fixed: Sequence[str],
    own: Mapping[str, str],
) -> Grid:
    for key in REGISTRIES.keys() & composition.swept:
        if (group := key.partition(".")[0]) in composition.swept:
            raise RequestError(
                f"{key}: must not be an axis together with {group}, whose choices name their own"
            )
    axes = [kind_of(key).build(key, values, composition) for key, values in swept.items()]
    refuse_entangled(axes)
    grid = Grid(_base(composition.parameters, axes), axes, own)
    refuse_replaced(grid, fixed)
    return grid


def _base(parameters: Mapping[str, Any], axes: Sequence[Axis]) -> dict[str, Any]:
    """Return the parameters, with the first values of axes of rules and processes.

    What is set for another rule than that of the parameters would make these invalid.
    """
    base, first = dict(parameters), settings_at(axes, [0] * len(axes))
    for name, section in variant_sections().items():
        if any(axis.own_keys & {name, *section.choosing_keys()} for axis in axes):
            prefix = f"{name}."
            base[name] = {
                key.removeprefix(prefix): value
                for key, value in first.items()
                if key.startswith(prefix)
            }
    return base


def refuse_replaced(grid: Grid, fixed: Iterable[str]) -> None:
    """Refuse axes and overrides that have no effect at a point, as another field replaces them.

    Raises
    ------
    RequestError
        See `Rule.refuse_replaced`.
    """
    typed = overrides_by_key(fixed)
    for axis in grid.axes:
        typed |= axis.typed()
    refuse_without_effect(grid.slice_along(["synapse.w_content"])[1], typed)
    replacing = [point.stdp.key(n) for point in grid.unlike_models for n in point.stdp.replaces]
    for point in grid.slice_along(replacing)[1]:
        point.stdp.refuse_replaced(typed)


def _refuse_repeated_axes(arguments: Sequence[Override]) -> None:
    seen: dict[str, Override] = {}
    for override in filter(Override.is_sweep_override, arguments):
        earlier = seen.setdefault(override.key_or_group, override)
        if earlier is not override:
            raise RequestError(
                f"{earlier.input_line} {_text(override)}: the axis is given twice; once is allowed"
            )


def _refuse_unsweepable(overrides: Iterable[Override]) -> None:
    """Refuse the axis of samples by its name, and settings of samples that have several values."""
    for override in overrides:
        if override.key_or_group == SAMPLE:
            raise RequestError(
                f"{_text(override)}: unknown key; sweep.table or sweep.zip has samples"
            )
        if override.is_sweep_override() and override.key_or_group.startswith("sweep."):
            brackets = " in brackets, [KEY,KEY]" if override.key_or_group == "sweep.zip" else ""
            raise RequestError(f"{_text(override)}: must be one value{brackets}")


def _text(override: Override) -> str:
    return override.input_line or ""


def _axis_values(override: Override) -> list[Any]:
    """Return the values of an axis in Hydra's sweep grammar; a list is expanded."""
    if override.key_or_group in ADDED:
        raise RequestError(f"{_text(override)}: must be one {override.key_or_group} at a time")
    if not override.is_sweep_override():
        value = override.value()
        return value if isinstance(value, list) else [value]
    return values_of(override)
