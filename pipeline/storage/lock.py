"""Lock of an experiment directory, and the directory itself when it is renamed meanwhile."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import logging
import os
import platform
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TextIO

from pipeline.model.errors import RequestError
from pipeline.system.atomic_files import StorageError

log = logging.getLogger("pipeline")

#: Time between two attempts to take a lock that a merge holds [s], and after how many it is told.
_PAUSE, _SILENT_ATTEMPTS = 0.1, 5


@contextlib.contextmanager
def locked(path: Path) -> Iterator[int]:
    """Lock a folder during the block, at most until the process ends; yield its descriptor.

    Raises
    ------
    RequestError
        If it is locked by another sweep, or its lock file cannot be written. The end of a merge
        that reads there is waited for.
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


@contextlib.contextmanager
def read_locked(path: Path) -> Iterator[None]:
    """Keep sweeps from writing in a folder during the block, where it can be locked.

    Raises
    ------
    RequestError
        If one writes there now.
    """
    with contextlib.ExitStack() as stack:
        is_taken = True
        with contextlib.suppress(OSError):  # never locked, or on a file system without locks
            lock = stack.enter_context((path / ".lock").open())
            is_taken = _try_lock(lock, fcntl.LOCK_SH)
        if not is_taken:
            raise RequestError(
                f"{path}: {_holder(lock)} is writing there; merge it when that has ended"
            )
        yield


def is_written(path: Path) -> bool:
    """Whether a sweep writes in a folder now, as far as its lock says."""
    try:
        with read_locked(path):
            return False
    except RequestError:
        return True


def _try_lock(lock: TextIO, kind: int) -> bool:
    """Take a lock of one kind, unless another process holds it; return whether it was taken."""
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(lock: TextIO) -> str:
    lock.seek(0)
    return lock.read().strip() or "another sweep"


def _take(lock: TextIO, path: Path) -> None:
    try:
        for attempt in itertools.count(1):
            if _try_lock(lock, fcntl.LOCK_EX):
                break
            if not _try_lock(lock, fcntl.LOCK_SH):
                raise RequestError(
                    f"{path}: {_holder(lock)} is writing here; wait for it, or choose another name"
                )
            fcntl.flock(lock, fcntl.LOCK_UN)  # only read, by a merge
            if attempt == _SILENT_ATTEMPTS:
                log.warning("%s is being merged: the sweep begins when that has ended", path)
            time.sleep(_PAUSE)
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
