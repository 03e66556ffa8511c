"""Compose a folder of YAML files with Hydra's loader, and record which files decided the result.

The caller may be a Hydra application, so Hydra's global state is left as it was: `GlobalHydra` is
not used, and the version base is 1.3 only while a composition lasts. Hydra's resolvers stay
registered where there were none. Hydra's public `compose` needs `GlobalHydra`, so its loader is
taken from `_internal`.
"""

from __future__ import annotations

import contextlib
import copy
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra import version
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import setup_globals
from hydra.plugins.config_source import ConfigResult, ConfigSource
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from pipeline.composition.file_state import FileState, file_state
from pipeline.composition.own_files import own_files, refuse_hidden, refuse_misread_files
from pipeline.composition.parameter_sets import Origin

VERSION_BASE = "1.3"

#: Providers of structured configs that do not change while a process runs.
_FIXED_PROVIDERS = ("hydra", "pipeline")

#: Coarsest time stamp of a file system [ns]: a younger file can change without a new time stamp.
_COARSEST_TIME_STAMP = 2_000_000_000


@dataclass(frozen=True)
class Loaded:
    """A composed config and the files that decided it.

    Attributes
    ----------
    config : DictConfig
        Read-only, without Hydra's own section; references are not resolved.
    files : dict
        Every path at which Hydra looked for a file or a folder, and what it found there.
    reusable : bool
        Whether the same overrides give the same config as long as `files` are as they were.
    axes : dict
        Values by key that an experiment sweeps, in the grammar of the command line.
    own_files : dict
        Content of the files that were read from the user's folder, by path.
    origin : Origin
        Where the values are from.
    """

    config: DictConfig
    files: dict[str, FileState]
    reusable: bool
    axes: dict[str, str]
    own_files: dict[str, str]
    origin: Origin

    def is_current(self) -> bool:
        """Whether every path is as it was when the config was composed."""
        return all(file_state(path) == state for path, state in self.files.items())


def load(folder: Path, overrides: Sequence[str], own: Path | None = None) -> Loaded:
    """Compose `config.yaml` of a folder and overrides, in one thread at a time.

    Parameters
    ----------
    folder : Path
        The folder of `config.yaml`.
    overrides : sequence of str
        In the grammar of the command line.
    own : Path, optional
        A folder of the user, read after it, as with `--config-dir`.

    Raises
    ------
    RequestError
        If a file of the user has the name of one that is read before it, or is read otherwise than
        it looks.
    Exception
        Of many types, by Hydra, if an override is malformed or unknown.
    """
    with _version_base():
        if not OmegaConf.has_resolver("now"):  # else they may be those of the application
            setup_globals()
        search_path = create_config_search_path(str(folder))
        if own:
            search_path.prepend("command-line", str(own), "schema")
        loader = ConfigLoaderImpl(search_path)
        sources, record = loader.get_sources(), _Record()
        for source in sources:
            _recorded(source, record)
        config = loader.load_configuration("config", list(overrides), RunMode.RUN, from_shell=False)
        unrecorded = len(config.hydra.runtime.config_sources) != len(sources)  # hydra.searchpath
        axes = OmegaConf.select(config, "hydra.sweeper.params") or {}
        refuse_misread_files(config)
        refuse_hidden(config, folder)
        files_of_user, origin = own_files(config, folder), Origin.of(config, folder)
        with open_dict(config):
            del config["hydra"]
        OmegaConf.set_readonly(config, True)
        computed = any(calls_resolver(text) for text in overrides)
        return Loaded(
            config,
            record.files,
            not (unrecorded or computed or record.varies or record.has_young_files()),
            {str(key): str(values) for key, values in axes.items()},
            files_of_user,
            origin,
        )


def calls_resolver(text: str) -> bool:
    """Whether a text may contain `${resolver:...}`, other than the selection of a key."""
    return "${" in text and ":" in text.replace("oc.select:", "")


