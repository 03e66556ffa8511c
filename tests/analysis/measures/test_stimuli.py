"""Output spikes around stimuli, counted anew; what is refused."""

import numpy as np
import pytest
import xarray as xr

from analysis import LoadError, stimulus_responses
from analysis.measures.stimuli import around_stimuli, latency_range


def dataset():
    """Return two seeds with stimuli at 100 and 200 ms, the second one without the last."""
    return xr.Dataset(
        {
            "status": ("seed", [0, 0]),
            "spike_time": (
                ("seed", "spike"),
                [[90.0, 105, 112, 230], [210.0, 215, np.nan, np.nan]],
            ),
            "stimulus_time": (("seed", "stimulus"), [[100.0, 200], [100.0, np.nan]]),
        },
        {"seed": [4, 5], "synapse_latency": ("synapse", [-12.0, 3.0, 20.0, np.nan])},
    )


def test_the_first_spike_and_the_number_of_spikes_are_those_of_the_window():
    """By default from the lowest to the highest latency; NaN without a spike, or a stimulus."""
    found = stimulus_responses(dataset())
    np.testing.assert_array_equal(found["first_spike"], [[-10, np.nan], [np.nan, np.nan]])
    np.testing.assert_array_equal(found["n_spikes"], [[3, 0], [0, np.nan]])
    assert found["first_spike"].attrs["units"] == "ms"
    assert found["seed"].values.tolist() == [4, 5]
    found = stimulus_responses(dataset(), (0.0, 120.0))
    np.testing.assert_array_equal(found["first_spike"], [[5, 30], [110, np.nan]])
    np.testing.assert_array_equal(found["n_spikes"], [[2, 1], [2, np.nan]])


def test_the_window_begins_at_the_stimulus_at_the_latest():
    """Latencies of a pattern are above 0, and a response can come before the first of them."""
    later = (
        dataset()
        .drop_vars("synapse_latency")
        .assign_coords(synapse_latency=("synapse", [5.0, 9.0]))
    )
    assert latency_range(later) == (0, 9)
    assert latency_range(dataset()) == (-12, 20)


def test_spikes_around_stimuli_are_those_of_all_pairs():
    """As counted pair by pair; windows of neighbouring stimuli may overlap."""
    random = np.random.default_rng(1)
    spikes, stimuli = np.sort(random.random(60) * 1000), np.arange(50.0, 1000, 90)
    number, time = around_stimuli(spikes, stimuli, (-60.0, 70.0))
    pairs = [
        (i, spike - onset)
        for i, onset in enumerate(stimuli)
        for spike in spikes
        if -60 <= spike - onset < 70
    ]
    assert len(pairs) > 60
    np.testing.assert_array_equal(number, [i for i, _ in pairs])
    np.testing.assert_allclose(time, [lag for _, lag in pairs])


def test_what_was_not_recorded_is_named():
    """Without stimuli or latencies there is one line of advice."""
    with pytest.raises(LoadError, match="^stimulus_time: must be recorded, with stimuli"):
        stimulus_responses(dataset().drop_vars("stimulus_time"))
    with pytest.raises(LoadError, match="^synapse_latency: no synapse has a latency; give a win"):
        stimulus_responses(dataset().drop_vars("synapse_latency"))
    assert (
        stimulus_responses(dataset().drop_vars("synapse_latency"), (0.0, 50.0)).sizes["seed"] == 2
    )
