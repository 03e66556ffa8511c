"""A sweep with settled weights."""

import pytest

from tests.support.drawn import HISTORY, settle


@pytest.fixture
def settled(sweep):
    """Two axes and three seeds, with settled weights."""
    axes = {"input.rate_hz": [40, 30], "stdp.tau_plus": [10, 20], "seed": [1, 2, 3]}
    return settle(sweep(axes, *HISTORY))
