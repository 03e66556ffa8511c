"""Events and weights of the user's own: keys that name them, with the hash of what is there.

They are read where they are named: where values are composed, and where axes are made. After that a
configuration has the name and the hash.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.composition.event_files import read_event_file
from pipeline.composition.kept_contents import COPY, NOTE, kept_name, read_kept
from pipeline.composition.own_models import found_file
from pipeline.composition.weight_files import read_weight_file
from pipeline.model.contents import (
    ARRAY,
    HASHED,
    Content,
    content_of,
    known_content,
    remember,
)
from pipeline.model.errors import RequestError
from pipeline.model.event_content import read_events
from pipeline.model.event_sources import NOT_READABLE, EventArrays
from pipeline.model.initial_weights import WeightContent
from pipeline.model.parameters import SECTIONS, Configuration
from pipeline.model.processes.file import File
from pipeline.model.quantity import override_text, overrides_by_key, written

#: How a content is read that a key names: `read(path, conditions)`.
_READERS: dict[str, Callable[[Path, list[str]], Content]] = {
    "input.file": lambda path, _: read_event_file(path),
    "synapse.w_from": read_weight_file,
}

#: Keys whose path may be followed by `:KEY=VALUE`.
_WITH_CONDITIONS = ("synapse.w_from",)

#: Hashes of what was read, by key, conditions, path, and state of the file.
_read: dict[tuple[Any, ...], str] = {}


@dataclass(frozen=True)
class Places:
    """Where contents are looked for.

    Attributes
    ----------
    folders : tuple of Path
        Where a relative path is looked up before the working directory.
    kept : Path, optional
        The folder `given` of the experiment directory, which has copies of those that are gone.
    """

    folders: tuple[Path, ...] = ()
    kept: Path | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any], folders: Iterable[Path] = ()) -> Places:
        """Return the places of a composed config, given as nested plain values."""
        outputs, name = values.get("outputs"), values.get("name")
        if not (isinstance(outputs, str) and isinstance(name, str)):
            return cls(tuple(folders))
        return cls(tuple(folders), Path(os.path.expanduser(outputs), name, GIVEN))  # noqa: PTH111


_DISTRIBUTION = "synapse.w_init_distribution"

#: Name of the folder with copies.
GIVEN = "given"


def digest_at(key: str, name: str, places: Places) -> str:
    """Read and check what a key names; return the hash.

    Parameters
    ----------
    key : str
        A key of `HASHED`.
    name : str
        Its value: a path, or the name of an array that was given from Python.
    places : Places
        Where it is looked for.

    Raises
    ------
    RequestError
        If there is none, or it is not allowed.
    """
    try:
        if name.startswith(ARRAY):
            digest = name.removeprefix(ARRAY)
            if content_of(digest) is None and _kept_copy(name, places) is None:
                raise RequestError("no such array was given in this process")
            return digest
        return _digest_of_path(key, name, places)
    except OSError as error:
        raise RequestError(f"{key}={name}: cannot be read ({error.strerror})") from error
    except RequestError as error:
        raise RequestError(f"{key}={name}: {error}") from error


def _digest_of_path(key: str, name: str, places: Places) -> str:
    if not name:
        raise RequestError("must be a name; none is given")
    conditions: list[str] = []
    path_text = name
    if key in _WITH_CONDITIONS:
        path_text, colon, rest = name.partition(":")
        conditions = rest.replace(",", ":").split(":") if colon else []
    try:
        path = found_file(path_text, places.folders, key in _WITH_CONDITIONS)
    except RequestError:
        kept = _kept_copy(name, places)
        if kept is None:
            raise
        return kept.digest
    if path.is_dir() and not (path / "results.nc").is_file():
        raise RequestError("has no results.nc; it is written when the sweep ends")
    state = (path / "results.nc" if path.is_dir() else path).stat()
    asked = key, *conditions, path, state.st_size, state.st_mtime_ns
    if content_of(_read.get(asked)) is None:
        content = _READERS[key](path, conditions)
        remember(content)
        _read[asked] = content.digest
    return _read[asked]


def _kept_copy(name: str, places: Places) -> Content | None:
    """Return the copy of a content that is no longer where its name says, None without any."""
    if places.kept is None:
        return None
    kept = [*places.kept.glob(f"*{COPY}"), *places.kept.glob(f"*{NOTE}")]
    for path in sorted(kept):
        try:
            if kept_name(path) == name:
                remember(content := read_kept(path))
                return content
        except (RequestError, IndexError, *NOT_READABLE):  # damaged: as if it were not there
            continue
    return None


def with_contents(
    nested: Mapping[str, Any], places: Places, typed: Iterable[str] = ()
) -> dict[str, Any]:
    """Return nested values with the hashes of the contents that they name.

    Parameters
    ----------
    nested : mapping
        Plain values by section and field.
    places : Places
        Where contents are looked for.
    typed : iterable of str
        Keys whose paths are relative to the working directory.

    Raises
    ------
    RequestError
        If a content cannot be read, or is another one than that of a hash that is given.
    """
    made, typed = dict(nested), set(typed)
    for key, hash_key in HASHED.items():
        section, _, field = key.partition(".")
        values, hash_field = made.get(section), hash_key.partition(".")[2]
        if not isinstance(values, Mapping) or not _has(section, values, field):
            continue
        name, given = values.get(field), values.get(hash_field)
        here = Places(kept=places.kept) if key in typed else places
        digest = digest_at(key, name, here) if isinstance(name, str) else None
        if given not in (None, digest):
            what = f"that of {written(key, name)} is {digest}" if digest else f"{key} is null"
            raise RequestError(f"{written(hash_key, given)}: must be null, as {what}")
        made[section] = {**values, hash_field: digest} if digest else values
    return made


def _has(section: str, values: Mapping[str, Any], field: str) -> bool:
    return field in SECTIONS[section].variant(values).quantities()


def settings_of(key: str, name: str, places: Places) -> dict[str, Any]:
    """Return the keys and values that a name on the axis of a key sets.

    Raises
    ------
    RequestError
        As `digest_at`.
    """
    return {key: name, HASHED[key]: digest_at(key, name, places)}


def refuse_unknown_content(point: Configuration) -> None:
    """Refuse a point whose events or weights are missing, or not known in this process.

    Raises
    ------
    RequestError
        If they are.
    """
    inputs, synapse = point.input, point.synapse
    if isinstance(inputs, File):
        if inputs.content is None:
            raise RequestError(
                f"{written('input.file', inputs.file)}: must be a file of events with "
                "input.process=file"
            )
        known_content("input.file", inputs.file, inputs.content)
    if synapse.w_from is not None or synapse.w_content is not None:
        known_content("synapse.w_from", synapse.w_from, synapse.w_content)


def refuse_without_effect(points: Iterable[Configuration], typed: Mapping[str, str]) -> None:
    """Refuse typed initial weights where `synapse.w_from` gives those of all points.

    Parameters
    ----------
    points : iterable of Configuration
        The points.
    typed : mapping of str to str
        What was asked for, `key=value`, by key.

    Raises
    ------
    RequestError
        If there are.
    """
    replaced = [typed[key] for key in ("synapse.w_init", _DISTRIBUTION) if key in typed]
    if replaced and all(point.synapse.w_content for point in points):
        raise RequestError(f"{replaced[0]}: has no effect with synapse.w_from; leave out one")


def with_events(configuration: Configuration, events: Any) -> Configuration:
    """Return a configuration whose input is events from Python, in place of its process.

    Parameters
    ----------
    configuration : Configuration
        The configuration.
    events : pair of array_like, (n_events,)
        Times [ms], rising, and indices of synapses, dimensionless.

    Raises
    ------
    RequestError
        If they are not allowed.
    """
    try:
        content = read_events(EventArrays.of(events))
    except RequestError as error:
        text = str(error)
        raise RequestError(text if text.startswith("events") else f"events: {text}") from error
    remember(content)
    inputs = configuration.input
    values = {"process": File.name, "file": f"{ARRAY}{content.digest}", "content": content.digest}
    own = File(n_synapses=inputs.n_synapses, rate_hz=None, seed_policy=inputs.seed_policy, **values)
    made = dataclasses.replace(configuration, input=own)
    chosen = {f"input.{name}": value for name, value in values.items()}
    return _overridden(made, chosen, ("input.",))


def with_weights(configuration: Configuration, weights: Any) -> Configuration:
    """Return a configuration with other initial weights.

    Parameters
    ----------
    configuration : Configuration
        The configuration.
    weights : array_like, (n_synapses,)
        Fraction of `synapse.g_max`, dimensionless.

    Raises
    ------
    RequestError
        If they are not allowed.
    """
    try:
        content = WeightContent.of(weights)
    except RequestError as error:
        raise RequestError(f"w_init: {error}") from error
    remember(content)
    name, digest = f"{ARRAY}{content.digest}", content.digest
    synapse = dataclasses.replace(configuration.synapse, w_from=name, w_content=digest)
    made = dataclasses.replace(configuration, synapse=synapse)
    chosen = {"synapse.w_from": name, "synapse.w_content": digest}
    return _overridden(made, chosen, ("synapse.w_",))


def _overridden(
    made: Configuration, chosen: Mapping[str, Any], replaced: tuple[str, ...]
) -> Configuration:
    """Return a configuration with overrides that choose it, where a group is swept later."""
    kept = [
        text
        for key, text in overrides_by_key(made.overrides).items()
        if not key.startswith(replaced) or key == "input.n_synapses"
    ]
    texts = [override_text(key, value) for key, value in chosen.items()]
    return made.with_admitted(overrides=(*kept, *texts))
