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
from omegaconf import Container, DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipeline.composition.experiment_size import with_size_of_experiment
from pipeline.composition.file_state import FileState, file_state
from pipeline.composition.hydra_errors import one_line, request_error
from pipeline.composition.hydra_loader import Loaded, calls_resolver, load
from pipeline.composition.known_keys import ADDED, GENERAL, TEXTS, known_keys, text_keys
from pipeline.composition.own_contents import Places, refuse_without_effect, with_contents
from pipeline.composition.own_files import (
    own_folder,
    refuse_hidden,
    refuse_misplaced,
    refuse_misread_files,
)
from pipeline.composition.own_models import is_reference
from pipeline.composition.parameter_sets import Origin, for_variant, in_variants, variant_sections
from pipeline.composition.quoting import texts_quoted
from pipeline.composition.run_settings import RunSettings
from pipeline.composition.sweep_settings import SweepSettings
from pipeline.model.contents import HASHED
from pipeline.model.errors import RequestError
from pipeline.model.parameters import (
    SECTIONS,
    Configuration,
    all_variants,
    by_key,
    neutral_mapping,
)
from pipeline.model.quantity import Quantity, overrides_by_key, unknown_key, written
from pipeline.system.locks import shared_lock

log = logging.getLogger("pipeline")

#: The configurations: beside the packages in a checkout, within this one where it is installed.
CONF = next(
    folder
    for folder in (Path(__file__).parents[1] / "conf", Path(__file__).parents[2] / "conf")
    if (folder / "config.yaml").is_file()
)

_DRY_RUN = Quantity("dry run", kind=bool)

#: Most compositions that are kept for a repetition of their overrides.
_MOST_COMPOSITIONS = 128

#: Kept compositions by folder, overrides and registered variants, the latest used ones last.
_compositions: dict[tuple[Any, ...], Composition] = {}
_COMPOSING = shared_lock()


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
        if key.partition(".")[0] in ("run", "sweep") or key in GENERAL:
            raise RequestError(
                f"{override}: must be a parameter of the model; run settings and the directory are "
                "arguments of pipeline.simulate and pipeline.sweep"
            )
    with _COMPOSING:  # else another thread could register another file's class of the same name
        texts = texts_quoted(with_size_of_experiment(overrides), text_keys())
        composed = composition(texts, own)
        configuration = composed.configuration
    if composed.loaded.axes:
        axes = ", ".join(f"{key}={values}" for key, values in composed.loaded.axes.items())
        log.warning(
            "%s: its sweep (%s) is not in a configuration, which is one point; give the axes to "
            "pipeline.sweep",
            " ".join(text for text in overrides if "experiment" in text) or " ".join(overrides),
            axes,
        )
    return configuration


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
        return parameters_of(self.config, self.loaded.origin)

    @functools.cached_property
    def configuration(self) -> Configuration:
        """The parameters of one simulation, validated."""
        composed = Configuration.from_mapping(self.parameters)
        composed.stdp.refuse_replaced(overrides_by_key(self.overrides))
        refuse_without_effect([composed], overrides_by_key(self.overrides))
        return composed.with_admitted(
            overrides=self.overrides,
            references={key: names_in([text]) for key, text in self._references.items()},
            conf=self.own,
            own_files=self.loaded.own_files,
        )

    def with_variant(self, section: str, name: str) -> dict[str, Any]:
        """Return the values of a section with another rule or process, not validated.

        Raises
        ------
        RequestError
            If there is none of that name.
        """
        raw = plain(self.config)
        values = for_variant(section, name, raw, self.parameters, self.loaded.origin)
        places = Places.of(raw, self.loaded.origin.folders)
        return with_contents({section: values}, places, self.loaded.origin.typed)[section]

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
            and not self._names_a_file()
            and not self.referred_to & {*GENERAL, "run", "sweep"}  # which may be read from anything
        )

    def _names_a_file(self) -> bool:
        """Whether a rule, a process, events or weights are of a file, which may change."""
        if any(OmegaConf.select(self.config, key) is not None for key in HASHED):
            return True
        sections = [self.config[name] for name in variant_sections() if name in self.config]
        return any(
            is_reference(value)
            for section in sections
            if isinstance(section, DictConfig)
            for value in plain(section, resolve=False).values()
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
                raise request_error(error, overrides, CONF) from error
            if not found.is_constant or asked != key():
                return found
        _compositions[asked] = found
        if len(_compositions) > _MOST_COMPOSITIONS:
            del _compositions[next(iter(_compositions))]
        return found


def declare_neutral_values() -> None:
    """Register the config `neutral` with Hydra, which `conf/config.yaml` composes before others.

    An override can then set a field with a neutral value that no YAML file lists, and any field of
    a rule or process: which there are is known when the config is composed.
    """
    node = OmegaConf.create(neutral_mapping())
    for section in variant_sections():
        OmegaConf.set_struct(node[section], False)
    ConfigStore.instance().store(name="neutral", node=node, provider="pipeline")


def parameters_of(config: DictConfig, origin: Origin | None = None) -> dict[str, Any]:
    """Return the model's parameters of a composed config as nested plain values, not validated.

    Parameters
    ----------
    config : DictConfig
        The config.
    origin : Origin, optional
        Where its values are from; needed for a config without Hydra's own section.

    Raises
    ------
    RequestError
        If a key is unknown, a value is missing or cannot be resolved, or a rule cannot be used.
    """
    refuse_hidden(config, CONF)
    refuse_misread_files(config)
    values = plain(without_hydra(config))
    for key, value in values.items():
        if key not in known_keys() or key in ADDED:
            refuse_misplaced(key, value)
        if key not in known_keys():
            raise unknown_key(key, value, known_keys())
    nested = {name: values[name] for name in (*SECTIONS, "seed") if name in values}
    origin = origin or Origin.of(config, CONF)
    places = Places.of(values, origin.folders)
    return with_contents(in_variants(nested, origin), places, origin.typed)


def references_in(config: DictConfig) -> dict[str, str]:
    """Return the texts with `${...}` among the model's parameters of a composed config, by key.

    Also those in lists.
    """
    parameters = OmegaConf.masked_copy(config, [*SECTIONS, "seed"])
    values = by_key(plain(parameters, resolve=False)).items()
    return {key: str(v) for key, v in values if isinstance(v, str | list) and "${" in str(v)}


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


def sweep_settings_of(config: DictConfig) -> SweepSettings:
    """Return the section `sweep` of a composed config.

    Raises
    ------
    RequestError
        If a setting is not allowed.
    """
    return SweepSettings.of(plain(without_hydra(config)).get("sweep", {}))


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
    for key in TEXTS:
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
        raise RequestError(one_line(error)) from error
    return cast("dict[str, Any]", values)
