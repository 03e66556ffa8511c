"""Atomic writes (temporary file, fsync, rename) and SHA-256 checksums."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path


class StorageError(OSError):
    """A file cannot be written. The message is one line: path and reason."""


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; at the end of the block, sync it and rename it.

    Raises
    ------
    StorageError
        If the disk is full or the file cannot be written; a previous file at `path` is unchanged.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _sync(temporary)
        temporary.replace(path)
        with contextlib.suppress(OSError):  # CIFS, FUSE and others refuse it for folders
            _sync(path.parent)
    except OSError as error:
        raise StorageError(
            f"{path}: cannot be written ({error.strerror or error}); what was saved before is "
            "intact"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def copy_file(source: Path, path: Path) -> None:
    """Copy the content of a file.

    Raises
    ------
    StorageError
        If it cannot be read, or written at `path`.
    """
    with replacing(path) as temporary:
        shutil.copyfile(source, temporary)


def link_file(source: Path, path: Path) -> None:
    """Give a file a second name; copy it where there are no links, as to another file system.

    Raises
    ------
    StorageError
        If it cannot be read, or written at `path`.
    """
    try:
        os.link(source, path)
    except FileExistsError:
        return
    except OSError:
        copy_file(source, path)


def can_be_locked(path: Path) -> bool:
    """Whether the file system has locks, for a file that can be opened; NFS and Lustre may not."""
    try:
        with path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return True


def remove_temporary_files(folder: Path) -> None:
    """Remove the temporary files that killed processes left in a folder."""
    for temporary in folder.glob(".*.tmp"):
        with contextlib.suppress(OSError):
            temporary.unlink()


def set_aside(path: Path, label: str = "damaged") -> Path:
    """Rename a file to `NAME.LABEL`, or `NAME.LABEL.2`, ..., to keep it; return the new path.

    A file that was set aside earlier is never replaced.

    Raises
    ------
    OSError
        If it cannot be renamed.
    """
    aside = path_aside(path, label)
    path.rename(aside)
    return aside


def path_aside(path: Path, label: str) -> Path:
    """Return the free path to which `set_aside` renames a file."""
    names = (f"{path.name}.{label}", *(f"{path.name}.{label}.{n}" for n in range(2, 10_000)))
    return next(aside for aside in map(path.with_name, names) if not os.path.lexists(aside))


def checksum(content: bytes | memoryview) -> str:
    """Return the first 32 hexadecimal digits of the SHA-256 sum."""
    return hashlib.sha256(content).hexdigest()[:32]


def file_checksum(path: Path) -> str:
    """Return the checksum of a file's content, which is not held in memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def sealed(text: str) -> str:
    """Return a text followed by a comment line with its checksum."""
    return f"{text}# sha256: {checksum(text.encode())}\n"


def unsealed(text: str) -> str:
    """Return a text of `sealed` without its checksum.

    Raises
    ------
    ValueError
        If the checksum does not match.
    """
    body, _, last = text.removesuffix("\n").rpartition("\n")
    if sealed(f"{body}\n") != text:
        raise ValueError(f"the checksum does not match ({last[:60]})")
    return f"{body}\n"


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
