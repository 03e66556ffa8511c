"""Theory: closed forms against the general density, and against simulated independent spikes."""

import numpy as np
import pytest

from analysis.measures import theory
from analysis.measures.pair_rule import WEIGHTS, PairRule

W = np.linspace(0, 1, 101)

#: A time step that is as good as none [ms].
FINE = 1e-3


def rule(A_plus=0.008, ratio=1.1, tau=20.0, tau_minus=None, mu_plus=0.0, mu_minus=0.0, dt=FINE):
    """Return a rule with powers of the weight, at low rates; in continuous time by default."""
    tau_minus = tau if tau_minus is None else tau_minus
    steps = A_plus * (1 - W) ** mu_plus, -ratio * A_plus * W**mu_minus
    return PairRule.of(steps, (tau, tau_minus), dt)


def moments(density):
    """Return mean and variance of a density at `WEIGHTS`."""
    density = density / density.sum()
    mean = density @ WEIGHTS
    return mean, density @ (WEIGHTS - mean) ** 2


def test_alphas_of_the_papers():
    """4 (B - 1) / [A_plus (1 + B^2)]: 22.6 for the notebook, 19.0 for Song & Abbott 2001."""
    notebook, song = rule(0.008, 1.1), rule(0.005, 1.05)
    assert notebook.alpha() == pytest.approx(22.6, abs=0.05)
    assert song.alpha() == pytest.approx(19.0, abs=0.05)
    for one, A_plus in ((notebook, 0.008), (song, 0.005), (rule(0.02, 1.5), 0.02)):
        B = one.ratio
        assert one.alpha() == pytest.approx(4 * (B - 1) / (A_plus * (1 + B**2)), rel=1e-3)


def test_beta_of_equal_time_constants():
    """2 c / [rho A_plus tau_plus (1 + B^2)], with c / rho in ms."""
    expected = 2 * 4.0 / (0.008 * 20 * (1 + 1.1**2))
    assert rule(0.008, 1.1).beta(4.0) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("tau_minus", [20.0, 50.0])
@pytest.mark.parametrize("c_over_rho", [0.0, 2.0, 5.0])
@pytest.mark.parametrize("dt", [FINE, 1.0])
def test_additive_density_is_the_general_one(tau_minus, c_over_rho, dt):
    """N exp(-alpha w + beta w^2) solves the Fokker-Planck equation of the additive rule."""
    additive = rule(0.01, 1.1 * 20 / tau_minus, tau_minus=tau_minus, dt=dt)
    closed = theory.additive_density(additive.alpha(), additive.beta(c_over_rho))
    general = theory.equilibrium_density(additive, c_over_rho)
    np.testing.assert_allclose(general, closed, rtol=1e-5)
    assert closed.mean() == pytest.approx(1)


@pytest.mark.parametrize(("mu_plus", "mu_minus"), [(1, 1), (0, 1), (0.5, 0.5), (0.02, 0.02)])
def test_the_density_has_no_flux(mu_plus, mu_minus):
    """In equilibrium the flux A P - (D P)' / 2 is 0 at every weight."""
    one = rule(0.05, 1.3, mu_plus=mu_plus, mu_minus=mu_minus)
    density = theory.equilibrium_density(one, 0.5)
    inside = (WEIGHTS > 0.02) & (WEIGHTS < 0.98)
    advected = one.drift(0.5) * density
    diffused = np.gradient(one.diffusion * density, WEIGHTS) / 2
    scale = np.abs(advected).max()
    assert np.abs(advected - diffused)[inside].max() < 2e-3 * scale


@pytest.mark.parametrize("ratio", [0.8, 1.05, 1.5])
@pytest.mark.parametrize("dt", [FINE, 2.0])
def test_multiplicative_moments_are_those_of_the_density(ratio, dt):
    """For small amplitudes mean and variance come from the peak alone, in time steps too."""
    one = rule(0.001, ratio, tau=15, tau_minus=25, mu_plus=1, mu_minus=1, dt=dt)
    mean, variance = theory.multiplicative_moments(one)
    assert mean == pytest.approx(1 / (1 + ratio * 25 / 15), rel=1e-6)
    if dt == FINE:
        noise = 15 * (1 - mean) ** 2 + ratio**2 * 25 * mean**2
        assert variance == pytest.approx(0.001 * noise / (4 * (15 + ratio * 25)), rel=1e-3)
    np.testing.assert_allclose(
        moments(theory.equilibrium_density(one)), (mean, variance), rtol=5e-3
    )


