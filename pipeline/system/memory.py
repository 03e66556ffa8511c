"""Limits of this process: its memory, and what an error says is exhausted."""

from __future__ import annotations

import errno
import functools
import mmap
import os
import resource
from pathlib import Path

#: Where control groups are mounted.
_GROUPS = Path("/sys/fs/cgroup")

#: The usual stack of a thread, and what else is allocated until it runs [bytes].
_STACK, _START = 8 * 2**20, 4 * 2**20


def memory_limit() -> tuple[int, str]:
    """Return the largest memory [bytes] that this process may use, and what sets it."""
    own, _ = resource.getrlimit(resource.RLIMIT_AS)
    limits = [_machine()]
    if own != resource.RLIM_INFINITY:
        limits.append((own, "the limit of this process (ulimit -v)"))
    if (group := _of_control_group()) is not None:
        limits.append((group, "the limit of its control group, as of a batch job or container"))
    return min(limits)


def n_threads_with_memory(n_threads: int) -> int:
    """Return how many of some threads can start within the limit of this process (ulimit -v).

    A thread that finds no memory as it begins ends without having run, and Python's `Thread.start`
    waits for it for ever.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return n_threads
    stack, _ = resource.getrlimit(resource.RLIMIT_STACK)
    size = _START + (_STACK if stack == resource.RLIM_INFINITY else max(stack, _STACK))
    while n_threads and not _is_left(n_threads * size):
        n_threads -= 1
    return n_threads


def refuse_less_than(n_bytes: int) -> None:
    """Raise an error before what would end the process where so much memory is not left.

    Raises
    ------
    MemoryError
        If it is not.
    """
    if not _is_left(n_bytes):
        raise MemoryError(f"less than {n_bytes:,} bytes are left")


def _is_left(n_bytes: int) -> bool:
    """Whether so much memory can be had."""
    try:
        mmap.mmap(-1, n_bytes, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except (OSError, MemoryError, OverflowError):
        return False
    return True


def what_is_exhausted(error: BaseException | None) -> str:
    """Return what an error, or one that led to it, says is exhausted; empty if it says nothing."""
    while error is not None:
        memory = isinstance(error, OSError) and error.errno == errno.ENOMEM
        if memory or isinstance(error, MemoryError) or "can't start new thread" in str(error):
            limit, of = memory_limit()
            return f"out of memory; this process has at most {limit / 1e9:.3g} GB, {of}"
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
            return f"too many open files; this process has at most {limit} (ulimit -n)"
        error = error.__cause__ or error.__context__
    return ""


@functools.cache
def _machine() -> tuple[int, str]:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), "this machine's memory"


@functools.cache
def _of_control_group(groups: Path = _GROUPS, own: Path = Path("/proc/self/cgroup")) -> int | None:
    """Return the smallest limit [bytes] of the control group and those around it."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return None
    limits = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":  # version 2
            root, name = groups, "memory.max"
        elif "memory" in controllers.split(","):
            root, name = groups / "memory", "memory.limit_in_bytes"
        else:
            continue
        folder = root / path.lstrip("/")
        limits += [_limit_in(parent / name) for parent in (folder, *folder.parents)]
    return min((limit for limit in limits if limit is not None), default=None)


def _limit_in(file: Path) -> int | None:
    try:
        text = file.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
