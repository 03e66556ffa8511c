"""`stdp lab` in a browser."""

import shlex

import numpy as np
import pytest

import pipeline
from analysis import weight_histogram
from analysis.reading.values import written
from pipeline.model.parameters import all_quantities
from stdp.lab.controls import SliderScale
from tests.conftest import ROOT
from tests.support.browser import served, slower

pytestmark = pytest.mark.long

RULE = """
from stdp.lab import start
from pipeline import register
from tests.support.toy_rules import AntiHebbian

register(AntiHebbian)
start("input.rate_hz=20", browser=False)
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory, browser):
    """The page of the lab."""
    with served("lab", folder=tmp_path_factory.mktemp("lab")) as found:
        yield found


def histogram(*overrides):
    """Return the histogram of weights of a simulation."""
    return weight_histogram(pipeline.simulate(pipeline.configure(*overrides))).values.tolist()


def moved(key, value, step):
    """Return the text of a value at another position of its slider."""
    return written(SliderScale.around(key, all_quantities()[key], value).value(step))


def test_a_slider_simulates_anew(address, open_page):
    """By the keyboard: text, histogram, window, rate, traces and command follow."""
    opened = open_page(address)
    opened.wait_for_histogram(histogram())
    opened.wait("find('trace_v').data.t.length == 500")
    opened.page.wait_for_timeout(300)
    before = opened.page.locator("canvas").first.screenshot()
    course, window = opened.data("course_rate", "y"), opened.data("window_ltp", "change")
    opened.press("slider_stdp.A_plus", "ArrowRight", 20)
    value = moved("stdp.A_plus", 0.008, 220)
    opened.wait(f"find('text_stdp.A_plus').value == '{value}'")
    opened.wait_for_histogram(histogram(f"stdp.A_plus={value}"))
    opened.wait(f"find('commands').text.includes('stdp.A_plus={value}')")
    opened.wait(f"find('course_rate').data.y.some((y, i) => y != {course}[i])")
    assert opened.data("window_ltp", "change") != window
    assert "now 0.0" in opened.get("find('hint_stdp.A_minus').text")
    opened.wait_for_other_picture(0, before)
    shown = opened.get("find('commands').text").partition("<code>")[2].partition("</code>")[0]
    configuration = pipeline.configure(*shlex.split(shown)[2:])
    rate = pipeline.simulate(configuration)["late_output_rate"].item()
    assert f"<td class=number>{rate:.4g}</td>" in opened.get("find('numbers').text")


def test_bad_input_is_shown_beside_its_field(address, open_page):
    """As the pipeline words it; the last valid picture stays, and good input removes it."""
    opened = open_page(address)
    before = opened.data("bars", "top")
    opened.enter("text_stdp.tau_plus", "-3")
    message = "stdp.tau_plus=-3: LTP time constant must be a finite number &gt; 0 ms"
    opened.wait(f"find('problem_stdp.tau_plus').text.includes('{message}')")
    opened.wait_for_text("stdp.tau_plus=-3: LTP time", times=2)  # and above the picture
    opened.wait_for_text("stdp.tau_plus=-3: LTP time", within=".controls")
    assert opened.data("bars", "top") == before
    opened.enter("text_stdp.tau_plus", "three")
    opened.wait("find('problem_stdp.tau_plus').text.includes('three')")
    opened.enter("text_stdp.tau_plus", "12.5")
    opened.wait_for_histogram(histogram("stdp.tau_plus=12.5"))
    opened.wait("!find('problem_stdp.tau_plus').visible && find('problem').text == ''")
    opened.enter("text_stdp.tau_plus", "")  # that of the parameter set
    opened.wait_for_histogram(histogram())
    opened.wait("find('text_stdp.tau_plus').value == '20'")


def test_each_wrong_value_is_shown_beside_its_field(address, open_page):
    """The pipeline refuses for one of them; what is mended is no longer shown."""
    opened = open_page(address)
    opened.enter("text_input.rate_hz", "-3")
    opened.enter("text_seed", "x")
    opened.wait("find('problem_seed').text.includes('random seed must be a whole number')")
    opened.wait("find('problem_input.rate_hz').text.includes('input rate must be')")
    opened.enter("text_input.rate_hz", "20")
    opened.wait("!find('problem_input.rate_hz').visible && find('problem_seed').visible")
    opened.enter("text_seed", "3")
    opened.wait_for_histogram(histogram("input.rate_hz=20", "seed=3"))
    opened.wait("!find('problem_seed').visible && find('problem').text == ''")
    assert opened.get("find('histogram').title.text") == "Final weights (not settled)"


def test_lists_of_groups_are_typed_and_inhibition_is_drawn(address, open_page):
    """A list that does not fit is said beside its field; g_in is there with inhibition alone."""
    opened = open_page(address)
    opened.choose("set_input", "groups")
    opened.wait("find('text_input.group_sizes')?.value == '[150,150]'")
    opened.enter("text_input.group_sizes", "[100,300]")
    opened.wait("find('problem_input.group_sizes').text.includes('must add up to')")
    opened.enter("text_input.group_sizes", "[100,200]")
    opened.enter("text_input.group_rates_hz", "[5,30]")
    groups = ("input=groups", "input.group_sizes=[100,200]", "input.group_rates_hz=[5,30]")
    opened.wait_for_histogram(histogram(*groups))
    assert opened.data("trace_g_in", "y") == []
    opened.page.get_by_text("Inhibition", exact=True).first.click()
    opened.choose("set_inhibition", "song_miller_abbott_2000")
    opened.wait("find('trace_g_in').data.y.length == 500")
    opened.wait_for_histogram(histogram(*groups, "inhibition=song_miller_abbott_2000"))


def test_a_file_of_events_is_typed(serve, open_page, tmp_path):
    """Its field is for text, as none of a menu can name it; the hash has no field."""
    np.savez(tmp_path / "events.npz", times=np.arange(300.0), synapses=np.arange(300))
    opened = open_page(serve("lab"))
    opened.choose("set_input", "file")
    opened.wait("find('problem_input.file')?.text.includes('must be a file of events')")
    opened.enter("text_input.file", "events.npz")
    opened.wait("find('problem').text == ''")
    opened.wait("find('commands').text.includes('events.npz')")
    assert opened.get("find('hint_input.content') == null")


def test_a_parameter_set_is_chosen_from_its_menu(address, open_page):
    """Its values appear in the fields."""
    opened = open_page(address)
    opened.choose("set_stdp", "song_abbott_2001")
    opened.wait("find('text_stdp.A_plus')?.value == '0.005'")
    opened.wait_for_histogram(histogram("stdp=song_abbott_2001"))
    opened.choose("menu_input.process", "notebook")
    opened.wait_for_histogram(histogram("stdp=song_abbott_2001", "input.process=notebook"))


def test_the_newest_of_many_moves_is_drawn(address, open_page):
    """Those that it overtakes need not be."""
    opened = open_page(address)
    opened.press("slider_input.rate_hz", "ArrowRight", 40)
    value = moved("input.rate_hz", 15, 240)
    opened.wait_for_histogram(histogram(f"input.rate_hz={value}"))
    opened.page.wait_for_timeout(500)  # no older one comes late
    assert opened.data("bars", "top") == pytest.approx(histogram(f"input.rate_hz={value}"))


def test_a_move_takes_no_longer_than_the_eye_sees(address, open_page):
    """120 s are simulated, and the histogram is in the page, in less than 150 ms."""
    opened = open_page(address)
    times = []
    for value in range(150, 250, 7):
        opened.page.wait_for_timeout(250)  # the traces of the one before are drawn
        times.append(opened.set_timed("slider_stdp.ltd_ratio", value))
    print(f"slider to data {np.median(times):.0f} ms (median)")
    assert min(times) < 150 * slower()


def test_a_set_of_the_users_folder_appears(serve, open_page, tmp_path):
    """Beside ours, with its comment; also one that is written while the lab runs."""
    (tmp_path / "stdp").mkdir()
    text = "# A set of mine.\ndefaults: [notebook, _self_]\nA_plus: {}\n"
    (tmp_path / "stdp" / "mine.yaml").write_text(text.format(0.02))
    address = serve("lab", "--config-dir", str(tmp_path), "stdp=mine")
    opened = open_page(address)
    assert opened.get("find('text_stdp.A_plus').value") == "0.02"
    assert "A set of mine." in opened.get("find('about_stdp').text")
    (tmp_path / "stdp" / "later.yaml").write_text(text.format(0.03))
    opened = open_page(address)
    opened.choose("set_stdp", "later")
    opened.wait("find('text_stdp.A_plus')?.value == '0.03'")
    opened.wait("find('commands').text.includes('stdp=later')")


def test_a_registered_rule_appears(serve, open_page):
    """In the menu of rules; its fields replace those of the other, and it is simulated."""
    opened = open_page(serve(code=RULE, folder=ROOT))
    before = opened.data("bars", "top")
    opened.choose("menu_stdp.rule", "toy_anti_hebbian")
    opened.wait(f"find('bars').data.top.some((w, i) => w != {before}[i])")
    opened.wait("find('commands').text.includes('registered from Python')")
    opened.wait_for_text("ltd_ratio", times=0)


@pytest.mark.parametrize("width", [1400, 700])
def test_nothing_is_wider_than_the_window(address, open_page, width):
    """In three columns and in one; the histogram stays in sight of the controls."""
    opened = open_page(address, width=width)
    opened.page.wait_for_timeout(300)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    boxes = [figure.bounding_box() for figure in opened.page.locator(".bk-Figure").all()]
    assert len(boxes) == 6
    assert min(box["width"] for box in boxes) > 300
    opened.page.locator(".controls details").nth(2).scroll_into_view_if_needed()
    assert opened.page.locator(".bk-Figure").first.bounding_box()["y"] >= 0
