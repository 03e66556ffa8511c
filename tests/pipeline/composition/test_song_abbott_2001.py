"""`+experiment=song_abbott_2001`: one choice sets all values of the paper."""

import numpy as np

import pipeline

#: Song & Abbott 2001, Neuron 32:339, figure 1.
PAPER = {
    "neuron": {"tau_m": 20, "E_L": -74, "V_th": -54, "V_reset": -60},
    "synapse": {"E_ex": 0, "tau_ex": 5, "g_max": 0.015},
    "stdp": {"A_plus": 0.005, "tau_plus": 20},
    "input": {"n_synapses": 1000, "rate_hz": 10},
}


def test_one_choice_sets_all_values(command):
    """The values of the paper, dt 0.1 ms, and twice the 1,540 s after which the weights settle."""
    configuration = pipeline.configure("+experiment=song_abbott_2001")
    for section, values in PAPER.items():
        for name, value in values.items():
            assert getattr(getattr(configuration, section), name) == value
    assert configuration.simulation.dt == 0.1
    assert configuration.simulation.duration >= 2 * 1_540_000
    assert configuration.stdp.area_ratio() == 1.05
    assert configuration.stdp.time_constants() == {"x_pre": 20, "x_post": 20}


def test_the_variant_has_a_longer_ltd_at_the_same_effective_ratio():
    """tau_minus = 5 tau_plus, and A_minus = 0.21 A_plus."""
    stdp = pipeline.configure("+experiment=song_abbott_2001", "stdp=song_abbott_2001_slow_ltd").stdp
    assert stdp.time_constants() == {"x_pre": 20, "x_post": 100}
    assert stdp.area_ratio() == 1.05
    np.testing.assert_allclose(stdp.resolved().A_minus, 0.21 * 0.005, rtol=1e-14)


def test_the_experiment_runs_both_beside_each_other(command):
    """The dry run shows both choices and eight seeds."""
    ended = command("+experiment=song_abbott_2001", "simulation.duration=20000", "dry_run=true")
    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    assert lines[0] == "points: 16, 0 of them done"
    assert "axis: stdp = song_abbott_2001, song_abbott_2001_slow_ltd (2)" in lines
    assert "derived: effective_ltd_ratio = 1.05" in lines
