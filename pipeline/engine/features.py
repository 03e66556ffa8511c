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
    """

    inhibition: bool = False

    @classmethod
    def of(cls, configuration: Configuration) -> Features:
        """Return the features that a run needs."""
        return INHIBITION if configuration.inhibition.n_synapses else NO_FEATURES

    @property
    def label(self) -> str:
        """The features as part of a name, such as `_inhibition`; empty without any."""
        return "".join(f"_{name}" for name, is_on in self._asdict().items() if is_on)


#: The model of the notebook, and with an inhibitory population.
NO_FEATURES, INHIBITION = Features(), Features(inhibition=True)
