"""Compose and validate configurations and run settings from `conf/` and overrides."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from hydra.core.config_store import ConfigStore
from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf import Container, DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipeline.model.errors import RequestError
from pipeline.model.parameters import (
    SECTIONS,
    Configuration,
    all_quantities,
    all_variants,
    by_key,
    neutral_mapping,
    without_foreign_fields,
)
from pipeline.model.quantity import Quantity, overrides_by_key, unknown_key, written
from pipeline.request.axis import not_a_choice
from pipeline.request.grammar import texts_quoted
from pipeline.request.hydra_loader import FileState, Loaded, calls_resolver, file_state, load
from pipeline.request.own_files import (
    overridden_below,
    own_folder,
    refuse_hidden,
    refuse_misplaced,
    refuse_misread_files,
    unreadable_file,
    where_own_choices_are,
)
from pipeline.request.run_settings import RunSettings
from pipeline.system.locks import shared_lock

log = logging.getLogger("pipeline")

#: The configurations: beside the packages in a checkout, within this one where it is installed.
CONF = next(
    folder
    for folder in (Path(__file__).parents[1] / "conf", Path(__file__).parents[2] / "conf")
    if (folder / "config.yaml").is_file()
)

#: Keys of `conf/config.yaml` that are not parameters of the model.
_TEXTS = ("study", "name", "outputs")
_GENERAL = (*_TEXTS, "dry_run")

_DRY_RUN = Quantity("dry run", kind=bool)

#: Most compositions that are kept for a repetition of their overrides.
_MOST_COMPOSITIONS = 128

#: Kept compositions by folder, overrides and registered variants, the latest used ones last.
_compositions: dict[tuple[Any, ...], Composition] = {}
_COMPOSING = shared_lock()

#: Texts that Hydra's grammar parses as values of another type.
_NOT_A_NAME = ("null", "true", "false")


def configure(*overrides: str, conf: str | Path | None = None) -> Configuration:
    """Compose a configuration from `conf/`.

    The same overrides compose once, until a file that was read changes; any thread may call it.

    Parameters
    ----------
    *overrides : str
        In the form of the command line: `"input.rate_hz=20"`, `"input=notebook"`,
        `"+experiment=demo"`.
    conf : path, optional
        A folder of further files, such as `stdp/mine.yaml` for `"stdp=mine"`: what `--config-dir`
        is on the command line. Groups that are swept later are chosen from it as well.

    Returns
    -------
    Configuration
        The parameters of one simulation.

    Raises
    ------
    RequestError
        If an override is malformed or unknown, a value is not allowed, or there is no such folder.
    """
    own = None if conf is None else own_folder(conf)
    for override in overrides:
        if not isinstance(override, str):
            raise RequestError(f"{written('override', override)}: must be text such as 'seed=1'")
        key = override.partition("=")[0].lstrip("+~")
        if key.partition(".")[0] == "run" or key in _GENERAL:
            raise RequestError(
                f"{override}: must be a parameter of the model; run settings and the directory are "
                "arguments of pipeline.simulate and pipeline.sweep"
            )
    composed = composition(texts_quoted(overrides, text_keys()), own)
    if composed.loaded.axes:
        axes = ", ".join(f"{key}={values}" for key, values in composed.loaded.axes.items())
        log.warning(
            "%s: its sweep (%s) is not in a configuration, which is one point; give the axes to "
            "pipeline.sweep",
            " ".join(text for text in overrides if "experiment" in text) or " ".join(overrides),
            axes,
        )
    return composed.configuration


@dataclass(frozen=True)
class Composition:
    """What Hydra composes from `conf/` and overrides, outside of a Hydra application.

    Attributes
    ----------
    overrides : tuple of str
        The overrides.
    loaded : Loaded
        The composed config, with the files that it was read from.
    own : Path, optional
        The user's folder.
    """

    overrides: tuple[str, ...]
    loaded: Loaded
    own: Path | None = None

    @property
    def config(self) -> DictConfig:
        """The composed config, read-only."""
        return self.loaded.config

    @functools.cached_property
    def parameters(self) -> Mapping[str, Any]:
        """The model's parameters as nested plain values, not validated."""
        return parameters_of(self.config)

    @functools.cached_property
    def configuration(self) -> Configuration:
        """The parameters of one simulation, validated."""
        composed = Configuration.from_mapping(self.parameters)
        composed.stdp.refuse_replaced(overrides_by_key(self.overrides))
        return composed.with_admitted(
            overrides=self.overrides,
            references={key: names_in([text]) for key, text in self._references.items()},
            conf=self.own,
            own_files=self.loaded.own_files,
        )

    @functools.cached_property
    def referred_to(self) -> frozenset[str]:
        """All identifiers within `${...}` of the parameters, such as last parts of keys."""
        return names_in(self._references.values())

    @property
    def is_constant(self) -> bool:
        """Whether the parameters follow from the files and overrides alone."""
        return (
            self.loaded.reusable
            and not any(map(calls_resolver, self._references.values()))
            and not self.referred_to & {*_GENERAL, "run"}  # which may be read from anything
        )

    @functools.cached_property
    def _references(self) -> dict[str, str]:
        return references_in(self.config)


