"""Input processes as the model has them, in numpy."""

import pytest

from pipeline.model import streams, superposition, thinning


@pytest.fixture
def numpy_draws(monkeypatch):
    """Draw by numpy, whatever an engine has installed before."""
    monkeypatch.setattr(streams, "_compiled", [])
    monkeypatch.setattr(superposition, "_compiled", [])
    monkeypatch.setattr(thinning, "_compiled", {})
