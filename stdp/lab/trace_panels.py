"""Panels of the beginning of a run, step by step: membrane potential and conductance."""

from __future__ import annotations

import numpy as np
import xarray as xr

from analysis.plots import style
from analysis.reading.dataset import label, long_name
from stdp.browser.panels import panel, source

#: Height of the line that stands for an output spike, as a part of the range of the potential.
_SPIKE = 0.4


class TracePanels:
    """Membrane potential with output spikes, and conductances."""

    def __init__(self) -> None:
        self.v = source("trace_v", "t", "y")
        self.g_ex = source("trace_g_ex", "t", "y")
        self.g_in = source("trace_g_in", "t", "y")
        self.spikes = source("trace_spikes", "t", "low", "high")
        self.potential = panel("Membrane potential", "Time (ms)", "Membrane potential (mV)")
        self.potential.line("t", "y", source=self.v, color=style.NEUTRAL)
        self.potential.segment("t", "low", "t", "high", source=self.spikes, color=style.LTP)
        self.conductance = panel("Excitatory conductance", "Time (ms)", "Relative to the leak")
        self.conductance.line("t", "y", source=self.g_ex, color=style.LTD)
        self.conductance.line("t", "y", source=self.g_in, color=style.NEUTRAL)
        self.conductance.x_range = self.potential.x_range

    def show(self, recorded: xr.Dataset) -> None:
        """Draw traces.

        Parameters
        ----------
        recorded : Dataset
            With `v` (time) [mV], `g_ex` (time), dimensionless, and `spike_time` (spike) [ms]; with
            inhibition `g_in` (time), dimensionless.
        """
        t = recorded["time"].values
        potential, spikes = recorded["v"].values, recorded["spike_time"].values
        self.v.data = {"t": t, "y": potential}
        self.g_ex.data = {"t": t, "y": recorded["g_ex"].values}
        inhibited = "g_in" in recorded
        g_in = recorded["g_in"].values if inhibited else np.empty(0)
        self.g_in.data = {"t": t[: g_in.size], "y": g_in}
        top = float(potential.max())
        height = _SPIKE * (top - float(potential.min()) or 1.0)
        self.spikes.data = {
            "t": spikes,
            "low": np.full(spikes.size, top),
            "high": np.full(spikes.size, top + height),
        }
        n = spikes.size
        reach = f"first {t.size * (t[1] - t[0]) if t.size > 1 else 0:g} ms"
        fired = f"{n} spike" if n == 1 else f"{n} spikes"
        self.potential.title.text = f"{long_name(recorded['v'])}, {reach}: {fired}"
        self.potential.yaxis.axis_label = label(recorded["v"])
        drawn = "g_ex and g_in (grey)" if inhibited else "Excitatory conductance"
        self.conductance.title.text = f"{drawn}, {reach}"
