"""Hydra's words into ours: composed files and overrides -> `Configuration`, axes, run settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.override_parser.types import Override, QuotedString, RangeSweep
from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipeline.grid import SWEPT_GROUPS, Axis, Grid, choice_axis, value_axis
from pipeline.parameters import SECTIONS, Configuration, all_quantities
from pipeline.quantities import RequestError, unknown_key, written
from pipeline.runner import Run

CONF = Path(__file__).parent.parent / "conf"

#: Keys of `conf/config.yaml` that are no physics.
_HOUSEKEEPING = ("study", "name", "outputs")


def configure(*overrides: str) -> Configuration:
    """Compose a configuration from `conf/`.

    Parameters
    ----------
    *overrides : str
        As on the command line: `"input.rate_hz=20"`, `"input=notebook"`, `"+experiment=demo"`.

    Raises
    ------
    RequestError
        If an override is malformed or unknown, or a value is not allowed.
    """
    return configuration_of(composed(overrides))


def composed(overrides: Sequence[str]) -> DictConfig:
    """Return Hydra's composition of `conf/config.yaml` and overrides, outside of a Hydra app."""
    try:
        with initialize_config_dir(str(CONF), version_base="1.3"):
            return compose("config", overrides=list(overrides))
    except Exception as error:  # Hydra refuses with exceptions of every kind
        raise request_error(error, overrides) from error


def configuration_of(config: DictConfig) -> Configuration:
    """Return the physics of a composed config."""
    plain = _plain(config)
    for key, value in plain.items():
        if key not in _known_keys():
            raise unknown_key(key, value, _known_keys())
    return Configuration.from_mapping(
        {name: plain[name] for name in (*SECTIONS, "seed") if name in plain}
    )


def run_of(config: DictConfig) -> Run:
    """Return the run settings of a composed config."""
    return Run.from_mapping(_plain(config).get("run", {}))


def default_run(**settings: Any) -> Run:
    """Return the run settings of `conf/run/local.yaml`, some of them replaced."""
    return Run.from_mapping({**OmegaConf.load(CONF / "run" / "local.yaml"), **settings})


