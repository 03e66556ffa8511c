"""Figures embedded in the report."""

import base64
import io

import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

from analysis.figures.facets import slices
from analysis.figures.registry import FigureSpec
from analysis.report import page as report_page
from tests.support.report import report_of


def test_every_figure_is_in_the_page(page, experiment):
    """As a PNG of 200 dpi with name, caption and command; the alternative text names its axes."""
    names = [
        "weights",
        "rates_against_rate_hz",
        "cv_against_rate_hz",
        "mean_weight_against_rate_hz",
        "shares_against_rate_hz",
        "settling",
        "window",
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
    start = "Output rate. Against input rate. Over the last half of 1 s, mean of 2 seeds"
    assert alt.startswith(start)
    assert alt.endswith("Vertical: Output firing rate, last half of the run (Hz).")
    assert "Horizontal: Input rate (Hz)" in alt
    assert "Time difference t_pre - t_post (ms)" in images["window"]["alt"]
    for name in ("weights", "rates", "weights_in_time"):
        assert f"python -m analysis {experiment} --figure {name}" in page.texts["figures"]
    assert "STDP window. Spikes in one time step count as both" in page.texts["figures"]


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
