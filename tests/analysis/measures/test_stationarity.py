"""Stationarity of one run: synthetic series whose future is known."""

import numpy as np
import pytest

from analysis.measures import stationarity
from analysis.measures.settling import settled_since
from analysis.measures.stationarity import (
    ANSWERS,
    DOUBLINGS,
    FROZEN,
    LOWER_BOUND,
    NO_SPIKE,
    NOT_RECORDED,
    NOT_SETTLED,
    QUANTITIES,
    RATE_FLOOR,
    RATE_TOLERANCE,
    SETTLED,
    TOLERANCE,
    UPPER_BOUND,
    compared,
    judged,
    mean_of,
    weight_statistics,
)

#: Gross change per synapse and spike at which a window of a second or more at 10 Hz is enough.
STEP = 1.0
N_SYNAPSES = 100


def times(n=128, duration=128_000.0):
    """Return n equidistant sample times [ms]."""
    return duration / n * np.arange(1, n + 1)


def weights(strong_share, n=128):
    """Return weights of which a share, constant or per sample, is at 0.95, the others at 0.05."""
    shares = np.broadcast_to(strong_share, n)
    strong = np.arange(N_SYNAPSES) < np.rint(shares * N_SYNAPSES)[:, np.newaxis]
    return np.where(strong, 0.95, 0.05)


def judge(rate=10.0, weight=None, time=None, step=STEP):
    """Judge a run with constant rate and weights unless others are given."""
    time = times() if time is None else time
    weight = weights(0.4, time.size) if weight is None else weight
    rate = np.broadcast_to(rate, time.size)
    return judged(compared(time, rate, weight_statistics(weight), step))


def to_come(judgement, quantity):
    """Return the bound of one quantity."""
    return judgement.to_come[QUANTITIES.index(quantity)]


def test_the_statistics_are_mean_shares_and_histogram():
    """Of each sample; limits are between the numbers of the lattice, and 1 is in the last bin."""
    found = weight_statistics([[0.0, 0.1, 0.5, 0.9, 1.0], [0.04, 0.0999996, 0.5000001, 0.95, 1]])
    assert found.shape == (2, 4 + 25)
    np.testing.assert_allclose(found[0, :4], [0.5, 1 / 5, 2 / 5, 1 / 5])
    np.testing.assert_allclose(found[1, 1:4], [1 / 5, 2 / 5, 2 / 5])
    assert np.flatnonzero(found[0, 4:]).tolist() == [0, 2, 12, 22, 24]
    np.testing.assert_allclose(found[:, 4:].sum(axis=1), 1)


def test_differences_by_rounding_decide_nothing():
    """Weights that two engines give, equal to 1e-12, have the same statistics to the last bit."""
    random = np.random.default_rng(0)
    one = random.random((20, 1000)).round(3)
    other = (one + random.normal(0, 1e-12, one.shape)).clip(0, 1)
    np.testing.assert_array_equal(weight_statistics(one), weight_statistics(other))


def test_a_run_in_which_nothing_changes_has_settled():
    """Nothing is to come of any quantity, but for the least error of the weights."""
    judgement = judge()
    assert judgement.answer == SETTLED
    assert to_come(judgement, "output rate") == 0
    assert (judgement.to_come[1:] < 0.05).all()


@pytest.mark.parametrize(("factor", "answer"), [(0.75, SETTLED), (1.05, NOT_SETTLED)])
def test_a_logarithmic_drift_is_carried_on_over_four_doublings(factor, answer):
    """A rate that changes by as much in each doubling has four times the last change to come."""
    time = times(4096)
    per_doubling = factor * RATE_TOLERANCE * 10 / DOUBLINGS
    rate = 10 - per_doubling * np.log2(time / time[-1] / 0.75)  # 10 Hz amid the last half
    judgement = judge(rate, time=time)
    assert judgement.answer == answer
    # The trend within the windows counts as an error.
    assert factor < to_come(judgement, "output rate") < 1.25 * factor


def test_of_the_rate_the_tolerance_is_relative_with_a_floor():
    """The same relative change is within it at a low rate only below the floor."""
    rate = np.repeat([1.06, 1.0], 64)
    assert to_come(judge(10 * rate), "output rate") == pytest.approx(4 * 0.06 / 0.2)
    assert to_come(judge(0.1 * rate), "output rate") == pytest.approx(4 * 0.006 / RATE_FLOOR)


