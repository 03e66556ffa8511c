"""An experiment with problems, its report, and a registry with one figure that draws fast."""

import shutil

import pytest
from matplotlib.figure import Figure

import pipeline
from analysis.figures.facets import Slice
from analysis.figures.registry import FigureSpec
from analysis.report import page as report_page
from pipeline.execution import batch
from pipeline.model import reference
from tests.conftest import SMALL
from tests.support.report import report_of


@pytest.fixture(scope="session")
def experiment(tmp_path_factory):
    """An experiment with a silent rate, weights that have not settled, and a seed that fails."""

    def fail_or_run(configuration, *arguments):
        if configuration.seed == 3:
            raise ArithmeticError("no <b>luck</b>")
        return reference.run(configuration, *arguments)

    folder = tmp_path_factory.mktemp("report") / "outputs" / "study" / "one"
    more = ("simulation.duration=1000", "record.weight_interval=50")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "engine_named", lambda name: fail_or_run)
        axes = {"input.rate_hz": [0, 60], "seed": [1, 2, 3]}
        pipeline.sweep(pipeline.configure(*SMALL, *more), axes, folder, backend="sequential")
    return folder


@pytest.fixture(scope="session")
def written(experiment):
    """Path and parsed page of its report."""
    return report_of(experiment)


@pytest.fixture(scope="session")
def page(written):
    """The parsed page of its report."""
    return written[1]


@pytest.fixture
def one_figure(monkeypatch):
    """Replace all figures by an empty one, which is fast."""

    def draw(measured):
        yield Slice("square", "", (), measured), Figure((1, 1)), ""

    square = FigureSpec("square", "A square", lambda _: "", draw, of_a_moment=True)
    monkeypatch.setattr(report_page, "FIGURES", {"square": square})


@pytest.fixture
def copy(experiment, tmp_path):
    """A copy of the experiment without its report, in a directory with a blank in its name."""
    return shutil.copytree(experiment, tmp_path / "a copy", ignore=lambda *_: ["report.html"])
