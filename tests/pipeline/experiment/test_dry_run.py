"""`dry_run=true`: what a request would do, without doing it."""

import time
from pathlib import Path

import pytest

import pipeline
from pipeline.model.errors import RequestError
from tests.conftest import SMALL


def test_a_dry_run_writes_nothing(command):
    """Points, axes, time and size are printed; nothing is run or written."""
    ended = command(*SMALL, "-m", "input.rate_hz=10,20", "seed=range(30)", "dry_run=true")
    assert ended.code == 0
    assert ended.err == ""
    points, rates, seeds, duration, size = ended.out.splitlines()
    assert points == "points: 60, 0 of them done"
    assert rates == "axis: input.rate_hz = 10.0, 20.0 Hz (2)"
    assert seeds == "axis: seed = 0, 1, 2, ..., 29 (30)"
    assert duration.startswith("time: about a second")
    assert duration.endswith(" (compiled engine, 1 worker)")
    assert size == "size: about 12 kB in memory and on disk"
    assert list(Path.cwd().iterdir()) == []


def test_what_is_done_is_counted(configure, tmp_path):
    """The plan counts the finished points of a directory, and those of the file it would hold."""
    pipeline.sweep(configure(), {"seed": range(4)}, tmp_path, backend="sequential")
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    axes = {"seed": [2, 3, 4], "stdp.A_plus": [0.004, 0.008]}
    planned = pipeline.plan(configure(), axes, tmp_path)
    assert planned.asked == (2, 0, 4)
    assert planned.everything == (4, 0, 6)
    assert str(planned).splitlines()[0] == "points: 6, 2 of them done; the file has a grid of 10"
    assert {f: f.read_bytes() for f in tmp_path.rglob("*") if f.is_file()} == before


def test_a_damaged_batch_stays_where_it_is(configure, tmp_path, caplog):
    """A dry run counts its points as not done, warns and renames nothing."""
    pipeline.sweep(configure(), {"seed": [1]}, tmp_path, backend="sequential")
    (batch,) = tmp_path.glob("points/*.npz")
    batch.write_bytes(batch.read_bytes()[:-1])
    assert pipeline.plan(configure(), {"seed": [1]}, tmp_path).asked == (0, 0, 1)
    assert batch.exists()
    assert f"{batch} is damaged" in caplog.text


def test_the_time_is_about_right(configure):
    """A trial of a few shortened points foretells the time of all, within a factor of three."""
    base = configure("simulation.duration=3000000")
    axes = {"input.rate_hz": [20, 100], "seed": range(6)}
    settings = {"backend": "sequential"}
    planned = pipeline.plan(base, axes, **settings).seconds
    started = time.perf_counter()
    pipeline.sweep(base, axes, **settings)
    assert 1 / 3 < planned / (time.perf_counter() - started) < 3


def test_what_would_be_refused_is_refused(configure, tmp_path):
    """A dry run refuses what the run would refuse."""
    pipeline.sweep(configure(), {"seed": [1]}, tmp_path, backend="sequential")
    with pytest.raises(RequestError, match="holds an experiment with other settings"):
        pipeline.plan(configure("neuron.tau_m=12"), {"seed": [1]}, tmp_path)
    with pytest.raises(RequestError, match=r"^seed=-1: random seed must be"):
        pipeline.plan(configure(), {"seed": [-1]})
    with pytest.raises(RequestError, match=r"^2 points of .* GB each: results must be <="):
        pipeline.plan(configure("record=everything", "simulation.duration=1e10"), {"seed": [1, 2]})


def test_dry_run_is_true_or_false(command):
    """Anything else is refused."""
    ended = command("dry_run=maybe")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "error: dry_run='maybe': dry run must be true or false\n"
