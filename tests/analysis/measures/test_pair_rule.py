"""Drift and diffusion of pair rules in time steps, against sums over lags and simulated pairs."""

import numpy as np
import pytest

from analysis.measures.pair_rule import (
    BEFORE_JUMP,
    SETS,
    WEIGHTS,
    PairRule,
    SpikeTrain,
    Trace,
    at_weights,
)

W = np.linspace(0, 1, 101)

#: Kinds of the two traces by the value of `stdp.coincidence`.
COINCIDENCE = {
    "both": (0, 0),
    "ltp_only": (0, BEFORE_JUMP),
    "neither": (BEFORE_JUMP, BEFORE_JUMP),
}


def chances_after_a_spike(train, n):
    """Return the chance of a spike in each of n steps from a spike on, by recursion."""
    hazard = train.chance / (1 - train.chance * (train.minimum - 1))
    chances, dead = np.zeros(n), round(train.minimum) - 1
    chances[0] = 1
    for step in range(1, n):
        chances[step] = hazard * (1 - chances[max(0, step - dead) : step].sum())
    return chances


@pytest.mark.parametrize("train", [SpikeTrain(0.03), SpikeTrain(0.04, 8), SpikeTrain(0.2, 4)])
@pytest.mark.parametrize("z", [0.3, 0.95])
def test_generating_functions_are_sums_over_steps(train, z):
    """Of intervals, of survival and of spikes beyond the mean rate; intervals have the mean."""
    n = 3000
    powers = z ** np.arange(n)
    after = chances_after_a_spike(train, n)
    assert train.excess(z) == pytest.approx(((after - train.chance) * powers)[1:].sum(), rel=1e-9)
    hazard = train.chance / (1 - train.chance * (train.minimum - 1))
    later = np.arange(n) - round(train.minimum)
    interval = np.where(later >= 0, hazard * (1 - hazard) ** np.maximum(later, 0), 0)
    assert (interval * np.arange(n)).sum() == pytest.approx(1 / train.chance, rel=1e-6)
    assert train.interval(z) == pytest.approx((interval * powers).sum(), rel=1e-9)
    survival = 1 - np.cumsum(interval)
    assert train.survival(z) == pytest.approx((survival * powers).sum(), rel=1e-9)


@pytest.mark.parametrize("coincidence", COINCIDENCE)
@pytest.mark.parametrize("dt", [1.0, 5.0])
def test_the_drift_is_the_window_summed_over_lags(coincidence, dt):
    """From lag 0 on where coincident spikes count, from 1 on where they do not, at any rate."""
    kinds = COINCIDENCE[coincidence]
    rule = PairRule.of((0.008 * (1 - W), -0.0088 * W), (20, 30), dt, (40, 10), kinds, dead_time=9)
    lags = np.arange(5000)
    areas = [
        dt * ((1 - dt / tau) ** lags)[1 if kind else 0 :].sum()
        for tau, kind in zip((20, 30), kinds, strict=True)
    ]
    assert rule.areas == pytest.approx(areas)
    expected = areas[0] * 0.008 * (1 - WEIGHTS) - areas[1] * 0.0088 * WEIGHTS
    np.testing.assert_allclose(rule.drift(), expected, atol=1e-15)
    causal = 0.008 * (1 - WEIGHTS) * 3 * WEIGHTS
    np.testing.assert_allclose(rule.drift(3.0), expected + causal, atol=1e-15)


def test_euler_traces_have_the_area_of_continuous_time():
    """With Euler traces and coincidences that count, tau at any step; the variance is larger."""
    for dt in (1e-3, 1.0, 5.0):
        assert PairRule.of((1, -1), (20, 10), dt).areas == pytest.approx((20, 10))
    fine, coarse = (PairRule.of((1, 0), (20, 20), dt).diffusion[0] for dt in (1e-3, 5))
    assert fine == pytest.approx(10, rel=1e-4)
    assert coarse > 11