def composition(overrides: Sequence[str], own: Path | None = None) -> Composition:
    """Compose `conf/config.yaml` and overrides; an earlier composition is used where it holds.

    It holds while every file that decided it is the same, and the registered rules and processes.

    Raises
    ------
    RequestError
        If an override is malformed or unknown.
    """

    def key() -> tuple[Any, ...]:
        return CONF, own, tuple(overrides), *all_variants()

    with _COMPOSING:
        asked = key()
        found = _compositions.pop(asked, None)
        if found is None or not found.loaded.is_current():
            declare_neutral_values()
            try:
                found = Composition(tuple(overrides), load(CONF, overrides, own), own)
            except Exception as error:  # Hydra raises errors of many types
                raise request_error(error, overrides) from error
            if not found.is_constant or asked != key():
                return found
        _compositions[asked] = found
        if len(_compositions) > _MOST_COMPOSITIONS:
            del _compositions[next(iter(_compositions))]
        return found


def declare_neutral_values() -> None:
    """Register the config `neutral` with Hydra, which `conf/config.yaml` composes before others.

    An override can then set a field with a neutral value that no YAML file lists.
    """
    ConfigStore.instance().store(name="neutral", node=neutral_mapping(), provider="pipeline")


def parameters_of(config: DictConfig) -> dict[str, Any]:
    """Return the model's parameters of a composed config as nested plain values, not validated.

    Raises
    ------
    RequestError
        If a key is unknown, or a value is missing or cannot be resolved.
    """
    refuse_hidden(config, CONF)
    refuse_misread_files(config)
    values = plain(without_hydra(config))
    for key, value in values.items():
        if key not in known_keys() or key == "experiment":
            refuse_misplaced(key, value)
        if key not in known_keys():
            raise unknown_key(key, value, known_keys())
    return without_foreign_fields(
        {name: values[name] for name in (*SECTIONS, "seed") if name in values}
    )


def references_in(config: DictConfig) -> dict[str, str]:
    """Return the texts with `${...}` among the model's parameters of a composed config, by key."""
    parameters = OmegaConf.masked_copy(config, [*SECTIONS, "seed"])
    values = by_key(plain(parameters, resolve=False)).items()
    return {key: text for key, text in values if isinstance(text, str) and "${" in text}


def names_in(references: Iterable[str]) -> frozenset[str]:
    """Return all identifiers in texts with `${...}`, such as last parts of keys."""
    return frozenset(name for text in references for name in re.findall(r"\w+", text))


def is_dry(config: DictConfig) -> bool:
    """Return `dry_run` of a composed config.

    Raises
    ------
    RequestError
        If it is neither true nor false.
    """
    return _DRY_RUN.admit("dry_run", config.dry_run)


def run_settings_of(config: DictConfig) -> RunSettings:
    """Return the run settings of a composed config.

    Raises
    ------
    RequestError
        If a setting is not allowed.
    """
    return RunSettings.from_mapping(plain(without_hydra(config)).get("run", {}))


def default_run_settings(**settings: Any) -> RunSettings:
    """Return the run settings of `conf/run/local.yaml`, some of them replaced.

    Raises
    ------
    RequestError
        If a setting is unknown or not allowed.
    """
    file = f"{CONF}/run/local.yaml"
    defaults = _settings_in(file, file_state(file))
    return RunSettings.from_mapping(defaults.to_mapping() | settings) if settings else defaults


@functools.lru_cache(maxsize=8)
def _settings_in(file: str, state: FileState) -> RunSettings:
    """Return the settings of a yaml file; read once, as parsing takes longer than a short run."""
    return RunSettings.from_mapping(plain(OmegaConf.load(file)))


