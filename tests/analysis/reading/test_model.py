"""Rules and processes of a dataset: traces, steps, time constants."""

import dataclasses
import json

import numpy as np
import pytest
import xarray as xr

import pipeline
from analysis.reading.model import (
    POSTSYNAPTIC,
    PRESYNAPTIC,
    depends_on_weight,
    pair_rule,
    rules,
    shown_steps,
    trace_kind,
    trace_side,
    trace_time_constant,
    weight_step,
)
from tests.support.unlike_rules import as_version_0, registered, sweep_over_rules

NAMES = ["additive", "toy_branch", "toy_triplet", "toy_anti_hebbian"]


@pytest.fixture(scope="module")
def unlike():
    """Four rules with unlike traces, at two rates."""
    with registered():
        return sweep_over_rules(NAMES, "simulation.duration=20", axes={"input.rate_hz": [30, 40]})


def test_steps_and_time_constants_by_side_are_exact(configure):
    """Along the axes that change them, those of the resolved rule bit for bit at weight 0."""
    base = configure("simulation.duration=20", "stdp.ltd_ratio=1.07")
    swept = {"stdp.A_plus": [0.007, 0.1], "stdp.tau_minus": [13.0, 33.7], "seed": [1, 2]}
    dataset = pipeline.sweep(base, swept, backend="sequential", engine="reference")
    for one in (dataset, as_version_0(dataset)):
        found = xr.Dataset(pair_rule(one))
        assert "seed" not in found.dims
        assert found["side"].values.tolist() == [PRESYNAPTIC, POSTSYNAPTIC]
        assert (found["n_traces"] == 1).all()
        assert (found["kind"] == 0).all()
        for A_plus in (0.007, 0.1):
            for tau_minus in (13.0, 33.7):
                stdp = dataclasses.replace(base.stdp, A_plus=A_plus, tau_minus=tau_minus).resolved()
                here = found.sel(A_plus=A_plus, tau_minus=tau_minus).isel(weight_grid=0)
                assert here["step"].values.tolist() == [stdp.A_plus, -stdp.A_minus]
                assert here["tau"].values.tolist() == [stdp.tau_plus, stdp.tau_minus]


def test_kinds_of_traces_are_those_of_the_choices(configure):
    """Along the axes that choose them; NaN where a rule has no such trace."""
    swept = {
        "stdp.pairing": ["all_to_all", "nearest"],
        "stdp.coincidence": ["both", "ltp_only", "neither"],
    }
    base = configure("simulation.duration=20")
    found = pair_rule(pipeline.sweep(base, swept, backend="sequential", engine="reference"))["kind"]
    for coincidence, expected in (("both", (0, 0)), ("ltp_only", (0, 2)), ("neither", (2, 2))):
        for pairing, bit in (("all_to_all", 0), ("nearest", 1)):
            here = found.sel(pairing=pairing, coincidence=coincidence)
            assert here.values.tolist() == [one + bit for one in expected]
    with registered():
        unlike = sweep_over_rules(NAMES, "simulation.duration=20")
    kind = trace_kind(unlike)
    assert kind.sel(stdp="toy_triplet", trace="r2").item() == 2
    assert kind.sel(stdp="toy_anti_hebbian", trace=["near_pre", "near_post"]).values.tolist() == [
        1,
        3,
    ]
    assert kind.sel(stdp="additive", trace="r2").isnull()


def test_sides_have_as_many_traces_as_the_rule(unlike):
    """Two on either side of the triplet rule, one of the others; NaN is not counted."""
    n_traces = pair_rule(unlike)["n_traces"]
    assert n_traces.sel(stdp=NAMES).values.tolist() == [[1, 1], [1, 1], [2, 2], [1, 1]]
    step = pair_rule(unlike)["step"].sel(stdp="toy_anti_hebbian")
    np.testing.assert_allclose(step.isel(side=0), -0.03)
    np.testing.assert_allclose(step.isel(side=1), 0.027)


def test_a_file_of_version_0_has_the_additive_rule(configure):
    """It names no rule; steps, time constants, sides and gaps are as in a file of version 1."""
    swept = {"stdp": ["notebook", "song_abbott_2001"], "stdp.tau_plus": [10, 20]}
    base = configure("simulation.duration=20")
    newer = pipeline.sweep(base, swept, backend="sequential", engine="reference")
    older = as_version_0(newer)
    assert "weight_step" not in older
    for function in (weight_step, trace_time_constant):
        expected, found = xr.broadcast(function(newer), function(older))
        assert set(function(newer).dims) <= set(function(older).dims)
        np.testing.assert_allclose(found.transpose(*expected.dims), expected, atol=1e-15)
    xr.testing.assert_equal(trace_side(older), trace_side(newer))
    assert (trace_kind(older) == trace_kind(newer)).all()
    assert shown_steps(older)[1] == ""


def test_traces_of_one_name_may_be_on_unlike_sides(unlike):
    """Then the side is one for each rule, and empty where a rule has no such trace."""
    assert trace_side(unlike).dims == ("trace",)
    known = rules(unlike)
    known["toy_branch"]["traces"]["x_pre"]["side"] = POSTSYNAPTIC
    side = trace_side(unlike.assign_attrs(rules=json.dumps(known))).sel(trace="x_pre")
    assert side.sel(stdp=NAMES).values.tolist() == [PRESYNAPTIC, POSTSYNAPTIC, "", ""]


def test_steps_depend_on_the_weight_beyond_rounding(unlike):
    """Those of the toy rule with square roots, alone among these."""
    assert depends_on_weight(unlike).sel(stdp=NAMES).values.tolist() == [False, True, False, False]


def test_steps_are_shown_at_one_weight(unlike):
    """At 0.5 where any step depends on the weight, and the text says so; else without rounding."""
    steps, at = shown_steps(unlike)
    assert at == " at w\xa0=\xa00.5"
    assert steps.sel(stdp="toy_branch", trace="x_pre").item() == pytest.approx(0.05 * 0.4)
    steps, at = shown_steps(unlike.sel(stdp=["additive"]))
    assert at == ""
    assert steps.sel(stdp="additive", trace="x_pre").item() == 0.008
