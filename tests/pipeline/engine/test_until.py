"""Runs until they have settled: cut at random limits and continued, against undivided ones."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pipeline
from pipeline.engine.simulate import STATE, engine_named, run_point
from pipeline.model.inputs import PROCESSES
from pipeline.model.looks import last_look, looks_until
from pipeline.model.state import EndState, Start
from pipeline.model.variables import FLAGS, is_open
from tests.pipeline.engine.test_own_rules import configuration_of
from tests.pipeline.engine.test_state import RULE_CLASSES
from tests.support import toy_rules
from tests.support.unlike_rules import registered

#: What ends runs of 40 synapses after one to five looks.
SETTLE = {"tolerance": 0.3, "minimum": 16_000.0}


def limited(configuration, limit):
    """Return a configuration that runs until it has settled, at most for a time [ms]."""
    simulation = dataclasses.replace(configuration.simulation, until="settled", duration=limit)
    settle = dataclasses.replace(configuration.settle, **SETTLE)
    return dataclasses.replace(configuration, simulation=simulation, settle=settle)


def run_in_parts(configuration, limits, engine):
    """Return the variables of a run that is asked for with rising limits."""
    result = None
    for limit in limits:
        point, start = limited(configuration, limit), None
        if result is not None:
            if not is_open(np.array(result["settled"])):
                break
            if last_look(limit) == result["run_duration"]:
                continue  # a sweep does not run it again
            history = result.get("weight_history", np.empty((0, 0)))
            start = Start(EndState.from_bytes(result[STATE]), history)
        result = run_point(point, engine_named(engine), start=start)
    return result


def assert_equal(got, expected):
    """Every variable has the same bits, the end state too."""
    assert got.keys() == expected.keys()
    for name in got.keys() - {"wall_time"}:
        np.testing.assert_array_equal(got[name], expected[name], err_msg=name)


@pytest.fixture(scope="module", autouse=True)
def _regular():
    """Register the process that is drawn again from its beginning."""
    PROCESSES.register(toy_rules.Regular)
    yield
    PROCESSES.unregister("toy_regular")


@st.composite
def cases(draw, longest, dt):
    """Return rule, process, values and limits of a run."""
    step = draw(st.sampled_from(dt))
    intervals = [None, 3000.0] if step == 0.3 else [None, 100.0, 1000.0, 3000.0]
    changed = {
        "simulation__duration": 16_000.0,
        "simulation__dt": step,
        "input__rate_hz": draw(st.sampled_from([15.0, 25.0, 40.0, 80.0])),
        "record__weight_interval": draw(st.sampled_from(intervals)),
        "record__spike_times": draw(st.booleans()),
        "seed": draw(st.integers(0, 2**31)),
    }
    limit = st.floats(16_000.0, longest)
    limits = sorted(draw(st.lists(limit, min_size=1, max_size=3)) + [longest])
    rule = draw(st.sampled_from([*toy_rules.VALUES]))
    return rule, draw(st.sampled_from(["poisson", "toy_regular"])), changed, limits


def check(engine, rule, process, changed, limits):
    """Compare a run with its undivided self."""
    seed = changed.pop("seed")
    with registered(getattr(toy_rules, RULE_CLASSES[rule])):
        configuration = dataclasses.replace(configuration_of(rule, process, **changed), seed=seed)
        record = dataclasses.replace(configuration.record, state=True)
        configuration = dataclasses.replace(configuration, record=record)
        parts = run_in_parts(configuration, limits, engine)
        whole = run_in_parts(configuration, limits[-1:], engine)
        assert_equal(parts, whole)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(cases(longest=130_000.0, dt=[1.0, 2.0, 0.3]))
def test_raising_the_limit_changes_no_bit(case):
    """Of any rule and record, by the compiled engine."""
    check("compiled", *case)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(cases(longest=64_000.0, dt=[4.0]))
def test_raising_the_limit_changes_no_bit_of_the_reference(case):
    """Likewise by the reference, in long steps."""
    check("reference", *case)


def test_a_single_run_ends_on_its_own(configure):
    """Its history ends where it does, as that of a sweep does before the fill."""
    until = ["simulation.until=settled", "simulation.duration=1e6", "stdp.ltd_ratio=0.5"]
    configuration = configure(*until, "record=history")
    one = pipeline.simulate(configuration)
    assert FLAGS[int(one["settled"])] == "at the upper bound"
    assert one["run_duration"] == one["sample_time"][-1] == 64_000
    assert len(looks_until(1e6)) == 6
    swept = pipeline.sweep(configuration, {"seed": [2020]}).isel(seed=0)
    n = one.sizes["sample_time"]
    np.testing.assert_array_equal(swept["sample_time"][:n], one["sample_time"])
    np.testing.assert_allclose(swept["weight_history"][:n], one["weight_history"], atol=1e-3)
    assert np.isnan(swept["weight_history"][n:]).all()
