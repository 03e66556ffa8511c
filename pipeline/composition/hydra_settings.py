"""Refuse settings of Hydra itself that have no effect where our sweeper runs the points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig

from pipeline.composition.compose import plain
from pipeline.composition.own_files import chosen_files
from pipeline.model.errors import RequestError

#: Settings of Hydra without effect, their values in `conf/config.yaml`, and what has one.
_WITHOUT_EFFECT: dict[str, tuple[Any, str]] = {
    "run.dir": ("${outputs}/${name}", "outputs= and name= set the directory"),
    "sweep.dir": ("${outputs}/${name}", "outputs= and name= set the directory"),
    "sweep.subdir": ("${hydra.job.num}", "outputs= and name= set the directory"),
    "output_subdir": (None, "outputs= and name= set the directory"),
    "job.chdir": (None, "outputs= and name= set the directory"),
    "job.env_set": ({}, "set the environment of the command"),
    "verbose": (False, "sweep.log in the directory has the details of a sweep"),
    "launcher._target_": (
        "hydra._internal.core_plugins.basic_launcher.BasicLauncher",
        "run.n_jobs= and run.backend= set the workers; only hydra/sweeper=basic uses a launcher",
    ),
}

#: Beginnings of what a command line may set of Hydra, besides.
_WITH_EFFECT = ("sweeper", "searchpath", "callbacks", "mode", "help", "hydra_help", "hydra_logging")


def refuse_without_effect(config: DictConfig) -> None:
    """Refuse settings of Hydra that our sweeper does not read, from the command line or a file.

    Parameters
    ----------
    config : DictConfig
        The composed config with Hydra's own section.

    Raises
    ------
    RequestError
        If there is one; the message has what to set instead.
    """
    hydra = plain(config.hydra, resolve=False)
    for name, (without, instead) in _WITHOUT_EFFECT.items():
        value = _at(hydra, name)
        if value != without and (value or without):  # `chdir: false` changes nothing
            key = "launcher" if name.startswith("launcher.") else name
            given = next(
                (text for text in _overrides(config) if f"hydra.{key}" in _key(text)), None
            )
            given = given or f"hydra.{name}={value}"
            raise RequestError(f"{given}: has no effect; set {instead}")
    for text in _overrides(config):
        if not _key(text).removeprefix("hydra.").startswith(_WITH_EFFECT):
            raise RequestError(f"{text}: has no effect with hydra/sweeper=pipeline")
    _refuse_overridden_by_experiments(config)


def _overrides(config: DictConfig) -> list[str]:
    return list(config.hydra.overrides.hydra)


def _key(override: str) -> str:
    """Return the key of an override, `hydra.launcher` for the group `hydra/launcher`."""
    return override.lstrip("+~").partition("=")[0].replace("/", ".")


def _at(values: Mapping[str, Any], name: str) -> Any:
    for part in name.split("."):
        values = values[part]
    return values


def _refuse_overridden_by_experiments(config: DictConfig) -> None:
    """Refuse an `override /hydra/...` of a chosen file, which comes after that of our config."""
    choices = config.hydra.runtime.choices
    for file in chosen_files(config):
        for group, name in _hydra_groups(file):
            if choices.get(group) != name:
                raise RequestError(
                    f"{file}: override /{group}: {name} has no effect there; give {group}={name} "
                    "on the command line"
                )


def _hydra_groups(file: Path) -> Iterator[tuple[str, str]]:
    """Yield the groups of Hydra that the defaults list of a file overrides, and their choices."""
    content = yaml.safe_load(file.read_text())
    for entry in content.get("defaults", ()) if isinstance(content, dict) else ():
        for key, name in entry.items() if isinstance(entry, dict) else ():
            group = str(key).removeprefix("override").strip().lstrip("/")
            if group.startswith("hydra/"):
                yield group, str(name)