def window_sums(rule, dt, taus, kinds, train, n=4000):
    """Return the diffusion of `rule` if all spikes count, from its window at each weight.

    The variance of a sum over pairs of a Bernoulli and another process, per pair of rates: the
    autocorrelation of the window times that of the output, and fluctuations of the input.
    """
    lags = np.arange(n)
    ltp, ltd = (
        (1 - dt / tau) ** lags * ((lags > 0) | (kind == 0))
        for tau, kind in zip(taus, kinds, strict=True)
    )
    up, down = np.outer(rule.potentiation, ltp), np.outer(rule.depression, ltd)
    window = np.concatenate([-down[:, :0:-1], (up - down)[:, :1], up[:, 1:]], axis=1)
    transform = np.fft.rfft(window, 4 * n)
    same = np.fft.irfft(abs(transform) ** 2)[:, :n]
    p, rho = rule.pre.spikes.chance, train.chance
    excess = chances_after_a_spike(train, n) - rho
    pairs = (1 - rho) * same[:, 0] + 2 * (same[:, 1:] * excess[1:]).sum(axis=1)
    return dt * (1 - p) * (pairs + rho * window.sum(axis=1) ** 2)


@pytest.mark.parametrize("coincidence", COINCIDENCE)
@pytest.mark.parametrize("dead_time", [0, 6, 20])
def test_the_diffusion_is_a_sum_over_pairs_of_pairs(coincidence, dead_time):
    """Coincidences are one change, LTP and LTD at once; output spikes repel each other."""
    dt, taus, kinds = 2.0, (20, 30), COINCIDENCE[coincidence]
    rule = PairRule.of(
        (0.008 * (1 - W), -0.0088 * W), taus, dt, (30, 15), kinds, dead_time=dead_time
    )
    shown = slice(0, None, 399)
    some = PairRule(rule.potentiation[shown], rule.depression[shown], rule.pre, rule.post, dt)
    expected = window_sums(some, dt, taus, kinds, rule.post.spikes)
    np.testing.assert_allclose(some.diffusion, expected, rtol=1e-6)


TAUS, RATES, N_INPUTS, BLOCK, N_BLOCKS = (20, 30), (40, 25), 400, 4000, 20


