"""The campaign of `make settle`: its machinery, and that its last result holds."""

import csv
import random
import re
from pathlib import Path

import numpy as np
import pytest

import pipeline
from analysis.measures.stationarity import STATIONARY
from pipeline.model.inputs import PROCESSES
from pipeline.model.variables import FLAGS
from tests.conftest import ROOT
from tests.settle.campaign import (
    N_FAR,
    N_HARD,
    N_INPUTS,
    N_NEAR,
    N_RULES,
    POINTS,
    outcomes,
    overrides_of,
    points_listed,
)

pytestmark = pytest.mark.long

RESULTS = (Path(__file__).parent / "RESULTS.md").read_text()


def number_in(pattern):
    """Return the numbers of a line of RESULTS.md."""
    return [int(number) for number in re.search(pattern, RESULTS).groups()]


def test_the_campaign_judges_and_runs_on():
    """Of the first points: what is answered within 1,024 s is so later, but for errors."""
    found = list(outcomes(points_listed()[:8], limit=1_024_000.0))
    assert len(found) == 8
    answered = [one for one in found if one.answer in STATIONARY]
    assert 2 <= len(answered) < 8
    assert all(one.time <= 1_024_000.0 for one in found)
    assert all(one.rate > 0 for one in answered)
    assert not any(one.off.any() for one in answered)


def test_both_engines_end_at_the_same_look():
    """For random points of the campaign, with few synapses as the reference takes its time."""
    ended = set()
    for values in random.Random(2026).sample(points_listed()[:N_NEAR], 10):
        configuration = pipeline.configure(
            *overrides_of(values),
            *("input.n_synapses=30", "synapse.g_max=0.15", "simulation.duration=64000"),
            *("simulation.until=settled", "settle.minimum=16000", "settle.tolerance=0.8"),
        )
        one, other = (
            pipeline.simulate(configuration, engine=engine) for engine in ("compiled", "reference")
        )
        for name in ("run_duration", "settled", "spike_count"):
            assert one[name] == other[name], (values, name)
        ended.add((float(one["run_duration"]), FLAGS[int(one["settled"])]))
    assert len(ended) >= 4


def test_most_points_near_the_balance_have_an_answer():
    """Of those that fire, at least three in four."""
    answered, firing = number_in(
        r"- (\d+) of (\d+) points that fire in the last half have an answer"
    )
    assert firing <= N_NEAR
    assert answered >= 0.75 * firing


def test_what_has_settled_stays():
    """At most one in twenty differs later by more than tolerance and errors explain."""
    answered, _ = number_in(r"- (\d+) of (\d+) points that fire in the last half have an answer")
    off, beyond = number_in(r"- (\d+) of these differ later by more than .*, (\d+) by")
    assert off <= beyond
    assert off <= 0.05 * answered


def test_the_documentation_has_these_counts():
    """Number of points, of those that fire, that are answered and that differ later."""
    text = " ".join((ROOT / "docs" / "explanation" / "settling.md").read_text().split())
    answered, firing = number_in(
        r"- (\d+) of (\d+) points that fire in the last half have an answer"
    )
    (off,) = number_in(r"- (\d+) of these differ later")
    n_points = N_NEAR + N_FAR + N_HARD + N_RULES + N_INPUTS
    assert f"`make settle` runs {n_points} points" in text
    assert f"the {firing} points of the main part that fire in the last half, {answered}" in text
    assert f"{off} of these differ later by more than tolerance and errors explain" in text


def test_intervals_cover_later_means():
    """The binomial interval (Wilson 1927) of each rate of coverage contains 95 %."""
    (n,) = number_in(r"intervals of the (\d+) settled ones")
    shares = np.array(
        [int(share) for share in re.findall(r"(\d+)%", RESULTS.partition("| no.")[0])]
    )
    assert len(shares) == 5
    share, z = shares / 100, 1.96
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    rounding = 0.005
    assert (middle - half <= 0.95 + rounding).all()
    assert (middle + half >= 0.95 - rounding).all()


def test_every_point_is_listed():
    """With its number, in the order of `points.csv`; the hard ones are not answered early."""
    rows = [line.split(" | ") for line in RESULTS.splitlines() if re.match(r"\| \d+ \|", line)]
    points = [*csv.reader(POINTS.read_text().splitlines()[1:])]
    assert [row[1:6] for row in rows] == points
    assert len(points) == N_NEAR + N_FAR + N_HARD + N_RULES + N_INPUTS
    for row in rows[N_NEAR + N_FAR :][:N_HARD]:
        time = float(row[7].replace(",", ""))
        assert row[6] not in STATIONARY or time > 2_000


def counts_of(points):
    """Return how many fire, have an answer, and differ later, of points beside the main part."""
    ended = r"; (\d+) of the (\d+) with an answer differ later"
    firing, off, answered = number_in(rf"Of the (\d+) points {points} that fire.*" + ended)
    return firing, answered, off


@pytest.mark.parametrize("points", ["of other rules", "of other inputs and with inhibition"])
def test_points_beside_the_main_part_have_answers_that_last(points):
    """At most one in twenty of those answered differs later, of those that fire most have one."""
    firing, answered, off = counts_of(points)
    assert off <= 0.05 * answered
    assert answered >= 0.75 * firing
    assert firing >= 30
    text = " ".join((ROOT / "docs" / "explanation" / "settling.md").read_text().split())
    assert re.search(rf"Of the {firing} points [^,]* that fire, {answered} have an answer", text)


def test_the_points_have_all_rules_and_processes():
    """Of processes those that may run until they have settled; Song & Abbott's two groups twice."""
    rules = points_listed()[-N_RULES - N_INPUTS : -N_INPUTS]
    assert len({values["stdp"].split()[0] for values in rules}) == 11
    choices = [values["stdp"] for values in points_listed()[-N_INPUTS:]]
    made = [pipeline.configure(*overrides_of(values)) for values in points_listed()[-N_INPUTS:]]
    stationary = {
        name
        for name, one in PROCESSES.classes().items()
        if one.stationary and not one.needs_duration
    }
    assert {one.input.name for one in made} == stationary
    assert sum(one.inhibition.is_present for one in made) == 9
    assert sum("group_rate_correlations=[0.5,0.5]" in choice for choice in choices) == 2


def test_a_rate_that_falls_for_hours_is_not_called_settled_early():
    """The first hard one from strong weights (from those of the list it never fires).

    Its rate is 16 Hz in the first 500 s, 13 Hz up to 2,000 s, and 11.4 Hz from hours on.
    """
    configuration = pipeline.configure(
        *overrides_of(points_listed()[N_NEAR + N_FAR]),
        *("synapse.w_init=1", "simulation.until=settled", "simulation.duration=5e7"),
    )
    run = pipeline.simulate(configuration)
    assert FLAGS[int(run["settled"])] == "settled"
    assert run["run_duration"] >= 8_192_000
    assert run["late_output_rate"].item() == pytest.approx(11.4, abs=0.4)


@pytest.mark.parametrize("column", range(4))
def test_the_points_fill_the_ranges(column):
    """Each tenth of a range has about a tenth of the points near the balance."""
    rows = np.loadtxt(POINTS, delimiter=",", skiprows=1, max_rows=N_NEAR, usecols=column)
    values = np.log(rows) if column > 1 else rows
    low, high = [(10, 50), (0.9, 1.15), (0.002, 0.02), (10, 100)][column]
    low, high = (np.log(low), np.log(high)) if column > 1 else (low, high)
    counts, _ = np.histogram(values, np.linspace(low, high, 11))
    assert counts.min() >= 15
    assert counts.sum() == N_NEAR
