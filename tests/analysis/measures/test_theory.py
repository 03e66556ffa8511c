"""Theory: closed forms against the general density, sums and simulations; the STDP window."""

from dataclasses import dataclass

import numpy as np
import pytest

import pipeline
from analysis.measures import pair_rule, theory
from analysis.measures.pair_rule import PairRule
from analysis.measures.theory import WEIGHTS
from pipeline.model.plasticity import clipped, stdp_window


def rule(A_plus=0.008, ratio=1.1, tau=20.0, tau_minus=None, mu_plus=0.0, mu_minus=0.0):
    """Return a rule in continuous time: one time constant each for drift and diffusion."""
    tau_minus = tau if tau_minus is None else tau_minus
    taus = (tau, tau_minus, tau, tau_minus)
    return PairRule(A_plus, ratio * A_plus, *taus, mu_plus, mu_minus)


def moments(density):
    """Return mean and variance of a density at `WEIGHTS`, by Simpson's rule."""
    simpson = np.full(WEIGHTS.size, 2.0)
    simpson[1::2] = 4
    simpson[[0, -1]] = 1
    simpson *= density / (simpson @ density)
    mean = simpson @ WEIGHTS
    return mean, simpson @ (WEIGHTS - mean) ** 2


@pytest.mark.parametrize(("tau", "dt", "euler"), [(20, 1, True), (10, 0.5, False), (3, 1, False)])
def test_steps_stand_for_sums_over_lags(tau, dt, euler):
    """A time constant in steps is the sum of the window, or twice that of its square, over lags."""
    q = 1 - dt / tau if euler else np.exp(-dt / tau)
    lags = np.arange(2000)
    for coincident, first in ((True, 0), (False, 1)):
        area = pair_rule.step_area(tau, dt, euler, coincident)
        variance = pair_rule.step_variance(tau, dt, euler, coincident)
        assert area == pytest.approx(dt * (q ** lags[first:]).sum())
        assert variance == pytest.approx(2 * dt * (q ** (2 * lags[first:])).sum())


def test_steps_that_are_short_change_nothing():
    """As dt shrinks both become tau; with Euler traces the area is tau at any dt."""
    for euler in (True, False):
        for coincident in (True, False):
            assert pair_rule.step_area(20, 1e-4, euler, coincident) == pytest.approx(20, rel=1e-5)
            assert pair_rule.step_variance(20, 1e-4, euler, coincident) == pytest.approx(
                20, rel=1e-5
            )
    assert pair_rule.step_area(20, 5) == pytest.approx(20)
    assert pair_rule.step_variance(20, 5) > 22


def test_a_rule_in_steps_has_the_models_drift():
    """Drift per pair is the window summed over the lags of steps, coincidences in both halves."""
    stepped = PairRule.in_steps(0.008, 0.0088, 20, 30, 1.0, 0.5, 0.5)
    lags = np.arange(3000)
    ltp, ltd = 0.008 * 0.95**lags, 0.0088 * (1 - 1 / 30) ** lags
    for w in (0.0, 0.3, 1.0):
        expected = ltp.sum() * (1 - w) ** 0.5 - ltd.sum() * w**0.5
        assert stepped.drift(w) == pytest.approx(expected)
        assert stepped.drift(w, 3.0) == pytest.approx(expected + 0.008 * (1 - w) ** 0.5 * 3 * w)


@pytest.mark.parametrize("dt", [0.01, 1.0, 5.0])
@pytest.mark.parametrize("mu", [0.0, 1.0])
def test_a_rule_in_steps_has_the_models_diffusion(dt, mu):
    """Diffusion per pair is the sum of squared weight changes over the lags of steps.

    At lag 0 the change is one: LTP and LTD of a coincidence come together.
    """
    stepped = PairRule.in_steps(0.008, 0.0088, 20, 30, dt, mu, mu)
    later = np.arange(1, 60_000)
    for w in (0.0, 0.3, 1.0):
        f_plus, f_minus = 0.008 * (1 - w) ** mu, 0.0088 * w**mu
        ltp, ltd = f_plus * (1 - dt / 20) ** later, f_minus * (1 - dt / 30) ** later
        expected = dt * ((f_plus - f_minus) ** 2 + (ltp**2).sum() + (ltd**2).sum())
        assert stepped.diffusion(w) == pytest.approx(expected)


