"""Figure of the plasticity rule: its steps against the weight, and the STDP window."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr

from analysis.figures import titles
from analysis.figures.facets import Figures, slices, thinned
from analysis.figures.sample_figures import by_parameter
from analysis.measures import rule_curves
from analysis.measures.measured import MeasuredDataset
from analysis.measures.rule_curves import ORDERS
from analysis.plots import rule as rule_plot
from analysis.reading.dataset import long_name, parameter
from analysis.reading.model import (
    BEFORE_JUMP,
    POSTSYNAPTIC,
    PRESYNAPTIC,
    depends_on_weight,
    rules,
    trace_kind,
    trace_side,
)

#: Section of the keys that change the rule.
_SECTION = "stdp"

#: Weights at which windows are drawn of one rule whose steps depend on the weight.
_WINDOW_WEIGHTS = (0.1, 0.5, 0.9)


def rule(measured: MeasuredDataset) -> Figures:
    """Yield the steps of the rule against the weight, and its STDP window.

    Lines for the first axis that changes the rule, rows for the second; without any, windows at
    several weights where steps depend on the weight.
    """
    dataset = measured.dataset
    line, row, *others = [*_changing_the_rule(measured), None, None]
    measured, unlike = by_parameter(measured, line, _SECTION)
    few, thinning = thinned(measured, line)
    weights = _WINDOW_WEIGHTS if line is None and depends_on_weight(dataset).any() else None
    steps = rule_curves.pair_steps(few.dataset)
    curve = rule_curves.stdp_window(few.dataset, weights=weights)
    few = replace(few, dataset=few.dataset.assign(pair_steps=steps, stdp_window=curve))
    for one in slices("rule", few, others, curve.notnull()):
        part = one.measured.dataset
        rows = titles.dimension("Rows", part["stdp_window"], row)
        isolated = "Isolated pairs of spikes" if _has_more_than_pairs(dataset) else ""
        title = titles.lines(titles.selection(one), isolated, rows, _ltd_ratio(part), thinning)
        figure = rule_plot.rule(part["pair_steps"], part["stdp_window"], row, line, title)
        rest = titles.beyond_header(figure, title)
        yield one, figure, titles.caption(rest, unlike, *_about_pairs(one.measured.dataset))


def _changing_the_rule(measured: MeasuredDataset) -> list[str]:
    """Return the swept axes along which curves of the rule differ, told from their first values."""
    one = measured.dataset.isel({axis: slice(1) for axis in measured.swept})
    return [axis for axis in measured.swept if axis in rule_curves.stdp_window(one).dims]


def _ltd_ratio(dataset: xr.Dataset) -> str:
    """Return the LTD ratio that all rules have; "" where they differ, or one has none.

    Parameters
    ----------
    dataset : Dataset
        Results, with `effective_ltd_ratio` and `discrete_ltd_ratio` (...), dimensionless.

    Returns
    -------
    str
        Such as "Effective LTD ratio 1.1", with that in time steps where it is another.
    """
    ratio = dataset["effective_ltd_ratio"]
    discrete = dataset.get("discrete_ltd_ratio", ratio)
    nominal = float(ratio.max())
    if not np.allclose(ratio, nominal, rtol=1e-6):  # not where one is NaN either
        return ""
    text = f"{long_name(ratio)} {nominal:.4g}"
    if np.allclose(discrete, nominal, rtol=1e-6):
        return text
    low, high = (f"{float(end):.4g}" for end in (discrete.min(), discrete.max()))
    return f"{text}, in time steps {low if low == high else f'{low} to {high}'}"


def _about_pairs(dataset: xr.Dataset) -> list[str]:
    """Return what to know about the curves of rules, a sentence each.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes.
    """
    more = "Changes by single spikes and by more than two, if any, are not shown"
    return [
        "Weight changes by isolated pairs of spikes",
        *([more] if _has_more_than_pairs(dataset) else []),
        f"Spikes in one time step {' or '.join(_coincidence(dataset))}",
    ]


def _has_more_than_pairs(dataset: xr.Dataset) -> bool:
    """Whether any rule may change weights otherwise: the theory, which is of pairs, has gaps."""
    names = np.unique(parameter(dataset, "stdp.rule")).tolist()
    return any(rules(dataset).get(name, {}).get("theory_gap") for name in names)


def _coincidence(dataset: xr.Dataset) -> list[str]:
    """Return as what an input and an output spike in one time step count in any of the rules."""
    kind, side = trace_kind(dataset), trace_side(dataset)
    counts = kind.notnull() & (kind.fillna(0).astype(int) & BEFORE_JUMP == 0)
    first, second = ((counts & (side == one)).any("trace") for one in ORDERS)
    texts = {
        (True, True): "count as pairs of both orders",
        (True, False): f"count as {ORDERS[PRESYNAPTIC]}",
        (False, True): f"count as {ORDERS[POSTSYNAPTIC]}",
        (False, False): "do not count",
    }
    both = zip(*(one.values.ravel().tolist() for one in xr.broadcast(first, second)), strict=True)
    found = set(both)
    return [text for counted, text in texts.items() if counted in found]
