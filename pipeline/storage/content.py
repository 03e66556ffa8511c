"""Which directories hold an experiment, and which something else."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from pipeline.model.errors import RequestError
from pipeline.storage.netcdf import from_results, request_in

#: Files that tell an experiment from a directory of something else; `results.nc` does if it can be
#: read. The others are of an experiment as well, and other programs may have files of these names.
_SIGNS = ("configuration.yaml", ".lock", "provenance.json", "sweep.log")
_OTHERS = ("failures.csv", "report.html")

#: Length of the longest name that a file of an experiment has, while it is written.
_LONGEST_NAME = 60


def refuse_other_content(path: Path) -> None:
    """Refuse a directory with files that are not of an experiment, or inside of one.

    Raises
    ------
    RequestError
        If it is.
    """
    for parent in (path, *path.parents):
        if parent.name in ("points", "figures") and _is_experiment(parent.parent):
            raise RequestError(
                f"{path}: must not be inside the {parent.name} of another experiment"
            )
    try:
        files = [file.name for file in path.glob("[!.]*") if file.is_file()]
    except OSError:
        return  # missing or not readable: `Directory.held` reports the latter
    foreign = [name for name in files if name.partition(".damaged")[0] not in _OTHERS]
    if foreign and not _is_experiment(path):
        raise RequestError(f"{path}: must hold no files but those of an experiment ({foreign[0]})")


def why_not_writable(folder: Path) -> str:
    """Return why a folder cannot be made and written, as the system would say; empty if it can."""
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


def _is_experiment(path: Path) -> bool:
    """Whether a directory has a file that only experiments have: any of them may be lost."""
    if any((path / name).is_file() for name in _SIGNS) or any((path / "points").glob("*.npz")):
        return True
    results = path / "results.nc"
    return results.is_file() and from_results(results, request_in) is not None
