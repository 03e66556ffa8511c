"""Events and weights of the user's own for tests, and a process that does not know them yet."""

import numpy as np

from pipeline.composition import own_contents
from pipeline.model import contents


def forget_all():
    """Forget every content and what was read, as another process would."""
    contents._contents.clear()
    own_contents._read.clear()


def random_events(seed, n_synapses=40, duration=500.0, dt=1.0, p=0.04):
    """Return times [ms] and synapses of independent events, unordered within a time step."""
    random = np.random.default_rng(seed)
    step, synapse = np.nonzero(random.random((round(duration / dt), n_synapses)) < p)
    order = np.lexsort((random.random(step.size), step))
    return step[order] * dt, synapse[order]
