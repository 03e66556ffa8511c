"""Initial weights of the synapses: one value, or drawn from a distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.model.errors import RequestError
from pipeline.model.inputs import random_generator
from pipeline.model.quantity import written

if TYPE_CHECKING:
    from pipeline.model.parameters import Configuration
    from pipeline.model.sections import Synapse

#: Number (spawn key) of the random stream of a seed; see `inputs.INPUT_STREAM`.
INITIAL_WEIGHT_STREAM = 2

#: Distributions of `synapse.w_init_distribution` around `synapse.w_init`.
DISTRIBUTIONS = ("uniform", "normal", "beta")


def initial_weights(configuration: Configuration) -> NDArray[np.float64]:
    """Return the initial weights of a run.

    With a spread s and a mean m: uniform between m - s and m + s; normal with standard deviation s,
    clipped to [0, 1]; beta with standard deviation s. All are m where s is 0.

    Parameters
    ----------
    configuration : Configuration
        The parameters of the run.

    Returns
    -------
    ndarray, (n_synapses,)
        Fraction of `synapse.g_max`, dimensionless.
    """
    synapse, n_synapses = configuration.synapse, configuration.input.n_synapses
    mean, spread = synapse.w_init, synapse.w_init_spread
    if spread == 0:
        return np.full(n_synapses, mean)
    random = random_generator(configuration.input_seed, INITIAL_WEIGHT_STREAM)
    if synapse.w_init_distribution == "uniform":
        return random.uniform(mean - spread, mean + spread, n_synapses).clip(0, 1)  # of rounding
    if synapse.w_init_distribution == "normal":
        return random.normal(mean, spread, n_synapses).clip(0, 1)
    concentration = mean * (1 - mean) / spread**2 - 1
    return random.beta(mean * concentration, (1 - mean) * concentration, n_synapses)


def refuse_impossible_spread(synapse: Synapse) -> None:
    """Refuse a spread that a distribution within [0, 1] of this mean cannot have.

    Raises
    ------
    RequestError
        If a uniform distribution would pass a bound, or a beta distribution does not exist.
    """
    mean, spread = synapse.w_init, synapse.w_init_spread
    name, shown = synapse.key("w_init_spread"), f"w_init={mean:g}"
    if synapse.w_init_distribution == "uniform" and spread > min(mean, 1 - mean) + 1e-12:
        raise RequestError(
            f"{written(name, spread)}: must be <= {min(mean, 1 - mean):g} with {shown}, as uniform "
            "weights lie within [0, 1]"
        )
    if synapse.w_init_distribution == "beta" and spread and spread**2 >= mean * (1 - mean):
        most = float(np.sqrt(mean * (1 - mean)))
        raise RequestError(
            f"{written(name, spread)}: must be < {most:.4g} with {shown}, the standard deviation "
            "of weights that are 0 or 1"
        )