@pytest.mark.parametrize(
    ("quantity", "change"),
    [
        ("mean weight", 0.9 * 0.02),
        ("share of weights below 0.1", 0.02),
        ("share of weights above 0.5", 0.02),
        ("share of weights above 0.9", 0.02),
    ],
)
def test_of_weights_the_tolerance_is_absolute(quantity, change):
    """Where two of a hundred synapses have become strong since the quarter before."""
    judgement = judge(weight=weights(np.repeat([0.4, 0.42], 64)))
    assert judgement.answer == NOT_SETTLED
    assert to_come(judgement, quantity) == pytest.approx(DOUBLINGS * change / TOLERANCE, rel=0.05)
    assert to_come(judgement, "output rate") == 0


def test_a_histogram_that_changes_at_constant_mean_and_shares_is_seen():
    """Weights between 0.1 and 0.5 that spread: the total variation of the histogram."""
    before, after = np.full((64, 100), 0.3), np.tile([0.15, 0.45], (64, 50))
    judgement = judge(weight=np.vstack([before, after]))
    assert judgement.answer == NOT_SETTLED
    assert judgement.to_come[:-1].max() < 0.05
    assert to_come(judgement, "histogram of weights") == pytest.approx(DOUBLINGS / 0.1, rel=0.01)


def test_noise_that_is_larger_than_the_tolerance_is_no_equilibrium():
    """A stationary rate counts as settled only if it is known well enough."""
    random = np.random.default_rng(1)
    answers = {
        noise: [judge(random.normal(10, noise, 128)).answer == SETTLED for _ in range(50)]
        for noise in (0.5, 20.0)
    }
    assert all(answers[0.5])
    assert not any(answers[20.0])


def test_intervals_cover_the_mean_of_a_series_with_fluctuations_on_all_time_scales():
    """Of processes whose correlation times are 1 to 256 samples, in windows of 256 and 1,024."""
    random = np.random.default_rng(2)
    hits = dict.fromkeys((256, 1024), 0)
    n_runs = 300
    for _ in range(n_runs):
        series = np.zeros(2048)
        for time_constant in 4.0 ** np.arange(5):
            series += autoregression(random, np.exp(-1 / time_constant), series.size)
        for n in hits:
            columns = np.repeat(series[-n:, np.newaxis], 6, axis=1)
            mean, error = stationarity.batch_means(columns)
            hits[n] += abs(mean[0]) < 2.36 * error[0]  # Student's t with 7 degrees of freedom
    for n_covered in hits.values():
        assert 0.85 < n_covered / n_runs < 0.99


def autoregression(random, factor, n):
    """Return a stationary autoregression of variance 1."""
    noise, series = random.normal(size=n) * np.sqrt(1 - factor**2), np.empty(n)
    series[0] = random.normal()
    for i in range(1, n):
        series[i] = factor * series[i - 1] + noise[i]
    return series


def test_seeds_settle_together_before_each_of_them_does():
    """The errors of the mean of many runs are smaller than those of one."""
    random = np.random.default_rng(3)
    runs = [
        compared(times(), random.normal(10, 5, 128), weight_statistics(weights(0.4)), STEP)
        for _ in range(100)
    ]
    assert sum(judged(run).answer == SETTLED for run in runs) < 30
    together = mean_of(runs)
    assert judged(together).answer == SETTLED
    np.testing.assert_allclose(together.means, np.mean([run.means for run in runs], axis=0))
    changes = [run.means[0, 0] - run.means[1, 0] for run in runs]
    spread = np.std(changes, ddof=1) / 10
    assert spread <= together.errors[0, 0] < 4 * spread  # that of one run allows for long memory


@pytest.mark.parametrize(("value", "answer"), [(0.97, UPPER_BOUND), (0.03, LOWER_BOUND)])
def test_weights_at_a_bound_are_an_answer(value, answer):
    """If enough plasticity has happened for them to leave it, even where they began there."""
    weight = np.full((128, 100), value)
    assert judge(weight=weight).answer == answer
    assert judge(weight=weight, step=1e-4).answer == NOT_SETTLED
    weight[:64, :10] = 0.5  # they arrived in the last half
    assert judge(weight=weight).answer == NOT_SETTLED


@pytest.mark.parametrize(
    ("first", "last", "rate"),
    [
        (0.095, 0.005, np.full(128, 10.0)),
        (0.905, 0.995, np.full(128, 10.0)),
        (0.03, 0.03, np.linspace(30, 1, 128)),
    ],
)
def test_near_a_bound_what_still_moves_has_not_settled(first, last, rate):
    """The weights between the limit of weak or strong ones and the bound, or the output rate."""
    weight = np.linspace(first, last, 128)[:, np.newaxis] + np.zeros(100)
    judgement = judge(rate, weight)
    assert judgement.answer == NOT_SETTLED
    assert judgement.to_come.max() > 1


@pytest.mark.parametrize("start", [20_000, 40_000, 70_000])
def test_a_run_without_all_windows_is_not_judged(start):
    """As of a dataset that was cut in time, before it, within it or within the last half."""
    kept = times() > start
    assert judge(weight=weights(0.4)[kept], time=times()[kept]).answer == NOT_RECORDED


