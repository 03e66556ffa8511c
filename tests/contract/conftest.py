"""An experiment with everything recorded, which `pipeline` writes and `analysis` opens."""

import pytest

import pipeline
from analysis.reading.dataset import open_results
from tests.conftest import SMALL

RECORDED = ("record=everything", "record.weight_interval=50", "record.dtype=float64")
AXES = {"input.rate_hz": [30.0, 40.0], "stdp.A_plus": [0.01, 0.02], "seed": [1, 2]}


@pytest.fixture(scope="session")
def base():
    """The configuration of all points, with its own time constant of LTD."""
    return pipeline.configure(*SMALL, *RECORDED, "stdp.tau_minus=30")


@pytest.fixture(scope="session")
def experiment(base, tmp_path_factory):
    """The directory of a small sweep, by the reference engine."""
    path = tmp_path_factory.mktemp("contract") / "experiment"
    pipeline.sweep(base, AXES, path, backend="sequential", engine="reference")
    return path


@pytest.fixture(scope="session")
def dataset(experiment):
    """Its results."""
    with open_results(experiment) as dataset:
        yield dataset.load()
