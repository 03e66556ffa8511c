"""Weight changes by pairing protocols, and those of pairs far apart."""

import numpy as np
import pytest

import pipeline
from analysis import isolated_pairing_change, numbers, pairing_change
from analysis.figures.titles import settled
from analysis.measures.measured import MeasuredDataset
from analysis.measures.rule_curves import stdp_window
from analysis.reading.model import has_equilibrium
from tests.pipeline.engine.test_own_rules import VALUES
from tests.support import toy_rules
from tests.support.unlike_rules import registered

BASE = ("input=pairing_protocol", "simulation.dt=0.5", "synapse.w_init=0.5")

MIXED = pipeline.configure("simulation.duration=6000", "synapse.w_init=0.5")


def paired(*overrides, rule=None):
    """Compose a protocol of 5 pairs at 1 Hz, with a toy rule or the notebook's."""
    usual = ["input.n_pairs=5", "input.rate_hz=1", "simulation.duration=5000"]
    made = pipeline.configure(*BASE, *usual, *overrides)
    if rule is None:
        return made
    values = made.to_mapping() | {"stdp": {"rule": rule, **VALUES[rule]}}
    return pipeline.Configuration.from_mapping(values)


@pytest.fixture(scope="module")
def lags():
    """Return a sweep over time differences and numbers of pairs."""
    axes = {"input.post_minus_pre": np.arange(-60.0, 61, 20), "input.n_pairs": [1, 5]}
    return pipeline.sweep(paired(), axes)


def test_the_change_is_relative_to_the_initial_weight(lags):
    """Along all axes; also where the initial weight is one; NaN where it is 0."""
    change = pairing_change(lags)
    assert change.dims == ("post_minus_pre", "n_pairs")
    expected = 5 * 0.008 * (1 - 0.5 / 20) ** 40 / 0.5
    assert change.sel(post_minus_pre=20, n_pairs=5).item() == pytest.approx(expected, rel=1e-6)
    swept = pipeline.sweep(paired(), {"synapse.w_init": [0.0, 0.25, 0.5], "seed": [1, 2]})
    change = pairing_change(swept)
    assert change.dims == ("w_init", "seed")
    assert change.isel(w_init=0).isnull().all()
    np.testing.assert_allclose(change.isel(w_init=1), 2 * change.isel(w_init=2), rtol=1e-9)


def test_other_processes_have_none(lags):
    """Alone, or beside a protocol in one sweep; `numbers` has a column where some point has one."""
    alone = pipeline.simulate(pipeline.configure("simulation.duration=200"))
    assert pairing_change(alone).isnull().all()
    assert "pairing_change" not in numbers(alone.expand_dims(seed=[1]))
    both = pipeline.sweep(MIXED, {"input": ["poisson", "pairing_protocol"]})
    assert pairing_change(both).isnull().values.tolist() == [True, False]
    assert "pairing_change" in numbers(lags)


def test_pairs_far_apart_are_what_the_protocol_measures(lags):
    """At 1 Hz, on either side, for any number of pairs; there is none at 0."""
    differences = lags["post_minus_pre"].values
    curve = isolated_pairing_change(lags, differences)
    assert curve.isnull().any("n_pairs").values.tolist() == (differences == 0).tolist()
    measured = pairing_change(lags).where(lags["post_minus_pre"] != 0)
    assert curve.dims == ("n_pairs", "time_difference")
    np.testing.assert_allclose(curve, measured.transpose("n_pairs", ...), rtol=1e-9)


def test_steps_that_depend_on_the_weight_change_from_pair_to_pair():
    """30 pairs of a rule that is soft near one bound and hard at the other."""
    with registered(toy_rules.SoftOrHard):
        base = paired("input.n_pairs=30", "simulation.duration=31000", rule="toy_branch")
        swept = pipeline.sweep(base, {"input.post_minus_pre": [-20, -5, 5, 20]})
    found = isolated_pairing_change(swept, [-20, -5, 5, 20]).values
    measured = pairing_change(swept).values
    assert abs(measured).min() > 0.1
    np.testing.assert_allclose(found, measured, atol=2e-3)


@pytest.mark.parametrize("n_pairs", [1, 5])
def test_the_window_of_every_rule_of_pairs_is_measured(n_pairs):
    """And of the triplet rule, but for triplets, of which one pair has none."""
    rules = ["multiplicative", "van_rossum", "gutig", "power_law", "log_stdp", "anti_hebbian"]
    rules += ["triplet_hippocampus"] if n_pairs == 1 else []
    base = pipeline.configure(*BASE, "input.rate_hz=1", "simulation.duration=60000")
    base = base.replaced({"input.n_pairs": n_pairs, "simulation.duration": 1000.0 * n_pairs})
    lags = [-40, -10, 0, 10, 40]
    axes = {"stdp": rules, "input.post_minus_pre": lags}
    swept = pipeline.sweep(base, axes, engine="reference")
    curve = isolated_pairing_change(swept, lags).transpose("stdp", ...)
    measured = pairing_change(swept).where(swept["post_minus_pre"] != 0)
    np.testing.assert_allclose(curve, measured, rtol=1e-4, atol=1e-9)
    assert (abs(measured).max("post_minus_pre") > 3e-3).all()


def test_weights_are_clipped():
    """200 pairs reach a bound, where the change ends."""
    base = paired("input.n_pairs=200", "simulation.duration=201000")
    swept = pipeline.sweep(base, {"input.post_minus_pre": [-5, 5]})
    assert pairing_change(swept).values.tolist() == [-1, 1]
    assert isolated_pairing_change(swept, [-5, 5]).values.tolist() == [-1, 1]


def test_a_rule_without_traces_or_too_many_pairs_has_no_curve(lags):
    """NaN, where nothing is known or it would take long."""
    many = lags.assign_coords(n_pairs=("n_pairs", [1, 20_000], lags["n_pairs"].attrs))
    curve = isolated_pairing_change(many, [-60, 60])
    assert curve.notnull().any("time_difference").values.tolist() == [True, False]
    unknown = lags.assign(weight_step=lags["weight_step"] * np.nan)
    assert isolated_pairing_change(unknown, [-60, 60]).isnull().all()


def test_whether_weights_have_settled_is_no_question(lags):
    """Of protocols alone: neither figures nor report say so. Of others beside them it is one."""
    assert not has_equilibrium(lags)
    assert settled(MeasuredDataset(lags)) == ""
    both = pipeline.sweep(MIXED, {"input": ["poisson", "pairing_protocol"]})
    assert has_equilibrium(both)
    assert "cannot be assessed" in settled(MeasuredDataset(both))


def test_delays_shift_what_pairs_far_apart_change():
    """The curve is what the protocol measures, along an axis of delays too; so is the window."""
    differences = np.arange(-60.0, 61, 20)
    axes = {"synapse.axonal_delay": [0, 7.5], "input.post_minus_pre": differences}
    swept = pipeline.sweep(paired("synapse.dendritic_delay=2.5"), axes)
    curve = isolated_pairing_change(swept, differences)
    assert curve.sizes == {"axonal_delay": 2, "time_difference": 7}
    np.testing.assert_allclose(curve, pairing_change(swept), rtol=1e-9)
    one = stdp_window(swept.sel(axonal_delay=7.5))
    (jump,) = np.unique(one["time_difference"][np.diff(one["time_difference"], append=0) == 0])
    assert jump == 2.5 - 7.5  # t_pre - t_post of spikes that arrive together
    both = stdp_window(swept)
    assert both["time_difference"].attrs["long_name"].endswith("at the synapse")
