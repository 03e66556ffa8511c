"""`simulation.until=settled` on the command line: answers, limits, resume, refusals."""

import json
import re

import numpy as np
import pytest
import xarray as xr

from analysis.measures import stationarity
from pipeline.model.variables import FLAGS, is_open
from pipeline.reproduce import main as reproduce
from tests.conftest import numbers_of

pytestmark = pytest.mark.long

#: Three points: at the upper bound, settled, and near the balance, where it takes long.
SWEEP = (
    "-m", "simulation.until=settled", "stdp.ltd_ratio=0.9,1.05,1.08", "synapse.w_init=1",
    "input.rate_hz=20",
)  # fmt: skip


def results(name):
    """Return a results file, read into memory."""
    with xr.open_dataset(f"outputs/{name}/results.nc") as file:
        return file.load()


def test_points_end_on_their_own(command):
    """Each at its own time, with an answer, statistics of its last half, and their errors."""
    ended = command(*SWEEP, "simulation.duration=2e7", "name=a")
    assert ended.code == 0, ended.err
    found = results("a")
    assert found["settled"].values.tolist() == [FLAGS.index("at the upper bound"), 0, 0]
    bound, *others = found["run_duration"].values
    assert bound == 64_000
    assert (np.array(others) > 64_000).all()
    assert "2 settled, 1 at the upper bound" in ended.out
    assert found["settled"].attrs["flag_meanings"].split()[0] == "settled"
    settled = found.isel(ltd_ratio=1)
    for name in ("output_rate", "mean_weight", "weak_share", "upper_share", "strong_share"):
        assert 0 < settled[f"late_{name}_error"] < 0.2 * max(1, settled[f"late_{name}"])
    spikes = found["spike_count"].values / found["run_duration"].values * 1000
    np.testing.assert_allclose(found["output_rate"], spikes)


def test_a_larger_limit_lets_only_the_others_go_on(command):
    """Settled points are reused; the file is that of one run with the larger limit."""
    first = command(*SWEEP, "simulation.duration=130000", "name=a")
    assert first.code == 0
    assert "2 points had not settled after 128 s: with simulation.duration=256000" in first.err
    grown = command(*SWEEP, "simulation.duration=2e7", "name=a")
    assert "1 finished before, 2 went on from an earlier end" in grown.out
    command(*SWEEP, "simulation.duration=2e7", "name=b")
    xr.testing.assert_identical(numbers_of(results("a")), numbers_of(results("b")))
    again = command(*SWEEP, "simulation.duration=2e7", "name=a")
    assert "3 finished before" in again.out
    assert reproduce(["outputs/a"]) == 0


def test_a_limit_before_the_next_look_lets_nothing_go_on(command):
    """All are finished; the console says from which limit on they do."""
    command(*SWEEP, "simulation.duration=130000", "name=a")
    ended = command(*SWEEP, "simulation.duration=250000", "name=a")
    assert "3 finished before" in ended.out
    assert "2 points had not settled after 128 s: with simulation.duration=256000" in ended.err
    assert len(json.loads(results("a").attrs["runs"])) == 1


def test_without_end_states_they_run_anew(command):
    """record.state=false keeps none, with the same results; the console does not say `went on`."""
    command(*SWEEP, "simulation.duration=130000", "record.state=false", "name=a")
    grown = command(*SWEEP, "simulation.duration=2e7", "name=a")
    assert grown.code == 0
    assert "went on" not in grown.out
    command(*SWEEP, "simulation.duration=2e7", "name=b")
    xr.testing.assert_identical(numbers_of(results("a")), numbers_of(results("b")))


@pytest.mark.parametrize("how", [["run.engine=reference"], ["run.backend=loky", "run.n_jobs=2"]])
def test_engine_and_backend_decide_nothing(command, how):
    """Either engine ends at the same times; other workers give the same bits, in two parts too."""
    sweep = [w.replace("0.9,1.05,1.08", "0.9,1.05") for w in SWEEP] + ["input.n_synapses=60"]
    sweep += ["synapse.g_max=0.12", "simulation.duration=130000", "record=history"]
    command(*sweep, "name=a")
    command(*sweep, *how, "simulation.duration=70000", "name=b")
    ended = command(*sweep, *how, "name=b")
    assert ended.code == 0, ended.err
    assert "1 went on from an earlier end" in ended.out
    one, other = numbers_of(results("a")), numbers_of(results("b"))
    if "loky" in how[0]:
        xr.testing.assert_identical(one, other)
    for name in ("run_duration", "settled", "spike_count", "sample_time"):
        xr.testing.assert_identical(one[name], other[name])
    xr.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-7)


def test_the_file_gives_the_answers_of_the_run(command):
    """`analysis` decides as the run did, from the history in the file."""
    command(*SWEEP, "simulation.duration=2e7", "record=history", "name=a")
    found = results("a")
    step = 0.02 * 20 * 0.008  # rate, time constant and amplitude
    for index in range(3):
        point = found.isel(ltd_ratio=index)
        n = int((point["sample_time"] <= point["run_duration"]).sum())
        assert np.isfinite(point["weight_history"][:n]).all()
        assert np.isnan(point["weight_history"][n:]).all()
        weights = stationarity.weight_statistics(point["weight_history"].values[:n])
        windows = stationarity.compared(
            point["sample_time"].values[:n], point["rate_history"].values[:n], weights, 2 * step
        )
        assert stationarity.judged(windows).answer == FLAGS[int(point["settled"])]
        np.testing.assert_allclose(windows.means[0, 0], point["late_output_rate"], rtol=0.02)


