"""`stdp explore` in a browser."""

import numpy as np
import pytest

import pipeline
from analysis import numbers, open_results, weight_histogram
from tests.conftest import SMALL
from tests.support.browser import served, slower

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Nine combinations of two seeds."""
    path = tmp_path_factory.mktemp("explore") / "nine"
    configuration = pipeline.configure(
        *SMALL, "simulation.duration=1000", "record.weight_interval=50"
    )
    axes = {"input.rate_hz": [40, 50, 60], "stdp.tau_plus": [10, 15, 20], "seed": [1, 2]}
    pipeline.sweep(configuration, axes, path, backend="sequential")
    return path


@pytest.fixture(scope="module")
def dataset(folder):
    """Its results."""
    with open_results(folder) as opened:
        return opened.load()


@pytest.fixture(scope="module")
def address(folder, dataset, browser):
    """Its page."""
    with served("explore", str(folder), folder=folder) as found:
        yield found


def test_the_page_shows_the_combination_in_the_middle(address, open_page, dataset):
    """Histogram and numbers of 50 Hz and 15 ms; the same number as `analysis.numbers`."""
    opened = open_page(address)
    here = dataset.sel(rate_hz=50, tau_plus=15)
    np.testing.assert_allclose(opened.data("bars", "top"), weight_histogram(here))
    rate = numbers(here)["late_output_rate"].item()
    shown = opened.get("find('numbers').text")
    assert (
        f"<td>Output firing rate, last half of the run (Hz)</td><td class=number>{rate:.4g}"
        in shown
    )
    assert "Seeds done: 2 of 2" in shown
    opened.wait_for_text("18 points: 18 done")
    opened.wait("find('remarks').text.includes('Not settled')")
    opened.wait("find('map').data.image.length == 1")


def test_a_slider_moves_the_histogram(address, open_page, dataset):
    """By the keyboard, as a user; what is drawn is another picture, of the file's numbers."""
    opened = open_page(address)
    opened.wait("find('course_mean').data.t.length > 1")
    opened.page.wait_for_timeout(300)
    before = opened.page.locator("canvas").nth(1).screenshot()
    opened.press("axis_rate_hz", "ArrowRight")
    opened.wait_for_histogram(
        weight_histogram(dataset.sel(rate_hz=60, tau_plus=15)).values.tolist()
    )
    opened.wait_for_other_picture(1, before)
    opened.page.get_by_text("60 Hz", exact=True).first.wait_for()


def test_a_click_on_the_map_moves_the_sliders(address, open_page, dataset):
    """To the cell; another seed is chosen from the menu."""
    opened = open_page(address)
    opened.wait("find('map').data.image.length == 1")
    opened.click("map_figure", 0, 2)
    opened.wait("find('axis_rate_hz').value == 0 && find('axis_tau_plus').value == 2")
    here = dataset.sel(rate_hz=40, tau_plus=20)
    opened.wait_for_histogram(weight_histogram(here).values.tolist())
    opened.wait("find('marker').data.x[0] == 0 && find('marker').data.y[0] == 2")
    opened.choose("seed", "2")
    opened.wait_for_histogram(weight_histogram(here.sel(seed=2)).values.tolist())


def test_a_failed_point_has_no_courses(serve, open_page, keep, fail_for_seed):
    """That it is not done is said above the panels, which other points fill."""
    fail_for_seed(3, ArithmeticError("no luck"))
    path = keep("failed", {"seed": [1, 3]}, "record.weight_interval=50")
    opened = open_page(serve("explore", str(path)))
    opened.wait("find('course_mean').data.t.length > 1")
    opened.choose("seed", "3")
    opened.wait("find('weights').title.text == 'Weights in time: not done'")
    assert opened.data("course_mean", "t") == []


def test_a_line_over_one_axis(address, open_page, dataset):
    """With the interval of the mean where there are enough seeds, and all other measures."""
    opened = open_page(address)
    opened.choose("y", "(none)")
    opened.wait("find('line').data.y.length == 3")
    assert opened.get("find('joined').visible") is True
    rate = dataset["late_output_rate"].sel(tau_plus=15).mean("seed")
    np.testing.assert_allclose(opened.data("line", "y"), rate)
    opened.choose("measure", "Bimodality of weights")
    opened.wait("find('line').data.y[0] < 1")


def test_samples_are_not_joined(serve, open_page, tmp_path):
    """A number that counts samples is no axis; what the chosen one sets stands below it."""
    configuration = pipeline.configure(*SMALL, "simulation.duration=1000")
    samples = {"input.rate_hz": [60, 40, 50], "stdp.tau_plus": [10, 30, 20]}
    pipeline.sweep(configuration, samples=samples, directory=tmp_path / "x", backend="sequential")
    opened = open_page(serve("explore", str(tmp_path / "x")))
    opened.wait("find('line').data.y.length == 3")
    opened.wait_for_text("Input rate 40 Hz, LTP time constant 30 ms")
    opened.wait_for_text("Sample: 1")
    assert opened.get("find('joined').visible") is False


@pytest.mark.parametrize("width", [1400, 700])
def test_nothing_is_wider_than_the_window(address, open_page, width):
    """In two columns and in one; no panel is narrower than its labels."""
    opened = open_page(address, width=width)
    opened.page.wait_for_timeout(300)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    figures = opened.page.locator(".bk-Figure").all()
    widths = [figure.bounding_box()["width"] for figure in figures]
    assert len(widths) == 4
    assert min(widths) > 300


def test_a_replaced_file_is_offered(serve, open_page, keep):
    """A further sweep into the directory; the page loads it anew."""
    path = keep("grown", {"input.rate_hz": [40]})
    opened = open_page(serve("explore", str(path)))
    assert not opened.get("find('reload').visible")
    assert opened.get("find('measure').title") == "Line of"  # over one axis
    keep("grown", {"input.rate_hz": [60]})
    opened.wait("find('reload').visible")
    opened.page.get_by_role("button", name="reload").click()
    opened.wait("find('axis_rate_hz')?.end == 1")


def test_a_single_run(serve, open_page, keep):
    """Without axes, seeds and history."""
    opened = open_page(serve("explore", str(keep("one", {}))))
    opened.wait("find('remarks').text.includes('Whether settled: not recorded')")
    assert opened.get("find('histogram').title.text") == (
        "Final weights (whether settled: not recorded)"
    )
    assert opened.page.locator(".bk-Figure").count() == 1  # no empty panels
    opened.wait_for_text("record=history or record.weight_interval=1000")


def test_ten_thousand_points_are_shown_without_delay(serve, open_page, tmp_path):
    """From a slider's event to new data in less than 100 ms; the first page in less than 3 s."""
    configuration = pipeline.configure("simulation.duration=200", "record.weight_interval=20")
    axes = {"input.rate_hz": np.arange(10, 60, 0.5), "stdp.ltd_ratio": np.arange(1, 2, 0.01)}
    pipeline.sweep(configuration, axes, tmp_path / "many")
    opened = open_page(serve("explore", str(tmp_path / "many")))
    first = opened.page.evaluate("performance.now()") / 1000
    opened.wait("find('map').data.image.length == 1")
    values = np.random.default_rng(1).permutation(100)[:15].tolist()
    times = []
    for value in values:
        opened.page.wait_for_timeout(150)  # the courses of the one before are drawn
        times.append(opened.set_timed("axis_rate_hz", value))
    print(f"first page {first:.2f} s, slider to data {np.median(times):.0f} ms (median)")
    assert first < 3 * slower()
    assert min(times) < 100 * slower()
