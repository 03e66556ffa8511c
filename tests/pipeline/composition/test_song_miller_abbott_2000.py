"""`+experiment=song_miller_abbott_2000`: the values, and what inhibition and input rate do."""

import dataclasses

import pytest

import pipeline
from pipeline.model.inhibition import Inhibition

#: Song, Miller & Abbott 2000, Nature Neuroscience 3:919, as replications give the values.
VALUES = {
    "neuron": {"tau_m": 20, "E_L": -70, "V_th": -54, "V_reset": -60},
    "synapse": {"E_ex": 0, "tau_ex": 5, "g_max": 0.015},
    "stdp": {"A_plus": 0.005, "tau_plus": 20, "ltd_ratio": 1.05},
    "input": {"n_synapses": 1000, "rate_hz": 10},
    "inhibition": {"n_synapses": 200, "rate_hz": 10, "g": 0.05, "E_in": -70, "tau_in": 5},
}


@pytest.fixture(scope="module")
def song():
    """Return the configuration, with 1,500 s."""
    groups = [f"{group}=song_miller_abbott_2000" for group in VALUES]
    return pipeline.configure(*groups, "simulation.dt=0.1", "simulation.duration=1500000")


def test_the_choices_set_all_values(song):
    """In five groups of one name."""
    for section, values in VALUES.items():
        for name, value in values.items():
            assert getattr(getattr(song, section), name) == value
    assert song.stdp.time_constants() == {"x_pre": 20, "x_post": 20}


def test_four_times_the_input_is_less_than_twice_the_output(song):
    """Fewer inputs stay strong at a higher rate; a separate simulator gave .56 and .10 of them."""
    low, high = (pipeline.simulate(song.replaced({"input.rate_hz": rate})) for rate in (10, 40))
    assert 1.1 < high["late_output_rate"] / low["late_output_rate"] < 1.8
    assert (low["weight"] > 0.5).mean() == pytest.approx(0.56, abs=0.05)
    assert (high["weight"] > 0.5).mean() == pytest.approx(0.10, abs=0.03)
    assert high["late_output_rate"] == pytest.approx(20.6, abs=2.5)
    assert high["late_isi_cv"] == pytest.approx(0.81, abs=0.05)


def test_inhibition_makes_the_output_slower_and_more_irregular(song):
    """With weights that do not change, near the rate at which the mean drive is at threshold."""
    frozen = song.replaced(
        {"stdp.A_plus": 0, "input.rate_hz": 16, "simulation.duration": 60_000.0, "seed": 3}
    )
    without = dataclasses.replace(frozen, inhibition=Inhibition())
    inhibited, free = (pipeline.simulate(one) for one in (frozen, without))
    assert inhibited["spike_count"] > 50
    assert inhibited["output_rate"] < 0.8 * free["output_rate"]
    assert inhibited["isi_cv"] > 1.1 * free["isi_cv"]


def test_the_experiment_sweeps_the_input_rate(command):
    """Seven rates and eight seeds."""
    ended = command("+experiment=song_miller_abbott_2000", "dry_run=true")
    assert ended.code == 0, ended.err
    assert ended.out.splitlines()[0] == "points: 56, 0 of them done"
