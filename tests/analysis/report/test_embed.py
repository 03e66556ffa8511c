"""Figures embedded in the report."""

import base64
import html
import io
import re
import shlex

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

import pipeline
from analysis.__main__ import main
from analysis.figures import save
from analysis.figures.facets import slices
from analysis.figures.registry import FigureSpec
from analysis.report import embed
from analysis.report import page as report_page
from tests.conftest import SMALL
from tests.support.report import report_of

pytestmark = pytest.mark.long


def test_every_figure_is_in_the_page(page, experiment):
    """As a PNG of 200 dpi with name, caption and command; the alternative text names its axes."""
    names = [
        "weights",
        "rates_against_rate_hz",
        "cv_against_rate_hz",
        "mean_weight_against_rate_hz",
        "shares_against_rate_hz",
        "settling",
        "rule",
        "weights_in_time_rate_hz=0.0",
        "weights_in_time_rate_hz=60.0",
    ]
    assert [figure["id"] for figure in page.all("figure")] == [f"figure-{name}" for name in names]
    images = dict(zip(names, page.all("img"), strict=True))
    for image in images.values():
        media_type, _, data = image["src"].partition(",")
        assert media_type == "data:image/png;base64"
        height, width, _ = plt.imread(io.BytesIO(base64.b64decode(data, validate=True))).shape
        assert width == pytest.approx(int(image["width"]) * 200 / 130, abs=2)
        assert height == pytest.approx(int(image["height"]) * 200 / 130, abs=2)
    alt = images["rates_against_rate_hz"]["alt"]
    assert alt.startswith("Output rate. Against input rate. ")
    assert ". Over the last half of 1 s, mean of 2 seeds" in alt
    assert alt.endswith("Vertical: Output firing rate, last half of the run (Hz).")
    assert "Horizontal: Input rate (Hz)" in alt
    assert "Time difference t_pre - t_post (ms)" in images["rule"]["alt"]
    for name in ("weights", "rates", "weights_in_time"):
        assert f"python -m analysis {experiment} --figure {name}" in page.texts["figures"]
    caption, _, header = images["rule"]["alt"].partition(" Effective LTD ratio ")
    assert caption == (
        "Steps of the plasticity rule against the weight, and STDP window. Weight changes by "
        "isolated pairs of spikes. Spikes in one time step count as pairs of both orders."
    )
    assert header.startswith("1.1. Horizontal: ")
    assert f" {caption} " in page.texts["figures"]
    for image in images.values():  # a title in the caption is not read out twice
        assert image["alt"].count("Over the last half") <= 1


def test_slices_that_are_not_drawn_are_reported(keep, monkeypatch):
    """Below the figures: how many of the slices are drawn, and how another one is."""

    def squares(measured):
        for one in slices("squares", measured, ["tau_plus"]):
            yield one, Figure((1, 1)), ""

    monkeypatch.setattr(
        report_page, "FIGURES", {"": FigureSpec("squares", "Squares", lambda _: "", squares)}
    )
    _, page = report_of(keep("many", {"stdp.tau_plus": [10, 15, 20, 25, 30]}))
    message = "squares: 3 of 5 slices drawn; choose others as by --figure squares --where "
    assert f"{message}stdp.tau_plus=10" in page.texts["figures"]
    drawn = [f"figure-squares_tau_plus={tau_plus}" for tau_plus in (15.0, 20.0, 25.0)]
    assert [figure["id"] for figure in page.all("figure")] == drawn


def content(figure):
    """Return the numbers that a figure shows: of all lines, images, points and bars.

    Without colour bars, whose scale is that of all slices that are drawn together.
    """
    found = []
    for panel in [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]:
        found += [np.asarray(line.get_xydata()) for line in panel.lines]
        found += [np.ma.getdata(image.get_array()) for image in panel.images]
        for one in panel.collections:
            found += [
                np.ma.getdata(one.get_offsets()),
                *(path.vertices for path in one.get_paths()),
            ]
        found += [
            np.ravel(patch.get_data()[0]) for patch in panel.patches if hasattr(patch, "get_data")
        ]
    return found