def test_samples_are_at_doubling_times(command):
    """Of the grid that all runs share, no nearer than record.weight_interval."""
    interval = ["record=history", "record.weight_interval=3000"]
    command(*SWEEP, *interval, "simulation.duration=300000", "name=a")
    times = results("a")["sample_time"].values / 1000
    assert times.tolist() == [*range(4, 65, 4), *range(68, 129, 4), *range(136, 257, 8)]


def test_silence_and_no_input(command):
    """A silent neuron runs to the limit; one without input is answered at once. Exit code 0."""
    sweep = ("-m", "simulation.until=settled", "input.rate_hz=0,5", "name=a")
    ended = command(*sweep, "simulation.duration=260000")
    assert ended.code == 0
    found = results("a")
    assert [FLAGS[flag] for flag in found["settled"].values] == ["cannot fire", "no output spike"]
    assert found["run_duration"].values.tolist() == [64_000, 256_000]
    assert np.isnan(found["late_output_rate_error"]).all()
    assert is_open(found["settled"].values).tolist() == [False, True]
    grown = command(*sweep, "simulation.duration=520000")
    assert "1 finished before, 1 went on from an earlier end" in grown.out


def test_a_point_that_cannot_go_on_keeps_its_results(command):
    """Exit code 1, the reason in failures.csv, its earlier numbers in the file."""
    command(*SWEEP, "simulation.duration=130000", "name=a")
    before = results("a")
    failed = command(*SWEEP, "simulation.duration=2e7", "run.timeout=0.0001", "name=a")
    assert failed.code == 1
    assert "2 FAILED to go on and kept their results" in failed.out
    xr.testing.assert_identical(numbers_of(results("a")), numbers_of(before))
    assert command(*SWEEP, "simulation.duration=2e7", "name=a").code == 0
    assert (results("a")["run_duration"] > before["run_duration"]).sum() == 2


def test_a_dry_run_gives_a_range(command):
    """From the first look to the limit, which is the last look; nothing is written."""
    ended = command(*SWEEP, "simulation.duration=3e8", "dry_run=true", "name=a")
    assert ended.code == 0
    lines = dict(line.split(": ", 1) for line in ended.out.splitlines()[-5:])
    assert lines["duration"] == "until it has settled, 64 s to 262144 s of model time per point"
    assert lines["time"].startswith("about a second to ")


UNTIL = "simulation.until=settled"
CONTRADICTIONS = {
    "simulation.until=foo": "what ends a run must be duration or settled",
    f"{UNTIL} settle.tolerance=0": "settle.tolerance=0: .* > 0 and <= 1",
    f"{UNTIL} settle.minimum=1e9": "simulation.duration=120000.0: the limit of a run until it has "
    "settled must be >= 1048576000 ms, .* settle.minimum=1000000000 ms on",
    "settle.minimum=1000": "settle.minimum=1000.0: must be 64000 without simulation.until=settled",
    f"{UNTIL} simulation.dt=1001 neuron.tau_m=1e4 synapse.tau_ex=1e4 stdp.tau_plus=1e4 "
    "input.rate_hz=0.1": "simulation.dt=1001.*: must be <= 1000 ms with simulation.until=settled",
    f"{UNTIL} record=everything": f"{UNTIL}: must be duration with record.traces=true",
    f"{UNTIL} input=notebook": f"{UNTIL}: must be duration with input.process=notebook, whose",
    "-m simulation.until=settled,duration": "simulation.until: must be the same for all points",
    f"-m {UNTIL} simulation.duration=1e6,2e6": "simulation.duration: must be one value with "
    "simulation.until=settled",
}


@pytest.mark.parametrize("words", CONTRADICTIONS)
def test_contradictions_are_refused(command, tmp_path, words):
    """In one line, exit code 2, before anything runs."""
    ended = command(*words.split(), "name=a")
    assert ended.code == 2
    assert len(ended.err.splitlines()) == 1
    assert re.search(CONTRADICTIONS[words], ended.err), ended.err
    assert not (tmp_path / "outputs").exists()


def test_a_smaller_limit_is_refused(command):
    """The line names both limits."""
    command(*SWEEP, "simulation.duration=130000", "name=a")
    ended = command(*SWEEP, "simulation.duration=70000", "name=a")
    assert ended.code == 2
    assert (
        "simulation.duration=70000.0: must be >= 130000 ms, the limit of the runs there"
        in ended.err
    )


def test_a_smaller_limit_is_refused_without_any_request(command, tmp_path):
    """With `configuration.yaml` and `results.nc` lost, by the longest run; a larger one goes on."""
    sweep = (*SWEEP, "record=history", "name=a")
    command(*sweep, "simulation.duration=130000")
    for file in ("configuration.yaml", "results.nc"):
        (tmp_path / "outputs" / "a" / file).unlink()
    ended = command(*sweep, "simulation.duration=70000")
    assert ended.code == 2
    assert "simulation.duration=70000.0: must be >= 128000 ms, the simulated time of" in ended.err
    assert not (tmp_path / "outputs" / "a" / "results.nc").exists()
    grown = command(*sweep, "simulation.duration=260000")
    assert "1 finished before, 2 went on from an earlier end" in grown.out


def test_the_limit_is_in_no_key_and_the_rest_is(command):
    """Tolerance and minimum make another point."""
    command(*SWEEP, "simulation.duration=130000", "name=a")
    for changed in ("settle.tolerance=0.1", "settle.minimum=32000"):
        ended = command(*SWEEP, "simulation.duration=130000", changed, "name=a")
        assert ended.code == 2
        assert changed.split("=")[0] in ended.err
    constants = json.loads(results("a").attrs["configuration"])
    assert constants["settle"] == {"tolerance": 0.05, "minimum": 64_000.0}
