"""Where the theory of the equilibrium applies, and why it does not elsewhere."""

import json

import numpy as np
import pytest

import pipeline
from analysis.measures import coverage, theory
from analysis.measures.coverage import LARGEST_STEP, relative_step, theory_gap, theory_gaps
from analysis.measures.equilibrium import expected_histogram
from analysis.measures.pair_rule import WEIGHTS, PairRule
from analysis.reading.model import pair_rule, rules
from analysis.reading.select import part_of
from pipeline.model.inputs import PROCESSES
from pipeline.model.parameters import Configuration
from tests.support import toy_rules
from tests.support.unlike_rules import as_version_0, registered, sweep_over_rules

NAMES = ["additive", "toy_branch", "toy_triplet", "toy_anti_hebbian"]
BRIEF = "simulation.duration=20"
LARGE = (
    f", and a pair of spikes moves a weight by more than {LARGEST_STEP} standard deviations of the "
    "theory: the diffusion approximation fails"
)


@pytest.fixture(scope="module")
def unlike():
    """Four rules with unlike traces, at two rates; the toy rules say that they are not covered."""
    with registered():
        return sweep_over_rules(NAMES, BRIEF, axes={"input.rate_hz": [30, 40]})


def swept(axes, *overrides):
    """Sweep a short run in this process."""
    base = pipeline.configure(BRIEF, *overrides)
    return pipeline.sweep(base, axes, backend="sequential", engine="reference")


def test_the_reason_of_a_rule_stands_at_its_points(unlike):
    """Along the axis of rules; each reason names the rule, and is listed once."""
    gaps = theory_gaps(unlike)
    assert gaps.dims == ("stdp",)
    reasons = [f"stdp.rule={name}: {rules(unlike)[name]['theory_gap']}" for name in NAMES[1:]]
    assert gaps.values.tolist() == ["", *reasons]
    assert theory_gap(unlike) == reasons
    assert theory_gap(part_of(unlike, ["stdp=additive"]).dataset) == []
    assert theory_gap(part_of(unlike, ["stdp=toy_branch"]).dataset) == reasons[:1]


def test_steps_and_traces_are_judged_where_a_rule_says_nothing(unlike):
    """Weight-dependent steps are covered; several traces on a side and reversed signs are not."""
    silent = {name: rule | {"theory_gap": ""} for name, rule in rules(unlike).items()}
    dataset = unlike.assign_attrs(rules=json.dumps(silent))
    assert theory_gaps(dataset).sel(stdp=NAMES).values.tolist() == [
        "",
        "",
        "stdp.rule=toy_triplet: the theory covers one presynaptic and one postsynaptic trace only",
        "stdp.rule=toy_anti_hebbian: the theory covers LTP by pre before post, LTD by post before "
        "pre",
    ]


def test_many_points_are_judged_block_by_block(unlike, monkeypatch):
    """The same reasons as for all at once, along any axes, of which some do not decide."""
    large = swept({"stdp.A_plus": [0.001, 0.02, 0.3, 0.4], "seed": [1, 2]})
    expected = [theory_gaps(one) for one in (unlike, large)]
    assert set(expected[1].values.tolist()) == {"", f"stdp.rule=additive{LARGE}"}
    for n_points in (1, 3, 5):
        monkeypatch.setattr(coverage, "_POINTS_AT_ONCE", n_points)
        for one, gaps in zip((unlike, large), expected, strict=True):
            np.testing.assert_array_equal(theory_gaps(one), gaps)
            assert theory_gaps(one).dims == gaps.dims


def test_the_literatures_rules_are_covered_with_their_parameters():
    """All but those with signs, triplets; of one rule alone the gaps have no dimension."""
    covered = ["additive", "multiplicative", "van_rossum", "gutig", "power_law", "log_stdp"]
    others = {
        "anti_hebbian": "signed",
        "symmetric": "signed",
        "triplet": "triplet",
        "masquelier2008": "reduced_nearest",
    }
    gaps = theory_gaps(swept({"stdp": [*covered, *others]}))
    assert (gaps.sel(stdp=covered) == "").all()
    for choice, name in others.items():
        assert gaps.sel(stdp=choice).item().startswith(f"stdp.rule={name}: the theory covers ")
    alone = pipeline.simulate(pipeline.configure(BRIEF, "stdp=triplet"), engine="reference")
    assert theory_gap(alone) == [gaps.sel(stdp="triplet").item()]


