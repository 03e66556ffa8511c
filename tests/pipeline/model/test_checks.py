"""Checks across sections: each reads the sections that its entry names, and no others."""

import pytest

import pipeline
from pipeline.model.checks import CHECKS
from pipeline.model.parameters import SECTIONS, Configuration

#: Configurations that reach all branches of the checks.
KINDS = {
    "usual": (),
    "settled": ("simulation.until=settled", "simulation.duration=4e6"),
    "threshold": ("neuron.theta_plus=1", "neuron.tau_theta=100", "record=history"),
    "delays": ("synapse.dendritic_delay=2", "synapse.axonal_delay=1"),
    "scaling": ("synapse.scaling_target=5", "synapse.scaling_interval=100"),
    "inhibition": ("inhibition=song_miller_abbott_2000", "simulation.dt=0.1"),
    "modulated": ("input=modulated",),
    "pairs": ("input=pairing_protocol", "simulation.dt=0.1"),
}


class Noting:
    """A configuration that notes which of its sections are read."""

    def __init__(self, configuration, noted):
        self._configuration, self._noted = configuration, noted

    def __getattr__(self, name):
        """Return an attribute; what is computed from sections is computed from noted ones."""
        if name in SECTIONS:
            self._noted.add(name)
        computed = getattr(Configuration, name, None)
        if isinstance(computed, property):
            return computed.fget(self)
        return getattr(self._configuration, name)


@pytest.mark.parametrize("kind", KINDS)
def test_a_check_reads_the_sections_of_its_entry_alone(kind):
    """A grid applies it once to all points that share these: another one would go unchecked."""
    configuration = pipeline.configure(*KINDS[kind])
    for sections, check in CHECKS:
        noted = set()
        check(Noting(configuration, noted))
        assert noted <= sections, check.__name__


def test_every_section_of_an_entry_is_read():
    """By some kind of configuration: else its check is repeated for nothing."""
    for sections, check in CHECKS:
        noted = set()
        for words in KINDS.values():
            check(Noting(pipeline.configure(*words), noted))
        assert noted == sections, check.__name__
