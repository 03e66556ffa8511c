"""`stdp lab`: simulations in a browser while their parameters are moved.

From Python, with rules and processes that are registered there::

    from stdp.lab import start

    start("stdp.rule=anti_hebbian", "stdp.A=0.01", "stdp.tau=20")
"""

from __future__ import annotations

from stdp.lab.command import start

__all__ = ["start"]
