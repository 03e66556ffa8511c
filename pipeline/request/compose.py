"""Hydra's words into ours: files and overrides -> `Configuration` and run settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipeline.model.errors import RequestError
from pipeline.model.parameters import (
    SECTIONS,
    Configuration,
    all_quantities,
    neutral_mapping,
    without_foreign_fields,
)
from pipeline.model.quantity import Quantity, unknown_key, written
from pipeline.request.run_settings import RunSettings

CONF = Path(__file__).parents[2] / "conf"

#: Keys of `conf/config.yaml` that are no physics.
_HOUSEKEEPING = ("study", "name", "outputs", "dry_run")

_DRY_RUN = Quantity("dry run", kind=bool)

#: Words that the grammar takes for a value of another kind.
_NOT_A_NAME = ("null", "true", "false")


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
    for override in overrides:
        if not isinstance(override, str):
            raise RequestError(f"{written('override', override)}: must be text such as 'seed=1'")
        key = override.partition("=")[0].lstrip("+~")
        if key.partition(".")[0] == "run" or key in _HOUSEKEEPING:
            raise RequestError(
                f"{override}: must be a parameter of the model; how and where points are run is "
                "for pipeline.simulate and pipeline.sweep to say"
            )
    config = composed(overrides)
    configuration = Configuration.from_mapping(physics_of(config))
    return dataclasses.replace(configuration, overrides=overrides)


def composed(overrides: Sequence[str]) -> DictConfig:
    """Return Hydra's composition of `conf/config.yaml` and overrides, outside of a Hydra app."""
    declare_neutral_values()
    try:
        with initialize_config_dir(str(CONF), version_base="1.3"):
            return compose("config", overrides=list(overrides))
    except Exception as error:  # Hydra refuses with exceptions of every kind
        raise request_error(error, overrides) from error


def declare_neutral_values() -> None:
    """Give Hydra the config `neutral`, which `conf/config.yaml` composes before all others.

    So an override can set a field that has a neutral value though no yaml lists it.
    """
    ConfigStore.instance().store(name="neutral", node=neutral_mapping(), provider="pipeline")


def physics_of(config: DictConfig) -> dict[str, Any]:
    """Return the parameters of a composed config as nested plain values, not yet checked."""
    plain = _plain(config)
    for key, value in plain.items():
        if key not in known_keys():
            raise unknown_key(key, value, known_keys())
    own = {name: plain[name] for name in (*SECTIONS, "seed") if name in plain}
    return without_foreign_fields(own)


def is_dry(config: DictConfig) -> bool:
    """Return `dry_run` of a composed config."""
    return _DRY_RUN.admit("dry_run", config.dry_run)


def run_settings_of(config: DictConfig) -> RunSettings:
    """Return the run settings of a composed config."""
    return RunSettings.from_mapping(_plain(config).get("run", {}))


def default_run_settings(**settings: Any) -> RunSettings:
    """Return the run settings of `conf/run/local.yaml`, some of them replaced."""
    return RunSettings.from_mapping({**OmegaConf.load(CONF / "run" / "local.yaml"), **settings})


def request_error(error: Exception, overrides: Sequence[str]) -> RequestError:
    """Return Hydra's complaint as one line that names the key, where it can be found."""
    if isinstance(error, RequestError):
        return error
    if isinstance(error, MissingConfigException) and error.options:
        group, _, choice = error.missing_cfg_file.rpartition("/")
        return RequestError(f"{written(group, choice)}: must be {' or '.join(error.options)}")
    if isinstance(error, OverrideParseException):
        return RequestError(
            f"{error.override}: must be key=value, key=v1,v2 or key=range(a,b); words with other "
            "signs than letters, digits and /-_. need quotes"
        )
    for text in overrides:
        key, _, value = text.partition("=")
        key = key.lstrip("+~").partition("@")[0]
        if key not in known_keys() and not key.startswith(("hydra", "-")):
            return unknown_key(key, value, known_keys())
        if key in (*SECTIONS, "run") and (not value[:1].isalpha() or value in _NOT_A_NAME):
            return not_a_choice(key, value)
        if key == "experiment" and not text.startswith("+"):
            return RequestError(f"{text}: must be written with a plus, +{text}")
    words = _one_line(error)
    if "--multirun" in words:  # Hydra's advice, for a call that has no command line
        words = f"{' '.join(overrides)}: must be single values; sweep keys with pipeline.sweep"
    return RequestError(words)


def not_a_choice(group: str, value: Any) -> RequestError:
    """Return the refusal of what is no name of a group's choice."""
    return RequestError(f"{written(group, value)}: must be the name of a file in conf/{group}")


def known_keys() -> tuple[str, ...]:
    """Return every key that a command line may set, Hydra's own left out."""
    run = [RunSettings.key(name) for name in RunSettings.quantities()]
    return (*all_quantities(), *run, *_HOUSEKEEPING, *SECTIONS, "run", "experiment")


def without_hydra(config: DictConfig) -> DictConfig:
    """Return a copy of a composed config without Hydra's own section."""
    return OmegaConf.masked_copy(config, [key for key in config if key != "hydra"])


def _one_line(error: Exception) -> str:
    lines = [
        part for part in str(error).splitlines() if "https://" not in part and part.strip(" ^")
    ]
    return " ".join(" ".join(lines).split())


def _plain(config: DictConfig) -> dict[str, Any]:
    """Return the composed values without Hydra's own, resolved."""
    try:
        return OmegaConf.to_container(without_hydra(config), resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise RequestError(_one_line(error)) from error
