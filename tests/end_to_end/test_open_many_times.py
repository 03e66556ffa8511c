"""One results file that a program opens many times, and closes in any order, as notebooks do."""

import shutil

import netCDF4
import pytest
import xarray as xr

import pipeline
from analysis import open_results
from tests.conftest import SMALL
from tests.contract.test_earlier_versions import EXPERIMENTS

pytestmark = pytest.mark.long

#: Opens a file at random times, by functions that are given; HDF5 may end the process.
PROGRAM = """
import random, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import xarray as xr
from analysis import open_results
from analysis.reading.metadata import read_metadata

file = Path(sys.argv[1], "results.nc")
opening = {"analysis": open_results, "xarray": xr.open_dataset}[sys.argv[2]]

def open_and_close(seed, n_times=8):
    choice, held = random.Random(seed), []
    for _ in range(n_times):
        if choice.random() < 0.4:
            assert read_metadata(file).points[0] > 0
        else:
            held.append(opening(file))
            names = choice.sample(sorted(held[-1].variables), 3)
            held.append(held[-1][names].load() if choice.random() < 0.5 else held.pop())
        if len(held) > 4:
            choice.shuffle(held)
            held.pop() if choice.random() < 0.5 else held.pop().close()
    for dataset in held:
        dataset.load()

open_and_close(0, 30)
if sys.argv[2] == "analysis":
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(open_and_close, range(8)))
"""


@pytest.fixture
def experiment(request, configure, tmp_path):
    """An experiment with words, made now or by an earlier version."""
    if request.param != "now":
        return shutil.copytree(EXPERIMENTS / request.param / "choices", tmp_path / "x")
    axes = {"stdp": ["notebook", "song_abbott_2001"], "seed": [1, 2]}
    pipeline.sweep(configure("record=everything"), axes, tmp_path / "x", backend="sequential")
    return tmp_path / "x"


@pytest.mark.parametrize(
    ("experiment", "opening"),
    [
        ("now", "analysis"),
        ("now", "xarray"),
        ("model_version_3", "analysis"),
        ("model_version_4", "analysis"),
    ],
    indirect=["experiment"],
)
def test_one_file_is_opened_many_times(experiment, opening, run_python):
    """From one thread and from eight; nothing ends the process, and all values can be read."""
    run_python(PROGRAM, experiment, opening)


def test_words_are_characters_in_the_file(command, tmp_path):
    """Of any alphabet and length; read as words by netCDF4 and xarray, and saved again."""
    names = ["notebook", "größe", "刺激"]
    (tmp_path / "own" / "stdp").mkdir(parents=True)
    for name in names[1:]:
        (tmp_path / "own" / "stdp" / f"{name}.yaml").write_text("defaults: [notebook, _self_]\n")
    words = ("--config-dir", "own", *SMALL, "-m", f"stdp={','.join(names)}", "name=x")
    assert command(*words).code == 0
    with netCDF4.Dataset("outputs/x/results.nc") as file:
        assert file["stdp"].dtype == "S1"
        assert file["stdp"][...].tolist() == names
        assert not [v for v in file.variables.values() if v.dtype is str]
    with open_results("outputs/x") as dataset:
        assert dataset["stdp"].values.tolist() == names
        assert dataset["stdp"].dtype.kind == "U"
        selected = dataset.sel(stdp=["größe"])
        longer = dataset.assign_coords(stdp=[f"{name} and so on" for name in names])
        for n, saved in enumerate((selected, longer)):
            saved.to_netcdf(f"{n}.nc")
            with xr.open_dataset(f"{n}.nc") as again:
                xr.testing.assert_identical(again["weight"], saved["weight"])
