"""The reference is generated from the code: it has every key, variable, figure, rule and name."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from stdp_docs import (
    blocks,
    experiments,
    flowchart,
    input_figures,
    item_pages,
    links,
    markdown,
    paper_figures,
    staging,
)
from stdp_docs.places import DOCS

import analysis
import pipeline
from analysis.figures.registry import FIGURES
from analysis.plots import style
from pipeline.composition.choices import choices_of, groups_in
from pipeline.composition.run_settings import RunSettings
from pipeline.model.inputs import PROCESSES
from pipeline.model.parameters import all_quantities
from pipeline.model.plasticity import RULES
from pipeline.model.variables import VARIABLES
from stdp.__main__ import SUBCOMMANDS
from tests.papers.catalogue import PAPERS
from tests.rules.test_house import ROOT

pytestmark = pytest.mark.long


def reference(name):
    """Return a page of the reference as Sphinx reads it."""
    page = DOCS / "reference" / f"{name}.md"
    moved = staging.places(ROOT / "docs" / "_build" / "source")
    return staging.staged_text(page, moved[page], moved)


def first_cells(text):
    """Return the code in the first cell of each row of tables."""
    return re.findall(r"^\| \[?`([^`]+)`", text, re.MULTILINE)


def test_every_key_has_a_row_with_unit_bounds_and_meaning():
    """And its value by default, where the default configuration has one."""
    text = reference("configuration")
    settings = {RunSettings.key(name): one for name, one in RunSettings.quantities().items()}
    for key, quantity in (all_quantities() | settings).items():
        (row,) = re.findall(rf"^\| `{re.escape(key)}` \| .*$", text, re.MULTILINE)
        assert quantity.long_name in row
        assert f"| {quantity.units} |".replace("|  |", "|") in row
    assert "| `neuron.tau_m` | `10` | ms | > 0 | membrane time constant |" in text
    assert "| `record.traces` | `false` |" in text
    for group in groups_in([ROOT / "conf"]):
        for choice in choices_of(group, [ROOT / "conf"]):
            assert group == "experiment" or f"| `{group}={choice}` |" in text


def test_every_variable_has_a_row():
    """With its dimensions, its unit, and what records it."""
    text = reference("results")
    for name in VARIABLES:
        assert len(re.findall(rf"^\| `{name} \(\.\.\.", text, re.MULTILINE)) == 1, name
    assert "| `weight (..., synapse)` |  | final synaptic weight" in text
    (row,) = re.findall(r"^\| `rate_history .*$", text, re.MULTILINE)
    assert row.startswith(
        "| `rate_history (..., sample_time)` | Hz | output firing rate in time; over"
    )
    assert row.endswith(" | `record=history` |")
    assert {"status", "made_by", "effective_ltd_ratio"} <= set(re.findall(r"`(\w+)`", text))


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("figures", FIGURES),
        ("rules", RULES.classes()),
        ("inputs", PROCESSES.classes()),
        ("command_line", [f"stdp {name}" for name in SUBCOMMANDS]),
        ("python", [f"pipeline.{n}" for n in pipeline.__all__]),
        ("python", [f"analysis.{n}" for n in analysis.__all__]),
    ],
)
def test_every_name_has_a_row(page, names):
    """In the table of its page."""
    assert not set(names) - set(first_cells(reference(page)))


def test_every_figure_rule_process_name_and_experiment_has_a_page():
    """A new one gets its page by its docstring, or the comment of its file."""
    pages = item_pages.pages()
    named = {
        "figures": FIGURES,
        "rules": RULES.classes(),
        "inputs": PROCESSES.classes(),
        "python": [*(f"pipeline.{n}" for n in pipeline.__all__)]
        + [*(f"analysis.{n}" for n in analysis.__all__)],
    }
    expected = {f"reference/{part}/{name}.md" for part, all_ in named.items() for name in all_}
    expected |= {f"papers/{file.stem}.md" for file in (ROOT / "conf/experiment").glob("*.yaml")}
    assert set(pages) == expected
    for path, text in pages.items():
        assert len(text) > 60 and text.startswith("# "), path


def test_the_page_of_a_rule_has_its_functions_traces_and_keys(toy_rule):
    """From its docstrings and fields."""
    text = item_pages.pages()["reference/rules/toy_for_docs.md"]
    for said in (
        "Depression at output spikes.",
        "More about it.",
        "Toy 1999, J Toys 1:1",
        "| `x_pre` | presynaptic | `stdp.tau` | adds 1 | after its jump |",
        "of each synapse becomes w - A x_pre.",
        "| `stdp.A` |  | 0 to 1 | amplitude |",
    ):
        assert said in text


def test_the_page_of_a_process_has_its_own_fields():
    """As it declares them, also those that other processes have with other bounds."""
    text = item_pages.pages()["reference/inputs/pairing_protocol.md"]
    assert "| `input.rate_hz` | Hz | >= 1e-09 | frequency of the pairs |" in text
    assert "| `input.post_minus_pre` | ms | -1000000 to 1000000 | time difference t_post" in text
    assert "Its statistics are not constant in time." in text
    poisson = item_pages.pages()["reference/inputs/poisson.md"]
    assert "| `input.rate_hz` | Hz | >= 0 | input rate |" in poisson


@pytest.fixture
def toy_rule(tmp_path):
    """Register a rule with a docstring of several paragraphs."""
    file = tmp_path / "toy.py"
    file.write_text(TOY)
    names = {}
    exec(compile(TOY, str(file), "exec"), names)
    yield
    RULES.unregister("toy_for_docs")


TOY = '''
from dataclasses import dataclass
from typing import ClassVar
import pipeline
from pipeline.model.plasticity import PRE, Rule, Trace
from pipeline.model.quantity import quantity

@pipeline.register
@dataclass(frozen=True)
class Toy(Rule):
    """Depression at output spikes.

    More about it.

    References
    ----------
    Toy 1999, J Toys 1:1
    """
    name: ClassVar[str] = "toy_for_docs"
    traces: ClassVar = {"x_pre": Trace(PRE, "tau")}
    A: float = quantity("amplitude", at_least=0, at_most=1)
    tau: float = quantity("time constant", "ms", above=0)

    @staticmethod
    def potentiate(w, traces, fields):
        """Return w - A x_pre."""
        return w - fields.A * traces.x_pre

    @staticmethod
    def depress(w, traces, fields):
        """Return w."""
        return w
'''


def test_the_page_of_a_figure_says_what_it_needs():
    """And the command, and what its function says."""
    text = item_pages.pages()["reference/figures/phase_diagram.md"]
    assert "Requires two axes of three or more numbers." in text
    assert "stdp figures outputs/NAME --figure phase_diagram" in text


def test_experiments_of_papers_are_told_from_others():
    """By a year, a journal, a volume and a page in the comment."""
    by_name = {one.name: one for one in experiments.experiments()}
    assert by_name["song2001_uncorrelated"].is_of_a_paper
    assert not by_name["demo"].is_of_a_paper
    assert by_name["demo"].axes["input.rate_hz"] == "10,20,40"
    assert by_name["demo"].about.startswith("A sweep of a few seconds: 2 s of model time")


def test_every_experiment_of_a_paper_shows_its_figure():
    """The page has the command and the picture, which is small, so that the site is drawn fast."""
    assert list(paper_figures.PAPER_FIGURES) == list(PAPERS)
    pages = item_pages.pages()
    for name, one in paper_figures.PAPER_FIGURES.items():
        assert one.figure in FIGURES, name
        text = pages[f"papers/{name}.md"]
        picture = paper_figures.picture(name)
        assert f"stdp figures outputs/{name} --figure {one.figure}" in text
        assert f"](../gallery/{picture.name})" in text
        assert one.stored or picture.stat().st_size < 60_000, name
    assert "## Figure" not in pages["papers/equilibrium.md"]


def test_a_figure_of_a_paper_is_the_one_against_its_axis(tmp_path, command):
    """Of several figures of a name, that of the file name; a file without it is refused."""
    overrides = ["input.rate_hz=10,20", "stdp.ltd_ratio=1.02,1.1", "simulation.duration=100"]
    assert command("-m", *overrides, f"outputs={tmp_path}", "name=two").code == 0
    one = paper_figures.PaperFigure("rates", "", file="rates_against_ltd_ratio")
    with style.paper():
        figure = one.drawn(tmp_path / "two")
        assert figure.axes[0].get_xlabel().startswith("Ratio of LTD")
        plt.close(figure)
        other = paper_figures.PaperFigure("rates", "", file="rates_against_seed")
        with pytest.raises(ValueError, match="two: no figure rates_against_seed"):
            other.drawn(tmp_path / "two")


def test_marks_of_pages_are_those_that_are_generated():
    """Every block is on a page, and no mark is left."""
    text = "".join(page.read_text() for page in DOCS.rglob("*.md") if "_build" not in page.parts)
    assert set(re.findall(r"^<!-- generated: (.+?) -->$", text, re.MULTILINE)) == set(blocks.BLOCKS)


def test_a_docstring_is_required():
    """The page of what has none would be empty."""

    def without():
        pass

    with pytest.raises(ValueError, match=r"without: must have a docstring, which is its page"):
        markdown.docstring(without)


def test_links_are_moved_with_their_page(tmp_path):
    """To pages of the site or files of the repository; folders become text, code is unchanged."""
    page, staged = ROOT / "CONTRIBUTING.md", tmp_path / "site" / "contributing.md"
    moved = {DOCS / "architecture.md": tmp_path / "site" / "sub" / "architecture.md"}
    text = "[a](docs/architecture.md#words) [b](conf) [c](LICENSE) [d](#x) [e](https://e.org)\n"
    new = links.relinked(text + "```md\n[a](docs/architecture.md)\n```", page, staged, moved)
    first, code = new.split("\n", 1)
    assert first.startswith("[a](sub/architecture.md#words) b [c](../")
    assert first.endswith("LICENSE) [d](#x) [e](https://e.org)")
    assert code == "```md\n[a](docs/architecture.md)\n```"
    with pytest.raises(ValueError, match=r"CONTRIBUTING\.md: nowhere\.md does not exist"):
        links.relinked("[a](nowhere.md)", page, staged, moved)


def test_a_flowchart_has_a_box_for_each_node_and_an_arrow_for_each_edge():
    """Ranks are those of the longest ways; labels are escaped; other syntax is refused."""
    chart = flowchart.Chart.parsed("flowchart BT\n a --> b & c\n b -- <x> --> c[(C file)]")
    assert chart.layers() == [["a"], ["b"], ["c"]]
    picture = flowchart.svg(chart)
    assert picture.count("<rect") == picture.count("<line") == 3
    assert "C file" in picture and "&lt;x&gt;" in picture
    with pytest.raises(ValueError, match=r"a --o b: must be an arrow, as a --> b & c"):
        flowchart.Chart.parsed("flowchart LR\na --o b")
    with pytest.raises(ValueError, match=r"graph TD: must be flowchart LR or flowchart BT"):
        flowchart.Chart.parsed("graph TD")


def test_a_raster_has_every_spike_of_every_group():
    """Also of one synapse, with its output spikes; the rate below is that of the spikes."""
    figure = input_figures.raster(configuration := pipeline.configure("input=modulated"))
    top, bottom = figure.axes
    cells = np.concatenate([*configuration.input.events(1.0, 1000, configuration.seed)])
    drawn = np.concatenate([line.get_xydata() for line in top.lines])
    np.testing.assert_array_equal(np.sort(drawn @ [300, 1]), cells)
    rates = [one.get_data().values.mean() for one in bottom.patches]
    assert np.mean(rates) == pytest.approx(cells.size / 300)
    plt.close(figure)
    paired = input_figures.raster(pipeline.configure("input=pairing_protocol"))
    ticks = [one.get_text() for one in paired.axes[0].get_yticklabels()]
    assert ticks == ["Input", "Output"]
    plt.close(paired)