def test_alphas_of_the_papers():
    """4 (B - 1) / [A_plus (1 + B^2)]: 22.6 for the notebook, 19.0 for Song & Abbott 2001."""
    notebook, song = rule(0.008, 1.1), rule(0.005, 1.05)
    assert notebook.alpha() == pytest.approx(22.6, abs=0.05)
    assert song.alpha() == pytest.approx(19.0, abs=0.05)
    for one in (notebook, song, rule(0.02, 1.5), rule(0.02, 0.9)):
        B = one.ratio
        assert one.alpha() == pytest.approx(4 * (B - 1) / (one.A_plus * (1 + B**2)))


def test_beta_of_equal_time_constants():
    """2 c / [rho A_plus tau_plus (1 + B^2)], with c / rho in ms."""
    assert rule(0.008, 1.1).beta(4.0) == pytest.approx(2 * 4.0 / (0.008 * 20 * (1 + 1.1**2)))


@pytest.mark.parametrize("tau_minus", [20.0, 50.0])
@pytest.mark.parametrize("c_over_rho", [0.0, 2.0, 5.0])
def test_additive_density_is_the_general_one(tau_minus, c_over_rho):
    """N exp(-alpha w + beta w^2) solves the Fokker-Planck equation of the additive rule."""
    additive = rule(0.01, 1.1 * 20 / tau_minus, tau_minus=tau_minus)
    closed = theory.additive_density(additive.alpha(), additive.beta(c_over_rho))
    general = theory.equilibrium_density(additive, c_over_rho)
    np.testing.assert_allclose(general, closed, rtol=1e-3, atol=1e-6 * closed.max())
    steps = np.diff(WEIGHTS)
    assert ((closed[1:] + closed[:-1]) / 2 * steps).sum() == pytest.approx(1)


@pytest.mark.parametrize(("mu_plus", "mu_minus"), [(1, 1), (0, 1), (0.5, 0.5), (0.02, 0.02)])
def test_the_density_has_no_flux(mu_plus, mu_minus):
    """In equilibrium the flux A P - (D P)' / 2 is 0 at every weight."""
    one = rule(0.05, 1.3, mu_plus=mu_plus, mu_minus=mu_minus)
    density = theory.equilibrium_density(one, 0.5)
    inside = (WEIGHTS > 0.02) & (WEIGHTS < 0.98)
    advected = one.drift(WEIGHTS, 0.5) * density
    diffused = np.gradient(one.diffusion(WEIGHTS) * density, WEIGHTS) / 2
    scale = np.abs(advected).max()
    assert np.abs(advected - diffused)[inside].max() < 2e-3 * scale


@pytest.mark.parametrize("ratio", [0.8, 1.05, 1.5])
def test_multiplicative_moments_are_those_of_the_density(ratio):
    """For small amplitudes mean and variance come from the peak alone."""
    one = rule(0.001, ratio, tau=15, tau_minus=25, mu_plus=1, mu_minus=1)
    mean, variance = theory.multiplicative_moments(one)
    assert mean == pytest.approx(1 / (1 + ratio * 25 / 15))
    np.testing.assert_allclose(
        moments(theory.equilibrium_density(one)), (mean, variance), rtol=5e-3
    )


def test_van_rossum_moments_are_those_of_the_density():
    """w* = 1 / B, and for equal time constants the variance is A_plus (1 + B^2 w*^2) / (4 B)."""
    one = rule(0.001, 1.6, mu_minus=1)
    mean, variance = theory.van_rossum_moments(one)
    assert mean == pytest.approx(1 / 1.6)
    assert variance == pytest.approx(0.001 * (1 + 1.6**2 * mean**2) / (4 * 1.6))
    np.testing.assert_allclose(
        moments(theory.equilibrium_density(one)), (mean, variance), rtol=5e-3
    )
    normal = theory.normal_density(mean, variance)
    shares = [
        theory.shares_in_bins(density, 20) for density in (theory.equilibrium_density(one), normal)
    ]
    assert theory.total_variation(*shares) < 0.02


