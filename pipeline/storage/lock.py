"""Lock of an experiment directory, and the directory itself when it is renamed meanwhile."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import platform
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TextIO

from pipeline.model.errors import RequestError
from pipeline.system.atomic_files import StorageError

log = logging.getLogger("pipeline")


@contextlib.contextmanager
def locked(path: Path) -> Iterator[int]:
    """Lock a folder during the block, at most until the process ends; yield its descriptor.

    Raises
    ------
    RequestError
        If it is locked by another sweep, or its lock file cannot be written.
    """
    try:
        lock = (path / ".lock").open("a+")
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        reason = error.strerror or str(error)
        raise RequestError(f"{path}: must be a writable directory ({reason})") from error
    with lock:
        try:
            _take(lock, path)
            yield folder
        finally:
            os.close(folder)


def _take(lock: TextIO, path: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "another sweep"
        raise RequestError(
            f"{path}: {holder} is writing here; wait for it, or choose another name"
        ) from None
    except OSError as error:
        log.warning(
            "%s: cannot be locked (%s); run no other sweep in this directory",
            lock.name,
            error,
        )
    now = datetime.now().isoformat(" ", "seconds")
    with contextlib.suppress(OSError):  # on a full disk the file stays empty, and locked
        os.ftruncate(lock.fileno(), 0)
        os.write(lock.fileno(), f"process {os.getpid()} on {platform.node()} since {now}".encode())


def current_path(folder: int, path: Path) -> Path:
    """Return where a folder is now that was opened at `path`.

    Raises
    ------
    StorageError
        If it was removed, or moved to another file system.
    """
    opened = os.fstat(folder)
    for find in (lambda: path, lambda: _path_of(folder)):
        with contextlib.suppress(OSError):
            if os.path.samestat(opened, find().stat()):
                return find()
    raise StorageError(f"{path}: was removed, or moved to another disk, while the sweep ran")


def _path_of(folder: int) -> Path:
    """Return the path of an open folder by the system, relative where it is below this one."""
    get_path = getattr(fcntl, "F_GETPATH", None)  # of macOS
    if get_path is None:
        path = Path(f"/proc/self/fd/{folder}").readlink()
    else:
        path = Path(os.fsdecode(fcntl.fcntl(folder, get_path, bytes(1024)).rstrip(b"\0")))
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
