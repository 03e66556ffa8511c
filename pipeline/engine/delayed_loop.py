"""Loop over the time steps of a run with a dendritic delay, compiled for one rule.

An output spike resets the potential at once, and arrives at the synapses some steps later: only
there do weights and postsynaptic traces change. So the input of all steps before the next arrival
can be received ahead of the membrane, at most of as many steps as the delay has, whatever the
neuron does in them, and nothing is ever taken back as in `loops.block_loop`.

The step of an output spike is to the membrane a step of its refractory period.
"""

from __future__ import annotations

from typing import Any

from numba import njit, uint64

from pipeline.engine.loops import fields_of_rule, firing_of, receiving_of, spike_functions
from pipeline.engine.membrane import IntegrationFunctions, MembraneFunctions
from pipeline.engine.unrolled import TraceFunctions, inlined
from pipeline.model.features import Features
from pipeline.model.plasticity import Rule

# ruff: noqa: ANN001, ANN202 - numba infers the types

#: Unsigned indices avoid numba's check for negative ones.
_ONE = uint64(1)

_compile = njit(error_model="numpy")


@inlined
def _next_return(constants, a, n_returned, n_spikes, stop):
    """Return the step of the next arrival, or `stop` if that is earlier."""
    if n_returned < n_spikes:
        return min(a.spike_step[n_returned] + constants.dendritic_steps, stop)
    return stop


def delayed_loop(rule: type[Rule], features: Features) -> Any:
    """Return the compiled loop, in which output spikes arrive at the synapses after a delay."""
    fields_of, traces = fields_of_rule(rule), TraceFunctions.of(rule)
    spikes, membrane = spike_functions(rule, traces), MembraneFunctions.of(features)
    membrane_of, total = membrane.constants_of, membrane.total
    fired, reached = membrane.fired, membrane.reached
    conductances_of, keep = membrane.conductances_of, membrane.keep
    receive, fire = receiving_of(spikes, traces), firing_of(spikes, traces, membrane)
    post_of, keep_post = traces.post, traces.keep_post
    integrate_and_track = IntegrationFunctions.of(membrane).integrate_and_track

    @_compile
    def advance(constants, state, numbers, kept_post, stop, a):
        """Integrate the steps from `state.step` to before `stop`."""
        m, fields, post = membrane_of(constants), fields_of(numbers), post_of(kept_post)
        v, g, largest_g, free = state.v, conductances_of(state), state.largest_g, state.free
        event, n_spikes = uint64(state.event), uint64(state.n_spikes)
        n_returned, base = uint64(state.n_returned), state.base
        longest = min(constants.longest_block, constants.dendritic_steps)
        k = state.step
        while k < stop:
            end = min(k + longest, _next_return(constants, a, n_returned, n_spikes, stop))
            event = receive(a, event, end, base, post, fields)
            while k < end:
                n_refractory = min(free - k, end - k)
                row, n = uint64(k - base), end - k
                j, v, g, largest_g = integrate_and_track(
                    m, v, g, largest_g, a.arriving, a.inhibition, a.noise, row, n, n_refractory
                )
                k += j
                if k < end:
                    a.spike_step[n_spikes] = k
                    n_spikes += _ONE
                    free, g = k + 1 + constants.refractory_steps, fired(m, g)
            if k < stop and _next_return(constants, a, n_returned, n_spikes, stop) == k:
                n_returned += _ONE
                if k >= free and reached(m, v, g):
                    a.spike_step[n_spikes] = k
                    n_spikes += _ONE
                    free, g = k + 1 + constants.refractory_steps, fired(m, g)
                event, post, g, v = fire(
                    a, m, event, k, post, uint64(k - base), fields, g, m.V_reset if k < free else v
                )
                largest_g = max(largest_g, total(g))
                k += 1
        keep_post(kept_post, post)
        keep(state, g)
        state.v, state.largest_g, state.free = v, largest_g, free
        state.event, state.n_spikes, state.n_returned = event, n_spikes, n_returned

    return advance
