"""Theory, STDP window and traces of rules that a user has defined, from the file alone."""

import numpy as np
import pytest
import xarray as xr

from analysis.measures import rule_curves
from analysis.measures.equilibrium import expected_histogram, homeostatic_rate, spikes_per_input
from analysis.measures.settling import settling
from analysis.measures.spike_trains import input_spikes
from analysis.measures.stationarity import SETTLED
from analysis.measures.traces import ltd_trace, ltp_trace
from analysis.reading.dataset import with_named_choices
from analysis.reading.select import part_of
from pipeline.model.plasticity import RULES
from pipeline.model.rule_steps import stdp_window
from tests.support.unlike_rules import registered, settings_of, sweep_over_rules

NAMES = ["additive", "toy_branch", "toy_triplet", "toy_anti_hebbian"]


def resolved(rule):
    """Return a rule with the values that it has in the sweeps."""
    values = {key.removeprefix("stdp."): value for key, value in settings_of(rule).items()}
    return RULES.named(rule).from_mapping(values)


@pytest.mark.parametrize("rule", NAMES)
def test_the_files_window_is_the_models(rule):
    """At w = 0.5, of a rule alone and beside others, on both sides and at 0."""
    with registered():
        alone = sweep_over_rules([rule], "simulation.duration=20")
        beside = sweep_over_rules(NAMES, "simulation.duration=20", axes={"seed": [1, 2]})
        for dataset in (alone, beside, part_of(beside, [f"stdp={rule}"]).dataset):
            curve = rule_curves.stdp_window(dataset)
            assert curve.dims[-1] == "time_difference"
            assert "seed" not in curve.dims
            curve = curve.sel(stdp=rule) if "stdp" in curve.dims else curve
            t = curve["time_difference"].values.copy()
            last = t.size // 2 - 1
            assert t[last] == t[last + 1] == 0
            t[last + 1] = np.nextafter(0, 1)
            np.testing.assert_allclose(curve, stdp_window(t, resolved(rule)), atol=1e-15, rtol=1e-9)


def test_the_window_says_its_weight_only_where_it_depends_on_it():
    """Of additive rules the long name is without a weight."""
    with registered():
        additive = sweep_over_rules(["additive", "toy_triplet"], "simulation.duration=20")
        branch = sweep_over_rules(["additive", "toy_branch"], "simulation.duration=20")
    long_name = "weight change per pair of spikes"
    assert rule_curves.stdp_window(additive).attrs["long_name"] == long_name
    assert rule_curves.stdp_window(branch).attrs["long_name"] == f"{long_name} at w\xa0=\xa00.5"


def test_theory_is_computed_at_the_points_that_it_covers():
    """Where all weights are said to have settled, of the additive rule alone."""
    overrides = ("record=history", "record.weight_interval=50", "input.rate_hz=20")
    with registered():
        dataset = with_named_choices(sweep_over_rules(NAMES, *overrides, axes={"seed": [1, 2]}))
    assert (dataset["output_rate"] > 0).all()
    settled = xr.full_like(settling(dataset)["settled"], SETTLED)
    found = expected_histogram(dataset, settled)
    of_additive = [True, False, False, False]
    assert found["share"].notnull().all("weight_bin").values.tolist() == of_additive
    assert found["alpha"].notnull().values.tolist() == of_additive
    assert spikes_per_input(dataset).notnull().values.tolist() == of_additive
    assert not homeostatic_rate(dataset, settled).notnull().values[1:].any()
    alone = dataset.sel(stdp=["additive"])
    xr.testing.assert_allclose(
        found.sel(stdp=["additive"]), expected_histogram(alone, settled.sel(stdp=["additive"]))
    )


def test_traces_are_scaled_by_the_steps_of_the_file():
    """P and M of a weight-dependent rule are those at w = 0.5; input spikes follow its own tau."""
    overrides = ("record=everything", "simulation.duration=100")
    with registered():
        dataset = with_named_choices(sweep_over_rules(["additive", "toy_branch"], *overrides))
    x_pre, x_post = dataset["x_pre"], dataset["x_post"]
    P, M = ltp_trace(dataset), ltd_trace(dataset)
    for name, plus, minus in (("additive", 0.008, 0.0088), ("toy_branch", 0.02, 0.05 * 0.5**0.5)):
        np.testing.assert_allclose(P.sel(stdp=name), plus * x_pre.sel(stdp=name))
        np.testing.assert_allclose(M.sel(stdp=name), -minus * x_post.sel(stdp=name))
    assert P.attrs["long_name"] == "LTP trace $P$ at w\xa0=\xa00.5"
    additive = ltp_trace(dataset.sel(stdp=["additive"]))
    assert additive.attrs["long_name"] == r"LTP trace $P = A_+ x_\mathrm{pre}$"
    spikes = input_spikes(dataset)
    assert spikes.any()
    assert (spikes.sel(stdp="additive") == spikes.sel(stdp="toy_branch")).all()
