"""A longer `simulation.duration` asked of the same directory goes on from the end states."""

import re
import shutil
from pathlib import Path

import pytest
import xarray as xr
import yaml

import pipeline
from pipeline.execution import batch
from pipeline.model import state
from pipeline.reproduce import main as reproduce
from tests.conftest import SMALL, numbers_of
from tests.end_to_end.test_until_settled import results

pytestmark = pytest.mark.long

SWEEP = ("-m", *SMALL, "input.rate_hz=30,40", "seed=0,1")
HISTORY = ("record=history", "record.weight_interval=100")


@pytest.mark.parametrize("record", [HISTORY, ("record.state=true",)], ids=["history", "final"])
def test_points_go_on_bit_for_bit(command, record):
    """Three durations one after the other give the file of the longest alone."""
    for duration, went_on in ((500, 0), (777, 4), (1500, 4)):
        ended = command(*SWEEP, *record, f"simulation.duration={duration}", "name=a")
        assert ended.code == 0, ended.err
        assert ("4 went on from an earlier end" in ended.out) == bool(went_on)
    command(*SWEEP, *record, "simulation.duration=1500", "name=b")
    xr.testing.assert_identical(numbers_of(results("a")), numbers_of(results("b")))
    assert reproduce(["outputs/a"]) == 0
    again = command(*SWEEP, *record, "simulation.duration=1500", "name=a")
    assert "4 finished before" in again.out


def test_a_point_without_a_state_is_run_anew(command, caplog):
    """Of final weights alone no state is kept; the console says that they are run for longer."""
    command(*SWEEP, "name=a")
    ended = command(*SWEEP, "simulation.duration=1500", "name=a")
    assert ended.code == 0
    assert "went on" not in ended.out
    assert "4 points have no end state to go on from" in caplog.text
    command(*SWEEP, "simulation.duration=1500", "name=b")
    xr.testing.assert_identical(numbers_of(results("a")), numbers_of(results("b")))


@pytest.mark.parametrize("until", [["duration", 500, 1500], ["settled", 130_000, 530_000]])
def test_a_state_of_another_version_is_run_anew(command, caplog, monkeypatch, until):
    """Not the error that its bytes would be: the points are run from the beginning."""
    word, *durations = until
    first, longer = ((f"simulation.until={word}", f"simulation.duration={d}") for d in durations)
    command(*SWEEP, "record.state=true", *first, "name=a")
    monkeypatch.setattr(state, "_VERSIONS", (7,))
    ended = command(*SWEEP, "record.state=true", *longer, "name=a")
    assert ended.code == 0, ended.err
    assert "went on" not in ended.out
    assert "have no end state to go on from: run from the beginning" in caplog.text
    command(*SWEEP, "record.state=true", *longer, "name=b")
    xr.testing.assert_identical(numbers_of(results("a")), numbers_of(results("b")))


def test_states_may_be_missing_in_some_batches(command, caplog):
    """The points of the others go on."""
    command(*SWEEP, "record.state=true", "name=a")
    more = [word.replace("seed=0,1", "seed=0,1,2") for word in SWEEP]
    command(*more, "record.state=false", "name=a")
    ended = command(*more, "record.state=true", "simulation.duration=900", "name=a")
    assert "4 went on from an earlier end" in ended.out
    assert "2 points have no end state to go on from" in caplog.text
    command(*more, "simulation.duration=900", "name=b")
    xr.testing.assert_identical(numbers_of(results("a")), numbers_of(results("b")))


def test_durations_can_be_swept_where_points_have_grown(command):
    """As the refusal of a smaller one advises; each goes on from its longest shorter run."""
    for duration in (500, 900, 1000):
        command(*SWEEP, *HISTORY, f"simulation.duration={duration}", "name=a")
    refused = command(*SWEEP, *HISTORY, "simulation.duration=700", "name=a")
    swept = "simulation.duration=1000.0,700.0"
    assert f"({swept})" in refused.err
    ended = command(*SWEEP, *HISTORY, swept + ",1200", "name=a")
    assert ended.code == 0, ended.err
    assert "4 finished before, 8 went on from an earlier end" in ended.out
    command(*SWEEP, *HISTORY, swept + ",1200", "name=b")
    xr.testing.assert_identical(numbers_of(results("a")), numbers_of(results("b")))
    assert reproduce(["outputs/a"]) == 0


def test_another_end_of_runs_is_another_experiment(command):
    """Both cannot be swept in one file: the refusal does not advise it."""
    command(*SWEEP, *HISTORY, "name=a")
    settled = ("simulation.until=settled", "simulation.duration=1e6")
    ended = command(*SWEEP, *HISTORY, *settled, "name=a")
    assert ended.code == 2
    assert "simulation.until=duration there and simulation.until=settled here" in ended.err
    assert ended.err.strip().endswith("); choose another name")


def test_the_notebooks_input_is_run_anew(command, caplog):
    """Its events depend on the duration."""
    notebook = ["-m", *SMALL, *HISTORY, "input=notebook", "seed=0,1"]
    command(*notebook, "name=a")
    ended = command(*notebook, "simulation.duration=900", "name=a")
    assert "went on" not in ended.out
    assert "2 points have no end state to go on from" in caplog.text
    command(*notebook, "simulation.duration=900", "name=b")
    xr.testing.assert_identical(numbers_of(results("a")), numbers_of(results("b")))


