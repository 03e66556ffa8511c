"""Loops over the time steps of a run, compiled for one rule: in blocks, and plain.

The operations of a step are numbered as in `reference.run`. Between two output spikes the weights
do not depend on the membrane potential. `advance_in_blocks` therefore takes a block of steps at a
time:

1. `receive` applies all input spikes of the block as if there were no output spike in it. It saves
   each weight and trace before it changes, and adds up the weights that arrive in each step.
2. `integrate` computes conductances and potential to the end of the block, or to the first step at
   which the potential has reached threshold. Without inhibition the largest conductance is followed
   only in a block whose input may exceed the one so far.
3. At an output spike, `undo` restores weights and traces as they were at the start of its step,
   `fire` computes this step with its input, and the next block starts behind it.

It gives the results of the plain loop to the last bit, for any length of the blocks. Where weights
change between output spikes for other reasons than an input spike, only the plain loop is right.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numba import njit, uint64
from numba.extending import overload

from pipeline.engine.membrane import IntegrationFunctions, MembraneFunctions
from pipeline.engine.unrolled import TraceFunctions, inlined, tuple_of, with_helpers
from pipeline.model.features import Features
from pipeline.model.plasticity import Rule, where

# ruff: noqa: ANN001, ANN202 - numba infers the types

_compile = njit(error_model="numpy")

#: Unsigned indices avoid numba's check for negative ones.
_ONE = uint64(1)

#: The arrays of a run: steps and synapses of the buffered events, weights, stored presynaptic
#: traces (a tuple of arrays), the tables of scales and jumps, and the steps of output spikes. For
#: blocks: the sum of the weights that arrive in each step, and the saved weights and traces. Last
#: `drawing.InhibitionArrays` and `drawing.NoiseArrays`, or empty tuples.
Arrays = namedtuple(
    "Arrays", "steps synapses w x tables spike_step arriving saved_w saved_x inhibition noise"
)


@overload(where)
def _where(condition, a, b):
    return lambda condition, a, b: a if condition else b


@inlined
def _clipped(w):
    return min(max(w, 0.0), 1.0)  # in this order NaN stays NaN


@dataclass(frozen=True)
class SpikeFunctions:
    """Compiled functions of a rule at spikes.

    Attributes
    ----------
    receive_one : callable
        Apply one input spike: traces, and LTD. Return the weight before it.
    arrive, arrive_moved : callable
        Apply the input spikes of one step; return the index of the next event and the sum of the
        weights. `arrive_moved` leaves the traces that are read after their jump as they are.
    potentiate_all : callable
        Apply the jumps of the input spikes of a step, then LTP of all synapses.
    """

    receive_one: Callable[..., Any]
    arrive: Callable[..., Any]
    arrive_moved: Callable[..., Any]
    potentiate_all: Callable[..., Any]


def spike_functions(rule: type[Rule], traces: TraceFunctions) -> SpikeFunctions:
    """Return the compiled functions of a rule at spikes."""
    potentiate, depress = (_compile(with_helpers(f)) for f in (rule.potentiate, rule.depress))
    Traces = rule.traces_type()  # noqa: N806 - a type
    read, move, move_late = traces.read, traces.move, traces.move_late

    @inlined
    def depress_one(a, i, post, row, fields):
        w = a.w[i]
        seen = Traces(*read(a.x, i, post, a.tables, row))
        a.w[i] = _clipped(depress(w, seen, fields))
        move_late(a.x, i, a.tables, row)
        return w

    @inlined
    def receive_one(a, i, post, row, fields):
        move(a.x, i, a.tables, row)
        return depress_one(a, i, post, row, fields)

    def arrival(apply):
        @inlined
        def arrive(a, event, step, post, row, fields):
            arriving = 0.0
            while a.steps[event] == step:
                arriving += apply(a, uint64(a.synapses[event]), post, row, fields)
                event += _ONE
            return event, arriving

        return arrive

    @inlined
    def potentiate_all(a, event, step, post, row, fields):
        while a.steps[event] == step:
            move(a.x, uint64(a.synapses[event]), a.tables, row)
            event += _ONE
        for i in range(uint64(a.w.size)):
            seen = Traces(*read(a.x, i, post, a.tables, row))
            a.w[i] = _clipped(potentiate(a.w[i], seen, fields))

    return SpikeFunctions(receive_one, arrival(receive_one), arrival(depress_one), potentiate_all)


def firing_of(spikes: SpikeFunctions, traces: TraceFunctions, membrane: MembraneFunctions) -> Any:
    """Return the compiled step in which an output spike is at the synapses.

    All operations but the recording of it; the last argument is the potential after the reset.
    """
    conducted, potential = membrane.conducted, membrane.potential
    potentiate_all, arrive_moved = spikes.potentiate_all, spikes.arrive_moved
    post_moved, post_moved_late = traces.post_moved, traces.post_moved_late

    @inlined
    def fire(a, m, event, step, post, row, fields, g, v):
        post = post_moved(post, a.tables, row)
        potentiate_all(a, event, step, post, row, fields)
        event, arriving = arrive_moved(a, event, step, post, row, fields)
        g = conducted(m, g, arriving, a.inhibition, row)
        post = post_moved_late(post, a.tables, row)
        return event, post, g, potential(m, v, g, a.noise, row)

    return fire


def receiving_of(spikes: SpikeFunctions, traces: TraceFunctions) -> Any:
    """Return the compiled function that applies the input spikes up to before step `end`."""
    receive_one, save = spikes.receive_one, traces.save

    @inlined
    def receive(a, event, end, base, post, fields):
        column = uint64(0)
        while a.steps[event] < end:
            row, i = uint64(a.steps[event] - base), uint64(a.synapses[event])
            save(a.x, i, a.saved_x, column)
            w = receive_one(a, i, post, row, fields)
            a.saved_w[column] = w
            a.arriving[row] += w
            column += _ONE
            event += _ONE
        return event

    return receive


def _undoing_of(traces: TraceFunctions) -> Any:
    """Return the compiled function that takes back the input spikes from a step on.

    `begun` is the first event of the block.
    """
    restore = traces.restore

    @inlined
    def undo(a, begun, event, step, base):
        while event > begun and a.steps[event - _ONE] >= step:
            event -= _ONE
            i, column = uint64(a.synapses[event]), event - begun
            a.arriving[uint64(a.steps[event] - base)] = 0.0
            a.w[i] = a.saved_w[column]
            restore(a.x, i, a.saved_x, column)
        return event

    return undo


@inlined
def _block_length(constants, state):
    """Return the number of steps to receive ahead: at most a sixth of the interspike interval."""
    interval = (state.step + 1) // (state.n_earlier + state.n_spikes + 1)
    return max(1, min(constants.longest_block, interval // 6))


def block_loop(rule: type[Rule], features: Features) -> Any:
    """Return the compiled loop that receives a block of steps ahead of the membrane."""
    fields_of, traces = fields_of_rule(rule), TraceFunctions.of(rule)
    spikes, membrane = spike_functions(rule, traces), MembraneFunctions.of(features)
    membrane_of, total, fired = membrane.constants_of, membrane.total, membrane.fired
    conductances_of, keep = membrane.conductances_of, membrane.keep
    receive, undo = receiving_of(spikes, traces), _undoing_of(traces)
    fire, post_of, keep_post = firing_of(spikes, traces, membrane), traces.post, traces.keep_post
    loops, can_exceed = IntegrationFunctions.of(membrane), membrane.can_exceed
    integrate, integrate_and_track = loops.integrate, loops.integrate_and_track

    @_compile
    def advance(constants, state, numbers, kept_post, stop, a):
        """Integrate the steps from `state.step` to before `stop`."""
        m, fields, post = membrane_of(constants), fields_of(numbers), post_of(kept_post)
        v, g, largest_g, free = state.v, conductances_of(state), state.largest_g, state.free
        event, n_spikes, base = uint64(state.event), uint64(state.n_spikes), state.base
        longest = _block_length(constants, state)
        k = state.step
        while k < stop:
            row, begun, n = uint64(k - base), event, min(longest, stop - k)
            event = receive(a, event, k + n, base, post, fields)
            n_refractory = min(free - k, n)
            if can_exceed(m, g, largest_g, event - begun):
                j, v, g, largest_g = integrate_and_track(
                    m, v, g, largest_g, a.arriving, a.inhibition, a.noise, row, n, n_refractory
                )
            else:
                j, v, g = integrate(
                    m, v, g, a.arriving, a.inhibition, a.noise, row, n, n_refractory
                )
            k += j
            if j < n:
                row = uint64(k - base)
                event = undo(a, begun, event, k, base)
                a.spike_step[n_spikes] = k
                n_spikes += _ONE
                free = k + 1 + constants.refractory_steps
                event, post, g, v = fire(a, m, event, k, post, row, fields, fired(m, g), m.V_reset)
                largest_g = max(largest_g, total(g))
                k += 1
        keep_post(kept_post, post)
        keep(state, g)
        state.v, state.largest_g, state.free = v, largest_g, free
        state.event, state.n_spikes = event, n_spikes

    return advance


def plain_loop(rule: type[Rule], features: Features) -> Any:
    """Return the compiled loop that takes one step after the other."""
    fields_of, traces = fields_of_rule(rule), TraceFunctions.of(rule)
    spikes, membrane = spike_functions(rule, traces), MembraneFunctions.of(features)
    membrane_of, total, fired = membrane.constants_of, membrane.total, membrane.fired
    conductances_of, keep = membrane.conductances_of, membrane.keep
    arrive, fire = spikes.arrive, firing_of(spikes, traces, membrane)
    conducted, potential, reached = membrane.conducted, membrane.potential, membrane.reached
    post_of, keep_post = traces.post, traces.keep_post

    @_compile
    def advance(constants, state, numbers, kept_post, stop, a):
        """Integrate the steps from `state.step` to before `stop`."""
        m, fields, post = membrane_of(constants), fields_of(numbers), post_of(kept_post)
        v, g, largest_g, free = state.v, conductances_of(state), state.largest_g, state.free
        event, n_spikes = uint64(state.event), uint64(state.n_spikes)
        for k in range(state.step, stop):
            row = uint64(k - state.base)
            if k >= free and reached(m, v, g):
                a.spike_step[n_spikes] = k
                n_spikes += _ONE
                free = k + 1 + constants.refractory_steps
                event, post, g, v = fire(a, m, event, k, post, row, fields, fired(m, g), m.V_reset)
            else:
                event, arriving = arrive(a, event, k, post, row, fields)
                g = conducted(m, g, arriving, a.inhibition, row)
                v = potential(m, m.V_reset if k < free else v, g, a.noise, row)
            largest_g = max(largest_g, total(g))
        keep_post(kept_post, post)
        keep(state, g)
        state.v, state.largest_g, state.free = v, largest_g, free
        state.event, state.n_spikes = event, n_spikes

    return advance


def fields_of_rule(rule: type[Rule]) -> Any:
    """Return the compiled function that names the numbers of a rule."""
    Fields = rule.fields_type()  # noqa: N806 - a type
    numbers_of = tuple_of("a", [f"a[{j}]" for j in range(len(Fields._fields))])

    @inlined
    def fields_of(numbers):
        return Fields(*numbers_of(numbers))

    return fields_of
