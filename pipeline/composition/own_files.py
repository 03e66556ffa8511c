"""Configuration files of the user: which were read, and which have no effect and are refused."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

from pipeline.composition.choices import choices_of
from pipeline.composition.known_keys import ADDED
from pipeline.composition.own_models import is_reference
from pipeline.model.errors import RequestError
from pipeline.model.parameters import SECTIONS
from pipeline.model.quantity import written
from pipeline.model.registry import REGISTRIES

#: Last keys of files that set keys of the whole configuration, as experiments do.
_WHOLE = ("study", "name", "outputs", "dry_run", "run", "sweep", "hydra", "seed", *SECTIONS)

#: What may be a number of base 8 or 60 for YAML 1.1.
_MISREAD = re.compile(r"[-+]?(?:0[0-7_]+|[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?)")

_PACKAGE_LINE = "# @package _global_"


def own_folder(conf: Any) -> Path:
    """Return the absolute path of a folder of the user, so that it stays when the process moves.

    Raises
    ------
    RequestError
        If there is no such folder.
    """
    if isinstance(conf, str | Path) and str(conf):
        folder = Path(os.path.expanduser(conf)).absolute()  # noqa: PTH111 - Path's raises
        if folder.is_dir():
            return folder
    raise RequestError(f"{written('conf', conf)}: must be a folder that exists")


def where_own_choices_are(group: str, choice: str, known: Sequence[str], conf: Path) -> str:
    """Return how a choice that was not found is found in a folder of the user, "" if it was one.

    Parameters
    ----------
    group : str
        Name of a group, such as `experiment`.
    choice : str
        Name that no file of the group has.
    known : sequence of str
        Names of the choices that Hydra found.
    conf : Path
        The folder that Hydra reads first.
    """
    if group.startswith("hydra/"):
        return ""
    if is_reference(choice):
        for key in REGISTRIES:
            if key.startswith(f"{group}."):
                return f"; a class in a Python file is {key}={choice}"
    file = f"{group}/{choice}.yaml"
    # `stdp init` makes FOLDER/conf, and one forgets the option within FOLDER as well as beside it.
    for folder in (Path("conf"), Path(), *sorted(Path().glob("*/conf"))):
        if (folder / file).is_file() and folder.resolve() != conf.resolve():
            return f"; {folder / file} is found with --config-dir {folder} (Python: conf=)"
    if set(known) - choices_of(group, [conf]).keys():
        return ""
    return f"; one of your own, FOLDER/{file}, is found with --config-dir FOLDER (Python: conf=)"


def refuse_misplaced(key: str, value: Any) -> None:
    """Refuse the content of a file that Hydra has put below the name of its own folder.

    Parameters
    ----------
    key : str
        A key of the composed config that is none of the model, such as `experiment`.
    value : mapping or other
        Its value.

    Raises
    ------
    RequestError
        If the value is a mapping with keys that belong at the top, or the key is that of a group
        that the command line adds.
    """
    found = _misplaced(value)
    if found or (key in ADDED and value):
        shown = f" ({', '.join(found)})" if found else ""
        raise RequestError(
            f"+{key}: the content of the chosen file{shown} is put below '{key}', where it has no "
            f"effect; its first line must be {_PACKAGE_LINE}"
        )


def overridden_below(text: str) -> RequestError | None:
    """Return an error for Hydra's of a file that overrides groups below the name of its folder.

    Parameters
    ----------
    text : str
        Hydra's message.

    Returns
    -------
    RequestError or None
        None if the message says something else.
    """
    found = re.search(r"In '([^']+)': Could not override '([^'@]+)@[^']+'", text)
    if not found:
        return None
    file, group = found.groups()
    return RequestError(
        f"{file}: 'override /{group}' has no effect, as the content of the file is put below "
        f"'{file.partition('/')[0]}'; its first line must be {_PACKAGE_LINE}"
    )


def _misplaced(value: Any) -> list[str]:
    """Return the keys at any depth that belong at the top: files may be in folders of folders."""
    if not isinstance(value, Mapping):
        return []
    found = [str(key) for key in value if key in _WHOLE]
    return found or [name for inner in value.values() for name in _misplaced(inner)]


def refuse_hidden(config: DictConfig, conf: Path) -> None:
    """Refuse a chosen file of `--config-dir` that Hydra passes over for one of the same name.

    Parameters
    ----------
    config : DictConfig
        A composed config with Hydra's own section.
    conf : Path
        The folder that Hydra reads first.

    Raises
    ------
    RequestError
        If there is such a file.
    """
    folders = _own_folders(config, conf)
    for group, name in config.hydra.runtime.choices.items() if folders else ():
        file = Path(group.partition("@")[0], f"{name}.yaml")
        if group.startswith("hydra/") or not (conf / file).is_file():
            continue
        for folder in folders:
            if (folder / file).is_file():
                raise RequestError(
                    f"{folder / file}: has no effect, as {conf.name}/{file} has the same name; "
                    "give it another one"
                )


def chosen_files(config: DictConfig, of_model: bool = False) -> list[Path]:
    """Return the files that were chosen of groups outside of the model, experiments for one.

    Parameters
    ----------
    config : DictConfig
        A composed config with Hydra's own section.
    of_model : bool
        Whether to return those of the model, the run settings and `config.yaml` as well.
    """
    runtime = config.hydra.runtime
    folders = [Path(source.path) for source in runtime.config_sources if source.schema == "file"]
    others = ("hydra",) if of_model else ("hydra", "run", *SECTIONS)
    files = [folder / "config.yaml" for folder in folders if of_model]
    for group, name in runtime.choices.items():
        if group.partition("/")[0] not in others:
            paths = (folder / group.partition("@")[0] / f"{name}.yaml" for folder in folders)
            files += [path for path in paths if path.is_file()][:1]
    return [file for file in files if file.is_file()]


def refuse_misread_files(config: DictConfig) -> None:
    """Refuse chosen files that Hydra or YAML 1.1 read otherwise than they look.

    Hydra passes over a package line behind a byte order mark; `010` is 8 for YAML, and `1:30` 90.

    Parameters
    ----------
    config : DictConfig
        A composed config; nothing is refused of one without Hydra's own section.

    Raises
    ------
    RequestError
        If there is one.
    """
    if OmegaConf.select(config, "hydra.runtime") is None:
        return
    for file in chosen_files(config, of_model=True):
        content = file.read_text(encoding="utf-8")
        if content.startswith("\ufeff#"):
            raise RequestError(
                f"{file}: begins with a byte order mark, behind which Hydra does not see "
                f"{content[1:].splitlines()[0]}; save it as UTF-8 without one"
            )
        if not _MISREAD.search(content):
            continue
        for token in yaml.scan(content):
            text = token.value if isinstance(token, yaml.ScalarToken) and token.plain else ""
            number = yaml.safe_load(text) if _MISREAD.fullmatch(text) else None
            if isinstance(number, int | float) and (":" in text or number != float(text)):
                why = (
                    "the colon makes it base 60"
                    if ":" in text
                    else "the leading zero makes it base 8"
                )
                raise RequestError(
                    f"{file}: {text} is read as {number}, as {why}; write a decimal number, or put "
                    "a text in quotation marks"
                )


def own_files(config: DictConfig, conf: Path) -> dict[str, str]:
    """Return the files outside of `conf` that a config was composed from, and their content.

    Parameters
    ----------
    config : DictConfig
        A composed config with Hydra's own section.
    conf : Path
        The folder that Hydra reads first.
    """
    folders = _own_folders(config, conf)
    chosen = config.hydra.runtime.choices.items() if folders else ()
    found: dict[str, str] = {}
    for group, name in chosen:
        for file in _with_included(conf, folders, f"{group.partition('@')[0]}/{name}"):
            found[str(file)] = file.read_text(encoding="utf-8")
    return found


def _own_folders(config: DictConfig, conf: Path) -> list[Path]:
    """Return the folders of YAML files that Hydra reads after `conf`; none without its section."""
    return [
        Path(source.path)
        for source in OmegaConf.select(config, "hydra.runtime.config_sources") or ()
        if source.schema == "file" and Path(source.path).resolve() != conf.resolve()
    ]


def _with_included(conf: Path, folders: Sequence[Path], name: str) -> Iterator[Path]:
    """Yield the file of a config, if it is in one of the folders, and those that it includes.

    Choices of groups in its list of defaults are choices of the composed config as well.
    """
    paths = [folder / f"{name}.yaml" for folder in (conf, *folders)]
    file = next(filter(Path.is_file, paths), paths[0])
    if file == paths[0]:
        return  # ours, or one of Hydra itself
    yield file
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    for entry in content.get("defaults") or () if isinstance(content, dict) else ():
        if isinstance(entry, str) and entry != "_self_":
            included, folder = entry.partition("@")[0], name.rpartition("/")[0]
            path = included[1:] if included.startswith("/") else f"{folder}/{included}"
            yield from _with_included(conf, folders, path)


def unreadable_file(error: BaseException) -> str:
    """Return the path of the file that Hydra was reading when an error was raised, "" if none."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    paths = [frame.f_locals.get("full_path") for frame in frames]
    return next((str(path) for path in reversed(paths) if path), "")