def request_error(error: Exception, overrides: Sequence[str]) -> RequestError:
    """Return an error of Hydra as one line that names the key, if it can be found."""
    if isinstance(error, RequestError):
        return error
    if isinstance(error, FileNotFoundError) and error.filename is None:  # of os.getcwd
        return RequestError("the current directory was removed; change to one that exists")
    if isinstance(error, UnicodeDecodeError) and unreadable_file(error):
        return RequestError(f"{unreadable_file(error)}: must be text in UTF-8 ({error.reason})")
    if isinstance(error, MissingConfigException) and error.options:
        group, _, choice = str(error.missing_cfg_file).rpartition("/")
        if group == "hydra/launcher":
            return RequestError(
                f"{written(group, choice)}: is not installed; run.n_jobs= and run.backend= set the "
                "workers; only hydra/sweeper=basic uses a launcher"
            )
        known = " or ".join(error.options)
        hint = where_own_choices_are(group, choice, error.options, CONF)
        return RequestError(f"{written(group, choice)}: must be {known}{hint}")
    if isinstance(error, OverrideParseException):
        if isinstance(error.__cause__, RequestError):  # of a function of the grammar
            return RequestError(f"{error.override}: {error.__cause__}")
        return RequestError(
            f"{error.override}: must be key=value, key=v1,v2 or key=range(a,b); values with "
            "other characters than letters, digits and /-_. must be quoted"
        )
    for text in overrides:
        key, _, value = text.partition("=")
        key = key.lstrip("+~").partition("@")[0]
        if key not in known_keys() and not key.startswith(("hydra", "-")):
            return unknown_key(key, value, known_keys())
        if key in (*SECTIONS, "run") and (not value[:1].isalpha() or value in _NOT_A_NAME):
            return not_a_choice(key, value)
        if value.lower() == "null" and "override must be a string" in str(error):
            return not_a_choice(key, value)
        if key == "experiment" and not text.startswith("+"):
            return RequestError(f"{text}: must be written with a plus, +{text}")
    text = _one_line(error)
    if found := overridden_below(text):
        return found
    if "add --multirun" in text:  # Hydra's advice, which is none for Python and for --cfg
        text = f"{' '.join(overrides)}: must be single values; sweep keys with pipeline.sweep, or "
        text += "by the command without --cfg"
    return RequestError(text)


def known_keys() -> tuple[str, ...]:
    """Return every key that a command line may set, except Hydra's own."""
    run = [RunSettings.key(name) for name in RunSettings.quantities()]
    return (*all_quantities(), *run, *_GENERAL, *SECTIONS, "run", "experiment")


def text_keys() -> list[str]:
    """Return every key whose value is text: those of text, and groups, whose choices have names."""
    texts = [key for key, quantity in all_quantities().items() if quantity.kind is str]
    run = RunSettings.quantities().items()
    texts += [RunSettings.key(name) for name, quantity in run if quantity.kind is str]
    return [*texts, *_TEXTS, *SECTIONS, "run", "experiment"]


def is_unnamed(config: DictConfig) -> bool:
    """Whether the name of the directory is the time, which other commands may have as well."""
    return "${now:" in str(plain(OmegaConf.masked_copy(config, ["name"]), resolve=False)["name"])


def refuse_retyped(config: DictConfig) -> None:
    """Refuse general settings of text that a YAML file gives as a number or truth value.

    A whole number is taken as text: `name: 2024`.

    Raises
    ------
    RequestError
        If there is one.
    """
    for key in _TEXTS:
        value = config[key]
        if isinstance(value, bool | float):
            raise RequestError(f"{written(key, value)}: must be text; put it in quotation marks")


def without_hydra(config: DictConfig) -> DictConfig:
    """Return a copy of a composed config without Hydra's own section."""
    return OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])


def plain(config: Container, resolve: bool = True) -> dict[str, Any]:
    """Return a config as nested plain values, its references resolved.

    Raises
    ------
    RequestError
        If a value is missing, or a reference cannot be resolved.
    """
    try:
        values = OmegaConf.to_container(config, resolve=resolve, throw_on_missing=resolve)
    except OmegaConfBaseException as error:
        raise RequestError(_one_line(error)) from error
    return cast("dict[str, Any]", values)


def _one_line(error: Exception) -> str:
    lines = [
        part for part in str(error).splitlines() if "https://" not in part and part.strip(" ^")
    ]
    return " ".join(" ".join(lines).split())
