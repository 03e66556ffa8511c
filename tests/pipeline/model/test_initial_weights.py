"""Initial weights that are drawn: laws, limits, both engines, and what the file says of them."""

import numpy as np
import pytest

import pipeline
from analysis import open_results
from analysis.figures.histories import mean_histories, weight_history
from analysis.measures.measured import MeasuredDataset
from pipeline import RequestError
from pipeline.model.initial_weights import DISTRIBUTIONS, initial_weights

SPREAD = ("synapse.w_init=0.4", "synapse.w_init_spread=0.2")


def drawn(*overrides, seeds=range(8)):
    """Return the initial weights of 2,000 synapses for some seeds, (n_seeds, n_synapses)."""
    made = pipeline.configure("input.n_synapses=2000", *overrides)
    return np.array([initial_weights(made.with_seed(seed)) for seed in seeds])


@pytest.mark.parametrize(
    ("distribution", "deviation"),
    [("uniform", 0.2 / np.sqrt(3)), ("normal", 0.2), ("beta", 0.2)],
)
def test_mean_and_standard_deviation_are_those_of_the_law(distribution, deviation):
    """Over eight seeds, within four standard errors; all weights are in [0, 1]."""
    w = drawn(*SPREAD, f"synapse.w_init_distribution={distribution}")
    if distribution == "normal":  # clipped at the bounds, which 2.3 % of the weights pass
        assert 0.015 < (w == 0).mean() < 0.032
        w = np.where((w > 0) & (w < 0.8), w, np.nan)  # symmetric
        low = np.nanstd(w)
        assert 0.16 < low < 0.19  # of a normal distribution cut at two standard deviations: 0.176
        assert np.nanmean(w) == pytest.approx(0.4, abs=4 * 0.2 / np.sqrt(w.size))
        return
    assert w.mean() == pytest.approx(0.4, abs=4 * deviation / np.sqrt(w.size))
    assert w.std() == pytest.approx(deviation, rel=0.03)
    assert (w.min(), w.max()) >= (0, 0)
    assert w.max() <= 1
    if distribution == "uniform":
        assert w.min() == pytest.approx(0.2, abs=1e-3)
        assert w.max() == pytest.approx(0.6, abs=1e-3)


def test_seeds_and_synapses_have_weights_of_their_own():
    """The same seed gives the same, whatever the input rate and the rule."""
    w = drawn(*SPREAD)
    assert np.unique(w).size == w.size
    np.testing.assert_array_equal(w, drawn(*SPREAD, "input.rate_hz=40", "stdp=triplet"))
    own = drawn(*SPREAD, "input.seed_policy=independent", seeds=[0])
    assert not np.intersect1d(own, w).size


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_without_a_spread_all_weights_are_equal_and_keys_are_as_before(distribution):
    """The distribution has no effect then; a spread changes the key."""
    plain = pipeline.configure()
    chosen = pipeline.configure(f"synapse.w_init_distribution={distribution}")
    np.testing.assert_array_equal(initial_weights(chosen), np.full(300, plain.synapse.w_init))
    assert set(plain.synapse.key_values()) == {"g_max", "w_init", "E_ex", "tau_ex"}
    assert "w_init_spread" in pipeline.configure("synapse.w_init_spread=0.1").synapse.key_values()
    assert "initial_weight" not in pipeline.simulate(plain)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_both_engines_begin_with_them(distribution):
    """A silent run keeps them to the last bit; one that fires ends alike on both engines."""
    made = pipeline.configure(
        *SPREAD, f"synapse.w_init_distribution={distribution}", "simulation.duration=3000",
        "input.rate_hz=30",
    )  # fmt: skip
    one, other = (pipeline.simulate(made, engine=e) for e in ("compiled", "reference"))
    assert one["spike_count"] == other["spike_count"] > 10
    np.testing.assert_allclose(one["weight"], other["weight"], rtol=0, atol=1e-10)
    quiet = pipeline.simulate(made.replaced({"input.rate_hz": 0}))
    np.testing.assert_array_equal(quiet["weight"], initial_weights(made))
    np.testing.assert_array_equal(quiet["initial_weight"], initial_weights(made))


def test_the_file_has_them_where_they_were_drawn(keep):
    """Along a sweep of the spread; a longer run has those that it began with."""
    values = {"synapse.w_init_spread": [0.0, 0.1], "seed": [0, 1]}
    with open_results(keep("spread", values, "simulation.duration=500")) as dataset:
        first = dataset["initial_weight"].load()
    assert first.sel(w_init_spread=0).isnull().all()
    assert np.abs(first.sel(w_init_spread=0.1) - 0.5833).max() <= 0.1001
    with open_results(keep("spread", values, "simulation.duration=1000")) as dataset:
        np.testing.assert_array_equal(dataset["initial_weight"], first)


def test_a_second_phase_begins_with_the_weights_of_the_first():
    """`initial_weight` is what the simulation began with, not what the configuration draws."""
    made = pipeline.configure(*SPREAD, "record.state=true", "simulation.duration=3000")
    first = pipeline.simulate(made.replaced({"input.rate_hz": 40}))
    second = pipeline.simulate(made, state=first)
    np.testing.assert_array_equal(second["initial_weight"], first["weight"])


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["synapse.w_init=0.8", "synapse.w_init_spread=0.3"],
            r"^synapse\.w_init_spread=0\.3: must be <= 0\.2 with w_init=0\.8, as uniform weights",
        ),
        (
            ["synapse.w_init=0.5", "synapse.w_init_spread=0.5", "synapse.w_init_distribution=beta"],
            r"^synapse\.w_init_spread=0\.5: must be < 0\.5 with w_init=0\.5, the standard",
        ),
        (["synapse.w_init_spread=-0.1"], r"^synapse\.w_init_spread=-0\.1: spread of the initial"),
        (["synapse.w_init_distribution=cauchy"], r"must be uniform or normal or beta$"),
    ],
)
def test_an_impossible_spread_is_refused(overrides, message):
    """One line with what is allowed."""
    with pytest.raises(RequestError, match=message):
        pipeline.configure(*overrides)


def test_curves_of_weights_begin_with_them():
    """Weights in time, their mean and the share of weak ones at t = 0 are those of the file."""
    overrides = ("synapse.w_init=0.3", "synapse.w_init_spread=0.3", "simulation.duration=4000")
    made = pipeline.configure(*overrides, "record=history", "record.weight_interval=1000")
    dataset = pipeline.sweep(made, {"seed": [0, 1]}, n_jobs=1)
    first = dataset["initial_weight"]
    at_zero = weight_history(dataset).sel(sample_time=0)
    np.testing.assert_array_equal(at_zero.transpose(*first.dims), first)
    mean, weak, _, _ = mean_histories(MeasuredDataset(dataset))
    assert float(mean.sel(sample_time=0)) == pytest.approx(float(first.mean()))
    assert float(weak.sel(sample_time=0)) == pytest.approx(float((first < 0.1).mean()))
