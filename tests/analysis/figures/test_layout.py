"""Layout of all figures: texts keep clear of each other, headers are short, captions complete."""

import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

import pipeline
from analysis.__main__ import main
from analysis.figures import titles
from analysis.measures.measured import MeasuredDataset
from analysis.plots import text
from tests.conftest import SMALL
from tests.support.drawn import HISTORY, captioned, settle, unfolded
from tests.support.texts import collisions

pytestmark = pytest.mark.long

RATES, RATIOS = {"input.rate_hz": [30, 40, 50]}, {"stdp.ltd_ratio": [1.0, 1.1, 1.2]}

#: Axes and overrides of sweeps whose figures have long names, few or many values, or odd ones.
AWKWARD = {
    "one run": ({}, ("record=everything", "simulation.duration=300")),
    "one step": ({}, ("record=everything", "simulation.duration=1")),
    "two values with a long name": ({"stdp.ltd_ratio": [1.0, 1.1]}, HISTORY),
    "one value": ({"stdp.ltd_ratio": [1.1], "seed": [1, 2, 3]}, HISTORY),
    "three axes": ({**RATES, **RATIOS, "neuron.tau_m": [8, 10, 12], "seed": [1, 2, 3]}, HISTORY),
    "a coarse grid": ({**RATES, "stdp.tau_plus": [10, 20, 30]}, ()),
    "a grid of four": (
        {"input.rate_hz": [1, 20, 40, 60], "stdp.ltd_ratio": [1.0, 1.1, 1.2, 1.3]},
        HISTORY,
    ),
    "a fine grid": (
        {"input.rate_hz": range(10, 70, 5), "stdp.A_plus": [0.002 * i for i in range(1, 13)]},
        (),
    ),
    "seeds": ({"seed": range(4)}, HISTORY),
    "eight lines": (
        {"input.rate_hz": [30, 60], "stdp.tau_plus": [20.0000001, 20.0000002, *range(21, 27)]},
        (),
    ),
    "until settled": (
        {"input.rate_hz": [0, 20, 30], **RATIOS, "seed": [1, 2]},
        ("simulation.until=settled", "simulation.duration=65000"),
    ),
    "until settled, along one axis": (
        {"input.rate_hz": [0, 20, 30], "seed": [1, 2, 3]},
        ("simulation.until=settled", "simulation.duration=65000", "record.weight_interval=4000"),
    ),
    "names": ({"stdp": ["notebook", "song_abbott_2001"], "input.rate_hz": [20, 60]}, HISTORY),
}


@pytest.fixture(scope="module", params=AWKWARD)
def awkward(request):
    """All figures of a sweep that is hard to lay out; its weights have settled if recorded."""
    axes, overrides = AWKWARD[request.param]
    configuration = pipeline.configure(*SMALL, *overrides)
    dataset = pipeline.sweep(configuration, axes, backend="sequential")
    dataset = settle(dataset) if "weight_history" in dataset else dataset
    return list(captioned(MeasuredDataset.of(dataset, each_seed=True)).values())


def test_no_text_overlaps_another_or_leaves_the_figure(awkward, monkeypatch):
    """Of any figure, ticks and legends included."""
    for one in awkward:
        assert not collisions(one.figure, monkeypatch), one.name


def test_a_header_has_three_lines_at_most(awkward):
    """And its sentences do not stand in the caption again."""
    for one in awkward:
        assert one.figure.get_suptitle().count("\n") < text.MAX_LINES, one.name
        for sentence in one.caption.rstrip(".").split(". "):
            assert sentence not in unfolded(one.figure), one.name
        assert not set(one.caption) & set("\n$\\"), one.name


def test_what_finds_no_place_in_a_header_is_left_out_from_its_end():
    """Lines of their own while there is room, then one after the other, then none."""
    width = 3.4
    assert text.header("One\nTwo\nThree", width) == "One\nTwo\nThree"
    assert text.header("One\nTwo\nThree\nFour", width) == "One. Two. Three. Four"
    long = "\n".join(f"A sentence of some length about number {i}" for i in range(9))
    shown = text.header(long, width)
    assert shown.count("\n") == 2
    assert "number 2" in shown
    assert "number 8" not in shown
    assert text.header("word " * 90, width).endswith("word ...")


def test_a_bare_figure_has_no_header_and_its_caption_beside_it(keep, capsys):
    """And is smaller by the header, which stands in the caption instead."""
    path = keep("one", {"input.rate_hz": [30, 60], "seed": [1, 2, 3]}, *HISTORY)
    heights = []
    for words in ([], ["--bare"]):
        assert main([str(path), "--figure", "rates", *words]) == 0
        heights.append(plt.imread(path / "figures" / "rates_against_rate_hz.png").shape[0])
        caption = (path / "figures" / "rates_against_rate_hz.txt").read_text()
        assert caption.startswith("Output rate. Against input rate. ")
        assert ("Over the last half of 2.5 s, mean and 95 %" in caption) == bool(words)
        assert caption.endswith(".\n")
    assert heights[0] - heights[1] > 200 * 0.13
    assert capsys.readouterr().out.count(".png\n") == 2
    assert main([str(path), "--bare", "--list"]) == 2
    assert "--bare: has no effect with --list" in capsys.readouterr().err


def test_every_figure_can_be_bare(settled):
    """Panels, axes and legends remain, and none of the header is lost: it is in the caption."""
    made = captioned(MeasuredDataset(settled), bare=True)
    assert {one.figure.get_suptitle() for one in made.values()} == {""}
    with_header = captioned(MeasuredDataset(settled))
    assert list(made) == list(with_header)
    for name, one in with_header.items():
        shown = unfolded(one.figure).replace(".", "")
        moved = [said for said in sentences(made[name]) if said not in sentences(one)]
        assert moved or not shown, name
        assert all(said.replace(".", "") in shown for said in moved), name


def sentences(one):
    """Return the sentences of a caption."""
    return one.caption.rstrip(".").split(". ")


def test_the_caption_has_what_found_no_place_in_the_header():
    """Lines from the first that is not shown, also if the header has more or is cut within one."""
    figure = Figure()
    for header, rest in (
        ("One. Two\nTV 0.1 ", "Three is\nFour"),
        ("One\nTwo\nThree", "Three is\nFour"),
        ("One. Two. Three is. Four", ""),
        ("Onerous", "One\nTwo\nThree is\nFour"),
        ("", "One\nTwo\nThree is\nFour"),
    ):
        figure.suptitle(header)
        assert titles.beyond_header(figure, "One\nTwo\nThree is\nFour") == rest
