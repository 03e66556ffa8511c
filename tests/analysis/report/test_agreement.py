"""A referee's walk through one report: all numbers of one quantity and point are the same."""

import re

import numpy as np
import pytest

import pipeline
from analysis.measures.numbers import numbers
from analysis.reading.dataset import label, open_results
from analysis.report import embed
from analysis.report import page as report_page
from tests.conftest import SMALL
from tests.support.report import report_of

pytestmark = pytest.mark.long

RATES, TAUS = [0.0, 20.0, 30.0, 40.0], [40.0, 10.0, 20.0]

#: First words of a warning, and what the table of numbers says of the combinations it concerns.
VERDICTS = {
    "Silent": "silent",
    "Cannot fire": "cannot fire",
    "No output spike": "no output spike",
    "Not settled": "not settled",
}

#: Overrides of runs of a duration that was given, and of runs until they have settled.
RUNS = {
    "given": ("simulation.duration=5000", "record=history", "record.weight_interval=250"),
    "until settled": ("simulation.until=settled", "simulation.duration=70000", "stdp.A_plus=0.02"),
}


@pytest.fixture(scope="module", params=RUNS)
def walked(request, tmp_path_factory):
    """Two axes and three seeds, of which some combinations are silent: file, page and figures."""
    folder = tmp_path_factory.mktemp("walk") / "walk"
    base = pipeline.configure(*SMALL, *RUNS[request.param])
    axes = {"input.rate_hz": RATES, "stdp.tau_minus": TAUS, "seed": [1, 2, 3]}
    pipeline.sweep(base, axes, folder, backend="sequential")
    figures = {}

    def embedded_and_kept(spec, drawn, dataset, command):
        figures[drawn.name] = drawn.figure
        return embed.embedded(spec, drawn, dataset, command)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report_page, "embedded", embedded_and_kept)
        patch.setattr(embed, "_DPI", 20)
        _, page = report_of(folder)
    return folder, page, figures


def text_of(number):
    """Return a number as the table has it."""
    return f"{number:.4g}" if np.isfinite(number) else "–"


def in_the_table(page):
    """Yield label, combination and text of every cell of the table of numbers."""
    heading, *rows = page.rows["numbers"]
    assert len(heading) == len(set(heading)), "two columns have one heading"
    for row in rows:
        for name, text in zip(heading[2:], row[2:], strict=True):
            yield name, (float(row[0]), float(row[1])), text


def in_python(folder):
    """Yield label, combination and text of every number that `analysis.numbers` returns."""
    with open_results(folder) as dataset:
        found = numbers(dataset)
        for name in found:
            if name != "settled" and not re.search("_(spread|low|high)$", name):
                for rate, tau in np.ndindex(len(RATES), len(TAUS)):
                    value = found[name].isel(rate_hz=rate, tau_minus=tau).item()
                    yield label(found[name]), (RATES[rate], TAUS[tau]), text_of(value)


def in_figures_along_an_axis(figures):
    """Yield label, combination and text of every marker, and of the ends of every error bar."""
    for name, figure in figures.items():
        kind, _, axis = name.partition("_against_")
        for panel in figure.axes if axis else ():
            named = figure.axes[0].get_ylabel()
            if kind == "shares":
                named = panel.get_title().replace("Weights", "Share of weights")
            for other, drawn in zip(sorted(TAUS if axis == "rate_hz" else RATES),
                                    panel.containers, strict=True):  # fmt: skip
                data, _, bars = drawn.lines
                segments = [one for line in bars for one in line.get_segments() if one.size]
                ends = {segment[0, 0]: segment[:, 1] for segment in segments}
                for x, y in data.get_xydata():
                    point = (x, other) if axis == "rate_hz" else (other, x)
                    yield " ".join(named.split()), point, text_of(y)
                    if kind == "rates" and x in ends:
                        low, high = map(text_of, ends[x])
                        interval = f"{low} to {high}" if low != "–" else "–"
                        yield "95 % interval of the mean", point, interval


def in_maps(figures):
    """Yield label, combination and text of every pixel of phase diagram and durations."""
    for name in {"phase_diagram", "durations"} & figures.keys():
        panels = figures[name].axes
        n = len(panels) // 2
        for panel, bar in zip(panels[:n], panels[n:], strict=True):
            pixels = panel.collections[0].get_array().filled(np.nan)
            for (i, j), value in np.ndenumerate(pixels):
                point = sorted(RATES)[j], sorted(TAUS)[i]
                yield " ".join(bar.get_xlabel().split()), point, text_of(value)


def test_a_number_that_occurs_twice_is_the_same(walked):
    """Table, `analysis.numbers`, markers, error bars, maps: one label has one value at a point."""
    folder, page, figures = walked
    known = {}
    n_compared = 0
    for source in (
        in_the_table(page),
        in_python(folder),
        in_figures_along_an_axis(figures),
        in_maps(figures),
    ):
        for name, point, text in source:
            n_compared += (name, point) in known
            assert known.setdefault((name, point), text) == text, (name, point)
    labels = {name for name, _ in known}
    assert n_compared > 250
    # What only one of them shows.
    alone = {name for name in labels if "window" not in name} - set(page.rows["numbers"][0])
    assert alone - {"Simulated time of the run (ms)", "Settled after (ms)"} == {
        "Bimodality coefficient of weights",
        "Number of seeds that are done",
    }


def test_what_is_counted_in_the_text_is_what_the_table_says(walked):
    """Points and combinations in the header, and each verdict of the warnings."""
    _, page, _ = walked
    heading, *rows = page.rows["numbers"]
    n = len(RATES) * len(TAUS)
    assert len(rows) == n
    counts = f"{3 * n} points ({n} parameter combinations, 3 seeds each): {3 * n} done."
    assert counts in page.texts[""]
    verdicts = [row[heading.index("Settled")].partition(":")[0] for row in rows]
    (never,) = {"silent", "cannot fire"} & {*verdicts}
    assert verdicts.count(never) == len(TAUS)
    counted = r"<strong>([^<]*): (\d+) of (\d+) parameter combinations\.</strong>"
    found = re.findall(counted, page.text)
    assert [text for text, _, _ in found if text.startswith(never.capitalize())]
    named = set()
    for text, number, of in found:
        (verdict,) = [word for first, word in VERDICTS.items() if text.startswith(first)]
        named.add(verdict)
        assert (int(number), int(of)) == (verdicts.count(verdict), n), text
    assert named == {*VERDICTS.values()} & {*verdicts}


def test_every_axis_and_column_has_a_label_of_its_own(walked):
    """No label of an axis, a colour bar or a column stands for two quantities of the report."""
    folder, page, figures = walked
    quantities = {
        "rates": "late_output_rate",
        "cv": "late_isi_cv",
        "fano": "late_fano_factor",
        "mean_weight": "mean_weight",
    }
    with open_results(folder) as dataset:
        for name, figure in figures.items():
            kind, _, axis = name.partition("_against_")
            if kind in quantities:
                named = " ".join(figure.axes[0].get_ylabel().split())
                assert named == label(dataset[quantities[kind]])
                assert figure.axes[0].get_xlabel() == label(dataset[axis])
                assert named in page.rows["numbers"][0]
        labels = [label(dataset[name]) for name in quantities.values()]
    assert len(labels) == len(set(labels))
