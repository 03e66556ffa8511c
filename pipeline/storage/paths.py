"""Paths of experiment directories."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from pipeline.model.errors import RequestError
from pipeline.model.quantity import written

#: Length of the longest name that a file of an experiment has, while it is written.
_LONGEST_NAME = 60


def directory_path(outputs: str, name: str, study: str | None = None) -> Path:
    """Return the path `outputs/name`; a name that begins with `study/` is refused as that key.

    Raises
    ------
    RequestError
        If either is not the name of a directory, or the path is not below `outputs`.
    """
    key, given = "name", name
    if study is not None and str(name).startswith(f"{study}/"):
        key, given = "study", study
    for key_, value in (("outputs", outputs), (key, given)):
        if not isinstance(value, str | Path | int) or not str(value).strip():
            raise RequestError(f"{written(key_, value)}: must be the name of a directory")
    parts = Path(str(name)).parts
    if not parts or Path(str(name)).is_absolute() or ".." in parts:
        raise RequestError(
            f"{written(key, given)}: must be a path below outputs={outputs}, without '..'"
        )
    if parts[0].startswith("~"):
        raise RequestError(
            f"{written(key, given)}: must be a path below outputs={outputs}; a home directory is "
            "given as outputs=~"
        )
    return expanded(Path(outputs)) / str(name)


def free_directory(path: Path) -> Path:
    """Create the first of `path`, `path_2`, ... that does not exist, and return it.

    Commands that start in the same second take different ones. A path that cannot be created is
    returned as it is: `Directory.held` reports why.
    """
    for number in range(1, 10_000):
        free = path if number == 1 else path.with_name(f"{path.name}_{number}")
        try:
            free.parent.mkdir(parents=True, exist_ok=True)
            free.mkdir()
        except FileExistsError:
            continue
        except OSError:
            return path
        return free
    return path


def expanded(path: Path) -> Path:
    """Return a path whose `~` or `~user` is replaced by the home directory, as a shell does.

    Raises
    ------
    RequestError
        If there is no such home directory.
    """
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise RequestError(f"{path}: there is no such home directory") from error


def why_not_writable(folder: Path) -> str:
    """Return why a folder cannot be made and written, as the system would say; empty if it can."""
    try:
        os.path.abspath(folder).encode(sys.getfilesystemencoding())  # noqa: PTH100
    except FileNotFoundError:  # the current directory was removed
        return os.strerror(errno.ENOENT)
    except UnicodeEncodeError:
        return f"netCDF takes only paths in {sys.getfilesystemencoding()}"
    longest = folder / ("x" * _LONGEST_NAME)
    there = Path()
    for path in reversed((longest, *longest.parents)):
        try:
            path.lstat()
        except FileNotFoundError:
            continue
        except OSError as error:
            return error.strerror or str(error)
        if not path.is_dir():
            return os.strerror(errno.EEXIST if path in (folder, folder.parent) else errno.ENOTDIR)
        there = path
    longest_allowed = os.pathconf(there, "PC_NAME_MAX")
    if any(len(os.fsencode(name)) > longest_allowed for name in longest.parts):
        return os.strerror(errno.ENAMETOOLONG)
    needed = {there, folder.parent} if folder.parent.is_dir() else {there}
    if all(os.access(path, os.W_OK | os.X_OK) for path in needed):
        return ""
    return os.strerror(errno.EACCES)
