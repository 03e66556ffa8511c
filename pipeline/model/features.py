"""Features of the model that a kernel is compiled with or without: what is off costs nothing."""

from __future__ import annotations

from typing import NamedTuple

from pipeline.model.parameters import Configuration


class Features(NamedTuple):
    """Which parts of the model a kernel has.

    Attributes
    ----------
    inhibition : bool
        Whether there is an inhibitory population.
    dendritic_delay : bool
        Whether output spikes arrive at the synapses later than they reset the potential.
    noise : bool
        Whether there is membrane noise.
    adaptive_threshold : bool
        Whether output spikes raise the threshold.
    """

    inhibition: bool = False
    dendritic_delay: bool = False
    noise: bool = False
    adaptive_threshold: bool = False

    @classmethod
    def of(cls, configuration: Configuration) -> Features:
        """Return the features that a run needs."""
        neuron, inhibition = configuration.neuron, configuration.inhibition
        delay = configuration.synapse.dendritic_delay
        if not (inhibition.n_synapses or delay or neuron.noise or neuron.theta_plus):
            return NO_FEATURES  # of most runs, each of which asks
        return cls(inhibition.is_present, delay > 0, neuron.noise > 0, neuron.theta_plus > 0)

    @property
    def label(self) -> str:
        """The features as part of a name, such as `_inhibition`; empty without any."""
        return "".join(f"_{name}" for name, is_on in self._asdict().items() if is_on)


#: The keys that decide which features a run needs.
FEATURE_KEYS = (
    "inhibition.n_synapses",
    "synapse.dendritic_delay",
    "neuron.noise",
    "neuron.theta_plus",
)

#: The model of the notebook.
NO_FEATURES = Features()
