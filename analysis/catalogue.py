"""Which figures a file supports, and how its axes are laid out in them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from analysis import figures, measures, theory
from analysis.load import axes, long_name, parameter, value_label

log = logging.getLogger("analysis")

#: What no axis of a figure can show gets a figure per value, up to this many.
MOST_SLICES = 12

NamedFigure = tuple[str, Figure]


def all_figures(dataset: xr.Dataset) -> Iterator[NamedFigure]:
    """Yield name and figure of all that a file supports."""
    yield from weight_distributions(dataset)
    yield from variable_against_axes(dataset, "output_rate", "Over", from_zero=True)
    yield from variable_against_axes(dataset, "mean_weight", "After", from_zero=False)
    yield from windows(dataset)


def weight_distributions(dataset: xr.Dataset) -> Iterator[NamedFigure]:
    """Yield the weight histograms: rows for the first axis, lines for the second, seeds pooled."""
    row, line, *others = [*_axes_without_seed(dataset), None, None]
    if row and line and dataset.sizes[row] > figures.MOST_ROWS and dataset.sizes[line] > 4:
        line, others = None, [line, *others]  # a map has room for a few columns
    shown = xr.Dataset(
        {"share": measures.weight_histogram(dataset), "silent": measures.silent(dataset)}
    )
    heading = _heading(dataset, "After", _seeds(dataset, "{} seeds pooled"))
    for suffix, words, part in _slices(shown, others):
        title = _lines(heading, words)
        figure = figures.weight_distribution(part["share"], part["silent"], row, line, title)
        yield f"weight_distribution{suffix}", figure


def variable_against_axes(
    dataset: xr.Dataset, variable: str, when: str, from_zero: bool
) -> Iterator[NamedFigure]:
    """Yield a variable against each swept axis, seeds averaged, one line per value of another."""
    swept = _axes_without_seed(dataset)
    if not swept and measures.SEED in axes(dataset):
        yield _variable_against_seed(dataset, variable, when, from_zero)
    shown = xr.Dataset(
        {
            "mean": measures.mean_over_seeds(dataset[variable]),
            "spread": measures.spread_over_seeds(dataset[variable]),
            "silent": measures.silent(dataset),
        }
    )
    heading = _heading(dataset, when, _seeds(dataset, "mean and SD of {} seeds"))
    for x in swept:
        line, *others = [*(axis for axis in swept if axis != x), None]
        for suffix, words, part in _slices(shown, others):
            title = _lines(heading, words)
            figure = figures.against_axis(
                part["mean"], part["spread"], part["silent"], x, line, title, from_zero
            )
            yield f"{variable}_against_{x}{suffix}", figure


def windows(dataset: xr.Dataset) -> Iterator[NamedFigure]:
    """Yield the STDP window: lines for the first axis that shapes it, rows for the second."""
    window = theory.stdp_window(dataset)
    shaping = [axis for axis in axes(dataset) if axis in window.dims]
    line, row, *others = [*shaping, None, None]
    ratio = dataset["effective_ltd_ratio"]
    words_ratio = f"{long_name(ratio)} {ratio.item():.4g}" if ratio.ndim == 0 else ""
    for suffix, words, part in _slices(window.to_dataset(name="window"), others):
        title = _lines(words_ratio, words)
        yield f"stdp_window{suffix}", figures.stdp_window(part["window"], row, line, title)


def _variable_against_seed(
    dataset: xr.Dataset, variable: str, when: str, from_zero: bool
) -> NamedFigure:
    values = dataset[variable]
    spread = measures.spread_over_seeds(values).item()
    sd = "" if np.isnan(spread) else f"SD {spread:.3g}"
    figure = figures.against_axis(
        values,
        xr.full_like(values, float("nan")),
        dataset["spike_count"] == 0,
        measures.SEED,
        title=_heading(dataset, when, sd),
        from_zero=from_zero,
    )
    return f"{variable}_against_{measures.SEED}", figure


def _axes_without_seed(dataset: xr.Dataset) -> list[str]:
    return [axis for axis in axes(dataset) if axis != measures.SEED]


def _slices(
    dataset: xr.Dataset, dims: Sequence[str | None]
) -> Iterator[tuple[str, str, xr.Dataset]]:
    """Yield file suffix, words and data at each combination of the values of some axes."""
    named = [("", "", dataset)]
    for dim in filter(None, dims):
        named = [
            (
                f"{suffix}_{dim}={value}",
                _lines(words, f"{long_name(part[dim])}: {value_label(part[dim], value)}"),
                part.isel({dim: i}),
            )
            for suffix, words, part in named
            for i, value in enumerate(part[dim].values)
        ]
    named = [(suffix, words, part) for suffix, words, part in named if _has_numbers(part)]
    if len(named) > MOST_SLICES:
        log.warning("%d figures of a kind: only %d are drawn", len(named), MOST_SLICES)
    yield from named[:MOST_SLICES]


def _has_numbers(dataset: xr.Dataset) -> bool:
    """Whether there is anything to draw: a sweep that has grown may have points nowhere near."""
    first = next(iter(dataset.data_vars.values()))
    return bool(first.notnull().any())


def _words(*parts: str) -> str:
    return ", ".join(filter(None, parts))


def _lines(*parts: str) -> str:
    return "\n".join(filter(None, parts))


def _duration(dataset: xr.Dataset, when: str) -> str:
    duration = parameter(dataset, "simulation.duration")
    return f"{when} {duration.item() / 1000:g} s" if duration.ndim == 0 else ""


def _seeds(dataset: xr.Dataset, words: str) -> str:
    """Return the words with the number of seeds that are done where any is: "4", or "2 to 4"."""
    if measures.SEED not in dataset["status"].dims:
        return ""
    done = (dataset["status"] == 0).sum(measures.SEED)
    done = done.where(done > 0)
    least, most = int(done.min()), int(done.max())
    number = f"{most}" if least == most else f"{least} to {most}"
    return words.format(number) if most > 1 else ""


def _heading(dataset: xr.Dataset, when: str, what: str) -> str:
    """Return what every title begins with: the time, what is shown, and how much is missing."""
    holes = measures.n_not_done(dataset)
    missing = f"{holes} of {dataset['status'].size} points are not done" if holes else ""
    return _lines(_words(_duration(dataset, when), what), missing)
