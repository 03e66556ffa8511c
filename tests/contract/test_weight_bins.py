"""The bins of weights are the same in both packages."""

import numpy as np

import analysis
import pipeline


def test_outputs_of_a_simulator_are_the_histogram_of_the_analysis():
    """`weight_histogram` of `pipeline.simulator` is that of `analysis`, at the bounds too."""
    configuration = pipeline.configure("simulation.duration=2000", "input.rate_hz=40")
    for n_bins in (1, 7, 20):
        simulate = pipeline.simulator(
            configuration, ["stdp.A_plus"], "weight_histogram", n_bins=n_bins
        )
        dataset = pipeline.simulate(configuration.replaced({"stdp.A_plus": 0.2, "seed": 5}))
        assert {0.0, 1.0} & set(dataset["weight"].values)
        expected = analysis.weight_histogram(dataset, n_bins).values
        assert np.array_equal(simulate([[0.2]], seeds=5)[0], expected.ravel())
