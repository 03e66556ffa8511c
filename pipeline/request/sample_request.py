"""Which samples a command asks for: paired keys, a table, or intervals to draw from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.composition.sweep_settings import SweepSettings
from pipeline.model.errors import NO_VALUE, RequestError
from pipeline.model.quantity import unknown_key
from pipeline.request.axis import listed, sweepable_keys
from pipeline.request.drawn_samples import Interval, drawn
from pipeline.request.sample_source import SampleSource
from pipeline.request.sample_table import samples_in
from pipeline.request.samples import Samples
from pipeline.system.words import counted


def requested_samples(
    settings: SweepSettings,
    swept: Mapping[str, Any],
    intervals: Mapping[str, Interval],
    folders: Iterable[Path],
) -> tuple[Samples | None, dict[str, Any]]:
    """Return the samples, and the values by key of the axes that remain beside them.

    Parameters
    ----------
    settings : SweepSettings
        The section `sweep`.
    swept : mapping
        Values by key of each swept key or group.
    intervals : mapping of str to Interval
        By key.
    folders : iterable of Path
        Where a table may be, besides the current folder.

    Raises
    ------
    RequestError
        If the settings contradict each other, or samples are not allowed.
    """
    _refuse_contradictions(settings, intervals)
    if settings.zip:
        return _zipped(settings, swept)
    if settings.table:
        return samples_in(settings.table, folders), dict(swept)
    return (drawn(intervals, settings) if intervals else None), dict(swept)


def _refuse_contradictions(settings: SweepSettings, intervals: Mapping[str, Interval]) -> None:
    given = settings.given()
    ways = [given[name] for name in ("zip", "table") if name in given]
    ways += [f"{key}={interval}" for key, interval in intervals.items()][:1]
    if len(ways) > 1:
        raise RequestError(
            f"{ways[0]}: must not be given together with {ways[1]}; a sweep has one kind of samples"
        )
    if intervals and "samples" not in given:
        raise RequestError(f"{ways[0]}: needs the number of samples, as in sweep.samples=256")
    for name in ("samples", "method", "seed"):
        if name in given and not intervals:
            raise RequestError(
                f"{given[name]}: has no effect without an interval, as in "
                "input.rate_hz=interval(10,40)"
            )


def _zipped(settings: SweepSettings, swept: Mapping[str, Any]) -> tuple[Samples, dict[str, Any]]:
    """Return the values of the keys of `sweep.zip` as samples, and the other axes."""
    columns, text, known = {}, settings.given()["zip"], sweepable_keys()
    for key in settings.zipped:
        if key not in known:
            raise RequestError(f"{text}: {unknown_key(key, NO_VALUE, known)}")
        if key not in swept:
            raise RequestError(f"{text}: {key} must be swept, as in {key}=VALUE,VALUE")
        columns[key] = listed(key, swept[key])
    lengths = {key: len(values) for key, values in columns.items()}
    if len({*lengths.values()}) > 1:
        found = ", ".join(
            f"{key} has {counted(length, 'value')}" for key, length in lengths.items()
        )
        raise RequestError(f"{text}: {found}; all must have the same number")
    samples = Samples(columns, source=SampleSource(text))
    return samples, {key: one for key, one in swept.items() if key not in columns}
