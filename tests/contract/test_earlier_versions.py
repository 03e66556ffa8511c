"""Experiments that an earlier version made: they resume, grow, reproduce, list and draw.

The directories in `experiments/model_version_4` were written by the commit that raised
`MODEL_VERSION` to 4. Those in `model_version_3` by commit bab1837, before there was a field
`stdp.rule` or a `schema_version`; of another model version they list and draw only.
"""

import shutil
from pathlib import Path

import pytest
import xarray as xr

from analysis.__main__ import main as analyse
from pipeline.model.parameters import MODEL_VERSION
from pipeline.reproduce import main as reproduce

EXPERIMENTS = Path(__file__).parent / "experiments"

SMALL = ("synapse.g_max=0.15", "input.n_synapses=20", "input.rate_hz=40", "simulation.duration=500")
VALUES = (*SMALL, "record=history", "record.weight_interval=100")
#: What each directory was asked for.
REQUESTS = {
    "values": ("-m", *VALUES, "stdp.A_plus=0.008,0.016", "seed=0,1"),
    "choices": ("-m", *SMALL, "stdp=notebook,song_abbott_2001", "seed=0,1"),
}


@pytest.fixture
def kept(tmp_path):
    """Copies of the directories of this model version, below `outputs`."""
    shutil.copytree(EXPERIMENTS / f"model_version_{MODEL_VERSION}", tmp_path / "outputs")
    return tmp_path / "outputs"


@pytest.fixture(params=sorted(folder.name for folder in EXPERIMENTS.iterdir()))
def of_any_version(request, tmp_path):
    """Copies of the directories of each model version, below `outputs`."""
    shutil.copytree(EXPERIMENTS / request.param, tmp_path / "outputs")
    return tmp_path / "outputs"


@pytest.fixture
def of_version_3(tmp_path):
    """Copies of the directories of model version 3, below `outputs`."""
    shutil.copytree(EXPERIMENTS / "model_version_3", tmp_path / "outputs")
    return tmp_path / "outputs"


def numbers(path):
    """Return the results of a directory as they are on disk."""
    with xr.open_dataset(path / "results.nc") as dataset:
        return dataset.load()


def test_it_is_listed_compared_and_drawn(of_any_version, capsys, monkeypatch):
    """The table, the comparison of an experiment with itself, every figure and the report work."""
    monkeypatch.chdir(of_any_version.parent)
    assert analyse(["list", "outputs"]) == 0
    table = capsys.readouterr().out
    assert "values" in table
    assert "choices" in table
    assert analyse(["diff", "outputs/values", "outputs/values"]) == 0
    for name in REQUESTS:
        assert analyse([f"outputs/{name}", "--report"]) == 0
        assert (of_any_version / name / "report.html").stat().st_size > 10_000


@pytest.mark.parametrize("name", REQUESTS)
def test_another_model_version_is_neither_resumed_nor_reproduced(
    of_version_3, command, name, capsys
):
    """One line names both versions, exit code 2, and no file changes."""
    before = {file: file.read_bytes() for file in of_version_3.rglob("*") if file.is_file()}
    ended = command(*REQUESTS[name], f"name={name}")
    assert ended.code == 2
    reason = f"made by model version 3, and this is version {MODEL_VERSION}, with other results"
    (line,) = ended.err.splitlines()
    assert line.endswith(f"outputs/{name}: {reason}; choose another name")
    assert reproduce([str(of_version_3 / name)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f"results.nc: {reason}")
    after = {file: file.read_bytes() for file in of_version_3.rglob("*") if file.is_file()}
    assert {file: content for file, content in after.items() if file.name != ".lock"} == before
