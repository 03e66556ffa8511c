"""The built-in plasticity rules against a second derivation: sums over pairs and triplets.

The derivation has the published equations in terms of spike times. It has no traces: what an output
or input spike does to a weight is computed anew from the times of all spikes before it.
"""

import inspect
import itertools
import math
from dataclasses import dataclass

import numpy as np
import pytest

import pipeline
from pipeline.model import reference
from pipeline.model.pair_rules import COINCIDENCES, PAIRINGS
from pipeline.model.rules.gutig import Gutig
from pipeline.model.rules.power_law import PowerLaw

DT = 1.0

#: Amplitudes at which all weights move, away from the bounds and to them.
CASES = {
    "additive": ["stdp=additive", "stdp.A_plus=0.02", "stdp.tau_minus=33"],
    "multiplicative": ["stdp=multiplicative", "stdp.A_plus=0.1"],
    "van_rossum": ["stdp=van_rossum", "stdp.A_plus=0.03"],
    "gutig": ["stdp=gutig", "stdp.A_plus=0.1", "stdp.mu_plus=0.3", "stdp.mu_minus=1.7"],
    "gutig_mixed": ["stdp=gutig", "stdp.A_plus=0.1", "stdp.mu_plus=0.3", "stdp.mu_minus=1"],
    "power_law": ["stdp=power_law", "stdp.A_plus=0.05", "stdp.w_0=0.2"],
    "log_stdp": ["stdp=log_stdp", "stdp.A_plus=0.02"],
    "anti_hebbian": ["stdp=anti_hebbian", "stdp.A_plus=-0.02"],
    "symmetric": [
        *("stdp=symmetric", "stdp.A_plus=0.003", "stdp.A_minus=-0.003"),
        *("stdp.w_in=-0.03", "stdp.w_out=0.01"),
    ],
    "triplet": ["stdp=triplet", "stdp.A2_plus=0.01", "stdp.A3_minus=0.01"],
}


def factors(stdp):
    """Return what multiplies A_plus and A_minus at a weight, from the papers."""
    u = getattr(stdp, "w_0", 1.0)
    return {
        "additive": (lambda w: 1.0, lambda w: 1.0),
        "multiplicative": (lambda w: 1 - w, lambda w: w),
        "van_rossum": (lambda w: 1.0, lambda w: w),
        "gutig": (
            lambda w: math.pow(1 - w, stdp.mu_plus),
            lambda w: math.pow(w, stdp.mu_minus),
        ),
        "power_law": (lambda w: math.pow(u, 1 - stdp.mu) * math.pow(w, stdp.mu), lambda w: w),
        "log_stdp": (
            lambda w: math.exp(-w / (u * stdp.beta)),
            lambda w: w / u if w <= u else 1 + math.log(1 + stdp.alpha * (w / u - 1)) / stdp.alpha,
        ),
        "signed": (lambda w: 1.0, lambda w: 1.0),
    }[stdp.name]


def trace(spikes, now, tau, nearest, coincident):
    """Return the sum over spikes up to `now`, or of the last alone, of (1 - dt/tau)^lag."""
    lags = [now - step for step in spikes if step < now or (coincident and step == now)]
    return sum((1 - DT / tau) ** lag for lag in (lags[-1:] if nearest else lags))


def weight_after(stdp, pre, post, w):
    """Return the weight of one synapse after its input spikes and all output spikes, in order."""
    nearest = stdp.pairing == "nearest"
    ltp = stdp.coincidence in ("both", "ltp_only")
    ltd = stdp.coincidence == "both"
    pre_for_pairs = [step for step in pre if step > 0]  # an input spike at step 0 leaves no trace
    for step, is_input in sorted([(s, False) for s in post] + [(s, True) for s in pre]):
        x_pre = trace(pre_for_pairs, step, stdp.tau_plus, nearest, ltp)
        x_post = trace(post, step, stdp.tau_minus, nearest, ltd)
        if stdp.name == "triplet":
            slow_pre = trace(pre_for_pairs, step, stdp.tau_x, nearest, False)
            slow_post = trace(post, step, stdp.tau_y, nearest, False)
            change = (
                -x_post * (stdp.A2_minus + stdp.A3_minus * slow_pre)
                if is_input
                else x_pre * (stdp.A2_plus + stdp.A3_plus * slow_post)
            )
        else:
            f_plus, f_minus = factors(stdp)
            change = (
                -stdp.A_minus * f_minus(w) * x_post + getattr(stdp, "w_in", 0.0)
                if is_input
                else stdp.A_plus * f_plus(w) * x_pre + getattr(stdp, "w_out", 0.0)
            )
        w = min(max(w + change, 0.0), 1.0)
    return w


