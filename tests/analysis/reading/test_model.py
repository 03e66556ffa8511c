"""Rules and processes of a dataset: traces, steps, time constants, cover by the theory."""

import dataclasses
import json

import numpy as np
import pytest
import xarray as xr

import pipeline
from analysis.reading.model import (
    POSTSYNAPTIC,
    PRESYNAPTIC,
    additive_pair_rule,
    depends_on_weight,
    rules,
    shown_steps,
    theory_gap,
    theory_gaps,
    trace_side,
    trace_time_constant,
    weight_step,
)
from analysis.reading.select import part_of
from pipeline.model.inputs import PROCESSES
from pipeline.model.parameters import Configuration
from tests.support import toy_rules
from tests.support.unlike_rules import as_version_0, registered, sweep_over_rules

NAMES = ["additive", "toy_branch", "toy_triplet", "toy_anti_hebbian"]


@pytest.fixture(scope="module")
def unlike():
    """Four rules with unlike traces, at two rates."""
    with registered():
        return sweep_over_rules(NAMES, "simulation.duration=20", axes={"input.rate_hz": [30, 40]})


def test_the_theory_covers_the_points_of_the_additive_rule_alone(unlike):
    """Along the axis of rules; each reason names the rule, and is listed once."""
    gaps = theory_gaps(unlike)
    assert gaps.dims == ("stdp",)
    assert gaps.sel(stdp="additive").item() == ""
    reasons = [
        f"stdp.rule={name}: the theory covers additive, all-to-all pair rules only"
        for name in NAMES[1:]
    ]
    assert gaps.values.tolist() == ["", *reasons]
    assert theory_gap(unlike) == reasons
    assert theory_gap(part_of(unlike, ["stdp=additive"]).dataset) == []
    assert theory_gap(part_of(unlike, ["stdp=toy_branch"]).dataset) == reasons[:1]


def test_the_theory_covers_no_process_that_says_so(configure):
    """A process has a gap as a rule has, and so have spikes of the caller."""
    PROCESSES.register(toy_rules.Regular)
    try:
        values = configure("simulation.duration=20").to_mapping()
        values["input"] |= {"process": "toy_regular", "phases": 0.5}
        made = pipeline.simulate(Configuration.from_mapping(values), engine="reference")
        assert theory_gap(made) == [
            "input.process=toy_regular: the theory covers independent Poisson inputs of one rate "
            "only"
        ]
    finally:
        PROCESSES.unregister("toy_regular")
    small = configure("simulation.duration=20")
    given = pipeline.simulate(small, spikes=np.zeros((40, 20)), engine="reference")
    assert theory_gap(given) == [
        "the theory covers independent input only, and spikes were given by the caller"
    ]


def test_the_theory_covers_no_steps_that_depend_on_the_weight(unlike):
    """Not even where the rule says nothing."""
    silent = {name: rule | {"theory_gap": ""} for name, rule in rules(unlike).items()}
    dataset = unlike.assign_attrs(rules=json.dumps(silent))
    assert depends_on_weight(unlike).sel(stdp=NAMES).values.tolist() == [False, True, False, False]
    assert theory_gap(dataset) == [
        "stdp.rule=toy_branch: the theory covers steps that do not depend on the weight only"
    ]


def test_amplitudes_and_time_constants_of_an_additive_rule_are_exact(configure):
    """Along the axes that change them, those of the resolved rule bit for bit."""
    base = configure("simulation.duration=20", "stdp.ltd_ratio=1.07")
    swept = {"stdp.A_plus": [0.007, 0.1], "stdp.tau_minus": [13.0, 33.7], "seed": [1, 2]}
    dataset = pipeline.sweep(base, swept, backend="sequential", engine="reference")
    for found in (additive_pair_rule(dataset), additive_pair_rule(as_version_0(dataset))):
        assert "seed" not in {dim for array in found.values() for dim in array.dims}
        for A_plus in (0.007, 0.1):
            for tau_minus in (13.0, 33.7):
                stdp = dataclasses.replace(base.stdp, A_plus=A_plus, tau_minus=tau_minus).resolved()
                here = {"A_plus": A_plus, "tau_minus": tau_minus}
                for name, array in found.items():
                    at = {dim: value for dim, value in here.items() if dim in array.dims}
                    assert array.sel(at).item() == getattr(stdp, name)


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
    assert (theory_gaps(older) == "").all()
    assert theory_gap(older) == []
    assert shown_steps(older)[1] == ""


def test_traces_of_one_name_may_be_on_unlike_sides(unlike):
    """Then the side is one for each rule, and empty where a rule has no such trace."""
    assert trace_side(unlike).dims == ("trace",)
    known = rules(unlike)
    known["toy_branch"]["traces"]["x_pre"]["side"] = POSTSYNAPTIC
    side = trace_side(unlike.assign_attrs(rules=json.dumps(known))).sel(trace="x_pre")
    assert side.sel(stdp=NAMES).values.tolist() == [PRESYNAPTIC, POSTSYNAPTIC, "", ""]


def test_steps_are_shown_at_one_weight(unlike):
    """At 0.5 where any step depends on the weight, and the text says so; else without rounding."""
    steps, at = shown_steps(unlike)
    assert at == " at w\xa0=\xa00.5"
    assert steps.sel(stdp="toy_branch", trace="x_pre").item() == pytest.approx(0.05 * 0.4)
    steps, at = shown_steps(unlike.sel(stdp=["additive"]))
    assert at == ""
    assert steps.sel(stdp="additive", trace="x_pre").item() == 0.008
