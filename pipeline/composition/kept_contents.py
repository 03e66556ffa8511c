"""Copies of events and weights of the user's own, in the folder `given` of an experiment."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from pipeline.model.contents import Content
from pipeline.model.errors import RequestError
from pipeline.model.event_content import EventContent, read_events, write_events
from pipeline.model.event_sources import EventFile
from pipeline.model.initial_weights import WeightContent

#: Members of a copy: the weights, and the name that the content had.
_WEIGHTS, _NAME = "weights", "name"

#: Ends of the names of copies and notes.
COPY, NOTE = ".npz", ".txt"

#: Size up to which events are copied [bytes]; of larger files the path is kept.
MOST_COPIED = 100_000_000


def is_copied(content: Content) -> bool:
    """Whether a content is copied, or else the path of its file is noted.

    What is in memory or in a temporary file is copied whatever its size.
    """
    if not isinstance(content, EventContent) or not isinstance(content.source, EventFile):
        return True
    return content.source.is_temporary() or content.source.state[0] <= MOST_COPIED


def write_kept(content: Content, name: str, path: Path) -> None:
    """Write a content and its name to a file that `read_kept` reads, as does any other reader.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    if isinstance(content, EventContent):
        write_events(content, path)
    elif isinstance(content, WeightContent):
        with path.open("wb") as file:
            np.savez(file, weights=content.weights)
    with zipfile.ZipFile(path, "a") as archive, archive.open(f"{_NAME}.npy", "w") as member:
        np.lib.format.write_array(member, np.array(name))


def write_note(content: EventContent, name: str, path: Path) -> None:
    """Write the name of events and the path of their file.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    assert isinstance(content.source, EventFile)
    path.write_text(f"{name}\n{content.source.path}\n", encoding="utf-8")


def kept_name(path: Path) -> str:
    """Return the name that a kept or noted content had."""
    if path.suffix == NOTE:
        return path.read_text(encoding="utf-8").splitlines()[0]
    with path.open("rb") as file, np.load(file) as archive:
        return str(archive[_NAME]) if _NAME in archive else ""


def read_kept(path: Path) -> Content:
    """Read and check a copy, or the file that a note names; either is named by the hash.

    Raises
    ------
    RequestError
        If it is damaged, or has changed.
    OSError, ValueError, KeyError, BadZipFile
        If it cannot be read.
    """
    content: Content
    if path.suffix == NOTE:
        original = Path(path.read_text(encoding="utf-8").splitlines()[1])
        content = read_events(EventFile.at(original))
        if content.digest != path.stem:
            raise RequestError(f"{original}: has changed since its events were run")
        return content
    with path.open("rb") as file, np.load(file) as archive:
        weights = archive.get(_WEIGHTS)
    content = read_events(EventFile.at(path)) if weights is None else WeightContent.of(weights)
    if content.digest != path.stem:
        raise RequestError(f"{path}: is damaged: its content has the hash {content.digest}")
    return content