class _Record:
    """What a composition has looked at.

    Attributes
    ----------
    files : dict of FileState
        State of each path before it was read; a folder that does not exist stands for all below.
    varies : bool
        Whether something else than files decides the config.
    """

    def __init__(self) -> None:
        self.files: dict[str, FileState] = {}
        self.varies = False

    def look_at(self, root: str, path: str) -> None:
        """Record the state of a path below a root."""
        state = file_state(path)
        while state is None and len(folder := os.path.dirname(path)) > len(root):  # noqa: PTH120
            if file_state(folder):
                break
            path = folder
        self.files.setdefault(path, state)

    def add(self, result: ConfigResult) -> None:
        """Note whether a config of the composition can vary while its file does not."""
        if result.path.startswith("structured:") and result.provider not in _FIXED_PROVIDERS:
            self.varies = True
        config = result.config
        defaults = config.get("defaults") if isinstance(config, DictConfig) else None
        if defaults and "${" in str(OmegaConf.to_container(defaults, resolve=False)):
            self.varies = True

    def has_young_files(self) -> bool:
        """Whether a file is so new that a further change might leave its times as they are."""
        latest = max((max(state[-2:]) for state in self.files.values() if state), default=0)
        return time.time_ns() - latest < _COARSEST_TIME_STAMP


def _recorded(source: ConfigSource, record: _Record) -> None:
    """Make a source record what Hydra asks it for.

    Its methods are replaced, and its class is not: Hydra knows sources by the name of their class.
    """
    is_config, is_group, load_config = source.is_config, source.is_group, source.load_config

    def recorded_is_config(config_path: str) -> bool:
        name = source._normalize_file_name(config_path)
        record.look_at(source.path, os.path.join(source.path, name))  # noqa: PTH118
        return is_config(config_path)

    def recorded_is_group(config_path: str) -> bool:
        record.look_at(source.path, os.path.join(source.path, config_path))  # noqa: PTH118
        return is_group(config_path)

    def recorded_load_config(config_path: str) -> ConfigResult:
        result = load_config(config_path)
        record.add(result)
        return result

    vars(source).update(load_config=recorded_load_config)
    if source.scheme() == "file":
        vars(source).update(is_config=recorded_is_config, is_group=recorded_is_group)


@contextlib.contextmanager
def composed_once() -> Iterator[None]:
    """Let `hydra.main` compose a configuration once in the block.

    It composes it to learn its mode, without a look at what is swept, and once more to run it.
    """
    compose = ConfigLoaderImpl._load_configuration_impl
    composed: dict[tuple[object, ...], DictConfig] = {}

    def composed_or_kept(
        loader: ConfigLoaderImpl,
        config_name: str | None,
        overrides: list[str],
        run_mode: RunMode,
        from_shell: bool = True,
        validate_sweep_overrides: bool = True,
    ) -> DictConfig:
        key = (loader, config_name, *overrides, run_mode)
        if not validate_sweep_overrides:
            composed[key] = compose(loader, config_name, overrides, run_mode, from_shell, False)
            return composed[key]
        if key not in composed:
            return compose(loader, config_name, overrides, run_mode, from_shell)
        parsed = OverridesParser.create().parse_overrides(overrides=overrides)
        loader.validate_sweep_overrides_legal(parsed, run_mode, from_shell)
        return composed.pop(key)

    ConfigLoaderImpl._load_configuration_impl = composed_or_kept  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        ConfigLoaderImpl._load_configuration_impl = compose  # type: ignore[method-assign]


@contextlib.contextmanager
def _version_base() -> Iterator[None]:
    """Compose by the rules of one version of Hydra, whichever the program has chosen for itself."""
    chosen = version.VersionBase.instance()
    version.VersionBase.set_instance(copy.copy(chosen))
    version.setbase(VERSION_BASE)
    try:
        yield
    finally:
        version.VersionBase.set_instance(chosen)