@pytest.mark.parametrize("mu_plus", [0, 1])
def test_moments_in_steps_are_those_of_the_density_in_steps(mu_plus):
    """Time steps change the diffusion and the closed forms of both soft-bound rules alike."""
    stepped = PairRule.in_steps(0.001, 0.0016, 10, 10, 2.0, mu_plus=mu_plus, mu_minus=1)
    closed = theory.multiplicative_moments if mu_plus else theory.van_rossum_moments
    np.testing.assert_allclose(
        moments(theory.equilibrium_density(stepped)), closed(stepped), rtol=5e-3
    )


@pytest.mark.parametrize("mu", [0.1, 0.5, 1.0])
def test_gutigs_mean_is_where_nothing_drifts(mu):
    """1 / (1 + B^(1/mu)) is the zero of the drift; for mu = 1 the multiplicative rule's mean."""
    one = rule(0.01, 1.2, tau=15, tau_minus=20, mu_plus=mu, mu_minus=mu)
    mean = theory.gutig_mean(one)
    pull = one.A_plus * one.tau_plus
    assert one.drift(mean) == pytest.approx(0, abs=1e-12 * pull)
    assert one.drift(mean * 0.99) > 0 > one.drift(mean + (1 - mean) * 0.01)
    if mu == 1:
        assert mean == pytest.approx(theory.multiplicative_moments(one)[0])


def test_nearest_neighbours_shorten_the_trace():
    """A trace set to 1 at each spike of a Poisson process has the mean rate tau / (1 + rate tau).

    By a simulation in steps of 0.1 ms, and as the integral of exp(-s / tau) over the age s of the
    last spike.
    """
    tau, rate, dt = 20.0, 40.0, 0.1
    spikes = np.random.default_rng(0).random(2_000_000) < rate * dt / 1000
    steps = np.arange(spikes.size)
    age = dt * (steps - np.maximum.accumulate(np.where(spikes, steps, -(10**9))))
    simulated = np.exp(-age / tau).mean()
    s = np.linspace(0, 600, 60_001)
    aged = rate / 1000 * np.exp(-s * rate / 1000) * np.exp(-s / tau)
    integral = ((aged[1:] + aged[:-1]) / 2 * np.diff(s)).sum()
    expected = rate / 1000 * pair_rule.nearest_neighbour_tau(tau, rate)
    assert expected == pytest.approx(integral, rel=1e-5)
    assert expected == pytest.approx(simulated, rel=0.02)
    assert pair_rule.nearest_neighbour_tau(tau, 0) == tau


def test_homeostatic_rate_balances_the_peaks():
    """At c / [2 tau_plus (B - 1)] beta is alpha, and both ends have the same density."""
    c, one = 0.02, rule(0.008, 1.1)
    rate = theory.homeostatic_rate(c, one.tau_plus, one.ratio)
    assert rate == pytest.approx(1000 * 0.02 / (2 * 20 * 0.1))
    c_over_rho = 1000 * c / rate
    assert one.beta(c_over_rho) == pytest.approx(one.alpha())
    density = theory.equilibrium_density(one, c_over_rho)
    assert density[0] == pytest.approx(density[-1], rel=1e-6)
    assert theory.mean_weight(density) == pytest.approx(0.5)
    # At a higher output rate weights decrease.
    assert theory.mean_weight(theory.equilibrium_density(one, 0.9 * c_over_rho)) < 0.3


def test_without_excess_ltd_there_is_no_homeostatic_rate():
    """For B <= 1 there is no homeostatic rate, along arrays too."""
    rates = theory.homeostatic_rate(0.02, 20.0, [0.9, 1.0, 1.05, 1.1])
    assert np.isnan(rates[:2]).all()
    np.testing.assert_allclose(rates[2:], [10, 5])


def share_by_sums(one, rho, dead_time, step=0.1, reach=400):
    """Return the reduction of the diffusion by sums over steps, without Laplace transforms."""
    t = np.arange(-reach, reach, step) + step / 2
    values = one.A_plus * np.exp(np.minimum(t, 0) / one.tau_plus) * (t < 0)
    values -= one.A_minus * np.exp(-np.maximum(t, 0) / one.tau_minus) * (t > 0)
    n_lags = round(reach / step)
    k = np.array([(values[: values.size - lag] * values[lag:]).sum() for lag in range(n_lags)])
    # Spikes in each step after a spike: none within the dead time, else at constant hazard.
    dead, rate = round(dead_time / step), rho * step / 1000
    chance = rate / (1 - rate * dead)
    spikes = np.zeros(n_lags)
    spikes[0] = 1
    for lag in range(1, n_lags):
        spikes[lag] = chance * (1 - spikes[max(0, lag - dead) : lag].sum())
    excess = (spikes - rate)[1:]
    return 1 + 2 * (k[1:] / k[0] * excess).sum()


