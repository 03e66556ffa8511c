"""Latencies and patterns by command: swept, resumed, reproduced, until settled; their findings."""

from pathlib import Path

import numpy as np
import pytest

import pipeline
from analysis import open_results, stimulus_responses, weight_by_group
from analysis.__main__ import main as analyse
from pipeline.reproduce import main as reproduce

pytestmark = pytest.mark.long


def test_processes_are_swept_with_their_own_fields_resumed_and_reproduced(command, capsys):
    """Points without stimuli have none; of the others the file has times and latencies."""
    words = ("-m", "input=latency,poisson,patterns", "input.n_synapses=40,60", "name=all")
    words += ("record.spike_times=true", "record.state=true", "synapse.g_max=0.1", "seed=1,2")
    assert command(*words, "simulation.duration=2000").code == 0
    longer = command(*words, "simulation.duration=3000")
    assert "12 went on from an earlier end" in longer.out
    capsys.readouterr()
    assert reproduce(["outputs/all", "--points", "12"]) == 0
    assert "12 of 12 points are the same bit for bit" in capsys.readouterr().out
    assert analyse(["diff", "outputs/all", "outputs/all"]) in (0, None)
    condition = ["--where", "n_synapses=40", "--where", "seed=1", "--where", "input=latency"]
    assert analyse(["outputs/all", "--figure", "response", *condition]) in (0, None)
    assert [*Path("outputs/all/figures").glob("response_*.png")]
    with open_results("outputs/all") as dataset:
        assert (dataset["status"] == 0).all()
        count = dataset["stimulus_count"]
        assert (count.sel(input="poisson") == -1).all()
        assert (count.sel(input="latency") == 15).all()
        times = dataset["stimulus_time"]
        assert times.attrs["units"] == "ms"
        assert times.sizes["stimulus"] == count.max()
        assert times.notnull().sum("stimulus").equals(count.clip(0))
        assert times.sel(input="poisson").isnull().all()
        latency = dataset["synapse_latency"]
        assert latency.dims == ("input", "n_synapses", "seed", "synapse")
        assert latency.sel(input="poisson").isnull().all()
        shown = latency.sel(input="latency", n_synapses=40)
        assert (shown.notnull() == (dataset["synapse"] < 40)).all()
        members = dataset["group"].sel(input="patterns", n_synapses=60)
        assert np.bincount(members).tolist() == [30, 30]
        made = pipeline.configure("input=latency", "input.n_synapses=60", "seed=2")
        expected = made.input.latencies(1.0, 2)
        np.testing.assert_array_equal(shown_of(latency, 60, 2), expected)


def shown_of(latency, n_synapses, seed):
    """Return the latencies of one point."""
    return latency.sel(input="latency", n_synapses=n_synapses, seed=seed).values


def test_a_second_phase_counts_stimuli_from_its_begin():
    """The same input goes on; another one begins anew; spikes that are given have no stimuli."""
    words = ("input=latency", "record.spike_times=true", "record.state=true")
    made = pipeline.configure(*words, "simulation.duration=1000", "input.n_synapses=20")
    first = pipeline.simulate(made)
    second = pipeline.simulate(made, state=first)
    assert first["stimulus_time"].values.tolist() == [100, 300, 500, 700, 900]
    assert second["stimulus_time"].values.tolist() == [101, 301, 501, 701, 901]  # 999 steps later
    other = pipeline.simulate(made.replaced({"input.trial_interval": 300.0}), state=first)
    assert other["stimulus_time"].values.tolist() == [150, 450, 750]
    given = pipeline.simulate(made, np.zeros((20, 1000), dtype=bool))
    assert "stimulus_time" not in given
    assert "stimulus_count" not in given


@pytest.mark.parametrize("name", ["latency", "patterns"])
def test_runs_end_when_they_have_settled(name):
    """Statistics over many stimuli are stationary, so that both processes are not refused."""
    words = [f"input={name}", "input.n_synapses=100", "input.rate_hz=30", "synapse.g_max=0.05"]
    until = ["simulation.until=settled", "simulation.duration=1e7", "stdp=multiplicative"]
    settled = pipeline.simulate(pipeline.configure(*words, *until, "record.spike_times=true"))
    assert int(settled["settled"]) == 0
    duration = float(settled["run_duration"])
    assert duration < 1e7
    assert duration - 1000 < settled["stimulus_time"].values[-1] < duration


def test_early_bursts_become_strong_and_the_response_moves_earlier(command):
    """Song, Miller & Abbott's finding, by one command: mean over eight seeds."""
    assert command("-m", "+experiment=latency", "name=latency").code == 0
    with open_results("outputs/latency") as dataset:
        dataset.load()
    correlations = [
        np.corrcoef(dataset["synapse_latency"].sel(seed=seed), dataset["weight"].sel(seed=seed))
        for seed in dataset["seed"]
    ]
    assert np.mean(correlations, axis=0)[0, 1] < -0.6
    weight = dataset["weight"].mean("seed")
    assert weight[:100].mean() > 0.95 and weight[500:].mean() < 0.01
    first = stimulus_responses(dataset)["first_spike"]
    moved = first[:, -50:].median("stimulus") - first[:, :10].median("stimulus")
    error = float(moved.std(ddof=1)) / np.sqrt(8)
    assert float(moved.mean()) + 4 * error < -5


def test_the_neuron_finds_the_pattern(command):
    """Of the seeds, the first: no other output spikes than in it, soon after its begin."""
    words = ("seed=0", "simulation.duration=200000", "name=patterns")
    assert command("-m", "+experiment=patterns", *words).code == 0
    with open_results("outputs/patterns") as dataset:
        one = dataset.load()
    late = one["stimulus_time"] > 170_000
    responses = stimulus_responses(one, (0.0, 50.0)).where(late, drop=True)
    n_spikes = int((one["spike_time"] > 170_000).sum())
    assert float(responses["n_spikes"].sum()) > 0.95 * n_spikes > 100
    assert float((responses["n_spikes"] > 0).mean()) > 0.95
    assert 3 < float(responses["first_spike"].median()) < 15
    takes_part, others = weight_by_group(one).values
    assert takes_part > others


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["input=latency", "input.trial_interval=50"], "input.trial_interval=50.0: must be >= 110"),
        (["input=latency", "input.burst_rate_hz=2000"], "input.burst_rate_hz=2000.0: with simul"),
        (["input=latency", "input.latency_sd=-1"], "input.latency_sd=-1"),
        (["input=patterns", "input.pattern_share=0.7"], "input.pattern_share=0.7"),
        (["input=patterns", "input.pattern_jitter=-1"], "input.pattern_jitter=-1"),
        (["-m", "input=patterns", "input.pattern_fraction=0.5,2"], "input.pattern_fraction=2"),
        (["input=patterns", "simulation.dt=60", "input.rate_hz=1"], "simulation.dt=60"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(command, words, said):
    """Exit code 2, the key and its value, and nothing written."""
    refused = command(*words, "name=refused")
    assert refused.code == 2
    assert said in refused.err
    assert len(refused.err.strip().splitlines()) == 1
    assert not Path("outputs").exists()
