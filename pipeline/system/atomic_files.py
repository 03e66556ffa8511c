"""Files that appear whole or not at all, and know when they have been changed since."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path


class StorageError(OSError):
    """Something could not be written. The message is one line: what, and why."""


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and move it there once it is whole and on disk.

    Raises
    ------
    StorageError
        If the disk is full or anything else cannot be written; what was at `path` is still there.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _to_disk(temporary)
        temporary.replace(path)
        _to_disk(path.parent)
    except OSError as error:
        raise StorageError(
            f"{path}: cannot be written ({error.strerror or error}); what was kept before is intact"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def remove_scraps(folder: Path) -> None:
    """Remove what processes that were killed while writing left in a folder."""
    for scrap in folder.glob(".*.tmp"):
        with contextlib.suppress(OSError):
            scrap.unlink()


def set_aside(path: Path) -> Path:
    """Rename a damaged file, so that it is neither read again nor lost; return its new path."""
    aside = path.with_name(f"{path.name}.damaged")
    with contextlib.suppress(OSError):  # where nothing can be renamed it is met again
        path.replace(aside)
    return aside


def checksum(content: bytes) -> str:
    """Return the first 32 digits of the SHA-256 sum."""
    return hashlib.sha256(content).hexdigest()[:32]


def sealed(text: str) -> str:
    """Return a text with its checksum in a comment on its last line."""
    return f"{text}# sha256: {checksum(text.encode())}\n"


def unsealed(text: str) -> str:
    """Return what was sealed.

    Raises
    ------
    ValueError
        If it has changed since.
    """
    body, _, last = text.removesuffix("\n").rpartition("\n")
    if sealed(f"{body}\n") != text:
        raise ValueError(f"the checksum does not fit ({last[:60]})")
    return f"{body}\n"


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