def grid_of(
    config: DictConfig,
    params: Sequence[Override],
    arguments: Sequence[Override],
    compose_again: Callable[[list[str]], DictConfig],
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
    given = {override.key_or_group: override for override in arguments}
    wanted = {
        override.key_or_group: given.get(override.key_or_group, override) for override in params
    }
    wanted |= given
    named = {override.key_or_group for override in params} - set(given)
    swept = {
        key: _axis_values(override)
        for key, override in wanted.items()
        if key in named or override.is_sweep_override()
    }
    fixed = [override.input_line for override in arguments if not override.is_sweep_override()]
    base = configuration_of(config)
    followers = _followers(config, swept)
    return Grid(
        base,
        [
            _choice_axis(key, values, lambda choice: compose_again([*fixed, *choice]))
            if key in SWEPT_GROUPS
            else value_axis(key, values, followers.get(key, ()))
            for key, values in swept.items()
        ],
    )


def axis_of(key: str, values: Iterable[Any]) -> Axis:
    """Return the axis of a key or group over values given from Python.

    Raises
    ------
    RequestError
        If the key is unknown, or a value is not allowed.
    """
    if key in SWEPT_GROUPS:
        return _choice_axis(key, list(values), composed)
    return value_axis(key, values)


def request_error(error: Exception, overrides: Sequence[str]) -> RequestError:
    """Return Hydra's complaint as one line that names the key, where it can be found."""
    for text in overrides:
        key, _, value = text.partition("=")
        key = key.lstrip("+~").partition("@")[0]
        if key not in _known_keys() and not key.startswith(("hydra", "-")):
            return unknown_key(key, value, _known_keys())
        if key in (*SECTIONS, "run") and "group override must be a string" in str(error):
            return RequestError(f"{written(key, value)}: must be the name of a file in conf/{key}")
    if isinstance(error, MissingConfigException) and error.options:
        group, _, choice = error.missing_cfg_file.rpartition("/")
        return RequestError(f"{written(group, choice)}: must be {' or '.join(error.options)}")
    lines = [
        line for line in str(error).splitlines() if "https://" not in line and line.strip(" ^")
    ]
    words = " ".join(" ".join(lines).split())
    if isinstance(error, OverrideParseException):
        words = f"{error.override}: must be key=value, in Hydra's grammar ({words})"
    return RequestError(words)


def _known_keys() -> list[str]:
    run = [Run.key(name) for name in Run.quantities()]
    return [*all_quantities(), *run, *_HOUSEKEEPING, *SECTIONS, "run", "experiment"]


def _choice_axis(
    group: str, names: Sequence[Any], compose_choice: Callable[[list[str]], DictConfig]
) -> Axis:
    """Compose each choice of a group once, and keep its section and what else it changes."""
    unchosen = _flat(configuration_of(compose_choice([])))
    choices = {}
    for name in names:
        if not isinstance(name, str):
            raise RequestError(
                f"{written(group, name)}: must be the name of a file in conf/{group}"
            )
        choices[name] = _flat(configuration_of(compose_choice([f"{group}={name}"])))
    changed = [
        key
        for key in unchosen
        if key.startswith(f"{group}.")
        or any(choice[key] != unchosen[key] for choice in choices.values())
    ]
    settings = [{key: choices[name][key] for key in changed} for name in names]
    return choice_axis(group, list(zip(names, settings, strict=True)))


def _axis_values(override: Override) -> list[Any]:
    """Return the values of an axis in Hydra's sweep grammar; a list stands for its elements."""
    key = override.key_or_group
    if key == "experiment":
        raise RequestError(f"{override.input_line}: one experiment at a time; run them in turn")
    if not override.is_sweep_override():
        value = override.value()
        return value if isinstance(value, list) else [value]
    if not override.is_discrete_sweep():
        raise RequestError(f"{override.input_line}: must be a list, range(...) or choice(...)")
    sweep = override.value()
    if isinstance(sweep, RangeSweep) and not sweep.shuffle:
        return _range(override.input_line, sweep)
    return [v.text if isinstance(v, QuotedString) else v for v in override.sweep_iterator()]


def _range(written_as: str, sweep: RangeSweep) -> list[float]:
    """Return the numbers of a range; in decimal, so that 0.1 three times is 0.3."""
    start, stop, step = (Decimal(repr(x)) for x in (sweep.start, sweep.stop, sweep.step))
    if step == 0:
        raise RequestError(f"{written_as}: the step of a range must not be 0")
    number = (
        int if all(isinstance(x, int) for x in (sweep.start, sweep.stop, sweep.step)) else float
    )
    count = max(0, -int((start - stop) // step))
    return [number(start + i * step) for i in range(count)]


def _followers(config: DictConfig, swept: Iterable[str]) -> dict[str, list[str]]:
    """Return, for each swept key, the keys that are written as `${that key}` and so follow it."""
    swept = set(swept)
    followers: dict[str, list[str]] = {}
    for name in SECTIONS:
        for leaf, text in OmegaConf.to_container(config[name], resolve=False).items():
            key = f"{name}.{leaf}"
            if not isinstance(text, str) or "${" not in text or key in swept:
                continue
            target = text.removeprefix("${").removesuffix("}").strip()
            target = f"{name}{target}" if target.startswith(".") else target
            if target in swept:
                followers.setdefault(target, []).append(key)
            elif any(axis in text for axis in swept):
                raise RequestError(
                    f"{written(key, text)}: must be ${{key}} alone to follow an axis"
                )
    return followers


def _flat(configuration: Configuration) -> dict[str, Any]:
    nested = configuration.to_mapping()
    flat = {f"{name}.{leaf}": v for name in SECTIONS for leaf, v in nested[name].items()}
    return flat | {"seed": configuration.seed}


def _plain(config: DictConfig) -> dict[str, Any]:
    """Return the composed values without Hydra's own, resolved."""
    ours = OmegaConf.masked_copy(config, [key for key in config if key != "hydra"])
    try:
        return OmegaConf.to_container(ours, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise RequestError(" ".join(str(error).split())) from error
