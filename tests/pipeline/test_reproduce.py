"""`python -m pipeline.reproduce`: equal points are reported as the same, a change is found."""

import json

import netCDF4
import numpy as np
import pytest

import pipeline
from pipeline.reproduce import main

STUDIES = {
    "axes": ((), {"input.rate_hz": [30, 60], "seed": range(3)}),
    "one": ((), {}),
    "groups": (("record=history", "record.weight_interval=100"),
               {"stdp": ["notebook", "song_abbott_2001"], "input": ["notebook", "poisson"]}),
    "sizes": (("record.spike_times=true",),
              {"input.n_synapses": [40, 60], "simulation.duration": [500, 600], "seed": [3]}),
    "traces": (("record=everything", "simulation.duration=50", "record.dtype=float64"), {}),
    "names": ((), {"input.process": ["poisson", "notebook"], "stdp.tau_plus": [0.1 + 0.2 + 2, 7]}),
}  # fmt: skip


@pytest.fixture(params=STUDIES)
def study(request, configure, tmp_path):
    """A finished experiment, for each kind of axis and recording."""
    overrides, axes = STUDIES[request.param]
    pipeline.sweep(configure(*overrides), axes, tmp_path / "run", backend="sequential")
    return tmp_path / "run"


def test_every_kind_of_file_is_reproduced(study, capsys):
    """From the file alone points are equal bit for bit, for every kind of axis and recording."""
    (study / "results.nc").rename(study.parent / "alone.nc")
    assert main([str(study.parent / "alone.nc"), "--points", "4"]) == 0
    *verdicts, last = capsys.readouterr().out.splitlines()
    assert verdicts
    assert all(verdict.startswith("same  ") for verdict in verdicts)
    assert last == f"{len(verdicts)} of {len(verdicts)} points are the same bit for bit"


@pytest.mark.parametrize("name", ["weight", "mean_weight", "spike_count", "spike_time"])
def test_a_changed_number_is_found(configure, tmp_path, capsys, name):
    """A change of one bit in any variable: point and variable are named, exit code 1."""
    axes = {"seed": range(3)}
    pipeline.sweep(configure("record.spike_times=true"), axes, tmp_path, backend="sequential")
    with netCDF4.Dataset(tmp_path / "results.nc", "a") as file:
        file.set_auto_mask(False)
        values = file[name][...]
        flat = values.reshape(3, -1)
        flat[1, 0] = flat[1, 0] + 1 if name == "spike_count" else np.nextafter(flat[1, 0], 9)
        file[name][...] = values
    assert main([str(tmp_path)]) == 1
    first, second, third, last = capsys.readouterr().out.splitlines()
    assert second.startswith(f"DIFFERENT  {name} (1 of ")
    assert second.endswith("at seed=1")
    assert first == "same  seed=0"
    assert last == "2 of 3 points are the same bit for bit"


def test_each_point_runs_on_the_engine_that_computed_it(configure, tmp_path, capsys):
    """The engines agree to rounding, so a point is compared with its own."""
    settings = {"directory": tmp_path, "backend": "sequential"}
    base = configure("record.dtype=float64", "simulation.duration=3000")
    pipeline.sweep(base, {"seed": [1, 2]}, engine="reference", **settings)
    mixed = pipeline.sweep(base, {"seed": [1, 2, 3]}, engine="compiled", **settings)
    assert main([str(tmp_path)]) == 0
    with netCDF4.Dataset(tmp_path / "results.nc", "a") as file:
        runs = json.loads(mixed.attrs["runs"])
        file.setncattr("runs", json.dumps(runs[::-1]))
    assert main([str(tmp_path)]) == 1
    assert "DIFFERENT  weight" in capsys.readouterr().out


def test_points_can_be_chosen(configure, tmp_path, capsys):
    """--where selects points by the value of an axis, given by its key or short name."""
    axes = {"input.rate_hz": [30, 60], "seed": range(3)}
    pipeline.sweep(configure(), axes, tmp_path, backend="sequential")
    assert main([str(tmp_path), "--where", "input.rate_hz=6e1", "--where", "seed=2"]) == 0
    assert capsys.readouterr().out.splitlines()[:-1] == ["same  rate_hz=60.0, seed=2"]
    assert main([str(tmp_path), "--points", "2"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_the_values_of_a_long_axis_are_abbreviated(configure, tmp_path, capsys):
    """The first ones, the last one and their number, in a line that can be read."""
    pipeline.sweep(configure(), {"seed": range(1200)}, tmp_path, backend="sequential")
    assert main([str(tmp_path), "--where", "seed=x"]) == 2
    assert capsys.readouterr().err == (
        "error: seed=x: must be one of 0, 1, 2, ..., 1199 (1,200 values), or a range of them, as "
        "seed=FROM:TO\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "error: nowhere: must be a results.nc of a sweep ("),
        (["run", "--points", "0"], "error: --points=0: must be a whole number >= 1"),
        (["run", "--where", "seed=7"], "error: seed=7: must be one of 0, 1"),
        (["run", "--where", "seed=7:9"], "error: seed=7:9: must be one of 0, 1"),
        (["run", "--where", "sed=1"], "error: sed=1: no axis of this file; did you mean seed?"),
        (["run", "--where", "seed=1"], "error: run/results.nc: no point with seed=1 is done"),
        (["old"], "error: old/results.nc: made by model version 1, and this is version"),
        (["run/configuration.yaml"], "error: run/configuration.yaml: must be a results.nc of a"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    configure, tmp_path, capsys, monkeypatch, fail_for_seed, words, message
):
    """One line and exit code 2."""
    monkeypatch.chdir(tmp_path)
    fail_for_seed(1, ValueError("no"))
    for name in ("run", "old"):
        pipeline.sweep(configure(), {"seed": [0, 1]}, name, backend="sequential")
    with netCDF4.Dataset("old/results.nc", "a") as file:
        file.setncattr("model_version", 1)
    capsys.readouterr()
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith(message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: experiment"),
        (["x", "--points", "many"], "argument --points: invalid int value: 'many'"),
    ],
)
def test_wrong_arguments_are_one_line(capsys, arguments, message):
    """Exit code 2, without the usage."""
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error == f"error: {message}; see python -m pipeline.reproduce --help\n"
