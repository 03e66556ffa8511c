"""Titles and captions of figures: text from measured numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.figures.facets import Slice
from analysis.measures.equilibrium import COEFFICIENTS, apart_from
from analysis.measures.measured import MeasuredDataset
from analysis.measures.seeds import SEED, confidence_interval, mean_over_seeds
from analysis.measures.stationarity import ANSWERS, NOT_RECORDED, SETTLED
from analysis.measures.weights import n_not_done
from analysis.reading.dataset import long_name, parameter
from analysis.reading.metadata import DONE, FIRST_SEED_POLICY
from analysis.reading.model import has_equilibrium
from analysis.reading.until import run_durations

#: What a title or caption gives of a theory: variables of `fit_of`.
FIT = ("total_variation", *(f"fitted_{name}" for name in COEFFICIENTS))

_UNKNOWN = "Weight history not recorded: equilibrium cannot be assessed"


def comma_separated(*parts: str) -> str:
    """Join the parts that are not empty with commas."""
    return ", ".join(filter(None, parts))


def lines(*parts: str) -> str:
    """Join the parts that are not empty, one line each."""
    return "\n".join(filter(None, parts))


def heading(one: Slice, period: str, content: str = "", key: str = "") -> str:
    """Return a header: selection, simulated time, content, missing points, key, settled points.

    Parameters
    ----------
    one : Slice
        The points that are drawn.
    period : str
        Preposition for the simulated time, such as "After"; "" if the header does not tell it.
    content : str
        What is drawn, such as "mean of 3 seeds".
    key : str
        Meaning of dashes and markers.

    Returns
    -------
    str
        Its lines, the most important first.
    """
    here = one.measured
    said = comma_separated(_simulated_time(here, period), content)
    said = said[:1].upper() + said[1:]
    return lines(selection(one), said, missing_points(here.dataset), key, settled(here))


def _simulated_time(here: MeasuredDataset, period: str) -> str:
    """Return the simulated time after a preposition; "" where durations that were given differ."""
    if not period:
        return ""
    duration = run_durations(here.dataset)
    if not here.until_settled:
        return f"{period} {duration.item() / 1000:,g} s" if duration.ndim == 0 else ""
    ended = duration.where(here.dataset["status"] == DONE) / 1000
    if not ended.notnull().any():
        return ""
    low, high = (f"{float(end):,g}" for end in (ended.min(), ended.max()))
    return f"{period} {low if low == high else f'{low} to {high}'} s, until settled"


def selection(one: Slice) -> str:
    """Return the values that select the points of a figure in one line; "" if all are drawn."""
    return comma_separated(one.measured.part, *one.text.split("\n"))


def dimension(what: str, array: xr.DataArray, dim: str | None) -> str:
    """Return what rows or columns are: "Rows: LTP time constant"; "" without such a dimension.

    Parameters
    ----------
    what : str
        "Rows" or "Columns".
    array : DataArray, ([dim], ...)
        What is drawn, in any unit.
    dim : str or None
        The dimension.
    """
    return f"{what}: {long_name(array[dim])}" if dim else ""


def key(shown: xr.Dataset, theory_name: str) -> str:
    """Return the meaning of dashes and markers of `against_axis`, one line each.

    Parameters
    ----------
    shown : Dataset
        As that of `against_axis`: `mean` and `expected`, (...), in the unit of the variable;
        `silent` and `unsettled`, (...), dimensionless; perhaps `each`, (..., seed).
    theory_name : str
        What is dashed.
    """
    silent = (shown["silent"] & shown["mean"].notnull()).any()
    return lines(
        "Dots: each seed" if "each" in shown else "",
        f"Dashed: {theory_name}" if shown["expected"].notnull().any() else "",
        "Pale markers: not settled" if shown["unsettled"].any() else "",
        "Open markers: silent, no output spike" if silent else "",
    )


def caption(*parts: str) -> str:
    """Return the lines of several texts as sentences of a caption, without markup of formulas."""
    sentences = lines(*parts).splitlines()
    return ". ".join(re.sub(r"\\([$%])", r"\1", sentence) for sentence in sentences)


def beyond_header(figure: Figure, title: str) -> str:
    """Return the lines of a title that the header of a figure does not show, for its caption.

    Parameters
    ----------
    figure : Figure
        With a header of at most `text.MAX_LINES` lines, which begins with the first lines of the
        title, or without one (`style.paper(bare=True)`).
    title : str
        As from `heading`.
    """
    shown = _words(figure.get_suptitle())
    entries = title.splitlines()
    n_shown = max(n for n in range(len(entries) + 1) if shown.startswith(_words(*entries[:n])))
    return lines(*entries[n_shown:])


def _words(*entries: str) -> str:
    """Return texts without the ends of their sentences and lines, each word before a space."""
    words = re.sub(r"\.(?=\s|$)", " ", " ".join(entries)).split()
    return "".join(f"{word} " for word in words)


def missing_points(dataset: xr.Dataset) -> str:
    """Return how many points failed or are missing; "" if none.

    Parameters
    ----------
    dataset : Dataset
        Results with `status` (...), dimensionless.

    Returns
    -------
    str
        Such as "128 of 512 points are missing and not shown".
    """
    n = n_not_done(dataset)
    are = "are missing"
    if shard := dataset.attrs.get("shard"):
        are = f"are missing, or of other shards than {shard},"
    return f"{n} of {dataset['status'].size} points {are} and not shown" if n else ""


def seeds(measured: MeasuredDataset, template: str, entering: xr.DataArray | None = None) -> str:
    """Insert the number of seeds that enter a mean into a text.

    Points without any seed are not counted.

    Parameters
    ----------
    measured : MeasuredDataset
        The points that are drawn.
    template : str
        With a placeholder `{}` for "4", or "2 to 4" where the number differs between points.
    entering : DataArray of bool, (..., seed), optional
        Which runs enter, dimensionless; by default those that are done.

    Returns
    -------
    str
        The text; "" with one seed or none.
    """
    if not measured.has_seeds:
        return ""
    entering = measured.dataset["status"] == DONE if entering is None else entering
    n = entering.sum(SEED)
    if not n.any():
        return ""
    low, high = int(n.where(n > 0).min()), int(n.max())
    number = f"{high}" if low == high else f"{low} to {high}"
    return template.format(number) if high > 1 else ""


def average(measured: MeasuredDataset, variable: xr.DataArray, bars: bool) -> str:
    """Return how several seeds are drawn or, of a sweep over seeds alone, their mean.

    Parameters
    ----------
    measured : MeasuredDataset
        The points that are drawn.
    variable : DataArray, (..., seed) or (...)
        The variable that is drawn, in any unit.
    bars : bool
        Whether error bars are drawn.

    Returns
    -------
    str
        Such as "mean and 95 % interval of 3 seeds".
    """
    if variable.ndim > 1 and not measured.swept:
        return "each seed"
    if measured.swept:
        template = "mean and 95 % interval of {} seeds" if bars else "mean of {} seeds"
        return seeds(measured, template, variable.notnull())
    low, high = (float(confidence_interval(variable).sel(bound=end)) for end in ("low", "high"))
    interval = f" (95 % interval {low:.3g} to {high:.3g})" if np.isfinite(low) else ""
    return f"mean {float(mean_over_seeds(variable)):.3g}{interval}"


def seeds_of_points(measured: MeasuredDataset) -> str:
    """Return what to know about neighbouring points with the same seeds; "" if there are none.

    Parameters
    ----------
    measured : MeasuredDataset
        The points that are drawn.
    """
    policy = parameter(measured.dataset, "input.seed_policy")
    if not (policy == FIRST_SEED_POLICY).all() or measured.done.sum() < 2:
        return ""
    if not measured.has_seeds:
        return "All points have the same seed: neighbouring points move together"
    return "All points share their seeds: neighbouring points move together; see paired_difference"


def settled(measured: MeasuredDataset) -> str:
    """Return how many points have settled, or not, of those that are done and fire.

    Of runs until they have settled, those that do not fire are counted as well. "" where statistics
    change in time.
    """
    if not has_equilibrium(measured.dataset):
        return ""
    chosen = measured.done & (~measured.silent | measured.until_settled)
    return settled_answers(measured.settling["settled"].values[chosen.values])


def pale(measured: MeasuredDataset) -> str:
    """Return what pale histograms are; "" if all are pale alike, or none."""
    chosen = measured.done & ~measured.silent & ~measured.at_equilibrium
    if not (chosen.any() and (measured.any_settled or measured.until_settled)):
        return ""
    answers = set(measured.settling["settled"].values[chosen.values].tolist())
    return f"Pale: {comma_separated(*(answer for answer in ANSWERS if answer in answers))}"


def settled_answers(answers: NDArray[np.str_]) -> str:
    """Summarise the answers of `settling` for one or several points.

    Parameters
    ----------
    answers : ndarray of str, (n_points,)
        Of `stationarity.ANSWERS`, dimensionless.

    Returns
    -------
    str
        The answer if all are equal, else as "3 settled, 1 not settled"; "" without points.
    """
    n = {answer: int((answers == answer).sum()) for answer in ANSWERS}
    given = [answer for answer in ANSWERS if n[answer]]
    if len(given) > 1:
        return comma_separated(*(f"{n[answer]} {answer}" for answer in given))
    if given == [NOT_RECORDED]:
        return _UNKNOWN
    return given[0].capitalize() if given else ""


def note(silent: bool, answer: str, *numbers: float) -> str:
    """Return the text beside a histogram: why it has no theory, else the numbers of `fit`."""
    if silent:
        return "silent"
    return fit(*numbers) if answer in (SETTLED, NOT_RECORDED) else answer


def fit_of(expected: xr.Dataset) -> dict[str, xr.DataArray]:
    """Return what a title or caption gives of a theory, by the names `FIT`.

    Parameters
    ----------
    expected : Dataset, (...)
        As of `expected_histogram`, dimensionless.

    Returns
    -------
    dict of DataArray, (...)
        Dimensionless, under names that no axis has.
    """
    taken = expected["share"].coords
    found = (expected[apart_from(name, taken)] for name in COEFFICIENTS)
    return dict(zip(FIT, (expected["total_variation"], *found), strict=True))


def fit(total_variation: float, alpha: float, beta: float, c: float) -> str:
    """Return total variation and what was fitted; "" without theory (NaN).

    Of an additive rule alpha, with beta in parentheses, of others c.
    """
    if np.isnan(total_variation):
        return ""
    of_others = f"$c$ {c:.2g}"
    fitted = of_others if np.isnan(alpha) else r"$\alpha$ " + f"{alpha:.3g} ({beta:.3g})"
    return f"TV {total_variation:.2g}, {fitted}"


def fit_caption(part: Mapping[Any, xr.DataArray]) -> str:
    """Return the agreement between histograms and theory as a sentence; "" without theory.

    Parameters
    ----------
    part : Dataset, or mapping of str to DataArray
        With the variables `FIT` of each histogram, (...), dimensionless.

    Returns
    -------
    str
        The ranges of the four; what no histogram has is left out.
    """
    distance, alpha, beta, c = (span(part[name].values) for name in FIT)
    if not distance:
        return ""
    additive = f"alpha fitted to the mean weight {alpha}, alpha = beta of the theory {beta}"
    others = f"c fitted to the mean weight {c}"
    return "; ".join(
        [
            f"Total variation between histogram and theory {distance}",
            *([additive] if alpha else []),
            *([others] if c else []),
        ]
    )


def span(values: NDArray) -> str:
    """Return minimum and maximum as text.

    Parameters
    ----------
    values : ndarray, (...)
        In any unit; NaN is left out.

    Returns
    -------
    str
        Such as "0.02 to 0.1", or one number; "" without any.
    """
    if np.isnan(values).all():
        return ""
    low, high = (f"{end(values):.3g}" for end in (np.nanmin, np.nanmax))
    return low if low == high else f"{low} to {high}"
