"""Locks for what all threads of a process share, which a forked process finds free."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any

#: Attribute of the module netCDF4 that is the lock for its use.
_LOCK = "one_thread_at_a_time"


def shared_lock() -> Any:
    """Return a reentrant lock that no fork leaves held: forking waits until it is free."""
    lock = threading.RLock()
    os.register_at_fork(
        before=lock.acquire, after_in_child=lock.release, after_in_parent=lock.release
    )
    return lock


@contextlib.contextmanager
def alone_in_hdf5() -> Iterator[None]:
    """Wait for other threads that use netCDF files: its library allows one at a time.

    The lock is an attribute of the module netCDF4, where programs that read the files find it.
    xarray, if the program has imported it, has locks of its own for that, which are taken too.
    """
    import netCDF4

    if _LOCK not in vars(netCDF4):
        vars(netCDF4).setdefault(_LOCK, shared_lock())
    with vars(netCDF4)[_LOCK], contextlib.ExitStack() as others:
        xarrays = sys.modules.get("xarray.backends.locks")
        for name in ("NETCDFC_LOCK", "HDF5_LOCK"):
            lock = getattr(xarrays, name, None)
            if lock is not None:
                others.enter_context(lock)
        yield
