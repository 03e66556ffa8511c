"""`dry_run=true`: plan of a request without running it."""

from pathlib import Path
from types import SimpleNamespace

import pytest

import pipeline
from pipeline.engine.cost import estimated_seconds
from pipeline.experiment import dry_run
from pipeline.model.errors import RequestError
from tests.conftest import SMALL


def test_a_dry_run_writes_nothing(command):
    """Points, axes, time and size are printed; nothing is run or written."""
    ended = command(*SMALL, "-m", "input.rate_hz=10,20", "seed=range(30)", "dry_run=true")
    assert ended.code == 0
    assert ended.err == ""
    points, rates, seeds, ratio, simulated, duration, size, where = ended.out.splitlines()
    assert points == "points: 60, 0 of them done"
    assert rates == "axis: input.rate_hz = 10.0, 20.0 Hz (2)"
    assert seeds == "axis: seed = 0, 1, 2, ..., 29 (30)"
    assert ratio == "derived: effective_ltd_ratio = 1.1"
    assert simulated == "duration: 0.5 s of model time per point"
    assert duration.startswith("time: about a second")
    assert duration.endswith(" (compiled engine, 1 worker)")
    assert size == "size: about 14 kB before compression"
    assert where.startswith("directory: outputs/run/")
    assert list(Path.cwd().iterdir()) == []


def test_finished_points_are_counted(configure, tmp_path):
    """The plan counts the finished points of a directory, and those of the file it would hold."""
    pipeline.sweep(configure(), {"seed": range(4)}, tmp_path, backend="sequential")
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    axes = {"seed": [2, 3, 4], "stdp.A_plus": [0.004, 0.008]}
    planned = pipeline.plan(configure(), axes, tmp_path)
    assert planned.asked == (2, 0, 4)
    assert planned.everything == (4, 0, 6)
    assert str(planned).splitlines()[0] == "points: 6, 2 of them done; the file has a grid of 10"
    assert {f: f.read_bytes() for f in tmp_path.rglob("*") if f.is_file()} == before


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.01, "a second"),
        (1.4, "a second"),
        (14, "14 seconds"),
        (51, "50 seconds"),
        (110, "1.8 minutes"),
        (620, "10 minutes"),
        (3600, "1 hour"),
        (5400, "1.5 hours"),
        (200_000, "2.3 days"),
    ],
)
def test_times_are_in_words(seconds, words):
    """A time is a number of the unit in which it is easily read, never in powers of ten."""
    assert dry_run._duration(seconds) == words


def test_the_axes_of_the_request_and_of_the_file_are_told_apart(configure, tmp_path):
    """A request into a directory with other points lists its own axes, then those of the file."""
    pipeline.sweep(configure(), {"seed": range(4)}, tmp_path, backend="sequential")
    lines = str(pipeline.plan(configure(), {"seed": [7, 8]}, tmp_path)).splitlines()
    assert "axis: seed = 7, 8 (2)" in lines
    assert "axis of the file: seed = 0, 1, 2, 3, 7, 8 (6)" in lines
    assert f"directory: {tmp_path}" in lines


def test_an_axis_without_effect_is_named(configure):
    """As by the sweep itself: an axis along which all points are the same run."""
    axes = {"stdp.ltd_ratio": [1, 1.1], "simulation.duration": [500, 2000]}
    planned = str(pipeline.plan(configure("stdp.A_minus=0.01"), axes))
    assert "no effect: all points along stdp.ltd_ratio are the same run\n" in planned
    assert "no effect: all points along simulation.duration" not in planned
    assert "duration: 0.5 s to 2 s of model time per point" in planned
    assert "no effect" not in str(pipeline.plan(configure(), axes))


def test_a_damaged_batch_is_not_renamed(configure, tmp_path, caplog):
    """A dry run counts its points as not done, warns and renames nothing."""
    pipeline.sweep(configure(), {"seed": [1]}, tmp_path, backend="sequential")
    (batch,) = tmp_path.glob("points/*.npz")
    batch.write_bytes(batch.read_bytes()[:-1])
    assert pipeline.plan(configure(), {"seed": [1]}, tmp_path).asked == (0, 0, 1)
    assert batch.exists()
    assert f"{batch} is damaged" in caplog.text


@pytest.mark.parametrize("slowness", [0.5, 1, 20])
@pytest.mark.parametrize("n_workers", [1, 2])
def test_the_time_is_estimated_from_trials(configure, monkeypatch, slowness, n_workers):
    """The estimates of all points are scaled by the ratio of time to estimate in the trials."""
    now, trials = 0.0, []

    def take_time(point, engine):
        nonlocal now
        now += slowness * estimated_seconds(point, "compiled")
        trials.append(point)

    monkeypatch.setattr(dry_run, "run_point", take_time)
    monkeypatch.setattr(dry_run, "time", SimpleNamespace(perf_counter=lambda: now))
    base = configure("simulation.duration=300000000")
    axes = {"input.rate_hz": [20, 100], "seed": range(6)}
    planned = pipeline.plan(base, axes, backend="threading", n_jobs=n_workers)
    points = [configure("simulation.duration=300000000", f"input.rate_hz={r}") for r in (20, 100)]
    simulations = 6 * sum(slowness * estimated_seconds(point, "compiled") for point in points)
    assert planned.n_workers == n_workers
    assert planned.seconds == pytest.approx(simulations / n_workers, rel=0.001)
    assert 2 <= len(trials) <= 1 + 5
    assert {point.input.rate_hz for point in trials} == {20, 100}
    assert all(point.simulation.duration < 300_000_000 / 10 for point in trials)


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


@pytest.mark.parametrize("name", ["file", "pairing_protocol"])
def test_a_trial_may_end_before_the_input(configure, name):
    """Trials are shorter than runs; an input that must fit into its run is cut for them."""
    long = ("simulation.duration=70000", "input.rate_hz=1")
    if name == "file":
        made, events = configure(*long), ([69_000.0], [3])
    else:
        made, events = configure(f"input={name}", *long), None
    asked = pipeline.plan(made, {}, engine="reference", events=events)
    assert sum(asked.asked) == 1
