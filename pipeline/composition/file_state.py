"""State of a file on the disk: whether it is as it was when it was read."""

from __future__ import annotations

import os

#: Type and mode, inode, size, times of modification and of status change [ns] of a path; None where
#: there is nothing. Programs can set the former time, as `rsync --times` does, but not the latter.
FileState = tuple[int, int, int, int, int] | None


def file_state(path: str) -> FileState:
    """Return what is at a path."""
    try:
        found = os.stat(path)  # noqa: PTH116 - a Path takes longer to make than the call takes
    except (OSError, ValueError):
        return None
    return found.st_mode, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
