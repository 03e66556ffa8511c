"""Contents that a configuration refers to by their hash: events and weights of the user's own.

A configuration holds the hash and a name. The content itself is found by the hash, in this process:
it is put there when a file or an array is read, and taken along to workers with the section that
refers to it. The hash alone is part of a point's key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Protocol

from pipeline.model.errors import RequestError

#: Keys that name a content, which is read when values are composed, and keys of its hash.
HASHED = {"input.file": "input.content", "synapse.w_from": "synapse.w_content"}
HASHED_KEYS = (*HASHED, *HASHED.values())

#: What the name of an array that was given from Python begins with; its hash follows.
ARRAY = "array:"


class Content(Protocol):
    """What is found by its hash.

    Attributes
    ----------
    digest : str
        The hash, 32 hexadecimal digits.
    """

    @property
    def digest(self) -> str: ...  # noqa: D102 - see above


_contents: dict[str, Content] = {}


def remember(content: Content) -> None:
    """Find a content by its hash from now on, in place of an earlier copy of it."""
    _contents[content.digest] = content


def forget(digest: str) -> None:
    """Find a content no longer."""
    _contents.pop(digest, None)


def content_of(digest: str | None) -> Any:
    """Return the content of a hash, None where it is not known in this process."""
    return _contents.get(digest) if digest else None


def known_content(key: str, name: str | None, digest: str | None) -> Any:
    """Return the content of a hash.

    Raises
    ------
    RequestError
        If it is not known in this process.
    """
    content = content_of(digest)
    if content is None:
        raise RequestError(
            f"{key}={name}: its content is not known here; given/ of the experiment that it is of "
            f"has it, as {digest}"
        )
    return content


def digest_of(parts: Iterable[bytes | memoryview]) -> str:
    """Return the hash of a content, of as many digits as that of a source text."""
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        found.update(part)
    return found.hexdigest()


def restored(cls: type, values: dict[str, Any], content: Content | None) -> Any:
    """Return a section that was pickled with the content that it refers to."""
    if content is not None:
        remember(content)
    section: Any = object.__new__(cls)
    vars(section).update(values)
    return section
