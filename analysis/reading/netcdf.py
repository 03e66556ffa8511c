"""Open netCDF files: beside threads that use others, and where the file system has no locks."""

from __future__ import annotations

import contextlib
import fcntl
import sys
from collections.abc import Iterator
from pathlib import Path

import netCDF4


@contextlib.contextmanager
def alone_in_hdf5() -> Iterator[None]:
    """Wait for other threads that use netCDF files: its library allows one at a time.

    The locks are those of xarray, which takes them itself, and which the writer of the files takes.
    Where no thread has imported it, none can read with it.
    """
    xarrays = sys.modules.get("xarray.backends.locks")
    with contextlib.ExitStack() as held:
        for name in ("NETCDFC_LOCK", "HDF5_LOCK"):
            lock = getattr(xarrays, name, None)
            if lock is not None:
                held.enter_context(lock)
        yield


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
        if not file.is_file() or _can_be_locked(file):
            raise
        return netCDF4.Dataset(file.name, memory=file.read_bytes())


def _can_be_locked(file: Path) -> bool:
    """Whether HDF5 finds locks on the file system; NFS and Lustre may have none."""
    with file.open("rb") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:  # open for writing in another process
            return True
        except OSError:
            return False
    return True