@pytest.mark.parametrize(
    ("one", "rho", "dead_time"),
    [(rule(), 10, 19), (rule(0.01, 1.05, 20, 30), 15, 30), (rule(0.01, 1.3, 17, 34), 5, 8)],
)
def test_the_refractory_share_is_a_sum_over_pairs_of_output_spikes(one, rho, dead_time):
    """The window's autocorrelation times the conditional rate after a spike, less the mean."""
    share = theory.refractory_share(one, rho, dead_time)
    assert share == pytest.approx(share_by_sums(one, rho, dead_time), abs=4e-3)
    assert share < 0.97


def test_the_refractory_share_at_its_limits():
    """1 without dead time or output; the initial slope is -2 rho."""
    assert theory.refractory_share(rule(), 10, 0) == pytest.approx(1, abs=1e-9)
    assert theory.refractory_share(rule(), 0, 20) == 1
    assert theory.refractory_share(rule(), 10, 0.1) == pytest.approx(1 - 2 * 0.010 * 0.1, abs=2e-5)
    near = theory.refractory_share(rule(tau_minus=20.0 * (1 + 1e-4)), 10, 19)
    assert near == pytest.approx(theory.refractory_share(rule(), 10, 19), abs=1e-5)


def test_the_refractory_share_is_a_share():
    """Between 0 and 1 for any output rate and dead time."""
    for rho in (0.1, 5, 20, 60, 200):
        for dead_time in (1, 10, 30, 100):
            for one in (rule(), rule(0.01, 1.5, 20, 60)):
                assert 0 < theory.refractory_share(one, rho, dead_time) < 1


@pytest.mark.parametrize("beta", [0.0, 24.4, 60.0])
@pytest.mark.parametrize("mean", [0.02, 0.3, 0.5, 0.97])
def test_alpha_of_mean_gives_the_mean(mean, beta):
    """The density with this alpha has the given mean weight."""
    alpha = theory.alpha_of_mean(mean, beta)
    density = theory.additive_density(alpha, beta)
    assert theory.mean_weight(density) == pytest.approx(mean, abs=1e-6)
    assert theory.alpha_of_mean(moments(theory.additive_density(21, 24))[0], 24) == pytest.approx(
        21, abs=1e-3
    )


def test_at_half_the_weight_alpha_is_beta():
    """The density is symmetrical about 1/2 just where alpha equals beta."""
    for beta in (-5.0, 0.0, 24.4):
        assert theory.alpha_of_mean(0.5, beta) == pytest.approx(beta, abs=1e-6)


@pytest.mark.parametrize("mean", [0.0, 1.0, -0.1, float("nan")])
def test_no_alpha_has_a_mean_on_the_bounds(mean):
    """A mean weight of 0, of 1 or beyond is refused."""
    with pytest.raises(ValueError, match=rf"^mean weight {mean}: must be > 0 and < 1$"):
        theory.alpha_of_mean(mean, 20.0)


def test_total_variation_is_the_weight_that_must_move():
    """0 for equal histograms, 1 for disjoint ones, over the last dimension."""
    one = [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.2, 0.3, 0.5]]
    other = [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.3, 0.3, 0.4]]
    np.testing.assert_allclose(theory.total_variation(one, other), [0, 1, 0.1])
    assert theory.total_variation(one[2], other[2]) == pytest.approx(0.1)


def test_shares_in_bins_are_integrals_of_the_density():
    """Of an exponential they are differences of its distribution function, in any bins."""
    density = theory.additive_density(6.0, 0.0)
    for n_bins in (3, 20):
        edges = np.linspace(0, 1, n_bins + 1)
        expected = np.diff(1 - np.exp(-6 * edges)) / (1 - np.exp(-6))
        np.testing.assert_allclose(theory.shares_in_bins(density, n_bins), expected, atol=1e-5)
    expected = 1 / 6 - np.exp(-6) / (1 - np.exp(-6))
    assert theory.mean_weight(density) == pytest.approx(expected, rel=1e-4)


