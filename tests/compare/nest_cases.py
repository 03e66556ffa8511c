"""What is compared with NEST: on prescribed output spikes, and with NEST's own neuron."""

from __future__ import annotations

from tests.compare.nest import NestCase

#: Number of seeds of a run in which the neuron fires by itself.
N_SEEDS = 10

_RULES = {
    "additive": ("stdp_synapse", ("stdp=additive",)),
    "multiplicative": ("stdp_synapse", ("stdp=multiplicative",)),
    "van_rossum": ("stdp_synapse", ("stdp=van_rossum",)),
    "gutig": ("stdp_synapse", ("stdp=gutig", "stdp.mu_plus=0.3", "stdp.mu_minus=0.8")),
    "nearest": ("stdp_nn_symm_synapse", ("stdp.pairing=nearest", "stdp.ltd_ratio=2")),
    "triplet": ("stdp_triplet_synapse", ("stdp=triplet", "stdp.A2_minus=0.01")),
}

#: Of a synapse without an upper bound, which weights do not reach here.
_POWER_LAW = ("stdp_pl_synapse_hom", ("stdp=power_law",))

#: At dt 1 ms, at which one pair of spikes in twenty is coincident.
_PRESCRIBED = ("simulation.dt=1", "simulation.duration=10000", "input.rate_hz=15")

#: Output spikes prescribed: weights must be equal.
PRESCRIBED = {
    **{
        f"{name}, delay {delay} ms": NestCase(model, (*overrides, *_PRESCRIBED), delay, True)
        for name, (model, overrides) in {**_RULES, "power_law": _POWER_LAW}.items()
        for delay in (1, 5)
    },
    "nearest, output spikes before the first input spikes": NestCase(
        _RULES["nearest"][0], (*_RULES["nearest"][1], *_PRESCRIBED), 1, True, first=1.0
    ),
}

#: The only one of these in which weights differ, by NEST's input spike at time 0.
DIFFERENT = "nearest, output spikes before the first input spikes"

_FREE = ("simulation.dt=0.1", "simulation.duration=10000", "input.rate_hz=20")

#: NEST's own neuron, `iaf_cond_exp`, with decay and integration of its own.
FREE = {
    **{
        f"{name}, delay 0.1 ms": NestCase(model, (*overrides, *_FREE), 0.1)
        for name, (model, overrides) in _RULES.items()
    },
    "additive, delay 5 ms": NestCase(_RULES["additive"][0], (*_RULES["additive"][1], *_FREE), 5),
}
