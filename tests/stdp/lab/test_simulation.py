"""A move of the lab: its results are those of the command that it shows."""

import shlex

import numpy as np
import pytest

import pipeline
from analysis import open_results
from analysis.measures.measured import MeasuredDataset
from pipeline.model.errors import RequestError
from pipeline.model.plasticity import RULES
from stdp.browser.combination import combination
from stdp.lab.settings import Settings
from stdp.lab.simulation import (
    Moves,
    Refused,
    Simulated,
    Traces,
    recorded_in_time,
    refuse_long,
    traced,
)
from tests.conftest import SMALL
from tests.support.toy_rules import AntiHebbian

SETTINGS = Settings.from_overrides(SMALL)


def test_a_move_yields_numbers_then_courses_then_traces():
    """The quickest first; traces are of the beginning of the same run."""
    first, courses, traces = Moves().outcomes(SETTINGS)
    assert isinstance(first, Simulated)
    assert isinstance(traces, Traces)
    assert set(courses) == {"mean", "weak", "rate", "strong"}
    assert first.seconds > 0
    whole = pipeline.simulate(pipeline.configure(*SMALL, "record.spike_times=true"))
    begun = whole["spike_time"].values[whole["spike_time"].values < 500]
    np.testing.assert_array_equal(traces.recorded["spike_time"], begun)
    np.testing.assert_array_equal(first.window["time_difference"][[0, -1]], [-100, 100])


def test_a_pairing_protocol_is_cut_in_the_traces_alone():
    """They are of the beginning of the same run; there are none of a pair that does not fit."""
    words = ("input=pairing_protocol", "simulation.duration=8000")
    first, _, traces = Moves().outcomes(Settings.from_overrides(words))
    assert isinstance(first, Simulated)
    assert first.configuration.input.n_pairs == 60
    times = traces.recorded["spike_time"].values
    np.testing.assert_array_equal(times, 11 + 100 * np.arange(5))
    assert traces.recorded["time"].values[-1] == 499
    outcomes = [*Moves().outcomes(Settings.from_overrides((*words, "input.post_minus_pre=600")))]
    assert [type(one) for one in outcomes] == [Simulated, dict]


@pytest.mark.parametrize("rule", ["multiplicative", "gutig", "triplet"])
def test_the_theory_is_drawn_of_the_rules_that_it_covers(rule):
    """Where the weights have settled: dashed, with what was fitted; else a warning says why not."""
    words = (f"stdp={rule}", "input.rate_hz=20", "synapse.w_init=0.6", "simulation.duration=600000")
    shown = next(Moves().outcomes(Settings.from_overrides(words)))
    assert isinstance(shown, Simulated)
    has_theory = rule != "triplet"
    histogram = shown.shown.histogram
    assert np.isfinite(histogram.expected).all() == has_theory
    assert ("c fitted to the mean weight 0.0" in histogram.note) == has_theory
    reasons = [one for one in shown.warnings if one.startswith("No theory is drawn where ")]
    assert len(reasons) == (not has_theory)


def test_the_command_gives_the_numbers_of_the_lab(command, tmp_path):
    """Those of the table beside the picture, from its `results.nc`."""
    settings = SETTINGS.with_typed("stdp.A_plus", "0.02").with_typed("seed", "3")
    shown = next(Moves().outcomes(settings))
    assert command(*shlex.split(shown.command)[2:], "name=same").code == 0
    with open_results(tmp_path / "outputs" / "same") as dataset:
        kept = combination(MeasuredDataset.of(dataset.load()))
    assert kept.numbers == shown.shown.numbers
    assert kept.answer == shown.shown.answer
    np.testing.assert_array_equal(kept.histogram.share, shown.shown.histogram.share)


def test_refused_settings_are_told_with_their_key():
    """And nothing else is yielded."""
    (refused,) = Moves().outcomes(SETTINGS.with_typed("stdp.A_plus", "7"))
    assert isinstance(refused, Refused)
    assert refused.key == "stdp.A_plus"
    (refused,) = Moves().outcomes(SETTINGS.with_typed("simulation.dt", "30"))
    assert refused.key == "simulation.dt"