@pytest.mark.parametrize("dt", [FINE, 2.0])
def test_van_rossum_moments_are_those_of_the_density(dt):
    """w* = 1 / B, and for equal time constants the variance is A_plus (1 + B^2 w*^2) / (4 B)."""
    one = rule(0.001, 1.6, mu_minus=1, dt=dt)
    mean, variance = theory.van_rossum_moments(one)
    assert mean == pytest.approx(1 / 1.6, rel=1e-6)
    if dt == FINE:
        assert variance == pytest.approx(0.001 * (1 + 1.6**2 * mean**2) / (4 * 1.6), rel=1e-3)
    density = theory.equilibrium_density(one)
    np.testing.assert_allclose(moments(density), (mean, variance), rtol=5e-3)
    normal = theory.normal_density(mean, variance)
    shares = [theory.shares_in_bins(each, 20) for each in (density, normal)]
    assert theory.total_variation(*shares) < 0.02


@pytest.mark.parametrize("mu", [0.1, 0.5, 1.0])
def test_gutigs_mean_is_where_nothing_drifts(mu):
    """1 / (1 + B^(1/mu)) is the zero of the drift; for mu = 1 the multiplicative rule's mean."""
    one = rule(0.01, 1.2, tau=15, tau_minus=20, mu_plus=mu, mu_minus=mu)
    mean = theory.gutig_mean(one, mu)
    drift = one.drift()
    crossing = np.flatnonzero(np.diff(np.sign(drift)))
    assert crossing.size == 1
    low, high = crossing[0], crossing[0] + 1
    zero = WEIGHTS[low] + drift[low] / (drift[low] - drift[high]) / WEIGHTS.size
    assert mean == pytest.approx(zero, rel=1e-3)
    if mu == 1:
        assert mean == pytest.approx(theory.multiplicative_moments(one)[0])


def test_homeostatic_rate_balances_the_peaks():
    """At c / [2 tau_plus (B - 1)] beta is alpha, and both ends have the same density."""
    c, one = 0.02, rule(0.008, 1.1)
    rate = theory.homeostatic_rate(c, one.areas[0], one.ratio)
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


@pytest.mark.parametrize(("mu_plus", "mu_minus"), [(1, 1), (0, 1), (0.1, 0.1)])
@pytest.mark.parametrize("mean", [0.02, 0.3, 0.97])
def test_c_of_mean_gives_the_mean(mu_plus, mu_minus, mean):
    """The density with this causal contribution has the given mean weight."""
    one = rule(0.01, 1.2, mu_plus=mu_plus, mu_minus=mu_minus)
    c_over_rho = theory.c_of_mean(one, mean)
    density = theory.equilibrium_density(one, c_over_rho)
    assert theory.mean_weight(density) == pytest.approx(mean, abs=1e-6)
    assert (c_over_rho > 0) == (mean > theory.mean_weight(theory.equilibrium_density(one)))


def test_in_the_middle_c_and_alpha_give_one_density():
    """Of an additive rule, a mean weight of 1/2 makes beta equal to alpha, whichever is fitted."""
    one = rule(0.008, 1.1)
    c_over_rho = theory.c_of_mean(one, 0.5)
    assert one.beta(c_over_rho) == pytest.approx(one.alpha(), rel=1e-5)
    by_c = theory.equilibrium_density(one, c_over_rho)
    by_alpha = theory.additive_density(theory.alpha_of_mean(0.5, one.alpha()), one.alpha())
    np.testing.assert_allclose(by_c, by_alpha, rtol=1e-3)


def test_no_c_potentiates_weights_that_have_no_ltp():
    """Where steps of LTP end at half the maximum, no mean weight above it is found."""
    steps = 0.01 * np.maximum(0.5 - W, 0), -0.01 * W
    with pytest.raises(ValueError, match=r"^mean weight 0\.7: no coefficient gives it$"):
        theory.c_of_mean(PairRule.of(steps, (20, 20), 1.0), 0.7)


def test_the_standard_deviation_of_densities():
    """Of several at once: a uniform one, a narrow one, and one within a single cell."""
    uniform, within = np.ones(WEIGHTS.size), np.zeros(WEIGHTS.size)
    within[7] = WEIGHTS.size
    narrow = theory.normal_density(0.4, 0.03**2)
    found = theory.standard_deviation(np.stack([uniform, narrow, within]))
    expected = [12**-0.5, 0.03, 12**-0.5 / WEIGHTS.size]
    np.testing.assert_allclose(found, expected, rtol=1e-3)


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
