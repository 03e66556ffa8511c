"""`input.seed_policy`: whether points with one seed share the random numbers of their input."""

import numpy as np
import pytest

import pipeline
from pipeline.model.errors import RequestError
from pipeline.reproduce import main as reproduce
from pipeline.request.grid import Grid

INDEPENDENT = "input.seed_policy=independent"


def events(configuration):
    """Return all input events of a run, as cells."""
    return np.concatenate(list(configuration.input_events()))


def key_of(configuration):
    """Return the content key of a configuration."""
    return Grid(configuration.to_mapping()).keys[0]


def test_shared_is_the_policy_that_keys_and_streams_have_always_had(configure):
    """It is the default and neutral; the seed is used as it is."""
    shared = configure("input.seed_policy=shared")
    assert shared == configure()
    assert "seed_policy" not in shared.input.key_values()
    assert shared.input_seed == shared.seed
    assert key_of(configure(INDEPENDENT)) != key_of(shared)


@pytest.mark.parametrize(
    "other", ["stdp.A_plus=0.004", "input.rate_hz=41", "simulation.dt=0.5", "neuron.tau_m=11"]
)
def test_independent_points_draw_their_own_numbers(configure, other):
    """Points that differ in a parameter, or in the seed, have unlike seeds of their input."""
    seeds = {
        configure(INDEPENDENT, *more).input_seed
        for more in ([], [other], ["seed=1"], [other, "seed=1"])
    }
    assert len(seeds) == 4


def test_shared_inputs_are_correlated_between_points_and_independent_ones_are_not(configure):
    """Along an axis that leaves the rate: identical trains, or no more coincidences than chance."""
    for policy, same in (("shared", True), ("independent", False)):
        one, other = (
            events(configure(f"input.seed_policy={policy}", f"stdp.A_plus={A_plus}"))
            for A_plus in (0.004, 0.008)
        )
        assert np.array_equal(one, other) == same
        common = np.intersect1d(one, other).size / one.size
        assert common == 1 if same else common < 0.08  # 40 Hz at dt 1 ms: 0.04 by chance


@pytest.mark.parametrize(
    "more",
    [
        ["simulation.duration=900"],
        ["record=history", "record.weight_interval=100"],
        ["record.dtype=float64"],
        ["stdp.ltd_ratio=null", "stdp.A_minus=0.0088"],
        ["stdp.effective_ltd_ratio=1.1"],
    ],
)
def test_growing_changes_no_stream(configure, more):
    """A longer run begins with the same events; recording and the rule's null change nothing."""
    short, long = events(configure(INDEPENDENT)), events(configure(INDEPENDENT, *more))
    assert short.size > 500
    np.testing.assert_array_equal(long[: short.size], short)


def test_an_experiment_grows_and_is_reproduced(keep, tmp_path):
    """More values of an axis leave the points that are done; each is reproduced from the file."""
    first = keep("x", {"stdp.A_plus": [0.004, 0.008], "seed": [1, 2]}, INDEPENDENT)
    before = sorted(file.name for file in (first / "points").iterdir())
    keep("x", {"stdp.A_plus": [0.002, 0.004, 0.008], "seed": [1, 2, 3]}, INDEPENDENT)
    assert set(before) < {file.name for file in (first / "points").iterdir()}
    assert reproduce([str(tmp_path / "x")]) == 0


def test_both_policies_can_be_compared_in_one_file(sweep):
    """The policy is an axis like any other."""
    dataset = sweep({"input.seed_policy": ["shared", "independent"], "seed": [1, 2]})
    assert dataset["seed_policy"].values.tolist() == ["shared", "independent"]
    assert len(np.unique(dataset["mean_weight"])) == 4


def test_the_notebooks_stream_has_the_notebooks_seeds(configure):
    """It takes no seed of more than 32 bits, and its runs are those of the notebook."""
    with pytest.raises(RequestError, match=r"^input.seed_policy=independent: must be shared with"):
        configure("input=notebook", INDEPENDENT)
    with pytest.raises(RequestError, match="must be shared or independent"):
        configure("input.seed_policy=none")


def test_an_own_process_is_given_the_seed_of_its_point():
    """`simulate` passes it to `events`, so that a process needs no line for the policy."""
    given = pipeline.configure(INDEPENDENT, "simulation.duration=200")
    drawn = given.input.events(1.0, 200, given.input_seed)
    np.testing.assert_array_equal(np.concatenate(list(drawn)), events(given))