def test_an_error_of_a_users_code_is_told(monkeypatch):
    """In one line, in place of the picture's update."""

    def fail(configuration):
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr(pipeline, "simulate", fail)
    (refused,) = Moves().outcomes(SETTINGS)
    assert refused.message == "the simulation failed (ZeroDivisionError: division by zero)"


def test_what_is_left_of_a_move_follows_one_that_is_refused():
    """So that no part of the picture is of an earlier simulation."""
    moves = Moves()
    drawn = moves.outcomes(SETTINGS)
    assert isinstance(next(drawn), Simulated)
    assert set(next(drawn)) == {"mean", "weak", "rate", "strong"}
    drawn.close()  # as it is overtaken
    wrong = SETTINGS.with_typed("seed", "x")
    refused, traces = moves.outcomes(wrong)
    assert isinstance(refused, Refused)
    assert isinstance(traces, Traces)
    assert len(list(moves.outcomes(wrong))) == 1


@pytest.mark.parametrize(
    "override", ["simulation.duration=1e11", "input.n_synapses=10000000", "simulation.dt=1e-5"]
)
def test_what_takes_too_long_for_a_move_is_refused(override):
    """In one line with the estimated time, before it runs."""
    configuration = recorded_in_time(pipeline.configure(override))
    with pytest.raises(RequestError, match="^simulation.duration=.*: must be shorter here: .* s;"):
        refuse_long(configuration)
    refuse_long(recorded_in_time(pipeline.configure("simulation.duration=1e6")))


def test_a_run_until_it_has_settled_is_recorded_and_traced():
    """Its samples become rare; it is refused by its limit, which it may reach."""
    settings = Settings.from_overrides(
        ["simulation.until=settled", "settle.minimum=16000", "input.seed_policy=independent"]
    )
    shown, courses, traces = Moves().outcomes(settings)
    assert isinstance(shown, Simulated)
    assert courses["rate"].size == shown.configuration.n_samples == 48
    assert traces.recorded["time"].size == 500
    limit = settings.with_typed("simulation.duration", "1e10")
    (refused,) = Moves().outcomes(limit)
    assert refused.message.startswith("simulation.duration=10000000000: must be shorter here")


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("simulation.duration=1",),
        ("simulation.duration=0.35", "simulation.dt=0.1"),
        ("simulation.duration=1000.5", "simulation.dt=0.3"),
        ("input.n_synapses=100000", "simulation.duration=2000"),
    ],
)
def test_any_run_is_recorded_in_time_and_traced(overrides):
    """Up to 120 samples of the weights, and traces of a bounded number of steps."""
    configuration = recorded_in_time(pipeline.configure(*overrides))
    assert 1 <= configuration.n_samples <= 120
    begun = traced(configuration)
    assert begun.record.traces
    n_steps = begun.simulation.n_steps
    assert n_steps * begun.input.n_synapses <= max(1_500_000, begun.input.n_synapses)
    assert begun.simulation.duration <= min(
        500 + begun.simulation.dt, configuration.simulation.duration
    )


def test_a_registered_rule_has_python_and_no_command(tmp_path):
    """No command knows it, with or without a file; the call makes the same configuration."""
    pipeline.register(AntiHebbian)
    try:
        shown = next(Moves().outcomes(SETTINGS.with_typed("stdp.rule", "toy_anti_hebbian")))
        assert isinstance(shown, Simulated)
        assert shown.command == ""
        assert eval(shown.call, {"pipeline": pipeline}) == shown.configuration
        (tmp_path / "stdp").mkdir()
        text = "rule: toy_anti_hebbian\nA_plus: 0.03\ntau_plus: 20.0\n"
        (tmp_path / "stdp" / "mine.yaml").write_text(text)
        shown = next(Moves().outcomes(Settings.from_overrides([*SMALL, "stdp=mine"], tmp_path)))
        assert (shown.configuration.stdp.name, shown.command) == ("toy_anti_hebbian", "")
    finally:
        RULES.unregister("toy_anti_hebbian")
