"""Figures of single runs of a sweep over seeds."""

import numpy as np

from tests.support.drawn import HISTORY, drawn, settle, unfolded


def test_the_answer_beside_a_run_is_its_own(sweep):
    """And says so where seeds were swept: the answer over all seeds may be another."""
    dataset = settle(sweep({"input.rate_hz": [30, 40], "seed": [1, 2, 3]}, *HISTORY))
    rising = np.linspace(100, 2000, dataset.sizes["sample_time"])
    dataset["rate_history"].loc[{"rate_hz": 40, "seed": 1}] = rising
    made = drawn(dataset, "weights_in_time")
    for name, answer in (("30.0", "settled"), ("40.0", "not settled")):
        title = unfolded(made[f"weights_in_time_rate_hz={name}"])
        assert f"Seed 1 This run alone: {answer}" in title.replace(". ", " ")
    title = unfolded(drawn(dataset.isel(seed=0), "weights_in_time")["weights_in_time_rate_hz=30.0"])
    assert "Settled" in title
    assert "This run alone" not in title
