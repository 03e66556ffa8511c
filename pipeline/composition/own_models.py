"""Rules and input processes in Python files of the user, such as `stdp.rule=rule.py:MyRule`.

A file is read where it is named, and its class registered under the name that it has. Everything
after that knows the class by its name and its source text: neither path nor file matter any more.
"""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pipeline.model.class_text import ClassText, class_text
from pipeline.model.errors import RequestError
from pipeline.model.parameters import Configuration
from pipeline.model.registry import REGISTRIES, Registry, Variant

#: What names a class in a file; the class may be left out where the file has one.
_REFERENCE = re.compile(r"(?P<path>.+\.py)(?::(?P<name>\w+))?", re.DOTALL)

#: The file from which each source text was read, and all of its content.
_files: dict[str, tuple[str, str]] = {}


def is_reference(value: Any) -> bool:
    """Whether a value of a key such as `stdp.rule` names a class in a file."""
    return isinstance(value, str) and _REFERENCE.fullmatch(value) is not None


def class_at(key: str, reference: str, folders: Iterable[Path] = ()) -> type[Variant]:
    """Read, validate and register the class that a reference names.

    Parameters
    ----------
    key : str
        `stdp.rule` or `input.process`.
    reference : str
        `FILE.py:CLASS` or `FILE.py`.
    folders : iterable of Path
        Where a relative path is looked up before the working directory.

    Raises
    ------
    RequestError
        If there is no such file or class, or it cannot be used.
    """
    registry, found = REGISTRIES[key], _REFERENCE.fullmatch(reference)
    assert found
    try:
        file = found_file(found["path"], folders)
        content = _content(file)
        chosen = class_text(content, registry.base(), found["name"])
        try:
            cls = registry.register_source(chosen.text, chosen.name)
        except RequestError as error:
            raise RequestError(_reason(error, chosen, registry)) from error
    except RequestError as error:
        raise RequestError(f"{key}={reference}: {error}") from error
    _files[cls.source] = str(file), content
    return cls


def names_of(key: str, values: Sequence[Any], folders: Iterable[Path] = ()) -> list[Any]:
    """Return the values of a key, the names of classes in place of references.

    Raises
    ------
    RequestError
        As `class_at`, or if two files have different classes of one name.
    """
    folders = tuple(folders)
    named: dict[str, tuple[str, str]] = {}
    names: list[Any] = []
    for value in values:
        if is_reference(value):
            cls = class_at(key, value, folders)
            other, source = named.setdefault(cls.name, (value, cls.source))
            if source != cls.source:
                raise RequestError(
                    f'{key}={value}: has the name {cls.name} of {other}; write name = "..." in '
                    "one of both classes"
                )
            value = cls.name  # noqa: PLW2901
        names.append(value)
    return names


def classes_of(overrides: Iterable[str]) -> list[type[Variant]]:
    """Return the classes in files that overrides name, where no configuration is composed.

    Raises
    ------
    RequestError
        As `class_at`.
    """
    texts = (text.partition("=") for text in overrides)
    named = [
        (key, value.strip("'\" "))
        for key, _, values in texts
        if key in REGISTRIES
        for value in values.split(",")
    ]
    return [class_at(key, value) for key, value in named if is_reference(value)]


def is_from_file(part: Variant) -> bool:
    """Whether the class of a rule or process was read from a file in this process."""
    return part.source in _files


def files_of(points: Iterable[Configuration]) -> dict[str, str]:
    """Return the files that rules and processes of points were read from, and their content."""
    sources = (part.source for point in points for part in (point.stdp, point.input))
    return dict(_files[source] for source in sources if source in _files)


def found_file(path: str, folders: Iterable[Path], may_be_folder: bool = False) -> Path:
    """Return the absolute path of a file of the user's; links are not followed.

    Raises
    ------
    RequestError
        If there is none.
    """
    relative = Path(os.path.expanduser(path))  # noqa: PTH111 - Path's raises
    places = list(dict.fromkeys([*folders, Path.cwd()]))
    for place in places:
        file = place / relative
        try:
            if file.is_file() or (may_be_folder and file.is_dir()):
                return file
        except (OSError, ValueError):
            continue
    where = "" if relative.is_absolute() else f" in {' or '.join(map(str, places))}"
    what = "a file or a directory" if may_be_folder else "a file"
    raise RequestError(f"must be {what} that exists; there is none{where}")


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise RequestError(f"cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise RequestError(f"must be text in UTF-8 ({error.reason})") from error


def _reason(error: RequestError, chosen: ClassText, registry: Registry) -> str:
    """Return why a class is refused, with the line in its file where its own code fails."""
    cause = error.__cause__
    if cause is None:
        return str(error)
    text = " ".join(str(cause).split()) or type(cause).__name__
    name = registry.file_name(chosen.text)
    inner = [f.lineno for f in traceback.extract_tb(cause.__traceback__) if f.filename == name]
    at = f"line {chosen.lines[inner[-1] - 1]}: " if inner and inner[-1] else ""
    if isinstance(cause, NameError):
        names = ", ".join(registry.names_provided())
        return f"{at}{text}; without an import there are {names}"
    fields = getattr(getattr(cause, "obj", None), "_fields", None)
    if isinstance(cause, AttributeError) and fields is not None:
        return f"{at}{cause.name}: must be one of {', '.join(fields) or 'none'}"
    if isinstance(cause, ValueError) and "ambiguous" in text:
        return f"{at}must work on arrays; write branches as where(condition, a, b)"
    return f"{at}{type(cause).__name__}: {text}"
