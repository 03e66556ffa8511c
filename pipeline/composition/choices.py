"""The choices of configuration groups, from the names and first comments of their files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.model.errors import RequestError
from pipeline.model.quantity import written

#: Comments that are not about the content of a file.
NOT_ABOUT = ("@package", "python -m", "stdp ")


def groups_in(folders: Sequence[Path]) -> list[str]:
    """Return the names of the groups: the folders that hold a YAML file, or folders with some."""
    files = ((folder, file) for folder in folders for file in folder.glob("*/**/*.yaml"))
    found = (file.relative_to(folder).parts[0] for folder, file in files)
    return sorted(dict.fromkeys(found))


def choices_of(group: str, folders: Sequence[Path]) -> dict[str, str]:
    """Return one line about each choice of a group, by its name; "" where its file has none.

    Parameters
    ----------
    group : str
        Name of a folder in these folders, such as `stdp`.
    folders : sequence of Path
        The folders, in the order in which Hydra reads them.
    """
    found: dict[str, str] = {}
    for folder in folders:
        for file in sorted((folder / group).rglob("*.yaml")):
            name = file.relative_to(folder / group).with_suffix("").as_posix()
            found.setdefault(name, _first_sentence(file))
    return found


def not_a_choice(group: str, value: Any) -> RequestError:
    """Return the error for a value that cannot be the name of a choice of a group."""
    allowed = f"must be the name of a file in conf/{group}"
    if str(value).lower() in ("none", "null"):
        allowed += ", and null is none, also where a file has it"
    return RequestError(f"{written(group, value)}: {allowed}")


def _first_sentence(file: Path) -> str:
    """Return the first sentence of the comment at the top of a file."""
    words: list[str] = []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        if not line.startswith("#"):
            break
        text = line.lstrip("# ").strip()
        if not text.startswith(NOT_ABOUT):
            words += text.split()
    return re.split(r"(?<=\.)(?<! al\.) ", " ".join(words), maxsplit=1)[0]
