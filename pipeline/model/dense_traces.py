"""Traces of a rule in numpy, all of them moved at every time step."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.plasticity import POST, PRE, Rule


class DenseTraces:
    """Traces of a rule, with access by attribute for `Rule.potentiate` and `Rule.depress`.

    Presynaptic traces are arrays `(n_synapses,)`, of which the synapses chosen by `of` are read;
    postsynaptic traces are scalars.
    """

    def __init__(self, rule: Rule, n_synapses: int, dt: float) -> None:
        pre, post = rule.template.traces_of(PRE), rule.template.traces_of(POST)
        factor = {name: 1 - dt / tau for name, tau in rule.time_constants().items()}
        self.values: dict[str, Any] = {name: np.zeros(n_synapses) for name in pre}
        self.values |= dict.fromkeys(post, 0.0)
        self._decay_pre = [(self.values[name], factor[name]) for name in pre]
        self._decay_post = [(name, factor[name]) for name in post]
        # Grouped by whether they are read before their jump.
        self._pre = {
            late: [(self.values[n], t.sets) for n, t in pre.items() if t.before_jump == late]
            for late in (False, True)
        }
        self._post = {
            late: [(n, t.sets) for n, t in post.items() if t.before_jump == late]
            for late in (False, True)
        }
        self.has_late_pre = bool(self._pre[True])
        self._names_pre = frozenset(pre)
        self._active: Any = ...

    def __getattr__(self, name: str) -> Any:
        value = self.values[name]
        return value[self._active] if name in self._names_pre else value

    def set(self, pre: NDArray, post: NDArray, n_decays: int) -> None:
        """Set all traces.

        Parameters
        ----------
        pre : ndarray, (n_pre, n_synapses)
            Presynaptic traces over the scale of some steps of decay, dimensionless.
        post : ndarray, (n_post,)
            Postsynaptic ones, likewise; dimensionless.
        n_decays : int
            Number of these steps.
        """
        for row, (x, factor) in zip(pre, self._decay_pre, strict=True):
            np.multiply(row, factor**n_decays, out=x)
        for stored, (name, factor) in zip(post, self._decay_post, strict=True):
            self.values[name] = float(stored) * factor**n_decays

    def decayed(self, by_a_step: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return all traces as they are before the next step.

        Parameters
        ----------
        by_a_step : bool
            Whether the presynaptic ones have one more step to decay.

        Returns
        -------
        ndarray, (n_pre, n_synapses)
            Presynaptic traces, dimensionless.
        ndarray, (n_post,)
            Postsynaptic traces, dimensionless.
        """
        pre = [x * factor if by_a_step else x.copy() for x, factor in self._decay_pre]
        post = [self.values[name] for name, _ in self._decay_post]
        n_synapses = next((x.size for x in pre), 0)
        return np.reshape(pre, (len(pre), n_synapses)), np.array(post, dtype=np.float64)

    def of(self, active: Any) -> DenseTraces:
        """Choose the synapses whose presynaptic traces are read; `...` chooses all."""
        self._active = active
        return self

    def decay_pre(self) -> None:
        """Decay the presynaptic traces by one step."""
        for x, factor in self._decay_pre:
            np.multiply(x, factor, out=x)

    def decay_post(self) -> None:
        """Decay the postsynaptic traces by one step."""
        for name, factor in self._decay_post:
            self.values[name] *= factor

    def jump_pre(self, active: NDArray[np.int64], late: bool = False) -> None:
        """Apply the jumps of presynaptic traces.

        Parameters
        ----------
        active : ndarray of int64, (n_active,)
            The synapses that spike; indices, dimensionless.
        late : bool
            Of the traces that are read before their jump; else of those that are read after it.
        """
        for x, sets in self._pre[late]:
            if sets:
                x[active] = 1
            else:
                x[active] += 1

    def jump_post(self, late: bool = False) -> None:
        """Apply the jumps of postsynaptic traces read after the jump, or before it if `late`."""
        for name, sets in self._post[late]:
            self.values[name] = 1.0 if sets else self.values[name] + 1
