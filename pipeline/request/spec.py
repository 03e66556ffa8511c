"""Requests as plain values, as stored in `configuration.yaml` and `results.nc`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.model.errors import RequestError
from pipeline.model.parameters import MODEL_VERSION, SECTIONS, completed
from pipeline.model.registry import REGISTRIES, content_hash
from pipeline.request.axis import SWEPT_GROUPS, Axis, settings_at
from pipeline.request.axis_kinds import kind_of
from pipeline.request.grid import Grid
from pipeline.request.samples import SAMPLE

#: Constants nested as in `conf/`, the version of the model, and `axes`: the list of values by key,
#: or, where a value sets more than its own key, the settings of each value; samples by column, see
#: `SampleAxis.stored`. `SOURCES` if needed.
Request = Mapping[str, Any]


#: Of a request whose points became longer: the durations that they had before [ms].
GROWN_FROM = "grown_from"


#: Of a request with classes of the user's: the hashes of their sources, by key and by name.
SOURCES = "sources"


def request_of(grid: Grid) -> dict[str, Any]:
    """Return the constants and axes of a grid as plain values."""
    axes = {axis.key: axis.stored for axis in grid.axes}
    sources = source_hashes(model_sources(grid))
    request = {"model_version": MODEL_VERSION} | grid.constants() | {"axes": axes}
    return request | ({SOURCES: sources} if sources else {})


def model_sources(grid: Grid) -> dict[str, dict[str, str]]:
    """Return the source texts of the user's rules and processes, by key and by name."""
    found: dict[str, dict[str, str]] = {}
    for point in grid.unlike_models:
        for part in (point.stdp, point.input):
            if part.source:
                found.setdefault(part.registry.key, {})[part.name] = part.source
    return found


def source_hashes(sources: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Return the hashes of source texts, by key and by name as these."""
    return {
        key: {name: content_hash(text) for name, text in named.items()}
        for key, named in sources.items()
    }


def grid_of_request(request: Request) -> Grid:
    """Return the grid of a request, the inverse of `request_of`.

    Raises
    ------
    RequestError
        If the request is of another version of the model, or not allowed.
    """
    return Grid(*base_and_axes(request))


def base_and_axes(request: Request) -> tuple[dict[str, Any], list[Axis]]:
    """Return the axes of a request and a base configuration, with the first value of each axis.

    Raises
    ------
    RequestError
        If the request is of another version of the model, or an axis is not allowed.
    """
    version = request["model_version"]
    if version != MODEL_VERSION:
        raise RequestError(
            f"made by model version {version}, and this is version {MODEL_VERSION}, with other "
            "results"
        )
    request = completed_request(request)
    axes = [kind_of(key).restore(key, values) for key, values in request["axes"].items()]
    base = {name: dict(request.get(name, {})) for name in SECTIONS}
    flat = {"seed": request["seed"]} if "seed" in request else {}
    for key, value in settings_at(axes, [0] * len(axes)).items():
        section, _, name = key.rpartition(".")
        (base[section] if section else flat)[name] = value
    return base | flat, axes


def settings_in(axes: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what the values of axes of a request set, where that is more than their own keys."""
    for key, stored in axes.items():
        choices = stored.get("settings", {}).values() if key == SAMPLE else [stored]
        for one in choices:
            if isinstance(one, Mapping):
                yield from one.values()


def completed_request(request: Request) -> dict[str, Any]:
    """Return a request with neutral values for fields that an earlier version did not have.

    Raises
    ------
    RequestError
        If a section names a variant that does not exist.
    """
    constants = {name: dict(request[name]) for name in SECTIONS if name in request}
    axes = {key: _completed_axis(key, stored) for key, stored in request["axes"].items()}
    columns = {**axes, **axes.get(SAMPLE, {}).get("columns", {})}
    swept = [(key.rpartition("."), values) for key, values in columns.items()]
    for (section, _, name), values in swept:  # one of them may choose the variant
        if section in constants:
            constants[section][name] = next(iter(values))
    filled = completed(constants)
    for (section, _, name), _ in swept:
        filled.get(section, {}).pop(name, None)
    return dict(request) | filled | {"axes": axes}


def _completed_axis(key: str, stored: Any) -> Any:
    """Return an axis with neutral values for fields that its rules or processes lack."""
    if key == SAMPLE:
        choices = stored.get("settings", {}).items()
        completed_ones = {own: _completed_axis(own, one) for own, one in choices}
        return {**stored, **({"settings": completed_ones} if completed_ones else {})}
    if (key in SWEPT_GROUPS or key in REGISTRIES) and isinstance(stored, Mapping):
        return {name: _completed_choice(key, setting) for name, setting in stored.items()}
    return stored


def _completed_choice(key: str, setting: Mapping[str, Any]) -> dict[str, Any]:
    group = key.partition(".")[0]
    prefix = f"{group}."
    own = {k.removeprefix(prefix): v for k, v in setting.items() if k.startswith(prefix)}
    neutral = SECTIONS[group].variant(own).neutral_values()
    return {f"{prefix}{name}": value for name, value in neutral.items()} | dict(setting)