@pytest.fixture(scope="module")
def three_axes(tmp_path_factory):
    """An experiment over three axes and two seeds, its report, and the content of each figure."""
    folder = tmp_path_factory.mktemp("three") / "three axes"
    axes = {
        "input.rate_hz": [20, 30, 40],
        "stdp.tau_minus": [10, 20, 40],
        "stdp.ltd_ratio": [1.0, 1.05],
        "seed": [1, 2],
    }
    base = pipeline.configure(*SMALL, "simulation.duration=4000", "record=history")
    pipeline.sweep(base, axes, folder, backend="sequential")
    shown = {}

    def embedded_and_kept(spec, drawn, dataset, command):
        shown[drawn.name] = (spec.name, drawn.where), content(drawn.figure)
        return embed.embedded(spec, drawn, dataset, command)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report_page, "embedded", embedded_and_kept)
        patch.setattr(embed, "_DPI", 20)
        _, page = report_of(folder)
    return page, shown


def test_the_heading_of_a_figure_is_in_words(three_axes):
    """What it shows, against what, and the values of the axes that it does not show."""
    page, _ = three_axes
    headings = re.findall("<h4>(.*?)</h4>", page.text)
    assert len(headings) == len(set(headings)) == len(page.all("figure")) - 1
    assert "Output rate against input rate, ltd_ratio = 1.05" in headings
    assert "Output rate against ratio of LTD to LTP amplitude, tau_minus = 10 ms" in headings
    assert not [heading for heading in headings if "_against_" in heading]


def test_the_contents_have_each_kind_of_figure_once(three_axes):
    """Its name leads to its heading, and the values lead to the figures, each to one of them."""
    page, _ = three_axes
    (kinds,) = re.findall('<nav aria-label="Figures" class="kinds">(.*?)</nav>', page.text)
    links = re.findall('<a href="#(.*?)">(.*?)</a>', kinds)
    figures = [attributes["id"] for attributes in page.all("figure")]
    leading = [target for target, _ in links if target.startswith("figure-")]
    alone = ["figure-rule"]  # the only one of its kind, to which the name of the kind leads
    assert sorted([*leading, *alone]) == sorted(figures)
    names = [text for target, text in links if target.startswith("figures-")]
    assert (
        names == re.findall("<h3>(.*?)</h3>", page.text.partition('id="figures"')[2])[: len(names)]
    )
    assert len(names) == len(set(names)) < len(figures) / 3
    assert f'<a href="#{figures[-1]}">rate_hz = ' in kinds
    first = '<a href="#figure-rates_against_rate_hz_ltd_ratio=1.0">ltd_ratio = 1</a>'
    assert f"<li>against input rate: {first}; <a " in kinds


def test_the_command_under_a_figure_draws_that_figure(three_axes, monkeypatch):
    """Each one is run: it draws the figures of its slice, which show the same numbers."""
    page, shown = three_axes
    found = {}

    def keep_content(drawn, folder, formats):
        found[drawn.name] = content(drawn.figure)
        plt.close(drawn.figure)
        return []

    monkeypatch.setattr(save, "_save", keep_content)
    blocks = re.findall('<figure id="figure-(.*?)".*?<pre><code>(.*?)</code></pre>', page.text)
    assert [name for name, _ in blocks] == [*shown]
    commands = {html.unescape(command): shown[name][0] for name, command in blocks}
    assert len(commands) == len({*commands.values()})
    for command, slice_of_kind in commands.items():
        found.clear()
        program = shlex.split(command)
        assert program[:3] == ["python", "-m", "analysis"]
        assert main(program[3:]) == 0
        asked = {name for name, (one, _) in shown.items() if one == slice_of_kind}
        assert {*found} & {*shown} == asked
        for name in asked:
            assert len(found[name]) == len(shown[name][1]) > 0
            for here, there in zip(found[name], shown[name][1], strict=True):
                np.testing.assert_array_equal(here, there, err_msg=name)
