"""The theory of a rule in a user's file, from the file of results alone."""

import pytest

from analysis import expected_histogram, open_results
from analysis.figures.registry import FIGURES
from analysis.measures.coverage import theory_gap
from analysis.measures.measured import MeasuredDataset
from pipeline.model.plasticity import RULES
from tests.support.drawn import captioned

pytestmark = pytest.mark.long

SOFT = """class Soft(Rule):
    A = quantity("amplitude", at_least=0, default=0.01)
    tau = quantity("time constant", "ms", above=0, default=20)
    traces = {"x_pre": Trace(PRE, "tau"), "x_post": Trace(POST, "tau")}

    def potentiate(w, traces, fields):
        return w + fields.A * (1 - w) * traces.x_pre

    def depress(w, traces, fields):
        return w - fields.A * w * traces.x_post
"""


@pytest.fixture(autouse=True)
def unregistered():
    """Leave no rule of a file behind."""
    yield
    if "soft" in RULES.classes():
        RULES.unregister("soft")


@pytest.mark.parametrize("says_so", [True, False])
def test_the_theory_covers_a_file_that_says_so(command, tmp_path, says_so):
    """Its histogram is drawn with the theory; also where it says nothing, as its steps show it."""
    gap = '    theory_gap = ""\n' if says_so else ""
    (tmp_path / "soft.py").write_text(SOFT.replace("    traces", f"{gap}    traces", 1))
    words = ("stdp.rule=soft.py", "input.rate_hz=20", "synapse.w_init=0.6", "name=own")
    recorded = ("simulation.duration=600000", "record=history", "record.weight_interval=5000")
    assert command(*words, *recorded).code == 0
    with open_results(tmp_path / "outputs" / "own") as dataset:
        distance = expected_histogram(dataset)["total_variation"].item()
        made = captioned(MeasuredDataset.of(dataset), "weights", "rule")
        assert made.keys() <= FIGURES.keys()
        assert theory_gap(dataset) == []
        assert distance < 0.05
        assert "; c fitted to the mean weight 0.0" in made["weights"].caption
