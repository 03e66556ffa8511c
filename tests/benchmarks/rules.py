"""One run on one core with each plasticity rule: against the additive rule on the same input.

Amplitudes are so small that the weights hardly move, and the output spikes of all rules are nearly
the same: what differs is the time of their arithmetic.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pipeline
from pipeline import Configuration
from tests.benchmarks.contest import side_by_side
from tests.benchmarks.contestants import compiled_engine, lasting
from tests.benchmarks.plan import Plan
from tests.benchmarks.table import Row

#: Choices of the group `stdp`, with templates of other kinds of traces and functions.
CHOICES = {
    "additive, nearest": ("additive", "stdp.pairing=nearest"),
    "additive, ltp_only": ("additive", "stdp.coincidence=ltp_only"),
    "additive, neither": ("additive", "stdp.coincidence=neither"),
    "multiplicative": ("multiplicative",),
    "van_rossum": ("van_rossum",),
    "gutig, mu 0.1": ("gutig",),
    "gutig, mu 1": ("gutig", "stdp.mu=1"),
    "power_law": ("power_law",),
    "log_stdp": ("log_stdp",),
    "anti_hebbian": ("anti_hebbian",),
    "symmetric": ("symmetric",),
    "triplet": ("triplet",),
    "triplet, nearest": ("triplet_nearest",),
    "reduced_nearest": ("masquelier2008",),
}

_SHRUNK = 1e-4

_AMPLITUDES = ("A_plus", "A_minus", "A2_plus", "A2_minus", "A3_plus", "A3_minus", "w_in")


def rules(plan: Plan) -> Iterator[Row]:
    """Yield a row for each rule and time step."""
    for dt in (1.0, 0.1):
        base = _run_of(("additive",), dt, plan.duration)
        for name, choice in CHOICES.items():
            configuration = _run_of(choice, dt, plan.duration)
            what = f"One run of {plan.duration / 1000:g} s, dt {dt:g} ms: {name}"
            other = dataclasses.replace(compiled_engine(base), name="additive")
            yield side_by_side(what, compiled_engine, configuration, other, plan.repeats)


def _run_of(choice: tuple[str, ...], dt: float, duration: float) -> Configuration:
    """Return a run at 20 Hz and a mean weight of a half, with small amplitudes."""
    name, *values = choice
    made = pipeline.configure(
        f"stdp={name}",
        *values,
        f"simulation.dt={dt}",
        "input.rate_hz=20",
        "synapse.w_init=0.5",
    )
    fields = made.stdp.resolved().to_mapping()
    small = {n: fields[n] * _SHRUNK for n in _AMPLITUDES if fields.get(n) is not None}
    return lasting(made.replaced({f"stdp.{n}": value for n, value in small.items()}), duration)
