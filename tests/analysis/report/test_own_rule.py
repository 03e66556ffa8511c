"""What figures and the report say of a rule that the equilibrium theory does not cover."""

import pytest

import pipeline
from analysis.figures.registry import FIGURES
from analysis.measures.measured import MeasuredDataset
from analysis.plots import style
from analysis.report.page import write_report
from pipeline.model.parameters import Configuration
from pipeline.model.plasticity import RULES
from tests.support import toy_rules
from tests.support.toy_rules import VALUES


@pytest.fixture
def anti_hebbian(configure, tmp_path):
    """Sweep the toy anti-Hebbian rule; return the directory and the dataset."""
    pipeline.register(toy_rules.AntiHebbian)
    values = {"rule": "toy_anti_hebbian", **VALUES["toy_anti_hebbian"]}
    configuration = Configuration.from_mapping(configure().to_mapping() | {"stdp": values})
    settings = {"engine": "reference", "backend": "sequential"}
    yield tmp_path, pipeline.sweep(configuration, {"seed": [1, 2]}, tmp_path, **settings)
    RULES.unregister("toy_anti_hebbian")


def test_the_report_says_why_there_is_no_theory(anti_hebbian):
    """The reason that the rule gives stands among the warnings, with its name."""
    path, _ = anti_hebbian
    page = write_report(path).read_text()
    assert "No theory is drawn where stdp.rule=toy_anti_hebbian: " in page


def test_halves_of_a_window_are_labelled_by_their_sign(anti_hebbian):
    """Pre before post is LTD here, in the colour of LTD; there is no ratio in the title."""
    _, dataset = anti_hebbian
    ((_, figure, _),) = FIGURES["rule"].draw(MeasuredDataset.of(dataset))
    for axes in figure.axes:
        before, after = (line for line in axes.lines if len(line.get_xdata()) > 2)
        assert before.get_ydata().max() < 0 < after.get_ydata().min()
        assert (before.get_color(), after.get_color()) == (style.LTD, style.LTP)
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named == ["LTD, input before output", "LTP, output before input"]
    assert "nan" not in figure.get_suptitle()
