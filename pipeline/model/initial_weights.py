"""Initial weights of the synapses: one value, drawn from a distribution, or given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.model.contents import content_of, digest_of, known_content
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


@dataclass(frozen=True)
class WeightContent:
    """Initial weights that are given.

    Attributes
    ----------
    digest : str
        Their hash.
    weights : ndarray, (n_synapses,)
        Fraction of `synapse.g_max`, dimensionless.
    """

    digest: str
    weights: NDArray[np.float64]

    @classmethod
    def of(cls, given: ArrayLike) -> WeightContent:
        """Return weights as they were given, checked.

        Parameters
        ----------
        given : array_like, (n_synapses,)
            Fraction of `synapse.g_max`, dimensionless.

        Raises
        ------
        RequestError
            If they are no list of numbers from 0 to 1.
        """
        try:
            array = np.asanyarray(given)
        except ValueError:  # rows of unlike lengths
            array = np.empty(0, dtype=object)
        if array.ndim != 1 or not array.size or array.dtype.kind not in "iuf":
            raise RequestError(
                f"weights of shape {array.shape}: must be a list of numbers, (n_synapses,)"
            )
        weights = np.where(np.ma.getmaskarray(array), np.nan, np.asarray(array, dtype="<f8"))
        wrong = weights[~((weights >= 0) & (weights <= 1))]
        if wrong.size:
            raise RequestError(f"weight {wrong[0]:.15g}: every weight must be from 0 to 1")
        weights = weights + 0.0  # no -0.0
        return cls(digest_of([b"weights", weights.data]), weights)


def initial_weights(configuration: Configuration) -> NDArray[np.float64]:
    """Return the initial weights of a run.

    With a spread s and a mean m: uniform between m - s and m + s; normal with standard deviation s,
    clipped to [0, 1]; beta with standard deviation s. All are m where s is 0. Weights that are
    given by `synapse.w_from` replace these.

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
    if synapse.w_content:
        given = known_content(synapse.key("w_from"), synapse.w_from, synapse.w_content)
        return given.weights.copy()
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


def refuse_unfit_weights(configuration: Configuration) -> None:
    """Refuse given weights of another number than that of the synapses.

    Raises
    ------
    RequestError
        If there are.
    """
    synapse, n_synapses = configuration.synapse, configuration.input.n_synapses
    given: Any = content_of(synapse.w_content)
    if given is not None and given.weights.size != n_synapses:
        raise RequestError(
            f"{written(synapse.key('w_from'), synapse.w_from)}: {given.weights.size} weights; must "
            f"be one for each of input.n_synapses={n_synapses}"
        )
