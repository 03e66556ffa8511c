"""Which directories hold an experiment, and which something else."""

from __future__ import annotations

from pathlib import Path

from pipeline.model.errors import RequestError
from pipeline.storage.batch_files import batch_files_in
from pipeline.storage.netcdf import from_results, request_in

#: Files that tell an experiment from a directory of something else; `results.nc` does if it can be
#: read. The others are of an experiment as well, and other programs may have files of these names.
_SIGNS = ("configuration.yaml", ".lock", "provenance.json", "sweep.log")
_OTHERS = ("failures.csv", "report.html")


def refuse_other_content(path: Path) -> None:
    """Refuse a directory with files that are not of an experiment, or inside of one.

    Raises
    ------
    RequestError
        If it is.
    """
    for parent in (path, *path.parents):
        if parent.name in ("points", "figures") and is_experiment(parent.parent):
            raise RequestError(
                f"{path}: must not be inside the {parent.name} of another experiment"
            )
    try:
        files = [file.name for file in path.glob("[!.]*") if file.is_file()]
    except OSError:
        return  # missing or not readable: `Directory.held` reports the latter
    foreign = [name for name in files if name.partition(".damaged")[0] not in _OTHERS]
    if foreign and not is_experiment(path):
        raise RequestError(f"{path}: must hold no files but those of an experiment ({foreign[0]})")


def is_experiment(path: Path) -> bool:
    """Whether a directory has a file that only experiments have: any of them may be lost.

    Raises
    ------
    RequestError
        If the directory cannot be read.
    """
    try:
        if any((path / name).is_file() for name in _SIGNS) or batch_files_in(path / "points"):
            return True
    except PermissionError as error:
        raise RequestError(f"{path}: cannot be read ({error.strerror})") from error
    results = path / "results.nc"
    return results.is_file() and from_results(results, request_in) is not None