def test_nothing_has_settled_before_the_first_sample():
    """Of a run whose first part was cut off, of which nothing is known."""
    kept = times() > 20_000
    statistics = weight_statistics(weights(0.4))[kept]
    assert settled_since(times()[kept], np.full(kept.sum(), 10.0), statistics) == 21_000


@pytest.mark.parametrize("duration", [830, 850, 885])
def test_a_turning_point_is_no_equilibrium(duration):
    """The rate is 0.5, 3.2 and 0.9 Hz at 100, 400 and 3,000 s: between, two windows are alike."""
    random = np.random.default_rng(1)
    time = times(duration, 1000.0 * duration)
    rate = np.interp(np.log(time / 1000), np.log([100, 400, 3000]), [0.5, 3.2, 0.9])
    statistics = weight_statistics(weights(0.4, duration))
    runs = [compared(time, random.poisson(rate), statistics, STEP) for _ in range(10)]
    together = mean_of(runs)
    last, before, _ = together.means
    assert last[0] == pytest.approx(before[0], rel=0.1)
    assert judged(together).answer == NOT_SETTLED


def test_without_plasticity_the_weights_are_frozen():
    """Where the rule changes no weight, whatever the rate does."""
    assert judge(step=0.0).answer == FROZEN
    assert judge(np.linspace(1, 20, 128), step=0.0).answer == FROZEN


def test_silence_is_never_an_equilibrium():
    """No spike in the last half; frozen or not, at a bound or not."""
    rate = np.repeat([5.0, 0.0], 64)
    for more in ({}, {"step": 0.0}, {"weight": np.ones((128, 100))}):
        assert judge(rate, **more).answer == NO_SPIKE


def test_seeds_of_which_some_are_silent_have_not_settled():
    """Others may begin to fire; all silent are silent."""
    silent, firing = (
        compared(times(), np.full(128, rate), weight_statistics(weights(0.4)), STEP)
        for rate in (0.0, 10.0)
    )
    assert judged(mean_of([firing, silent])).answer == NOT_SETTLED
    assert judged(mean_of([silent, silent])).answer == NO_SPIKE
    assert judged(mean_of([firing, firing])).answer == SETTLED


def test_plasticity_is_measured_in_steps_and_not_in_time():
    """Ten times the amplitude is enough in a tenth of the time."""
    for duration, step, answer in (
        (4000.0, 0.2, NOT_SETTLED),  # 20 spikes of 0.2 in the last half
        (4000.0, 0.3, SETTLED),
        (40_000.0, 0.02, NOT_SETTLED),
        (40_000.0, 0.03, SETTLED),
    ):
        assert judge(time=times(duration=duration), step=step).answer == answer
    assert judge(step=np.nan).answer == SETTLED  # unknown: spikes were given


def test_few_samples_are_no_history():
    """Fewer than sixteen: nothing is known of any quantity."""
    judgement = judge(time=times(15))
    assert judgement.answer == NOT_RECORDED
    assert np.isnan(judgement.to_come).all()
    assert judge(time=times(16)).answer == SETTLED


def test_samples_at_doubling_times_are_judged_like_equidistant_ones():
    """Sixteen per octave, as of runs whose history must not grow with their length."""
    octaves = [1000.0 * 2**k * (1 + np.arange(1, 17) / 16) for k in range(8)]
    time = np.concatenate(octaves)
    rate = 10 + 3 * 1000 / time
    sparse = judge(rate, time=time)
    dense = judge(10 + 3 * 1000 / times(4096, time[-1]), time=times(4096, time[-1]))
    assert sparse.answer == dense.answer == SETTLED
    assert to_come(sparse, "output rate") == pytest.approx(to_come(dense, "output rate"), rel=0.1)


@pytest.mark.parametrize("share", [1 / 8, 5 / 32])
def test_the_settling_time_is_that_from_which_on_all_is_as_in_the_end(share):
    """A rate of 20 Hz until a share of the run, and 10 Hz from there on."""
    time = times(1024)
    rate = np.where(time <= share * time[-1], 20.0, 10.0)
    statistics = weight_statistics(weights(0.4, 1024))
    assert settled_since(time, rate, statistics) == share * time[-1]
    constant = settled_since(time, np.full(1024, 10.0), statistics)
    assert constant == time[3]  # windows of fewer than four samples are not looked at


def test_every_answer_says_what_it_means():
    """Also to those who read the table of numbers alone."""
    assert set(ANSWERS) >= {SETTLED, NOT_SETTLED, UPPER_BOUND, LOWER_BOUND, FROZEN, NO_SPIKE}
    assert all(ANSWERS.values())
