"""The finished points of a directory, read from their files."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

from pipeline.model.errors import RequestError
from pipeline.storage.batch_files import batch_files_in, compacted_names
from pipeline.system.atomic_files import file_checksum, path_aside, set_aside

log = logging.getLogger("pipeline")


def sound_files(folder: Path, changes_files: bool) -> Iterator[Path]:
    """Yield each file whose content is what its name says, without those that another one has.

    Parameters
    ----------
    folder : Path
        Where the files are.
    changes_files : bool
        Whether damaged files are renamed, and those removed of which another one has all points, as
        a process leaves them that is killed when it compacts. Else a sweep may compact meanwhile.

    Raises
    ------
    RequestError
        If a file cannot be read, which does not mean that it is damaged.
    """
    seen: set[str] = set()
    looked_at: set[str] = set()
    some_vanished = True
    while some_vanished:
        some_vanished = False
        for file in _large_first(folder):
            if file.name in looked_at:
                continue
            looked_at.add(file.name)
            try:
                found = file_checksum(file)
            except FileNotFoundError:  # compacted: what it became is in the next list
                some_vanished = True
                continue
            except OSError as error:  # no evidence of damage
                raise RequestError(f"{file}: cannot be read ({error.strerror})") from error
            if found not in file.name:  # of `HASH (1).npz` too, as file managers name copies
                _leave_out(file, changes_files)
            elif found not in seen:
                seen.add(found)
                made_from = compacted_names(file)
                looked_at |= made_from
                if changes_files:
                    _remove(folder / name for name in made_from)
                yield file


def _large_first(folder: Path) -> list[Path]:
    """Return the batch files of a folder, each before those that it was made from."""
    sizes = {}
    for file in batch_files_in(folder):
        with contextlib.suppress(OSError):  # compacted meanwhile
            sizes[file] = file.stat().st_size
    return sorted(sizes, key=lambda file: -sizes[file])


def _remove(files: Iterator[Path]) -> None:
    for file in files:
        with contextlib.suppress(OSError):
            file.unlink()


def _leave_out(file: Path, changes_files: bool) -> None:
    aside = path_aside(file, "damaged").name
    log.warning("%s is damaged and set aside as %s; its points run again", file, aside)
    if changes_files:
        with contextlib.suppress(OSError):  # reported again where it cannot be
            set_aside(file)
