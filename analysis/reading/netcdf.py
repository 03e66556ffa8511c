"""Open netCDF files: beside threads that use others, and where the file system has no locks."""

from __future__ import annotations

import fcntl
import os
import sys
import threading
from pathlib import Path
from typing import Any

import netCDF4

#: Attribute of the module netCDF4 that is the lock for its use.
_LOCK = "one_thread_at_a_time"


def _lock_of_the_library() -> Any:
    """Return the lock of this process for netCDF4, which the writer of the files takes as well.

    An attribute of the module that needs it, as neither package imports the other. No fork leaves
    it held: forking waits until it is free.
    """
    if _LOCK not in vars(netCDF4):
        lock = threading.RLock()
        if vars(netCDF4).setdefault(_LOCK, lock) is lock:
            os.register_at_fork(
                before=lock.acquire, after_in_child=lock.release, after_in_parent=lock.release
            )
    return vars(netCDF4)[_LOCK]


class HDF5Lock:
    """Reentrant lock for all uses of netCDF files: their library allows one thread at a time.

    It holds the locks of xarray too, with which a program may read other files. xarray alone, given
    no lock, opens files without any. Datasets that have it can be pickled.
    """

    def __init__(self) -> None:
        self._own = _lock_of_the_library()
        self._depth = 0
        self._others: list[Any] = []

    def acquire(self, blocking: bool = True) -> bool:
        """Wait until no other thread holds it, or return False at once."""
        if not self._own.acquire(blocking):
            return False
        if not self._depth:
            xarrays = sys.modules.get("xarray.backends.locks")
            for name in ("NETCDFC_LOCK", "HDF5_LOCK"):
                lock = getattr(xarrays, name, None)
                if lock is not None and not lock.acquire(blocking):
                    self._release_all()
                    return False
                self._others += [lock] if lock is not None else []
        self._depth += 1
        return True

    def release(self) -> None:
        """Let other threads go on, once for each time that it was acquired."""
        self._depth -= 1
        if self._depth:
            self._own.release()
        else:
            self._release_all()

    def _release_all(self) -> None:
        while self._others:
            self._others.pop().release()
        self._own.release()

    def locked(self) -> bool:
        """Whether a thread holds it."""
        return self._depth > 0

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def __reduce__(self) -> str:
        return "HDF5"  # that of the process which reads the pickle


HDF5 = HDF5Lock()


def open_netcdf(file: Path) -> netCDF4.Dataset:
    """Open a netCDF file to read it; its content is held where the file system has no locks.

    Raises
    ------
    OSError
        If it is missing, damaged, or open for writing in another process.
    """
    try:
        return netCDF4.Dataset(file)
    except OSError:
        if not must_be_held(file):
            raise
        return netCDF4.Dataset(file.name, memory=file.read_bytes())


def must_be_held(file: Path) -> bool:
    """Whether HDF5 needs the content of a file, as it finds no locks there: on NFS or Lustre."""
    if not file.is_file():
        return False
    with file.open("rb") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:  # open for writing in another process
            return False
        except OSError:
            return True
    return False