@pytest.fixture(scope="module", params=[1, 16])
def nearest(request):
    """Simulate the changes of inputs that share an output, by nearest spikes, at steps of 1.

    Minimum interval of the output; sums of LTP and LTD over blocks of steps of 1 ms, per pair of
    rates, of the kinds of traces: (n_blocks, side, read, n_inputs).
    """
    random, minimum = np.random.default_rng(3), request.param
    chances = [rate / 1000 for rate in RATES]
    hazard = chances[1] / (1 - chances[1] * (minimum - 1))
    output = np.zeros((N_BLOCKS + 1) * BLOCK, dtype=bool)
    times = np.cumsum(minimum - 1 + random.geometric(hazard, output.size))
    output[times[times < output.size]] = True
    sums = np.zeros((N_BLOCKS + 1, 2, 2, N_INPUTS))
    x_pre, x_post = np.zeros(N_INPUTS), 0.0
    for step in range(output.size):
        inputs, at = random.random(N_INPUTS) < chances[0], sums[step // BLOCK]
        early, x_pre = x_pre * (1 - 1 / TAUS[0]), x_pre * (1 - 1 / TAUS[0])
        x_pre[inputs] = 1
        if output[step]:
            at[0] += x_pre, early
        late = x_post * (1 - 1 / TAUS[1])
        x_post = 1.0 if output[step] else late
        at[1] += inputs * x_post, inputs * late
    return minimum, sums[1:] / (BLOCK * chances[0] * output.mean())


@pytest.mark.parametrize("kinds", [(0, 0), (0, BEFORE_JUMP), (BEFORE_JUMP, BEFORE_JUMP)])
def test_nearest_spikes_are_as_simulated(nearest, kinds):
    """Means and covariances of the changes by nearest spikes, at rates where they are far from all.

    Over inputs that share one output, whose mean changes are not part of the diffusion.
    """
    minimum, sums = nearest
    read = [int(kind == BEFORE_JUMP) for kind in kinds]
    changes = np.stack([sums[:, side, one] for side, one in enumerate(read)], axis=1)
    n_pairs = BLOCK * RATES[0] / 1000 * RATES[1] / 1000
    covariances = np.mean([np.cov(block) for block in changes], axis=0) * n_pairs
    for up, down in ((1, 0), (0, 1), (1, 1), (1, -1)):
        both = [SETS | kind for kind in kinds]
        rule = PairRule.of((up, -down), TAUS, 1.0, RATES, both, minimum)
        mean = up * changes[:, 0].mean() - down * changes[:, 1].mean()
        assert rule.drift()[0] == pytest.approx(mean, rel=0.03, abs=0.3)
        at = np.array([up, -down])
        assert rule.diffusion[0] == pytest.approx(at @ covariances @ at, rel=0.05)


def test_nearest_spikes_shorten_the_trace():
    """Their mean is tau / (1 + rate tau) in short steps (Izhikevich & Desai 2003)."""
    rule = PairRule.of((1, -1), (20, 30), 1e-3, (40, 15), (SETS, SETS))
    assert rule.areas == pytest.approx((20 / (1 + 0.8), 30 / (1 + 0.45)), rel=1e-4)
    slow = PairRule.of((1, -1), (20, 30), 1.0, (0, 0), (SETS, SETS))
    assert slow.areas == pytest.approx((20, 30))


def test_a_minimum_interval_makes_the_last_spike_older_or_younger():
    """The mean of a nearest trace is the integral over the age of the last spike."""
    rate, dead, tau = 0.025, 16.0, 30.0
    age = np.linspace(0, 3000, 600_001)
    hazard = rate / (1 - rate * dead)
    survival = np.where(age < dead, 1, np.exp(-hazard * (age - dead)))
    expected = np.trapezoid(survival * np.exp(-age / tau), age)
    rule = PairRule.of((1, -1), (tau, tau), 0.01, (10, 1000 * rate), (SETS, SETS), dead)
    assert rule.areas[1] == pytest.approx(expected, rel=1e-3)
    assert expected > 1.05 * tau / (1 + rate * tau)


def test_traces_that_last_one_step():
    """With tau = dt only coincidences change weights, and nothing is divided by 0."""
    for kind in (0, SETS):
        rule = PairRule.of((0.3, -0.1), (2, 2), 2.0, (50, 50), (kind, kind))
        assert rule.areas == pytest.approx((2, 2))
        assert rule.diffusion[0] == pytest.approx(2 * (0.2**2) * 0.9, rel=1e-6)
    late = PairRule.of((0.3, -0.1), (2, 2), 2.0, (50, 50), (BEFORE_JUMP, BEFORE_JUMP))
    assert late.areas == (0, 0)


def test_a_dead_time_is_limited_by_the_rate():
    """At most nine tenths of the mean interval, and at least one step."""
    assert SpikeTrain.of(10, 1.0, 500).minimum == pytest.approx(90)
    assert SpikeTrain.of(10, 1.0, 0.2).minimum == 1
    assert SpikeTrain.of(0, 1.0, 20).minimum == 20
    rates = [PairRule.of((1, -1), (20, 20), 1.0, (20, r), dead_time=30) for r in (5, 60, 300)]
    assert all((rule.diffusion > 0).all() for rule in rates)


@pytest.mark.parametrize("mu", [0.02, 0.4, 1.0, 3.0])
def test_steps_are_interpolated_as_powers_beside_the_bounds(mu):
    """Where a step vanishes at a bound; linearly elsewhere."""
    up, down = at_weights((1 - W) ** mu), at_weights(W**mu)
    np.testing.assert_allclose(up[::-1], down, rtol=1e-9)
    first = WEIGHTS < 0.01
    np.testing.assert_allclose(down[first], WEIGHTS[first] ** mu, rtol=1e-9)
    np.testing.assert_allclose(down[~first], WEIGHTS[~first] ** mu, rtol=0.015, atol=1e-4)
    kinked = at_weights(np.maximum(W - 0.5, 0))  # of steps that vanish beyond the bound
    np.testing.assert_allclose(kinked, np.maximum(WEIGHTS - 0.5, 0), atol=1e-12)


def test_steps_of_several_rules_are_interpolated_alike():
    """Along leading dimensions, as alone; a number is the step at all weights."""
    several = np.stack([W**0.3, (1 - W) ** 0.3, 0.5 + W, W * (1 - W)]).reshape(2, 2, 101)
    together = at_weights(several)
    assert together.shape == (2, 2, WEIGHTS.size)
    for index in np.ndindex(2, 2):
        np.testing.assert_array_equal(together[index], at_weights(several[index]))
    np.testing.assert_array_equal(at_weights(0.25), np.full(WEIGHTS.size, 0.25))


def test_the_covariance_with_a_later_spike_is_a_sum_over_lags():
    """Of a trace of a process with a minimum interval, by the chances before a spike."""
    train, q, z, n = SpikeTrain(0.04, 8), 0.93, 0.9, 1500
    chances = chances_after_a_spike(train, n)
    # Looking back from a spike, the trace n steps before adds what each earlier spike left.
    before = [(q ** np.arange(n - lag) * (chances[lag:] - train.chance)).sum() for lag in range(n)]
    total, at_once = Trace(train, q).before_spike(z)
    assert at_once == pytest.approx(before[0], rel=1e-6)
    assert total == pytest.approx((z ** np.arange(n) * before).sum(), rel=1e-6)
    near_total, _ = Trace(train, q).before_spike(q)  # 0 / 0 is avoided
    assert near_total == pytest.approx((q ** np.arange(n) * before).sum(), rel=1e-4)


@pytest.mark.parametrize("late_pre", [False, True])
@pytest.mark.parametrize("late_post", [False, True])
@pytest.mark.parametrize("minimum", [1, 9])
def test_ltp_and_ltd_by_nearest_spikes_covary_as_their_traces(late_pre, late_post, minimum):
    """The mixed product of the diffusion, from what both traces are around spikes, by recursion.

    At rates at which every fifth step has an input spike.
    """
    p, rho, n, taus = 0.2, 0.06, 2000, (20, 30)
    q_pre, q_post = (1 - 1 / tau for tau in taus)
    # The presynaptic trace after an input spike, over its mean: LTP that the spike causes.
    after = np.ones(n)
    for step in range(1, n):
        after[step] = p + (1 - p) * q_pre * after[step - 1]
    mean = after[-1]
    caused = after - mean
    if late_pre:  # read before its jump, it is that of the step before
        caused = np.concatenate([[0.0], q_pre * (after[:-1] - mean)])
    # The postsynaptic trace before an output spike, looking back, over its mean.
    train = SpikeTrain(rho, minimum)
    hazard = rho / (1 - rho * (minimum - 1))
    gap = np.arange(2 * n)
    interval = np.where(gap >= minimum, hazard * (1 - hazard) ** np.maximum(gap - minimum, 0), 0)
    chances = chances_after_a_spike(train, n)
    since = np.arange(late_post, n)  # the last spike was in that step, or before it
    reached = np.array([(q_post**since * interval[step + since]).sum() for step in range(n)])
    if not late_post:
        reached[0] = 0.0
    trace = np.convolve(chances, reached)[:n]
    if not late_post:
        trace[0] = 1.0
    before = trace - trace[-1]
    expected = (caused * before).sum() + trace[-1] * caused.sum()
    kinds = [SETS | (BEFORE_JUMP if late else 0) for late in (late_pre, late_post)]
    rates = (1000 * p, 1000 * rho)
    ltp, ltd, both = (
        PairRule.of(steps, taus, 1.0, rates, kinds, minimum).diffusion[0]
        for steps in ((1, 0), (0, -1), (1, -1))
    )
    assert (ltp + ltd - both) / 2 == pytest.approx(expected, rel=1e-6)