@dataclass(frozen=True)
class Case:
    """A simulated rule: amplitude, B, exponents, and range of the initial weights."""

    A_plus: float
    ratio: float
    mu_plus: float = 0.0
    mu_minus: float = 0.0
    begin: tuple[float, float] = (0.0, 1.0)


#: Small enough for the diffusion approximation, large enough to reach equilibrium soon.
CASES = {
    "additive": Case(0.05, 1.05),
    "multiplicative": Case(0.03, 1.05, 1, 1),
    "van Rossum": Case(0.008, 1.6, 0, 1, begin=(0.25, 1.0)),
    "Guetig": Case(0.03, 1.05, 0.5, 0.5),
}
STEPS, SETTLED, APART = 30_000, 12_000, 250
TAU, INPUT, OUTPUT = 10.0, 0.03, 0.05  # ms; spikes per step of 1 ms


def strengthen(case, w, x_pre):
    """Return weights after an output spike."""
    if case.mu_plus == 0:
        w[:] = clipped(w + case.A_plus * x_pre)
        return w
    return np.minimum(w + case.A_plus * (1 - w) ** case.mu_plus * x_pre, 1)


def weaken(case, w, x_post):
    """Return weights after an input spike."""
    A_minus = case.ratio * case.A_plus
    if case.mu_minus == 0:
        return clipped(w - A_minus * x_post)
    return np.maximum(w - A_minus * w**case.mu_minus * x_post, 0)


@pytest.fixture(scope="module")
def histograms():
    """Simulate synapses with independent input and output, in the model's order of a step."""
    random, n = np.random.default_rng(0), 2500
    w = {name: random.uniform(*case.begin, n) for name, case in CASES.items()}
    counts = {name: np.zeros(20) for name in CASES}
    x_pre, x_post = np.zeros(n), np.zeros(n)
    rates = np.array([INPUT, OUTPUT])[:, None, None]
    for step in range(STEPS):
        if step % 500 == 0:
            spikes = random.random((2, 500, n), dtype=np.float32) < rates
        into, out = (np.flatnonzero(train[step % 500]) for train in spikes)
        x_pre *= 1 - 1 / TAU
        x_pre[into] += 1
        x_post[out] += 1
        for name, case in CASES.items():
            w[name][out] = strengthen(case, w[name][out], x_pre[out])
            w[name][into] = weaken(case, w[name][into], x_post[into])
        x_post *= 1 - 1 / TAU
        if step >= SETTLED and step % APART == 0:
            for name in CASES:
                counts[name] += np.histogram(w[name], 20, (0, 1))[0]
    return {name: count / count.sum() for name, count in counts.items()}


@pytest.mark.parametrize("name", CASES)
def test_simulated_pairs_have_the_theorys_density(histograms, name):
    """Weights under independent Poisson spikes, in steps of 1 ms, have the expected density."""
    case = CASES[name]
    A_minus = case.ratio * case.A_plus
    stepped = PairRule.in_steps(
        case.A_plus, A_minus, TAU, TAU, 1.0, mu_plus=case.mu_plus, mu_minus=case.mu_minus
    )
    expected = theory.shares_in_bins(theory.equilibrium_density(stepped), 20)
    assert theory.total_variation(histograms[name], expected) < 0.03


def test_the_files_window_is_the_models(configure):
    """The window computed from the file equals that of the model."""
    swept = {"stdp.A_plus": [0.01, 0.02], "stdp.tau_minus": [10.0, 40.0], "seed": [1]}
    base = configure("simulation.duration=20")
    drawn = theory.stdp_window(pipeline.sweep(base, swept, backend="sequential"))
    assert set(drawn.dims) == {"A_plus", "tau_minus", "time_difference"}
    for A_plus in (0.01, 0.02):
        for tau_minus in (10.0, 40.0):
            stdp = configure(f"stdp.A_plus={A_plus}", f"stdp.tau_minus={tau_minus}").stdp
            curve = drawn.sel(A_plus=A_plus, tau_minus=tau_minus)
            t = curve["time_difference"].values
            away = t != 0
            np.testing.assert_allclose(curve.values[away], stdp_window(t[away], stdp), atol=1e-15)
            assert curve.values[t == 0].tolist() == pytest.approx([A_plus, -1.1 * A_plus])