def test_more_points_and_longer_at_once(command):
    """What is new begins, what was there goes on; seeds and rates may be added on the way."""
    command(*SWEEP, *HISTORY, "name=a")
    grown = [word.replace("seed=0,1", "seed=0,1,2") for word in SWEEP]
    ended = command(*grown, *HISTORY, "simulation.duration=900", "name=a")
    assert "6 points in" in ended.out
    assert "4 went on" in ended.out
    command(*grown, *HISTORY, "simulation.duration=900", "name=b")
    xr.testing.assert_identical(numbers_of(results("a")), numbers_of(results("b")))


def test_nothing_is_lost_while_it_grows(command, fail_for_seed, monkeypatch, caplog):
    """After a failure in the middle: the shorter runs are kept, and go on with the next command."""
    command(*SWEEP, *HISTORY, "name=a")
    shorter = results("a")
    longer = (*SWEEP, *HISTORY, "simulation.duration=900", "name=a", "run.backend=sequential")
    engine_named = batch.engine_named
    fail_for_seed(1, RuntimeError("no"))
    ended = command(*longer)
    monkeypatch.setattr(batch, "engine_named", engine_named)
    assert ended.code == 1
    assert "has 4 finished points that are now run for longer; it is kept as" in caplog.text
    with xr.open_dataset("outputs/a/results.nc.earlier", engine="netcdf4") as kept:
        xr.testing.assert_identical(kept.load(), shorter)
    ended = command(*longer)
    assert "2 finished before, 2 went on from an earlier end" in ended.out
    command(*SWEEP, *HISTORY, "simulation.duration=900", "name=b")
    xr.testing.assert_allclose(numbers_of(results("a")), numbers_of(results("b")), atol=1e-6)


def test_a_directory_survives_its_request(command, tmp_path):
    """Without configuration.yaml the durations from which points went on are in results.nc."""
    command(*SWEEP, *HISTORY, "name=a")
    command(*SWEEP, *HISTORY, "simulation.duration=900", "name=a")
    (tmp_path / "outputs" / "a" / "configuration.yaml").unlink()
    ended = command(*SWEEP, *HISTORY, "simulation.duration=900", "name=a")
    assert ended.code == 0, ended.err
    assert "4 finished before" in ended.out


def lose(name):
    """Remove the two files that tell what was asked for."""
    for file in ("configuration.yaml", "results.nc"):
        Path("outputs", name, file).unlink()


@pytest.mark.parametrize("record", [HISTORY, ()], ids=["history", "final"])
def test_shorter_runs_are_known_without_any_request(command, caplog, record):
    """By the durations in their batches: they go on, or begin anew where no end state is kept."""
    command(*SWEEP, *record, "name=a")
    for duration, finished in ((900, 0), (900, 4), (1500, 0)):
        lose("a")
        asked = (*SWEEP, *record, f"simulation.duration={duration}", "name=a")
        planned = command(*asked, "dry_run=true")
        assert f"points: 4, {finished} of them done" in planned.out
        ended = command(*asked)
        assert ended.code == 0, ended.err
        assert (f"{finished} finished before" in ended.out) == bool(finished)
        assert ("4 went on from an earlier end" in ended.out) == bool(record and not finished)
    if not record:
        assert "4 points have no end state to go on from" in caplog.text
    command(*SWEEP, *record, "simulation.duration=1500", "name=b")
    xr.testing.assert_identical(numbers_of(results("a")), numbers_of(results("b")))
    request = yaml.safe_load(Path("outputs/a/configuration.yaml").read_text())
    assert request["grown_from"] == [500.0, 900.0]


def test_durations_can_be_swept_without_any_request(command):
    """A shorter run is where each longer one of the axis goes on."""
    for duration in (500, 900):
        command(*SWEEP, *HISTORY, f"simulation.duration={duration}", "name=a")
    lose("a")
    swept = "simulation.duration=700,1200"
    ended = command(*SWEEP, *HISTORY, swept, "name=a")
    assert ended.code == 0, ended.err
    assert "8 went on from an earlier end" in ended.out
    command(*SWEEP, *HISTORY, swept, "name=b")
    xr.testing.assert_identical(numbers_of(results("a")), numbers_of(results("b")))


@pytest.mark.parametrize(
    "other", ["simulation.duration=400", "neuron.t_ref=3 simulation.duration=900", "seed=0"]
)
def test_other_points_are_unexpected_without_any_request(command, other):
    """Longer runs, and those of other parameters, are not taken for shorter ones."""
    command(*SWEEP, *HISTORY, "name=a")
    lose("a")
    asked = [word for word in SWEEP if word.partition("=")[0] not in other]
    ended = command(*asked, *HISTORY, *other.split(), "name=a")
    assert ended.code == 2
    assert re.search(r"holds \d unexpected points, which are neither in this request", ended.err)
    assert not Path("outputs/a/configuration.yaml").exists()


def test_a_smaller_duration_is_refused(command, tmp_path):
    """As other settings; nothing is changed."""
    command(*SWEEP, *HISTORY, "simulation.duration=900", "name=a")
    shutil.copytree("outputs/a", "outputs/before")
    ended = command(*SWEEP, *HISTORY, "name=a")
    assert ended.code == 2
    assert "simulation.duration=900.0 there and simulation.duration=500.0 here" in ended.err


def test_from_python(configure, tmp_path):
    """`sweep` into a directory goes on likewise."""
    axes = {"seed": [0, 1]}
    pipeline.sweep(configure(*HISTORY), axes, tmp_path / "a")
    longer = configure(*HISTORY, "simulation.duration=900")
    grown = pipeline.sweep(longer, axes, tmp_path / "a")
    xr.testing.assert_identical(numbers_of(grown), numbers_of(pipeline.sweep(longer, axes)))
