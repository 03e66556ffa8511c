"""Is the posterior of the notebook on inference calibrated, and what counts as calibrated."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import pipeline

#: The parameters that are inferred, and the intervals of their uniform prior.
PRIOR = {
    "stdp.A_plus": (0.004, 0.012),
    "stdp.ltd_ratio": (1.0, 1.2),
    "stdp.tau_plus": (10.0, 30.0),
}

#: Central intervals of the posterior of which the coverage is tested.
LEVELS = (0.5, 0.8, 0.95)

#: Largest deviation of a coverage from its level [standard errors]; of nine that are tested, one
#: deviates further in 2.4 % of campaigns with a perfect posterior.
MOST_ERRORS = 3.0


@dataclass(frozen=True)
class Coverage:
    """How many truths are within central intervals of their posteriors.

    Attributes
    ----------
    shares : ndarray, (n_parameters, n_levels)
        Shares of the truths.
    errors : ndarray, (n_levels,)
        Standard error of each for a posterior that is calibrated.
    """

    shares: NDArray[np.float64]
    errors: NDArray[np.float64]

    @classmethod
    def of(cls, ranks: NDArray[np.float64]) -> Coverage:
        """Return the coverage of truths with some ranks, (n_truths, n_parameters) from 0 to 1."""
        levels = np.array(LEVELS)
        within = np.abs(ranks - 0.5)[:, :, np.newaxis] < levels / 2
        return cls(within.mean(axis=0), np.sqrt(levels * (1 - levels) / len(ranks)))

    @property
    def is_nominal(self) -> bool:
        """Whether every share is that of its level, within sampling error."""
        return bool((np.abs(self.shares - LEVELS) <= MOST_ERRORS * self.errors).all())


def inferred_ranks(
    n_simulations: int, n_truths: int, n_samples: int, seed: int
) -> NDArray[np.float64]:
    """Train a posterior on simulations and return the rank of each further truth in its posterior.

    Parameters
    ----------
    n_simulations : int
        For training.
    n_truths : int
        Further parameters, drawn from the prior as well.
    n_samples : int
        Samples of the posterior of each.
    seed : int
        Of parameters, simulations and network.

    Returns
    -------
    ndarray, (n_truths, n_parameters)
        Shares of the samples below the truth.
    """
    import torch
    from sbi.inference import NPE
    from sbi.neural_nets import posterior_nn
    from torch.distributions import MultivariateNormal, Normal
    from torch.utils.tensorboard import SummaryWriter

    torch.manual_seed(seed)
    low, high = np.array(list(PRIOR.values())).T
    # Without bounds, at which a mixture of normal distributions would be cut off, and too narrow.
    prior = MultivariateNormal(torch.zeros(len(PRIOR)), torch.eye(len(PRIOR)))
    z = prior.sample((n_simulations + n_truths,))
    configuration = pipeline.configure("simulation.duration=120000")
    outputs = ["weight_histogram", "output_rate"]
    simulate = pipeline.simulator(configuration, list(PRIOR), outputs, n_bins=10, seed=seed)
    simulated = simulate(low + (high - low) * Normal(0, 1).cdf(z).numpy())
    x = torch.as_tensor(np.sqrt(simulated), dtype=torch.float32)
    with tempfile.TemporaryDirectory() as logs:  # which sbi writes, by default where one is
        network, writer = posterior_nn("mdn", num_components=8), SummaryWriter(logs)
        inference = NPE(prior, network, show_progress_bars=False, summary_writer=writer)
        inference.append_simulations(z[:n_simulations], x[:n_simulations])
        batch = min(1000, n_simulations // 4)
        inference.train(training_batch_size=batch, learning_rate=1e-3)
        posterior = inference.build_posterior()
        writer.close()
    drawn = posterior.sample_batched((n_samples,), x=x[n_simulations:], show_progress_bars=False)
    return (drawn < z[n_simulations:]).double().mean(dim=0).numpy()
