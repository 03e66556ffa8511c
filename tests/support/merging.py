"""Small experiments and shards that tests merge."""

import pytest
import xarray as xr

import pipeline
from pipeline.experiment.merging import merge
from pipeline.model.errors import RequestError
from tests.conftest import SMALL, numbers_of

AXES = {"input.rate_hz": [20, 40], "seed": range(8)}
ONE_BY_ONE = {"backend": "sequential", "batch_size": 1}
CONFIGURATION = (*SMALL, "simulation.duration=100")


def swept(path, axes, *overrides, **settings):
    """Sweep a small configuration into a directory."""
    configuration = pipeline.configure(*CONFIGURATION, *overrides)
    return pipeline.sweep(configuration, axes, path, **{**ONE_BY_ONE, **settings})


def state_of(folder):
    """Return content and time of every file below a folder, and what it is of every folder."""
    return {
        path: (
            path.read_bytes() if path.is_file() else sorted(path.iterdir()),
            path.stat().st_mtime,
        )
        for path in (folder, *folder.rglob("*"))
    }


def results(folder):
    """Return the results of an experiment without what depends on how they were made."""
    with xr.open_dataset(folder / "results.nc") as dataset:
        return numbers_of(dataset.load())


def refused(*arguments):
    """Return why a merge is refused: a line of its own, exit code 2."""
    with pytest.raises(RequestError) as error:
        merge(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)
