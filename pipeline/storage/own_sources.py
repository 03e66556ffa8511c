"""Source texts of the user's rules and processes in a directory, against those of a request."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline.model.class_text import class_text, classes_in
from pipeline.model.errors import RequestError
from pipeline.model.registry import REGISTRIES, content_hash
from pipeline.request.grid import Grid
from pipeline.request.spec import SOURCES, Request, model_sources
from pipeline.storage.directory import Directory
from pipeline.storage.netcdf import from_results, sources_in


def refuse_other_sources(asked: Grid, earlier: Request, directory: Directory) -> None:
    """Refuse a request of other texts under the names that a directory has points of.

    Parameters
    ----------
    asked : Grid
        The request.
    earlier : mapping
        The earlier request of the directory.
    directory : Directory
        The directory.

    Raises
    ------
    RequestError
        If the source of a rule or process is another one now, or is not known.
    """
    here = model_sources(asked)
    for key, there in earlier.get(SOURCES, {}).items():
        for name, digest in there.items():
            file = directory.source_file(digest)
            source = here.get(key, {}).get(name)
            if source is not None and content_hash(source) != digest:
                raise RequestError(
                    f"{directory.path}: its points are of another text of {key}={name}"
                    f"{_difference_to(file, source)}; name the kept one to go on, "
                    f"{key}={reference_to(key, file)}, or choose another name"
                )
            known = REGISTRIES[key].classes().get(name)
            if source is None and (known is None or content_hash(known.source) != digest):
                raise RequestError(
                    f"{directory.path}: holds points of {key}={name}, whose source is not named "
                    f"now; add the kept one, {key}={reference_to(key, file)}, or choose another "
                    "name"
                )


def kept_sources(directory: Directory, request: Request) -> dict[str, dict[str, str]]:
    """Return the texts that a directory keeps of the rules and processes of its request.

    Raises
    ------
    RequestError
        If one is missing or damaged.
    """
    found: dict[str, dict[str, str]] = {}
    for key, named in request.get(SOURCES, {}).items():
        for name, digest in named.items():
            file = directory.source_file(digest)
            source: str | None
            try:
                source = file.read_text(encoding="utf-8")
            except (OSError, ValueError):
                source = (from_results(directory.results, sources_in) or {}).get(key, {}).get(name)
            if source is None or content_hash(source) != digest:
                raise RequestError(f"{file}: must be the source of {key}={name}; restore it")
            found.setdefault(key, {})[name] = source
    return found


def reference_to(key: str, file: Path) -> str:
    """Return the value of a key that names the class in a file of `given/`."""
    try:
        names = classes_in(file.read_text(encoding="utf-8"), REGISTRIES[key].base())
    except (OSError, ValueError):
        return str(file)
    return f"{file}:{names[-1]}" if len(names) > 1 else str(file)  # after those it derives from


def _difference_to(file: Path, source: str) -> str:
    try:
        return difference(file.read_text(encoding="utf-8"), source)
    except (OSError, ValueError):
        return ""


def difference(kept: str, source: str) -> str:
    """Return the first line in which a text differs from a kept one, in brackets; "" if none."""
    both = itertools.zip_longest(kept.splitlines(), source.splitlines(), fillvalue="nothing")
    for number, (there, here) in enumerate(both, 1):
        if there != here:
            return f" (line {number}: {there.strip()!r} there and {here.strip()!r} here)"
    return ""


def changed_files(
    key: str, name: str, source: str, own_files: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield the files that a source was read from and that have another one now, and the change.

    Nothing in them is run.

    Parameters
    ----------
    key, name, source : str
        The rule or process, and its source text.
    own_files : mapping of str to str
        The user's files of a run as they were, by path.
    """
    base = REGISTRIES[key].base()
    for path, content in own_files.items():
        try:
            wanted = [
                cls
                for cls in classes_in(content, base)
                if class_text(content, base, cls).text == source
            ]
            now = Path(path).read_text(encoding="utf-8-sig")
            for cls in wanted:
                text = class_text(now, base, cls).text if cls in classes_in(now, base) else ""
                if text != source:
                    yield path, difference(source, text) if text else " (it lacks the class)"
        except (OSError, ValueError):  # it is no Python, or no longer there
            continue