@pytest.mark.parametrize("case", CASES)
def test_weights_are_those_of_sums_over_spikes(case):
    """For every choice of pairing and coincidence, with many coincident spikes and both bounds."""
    ends = []
    for pairing, coincidence in itertools.product(PAIRINGS, COINCIDENCES):
        configuration = pipeline.configure(
            *CASES[case], f"stdp.pairing={pairing}", f"stdp.coincidence={coincidence}",
            "input.n_synapses=8", "input.rate_hz=90", "synapse.g_max=0.5", "synapse.w_init=0.4",
            "simulation.duration=250", "neuron.t_ref=0", "record.spike_times=true",
        )  # fmt: skip
        run = reference.run(configuration)
        cells = np.concatenate([*configuration.input_events()])
        cells = cells[cells < (run.n_steps - 1) * 8]  # the last step changes no weight
        post = run.spike_step.tolist()
        assert len(post) > 10
        stdp = configuration.stdp.resolved()
        expected = [
            weight_after(stdp, (cells[cells % 8 == i] // 8).tolist(), post, 0.4) for i in range(8)
        ]
        np.testing.assert_allclose(run.weight, expected, rtol=0, atol=1e-12)
        assert np.abs(run.weight - 0.4).max() > 0.02
        ends.append(run.weight)
    for one, other in itertools.combinations(ends, 2):
        assert not np.array_equal(one, other)  # every choice matters


def test_spikes_that_pair_once_are_those_found_in_the_spike_times():
    """Of one synapse at a time: the last other spike, if none of its own kind came after it."""
    configuration = pipeline.configure(
        "stdp=masquelier2008", "input.n_synapses=8", "input.rate_hz=90", "synapse.g_max=0.5",
        "synapse.w_init=0.4", "simulation.duration=250", "neuron.t_ref=0",
    )  # fmt: skip
    run, stdp = reference.run(configuration), configuration.stdp
    cells = np.concatenate([*configuration.input_events()])
    cells = cells[cells < (run.n_steps - 1) * 8]  # the last step changes no weight
    post = run.spike_step.tolist()
    for i in range(8):
        pre, w = (cells[cells % 8 == i] // 8).tolist(), 0.4
        for step, is_input in sorted([(s, False) for s in post] + [(s, True) for s in pre]):
            own, others = (pre, post) if is_input else (post, pre)
            others = [other for other in others if other <= step and (is_input or other > 0)]
            if not others or any(others[-1] <= s < step and (s or not is_input) for s in own):
                continue
            tau = stdp.tau_minus if is_input else stdp.tau_plus
            change = (1 - DT / tau) ** (step - others[-1])
            w += -stdp.A_minus * change if is_input else stdp.A_plus * change
            w = min(max(w, 0.0), 1.0)
        assert run.weight[i] == pytest.approx(w, abs=1e-12)
    assert len(set(post) & set((cells // 8).tolist())) > 10  # coincident spikes are among them
    assert np.abs(run.weight - 0.4).max() > 0.02


@pytest.mark.parametrize(
    ("exponents", "limit"),
    [((0, 0), "additive"), ((1, 1), "multiplicative"), ((0, 1), "van_rossum")],
)
def test_exponents_of_0_and_1_are_other_rules_without_a_power(exponents, limit):
    """The general rule has the same functions there: equal in every bit, and as fast."""
    mu_plus, mu_minus = exponents
    general = pipeline.configure(
        "stdp=gutig", f"stdp.mu_plus={mu_plus}", f"stdp.mu_minus={mu_minus}"
    )
    special = pipeline.configure(f"stdp={limit}")
    for name in ("potentiate", "depress"):
        assert getattr(general.stdp.template, name) is getattr(special.stdp.template, name)
    one, other = pipeline.simulate(general), pipeline.simulate(special)
    np.testing.assert_array_equal(one["weight"], other["weight"])


@pytest.mark.parametrize("mu", [0, 1])
def test_the_power_law_has_no_power_at_exponents_of_0_and_1(mu):
    """Its functions there are others, which give the same weights in every bit."""
    rule = pipeline.configure("stdp=power_law", f"stdp.mu={mu}", "stdp.w_0=0.3").stdp
    fields, traces = rule.fields(), rule.traces_type()(np.full(101, 0.7), 0.4)
    w = np.linspace(0, 1, 101)
    assert "**" not in inspect.getsource(rule.template.potentiate)
    np.testing.assert_array_equal(
        rule.template.potentiate(w, traces, fields), rule.potentiate(w, traces, fields)
    )
    between = pipeline.configure("stdp=power_law", "stdp.mu=0.5").stdp
    assert "**" in inspect.getsource(between.template.potentiate)


@pytest.mark.parametrize("base", [Gutig, PowerLaw])
@pytest.mark.parametrize("mu", [0.0, 0.5, 1.0])
def test_a_class_derived_from_a_rule_with_a_power_keeps_its_functions(base, mu):
    """The engines run what it defines, at exponents at which its base has others."""
    own = {"potentiate": staticmethod(lambda w, traces, fields: w)}
    derived = dataclass(frozen=True)(type("Derived", (base,), own))
    parent = pipeline.configure(f"stdp={base.name}", f"stdp.mu={mu}").stdp
    rule = derived(**vars(parent))
    assert rule.template.potentiate is derived.potentiate
    assert rule.template.depress is parent.template.depress


def test_mu_sets_both_exponents_and_is_not_in_the_key():
    """An exponent that is typed replaces it, and points with equal exponents are one point."""
    rule = pipeline.configure("stdp=gutig", "stdp.mu=0.3", "stdp.mu_minus=0.7").stdp
    assert (rule.resolved().mu_plus, rule.resolved().mu_minus) == (0.3, 0.7)
    same = pipeline.configure("stdp=gutig", "stdp.mu=0.7", "stdp.mu_plus=0.3").stdp
    assert rule.key_values() == same.key_values()
    assert "mu" not in rule.key_values()


def test_the_ratio_in_time_steps_follows_coincidence():
    """It is the effective ratio with both, and has the sums from lag 1 where lag 0 is left out."""
    dt, tau_plus, tau_minus, ratio = 1.0, 20.0, 40.0, 1.1
    lags = np.arange(20_000)
    ltp, ltd = ((1 - dt / tau) ** lags for tau in (tau_plus, tau_minus))
    for coincidence, first_ltp, first_ltd in (
        ("both", 0, 0),
        ("ltp_only", 0, 1),
        ("neither", 1, 1),
    ):
        found = pipeline.simulate(
            pipeline.configure(f"stdp.coincidence={coincidence}", "stdp.tau_minus=40",
                               "simulation.duration=100")
        )  # fmt: skip
        expected = ratio * ltd[first_ltd:].sum() / ltp[first_ltp:].sum()
        assert found["discrete_ltd_ratio"].item() == pytest.approx(expected, rel=1e-9)
        assert found["effective_ltd_ratio"].item() == pytest.approx(2.2)
    triplet = pipeline.simulate(pipeline.configure("stdp=triplet", "simulation.duration=100"))
    assert np.isnan(triplet["discrete_ltd_ratio"])
    assert np.isnan(triplet["effective_ltd_ratio"])