def test_the_theory_covers_no_process_that_says_so(configure):
    """A process has a gap as a rule has, and so have spikes of the caller."""
    PROCESSES.register(toy_rules.Regular)
    try:
        values = configure(BRIEF).to_mapping()
        values["input"] |= {"process": "toy_regular", "phases": 0.5}
        made = pipeline.simulate(Configuration.from_mapping(values), engine="reference")
        assert theory_gap(made) == [
            "input.process=toy_regular: the theory covers independent Poisson inputs of one rate "
            "only"
        ]
    finally:
        PROCESSES.unregister("toy_regular")
    given = pipeline.simulate(configure(BRIEF), spikes=np.zeros((40, 20)), engine="reference")
    assert theory_gap(given) == [
        "the theory covers independent input only, and spikes were given by the caller"
    ]


def test_a_file_of_version_0_is_covered():
    """It holds additive rules only."""
    newer = swept({"stdp": ["notebook", "song_abbott_2001"], "stdp.tau_plus": [10, 20]})
    older = as_version_0(newer)
    assert "weight_step" not in older
    assert (theory_gaps(older) == "").all()
    assert theory_gap(older) == []


def test_large_steps_are_not_covered():
    """Of the same rule, at the points with the large amplitude alone; the reason says why."""
    dataset = swept({"stdp.A_plus": [0.002, 0.02, 0.5], "seed": [1, 2]}, "stdp=multiplicative")
    gaps = theory_gaps(dataset)
    assert gaps.dims == ("A_plus",)
    assert gaps.values.tolist() == ["", "", f"stdp.rule=multiplicative{LARGE}"]
    size = relative_step(dataset)
    assert (np.diff(size) > 0).all()
    assert size[1] < LARGEST_STEP < size[2]


def test_log_stdp_with_a_small_reference_weight_is_not_covered():
    """Weights gather within a few steps; smaller steps make the theory hold again."""
    w_0, steps = {"stdp.w_0": [0.03, 0.3]}, ("stdp=log_stdp", "stdp.A_plus=0.03")
    assert theory_gaps(swept(w_0, *steps)).values.tolist() == [f"stdp.rule=log_stdp{LARGE}", ""]
    assert (theory_gaps(swept(w_0, "stdp=log_stdp")) == "").all()


def test_steps_that_a_histogram_does_not_show_are_covered():
    """Much LTD gathers weights within a step of 0, which is one bin, as the theory has it."""
    dataset = swept({"stdp.ltd_ratio": [1.1, 2.0], "stdp.A_plus": [0.008, 0.02]})
    gaps = theory_gaps(dataset)
    assert (gaps.sel(A_plus=0.008) == "").all()
    assert (gaps.sel(A_plus=0.02) == "").values.tolist() == [True, False]


@pytest.mark.parametrize("coincidence", ["both", "ltp_only", "neither"])
@pytest.mark.parametrize("dt", [1.0, 4.0])
def test_the_size_of_steps_is_that_of_the_density_at_low_rates(coincidence, dt):
    """Root mean square of both steps over the density, in its standard deviations.

    With 0.02 added to these as by an independent error.
    """
    overrides = ("stdp=gutig", "stdp.mu=0.3", f"stdp.coincidence={coincidence}")
    overrides += (f"simulation.dt={dt}", "stdp.tau_minus=30")
    dataset = swept({"stdp.A_plus": [0.03]}, *overrides).isel(A_plus=0)
    found = pair_rule(dataset)
    rule = PairRule.of(
        found["step"].values, found["tau"].values, dt, kinds=found["kind"].values.astype(int)
    )
    density = theory.equilibrium_density(rule)
    size = np.sqrt((rule.potentiation**2 + rule.depression**2) / 2) @ density / WEIGHTS.size
    expected = size / np.sqrt(theory.standard_deviation(density) ** 2 + 0.02**2)
    assert relative_step(dataset).item() == pytest.approx(expected, rel=2e-3)


def test_weights_that_no_pair_changes_do_not_diffuse():
    """Without amplitudes nothing is expected, and the reason says so, without a warning."""
    dataset = swept({"stdp.A_plus": [0.0, 0.008]})
    assert theory_gaps(dataset).values.tolist() == [
        "stdp.rule=additive, and pairs of spikes leave some weights unchanged: these do not "
        "diffuse",
        "",
    ]
    assert expected_histogram(dataset)["share"].isnull().all()


def test_very_small_steps_are_covered():
    """Also where the weights of the theory lie within one cell of its grid."""
    dataset = swept({"stdp.A_plus": [1e-9, 1e-6, 1e-4, 1e-2]})
    assert (theory_gaps(dataset) == "").all()
