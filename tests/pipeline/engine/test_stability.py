"""Unstable integration is flagged: the time step above the effective membrane time constant."""

import logging

import numpy as np
import pytest

import pipeline
from analysis import open_results
from analysis.measures.measured import MeasuredDataset
from analysis.reading.metadata import read_metadata
from analysis.report.quality import quality_warnings

#: One input spike at step 0 of a synapse that takes the conductance to 30.
STRONG = (
    "neuron.V_th=10", "synapse.g_max=30", "synapse.w_init=1", "stdp.A_plus=0",
    "input.n_synapses=1", "simulation.duration=20",
)  # fmt: skip


def warnings_of(folder):
    """Return the warnings of the report of an experiment."""
    with open_results(folder) as dataset:
        metadata = read_metadata(folder / "results.nc")
        return quality_warnings(MeasuredDataset.of(dataset), metadata, folder)


def one_spike(dt, *overrides, **settings):
    """Run one synapse with one input spike, at 2 ms."""
    spikes = np.zeros((1, round(20 / dt)))
    spikes[0, round(2 / dt)] = 1
    configuration = pipeline.configure(*STRONG, f"simulation.dt={dt}", *overrides)
    return pipeline.simulate(configuration, spikes, **settings)


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_a_spike_that_only_the_unstable_step_makes_is_flagged(engine, caplog):
    """Threshold is above the reversal potential: it spikes at dt 1 ms, where dt (1 + g) > tau_m."""
    coarse = one_spike(1, engine=engine)
    assert coarse["spike_count"] > 0
    assert coarse["euler_overshoot"] == pytest.approx(1 / 10 * (1 + 30) - 1, rel=1e-12)
    (warned,) = caplog.messages
    assert "unstable integration at 1 of 1 points, where simulation.dt is up to 3.1 times" in warned
    assert warned.endswith("use a smaller simulation.dt")
    caplog.clear()
    fine = one_spike(0.1, engine=engine)
    assert fine["spike_count"] == 0
    assert fine["euler_overshoot"] == 0
    assert caplog.messages == []


@pytest.mark.parametrize("engine", ["reference", "compiled"])
@pytest.mark.parametrize("t_ref", [0, 2, 50])
def test_conductance_counts_in_every_step(configure, engine, t_ref):
    """Also while refractory, and at an output spike: it is the largest of the recorded ones."""
    overrides = (f"neuron.t_ref={t_ref}", "synapse.g_max=4", "simulation.dt=0.5")
    dataset = pipeline.simulate(configure(*overrides), engine=engine)
    assert dataset["spike_count"] > 5
    traced = pipeline.simulate(configure(*overrides, "record=everything"))
    expected = 0.5 / 10 * (1 + traced["g_ex"].max())
    assert expected > 1.5
    assert dataset["euler_overshoot"] == pytest.approx(expected.item() - 1, rel=1e-9)


def test_a_potential_outside_of_the_reversal_potentials_is_no_sign_of_it():
    """It starts far below them, and returns without an overshoot."""
    silent = pipeline.configure(
        "input.rate_hz=0", "neuron.V_init=-900", "simulation.dt=1", "simulation.duration=20"
    )
    for engine in ("reference", "compiled"):
        assert pipeline.simulate(silent, engine=engine)["euler_overshoot"] == 0


def test_the_command_line_says_how_many_points_and_what_to_do(command, tmp_path):
    """One warning, in the log too; exit code 0; the report has a line with the points."""
    sweep = ("-m", "synapse.g_max=0.024,10", "seed=1,2", "simulation.duration=500", "name=x")
    ended = command(*sweep)
    assert ended.code == 0
    log = (tmp_path / "outputs" / "x" / "sweep.log").read_text()
    (line,) = [line for line in log.splitlines() if "unstable" in line]
    assert "WARNING unstable integration at 2 of 4 points, where simulation.dt is up to" in line
    (found,) = [w for w in warnings_of(tmp_path / "outputs" / "x") if "Unstable" in w.text]
    assert found.text.startswith(
        "Unstable integration, a smaller simulation.dt is needed: it is up"
    )
    assert found.text.endswith("membrane time constant tau_m / (1 + g): 2 of 4 points.")
    assert [*found.about] == ["g_max = 10, seed = 1", "g_max = 10, seed = 2"]


@pytest.mark.parametrize(("dt", "coarse"), [(1, True), (0.5, True), (0.49, False), (0.1, False)])
def test_the_report_names_points_with_a_coarse_time_step(keep, dt, coarse):
    """From a tenth of tau_ex (5 ms) on, by which Euler's method shortens it by 5 %."""
    assert (-dt / np.log(1 - dt / 5) <= 0.95 * 5) == coarse
    folder = keep("x", {"seed": [1, 2]}, f"simulation.dt={dt}")
    found = [w.text for w in warnings_of(folder) if "Coarse time step" in w.text]
    assert len(found) == coarse
    assert all(text.endswith("compare with a smaller simulation.dt.") for text in found)


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        (("inhibition=song_miller_abbott_2000", "inhibition.tau_in=4"), "inhibition"),
        (("neuron.theta_plus=1", "neuron.tau_theta=4"), "the threshold"),
        (("neuron.theta_plus=1", "neuron.tau_theta=40"), ""),
    ],
)
def test_time_constants_of_what_is_on_count_for_a_coarse_time_step(keep, overrides, named):
    """At 0.45 ms, which is fine for a membrane of 10 ms and synapses of 5 ms."""
    folder = keep("x", {"seed": [1]}, "simulation.dt=0.45", *overrides)
    found = [w.text for w in warnings_of(folder) if "Coarse time step" in w.text]
    assert [f"time constant of {named}, which" in text for text in found] == [True] * bool(named)


def test_points_with_a_coarse_time_step_are_listed_where_it_is_swept(keep):
    """And the others are not."""
    folder = keep("x", {"simulation.dt": [0.1, 1], "seed": [1, 2]})
    (found,) = [w for w in warnings_of(folder) if "Coarse time step" in w.text]
    assert found.text.endswith("compare with a smaller simulation.dt: 2 of 4 points.")
    assert [*found.about] == ["dt = 1 ms, seed = 1", "dt = 1 ms, seed = 2"]


def test_a_stable_sweep_warns_of_nothing(configure, caplog):
    """The tutorial's values at dt 1 ms."""
    with caplog.at_level(logging.WARNING):
        pipeline.sweep(configure("simulation.dt=1"), {"seed": [1, 2]}, backend="sequential")
    assert caplog.messages == []
