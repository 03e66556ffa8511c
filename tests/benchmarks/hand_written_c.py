"""The program in C, `peers/lif_stdp.c`, compiled here and called through ctypes."""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline import Configuration
from pipeline.model.sections import steps
from tests.support.peers import SCRIPTS, AbsentError

#: Without `-fno-trapping-math` GCC does not vectorise `floor`.
_FLAGS = ("-O3", "-march=native", "-fno-trapping-math", "-shared", "-fPIC")


class _Parameters(ctypes.Structure):
    """`Parameters` in C."""

    _fields_: ClassVar = [
        *((name, ctypes.c_int64) for name in ("n_synapses", "n_steps", "refractory_steps", "seed")),
        *((name, ctypes.c_double) for name in ("probability", "V_th", "V_reset", "V_init", "E_L")),
        *((name, ctypes.c_double) for name in ("E_ex", "dt_over_tau_m", "g_max", "w_init")),
        *((name, ctypes.c_double) for name in ("decay_ex", "decay_plus", "decay_minus")),
        *((name, ctypes.c_double) for name in ("A_plus", "A_minus")),
    ]


class Program:
    """The compiled program.

    Parameters
    ----------
    folder : Path
        Where it is compiled to.

    Attributes
    ----------
    name : str
        Name with the version of the compiler.

    Raises
    ------
    AbsentError
        If there is no C compiler, `CC` or `cc`, or if it fails.
    """

    def __init__(self, folder: Path) -> None:
        compiler = shlex.split(os.environ.get("CC") or "cc")
        if shutil.which(compiler[0]) is None:
            raise AbsentError(f"no C compiler: `{compiler[0]}` not found; set CC")
        target = folder / "lif_stdp.so"
        command = [*compiler, *_FLAGS, "-o", target, SCRIPTS / "lif_stdp.c", "-lm"]
        ended = subprocess.run(command, check=False, capture_output=True, text=True)
        if ended.returncode:
            last_words = (ended.stderr.strip().splitlines() or ["no message"])[-1]
            raise AbsentError(f"failed: {last_words[:200]}")
        self._library = ctypes.CDLL(str(target))
        self._library.lif_stdp.restype = ctypes.c_int64
        version = ctypes.string_at(self._library.lif_stdp_compiler).decode()
        self.name = f"hand-written C ({'GCC ' if version[0].isdigit() else ''}{version})"

    def run(
        self, configuration: Configuration, capacity: int = 0
    ) -> tuple[int, NDArray[np.float64], NDArray[np.int64]]:
        """Run once.

        Parameters
        ----------
        configuration : Configuration
            The parameters of the run: Poisson input and the additive rule.
        capacity : int
            How many output spikes to keep.

        Returns
        -------
        n_spikes : int
            Number of output spikes.
        weight : ndarray, (n_synapses,)
            Final weights, dimensionless.
        spike_step : ndarray, (capacity,) or shorter
            Time steps of the output spikes.
        """
        weight = np.empty(configuration.input.n_synapses)
        spike_step = np.empty(capacity, dtype=np.int64)
        n_spikes = self._library.lif_stdp(
            ctypes.byref(_parameters(configuration)),
            weight.ctypes,
            spike_step.ctypes,
            ctypes.c_int64(capacity),
        )
        if n_spikes < 0:
            raise MemoryError
        return n_spikes, weight, spike_step[:n_spikes]

    def input_events(self, configuration: Configuration) -> NDArray[np.int64]:
        """Return the input events of a run, cells `step * n_synapses + synapse`, (n_events,)."""
        n_cells = configuration.simulation.n_steps * configuration.input.n_synapses
        probability = configuration.input.spike_probability(configuration.simulation.dt)
        cells = np.empty(int(n_cells * probability * 1.5) + 1000, dtype=np.int64)
        parameters = ctypes.byref(_parameters(configuration))
        self._library.lif_stdp_cells(parameters, cells.ctypes, ctypes.c_int64(cells.size))
        assert cells[-1] >= n_cells
        return cells[cells < n_cells]


def _parameters(configuration: Configuration) -> _Parameters:
    neuron, synapse = configuration.neuron, configuration.synapse
    stdp, dt = configuration.stdp.resolved(), configuration.simulation.dt
    return _Parameters(
        n_synapses=configuration.input.n_synapses,
        n_steps=configuration.simulation.n_steps,
        refractory_steps=steps(neuron.t_ref, dt),
        seed=configuration.seed,
        probability=configuration.input.spike_probability(dt),
        V_th=neuron.V_th,
        V_reset=neuron.V_reset,
        V_init=neuron.V_init,
        E_L=neuron.E_L,
        E_ex=synapse.E_ex,
        dt_over_tau_m=dt / neuron.tau_m,
        g_max=synapse.g_max,
        w_init=synapse.w_init,
        decay_ex=1 - dt / synapse.tau_ex,
        decay_plus=1 - dt / stdp.tau_plus,
        decay_minus=1 - dt / stdp.tau_minus,
        A_plus=stdp.A_plus,
        A_minus=stdp.A_minus,
    )
