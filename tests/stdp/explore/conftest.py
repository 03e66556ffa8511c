"""Experiments with problems, with and without axes, seeds and history."""

import pytest

import pipeline
from analysis import open_results
from stdp.explore.experiment import Experiment
from tests.conftest import SMALL


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Twelve combinations of three seeds, silent at a rate of 0, numbers not in rising order."""
    path = tmp_path_factory.mktemp("explore") / "two"
    configuration = pipeline.configure(
        *SMALL, "simulation.duration=1000", "record.weight_interval=50"
    )
    axes = {"input.rate_hz": [60, 0, 40, 50], "stdp.tau_plus": [20, 10, 15], "seed": [5, 4, 6]}
    pipeline.sweep(configuration, axes, path, backend="sequential")
    return path


@pytest.fixture(scope="session")
def dataset(folder):
    """The results in memory, closed: a file must not be open twice."""
    with open_results(folder) as opened:
        return opened.load()


@pytest.fixture
def experiment(folder, dataset):
    """The same, opened."""
    opened = Experiment(folder)
    yield opened
    opened.close()
