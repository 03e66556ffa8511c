"""Rasters of every input process, drawn when the site is built."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import pipeline
from analysis.plots import style
from pipeline.model.inputs import PROCESSES
from pipeline.model.parameters import Configuration
from stdp_docs.item_pages import parameter_sets

_MARK = "<!-- pictures -->"

#: Simulated time that is drawn, and width of the bins in which spikes are counted [ms].
_SHOWN, _BIN = 1000.0, 10.0

#: Synapses of which all are drawn; of more, evenly spaced ones.
_MOST = 300

#: Colours of groups of synapses.
_COLOURS = (style.LTD, style.LTP, style.NEUTRAL)


def draw_inputs(folder: Path) -> None:
    """Draw the spikes of the parameter sets of every process on its page."""
    mpl.use("Agg")
    with style.paper(False):
        for name, cls in PROCESSES.classes().items():
            sets = parameter_sets("input", cls)
            own = [one for one in sets if not re.search(r"_\d{4}", one)] or [*sets][:1]
            text = "\n\n".join(_pictures(own, folder))
            page = folder / f"{name}.md"
            page.write_text(page.read_text(encoding="utf-8").replace(_MARK, text), encoding="utf-8")


def _pictures(sets: list[str], folder: Path) -> Iterator[str]:
    """Draw parameter sets of a process; yield the text that shows each.

    Sets without the file of events that they need are left out.
    """
    duration = f"simulation.duration={_SHOWN * 10:g}"
    configured = {one: pipeline.configure(f"input={one}", duration) for one in sets}
    drawn = {one: x for one, x in configured.items() if getattr(x.input, "file", "") is not None}
    if drawn:
        yield "## Spikes"
    for one, configuration in drawn.items():
        figure = raster(configuration)
        figure.savefig(folder / f"{one}_raster.png", dpi=120)
        plt.close(figure)
        yield f"![Spikes of each synapse, and their rate: input={one}]({one}_raster.png)"
        yield (
            f"*`input={one}`: spikes of each synapse in the first second, and their mean rate in "
            f"bins of {_BIN:g} ms.*"
        )


def raster(configuration: Configuration) -> Figure:
    """Return a figure of the spikes of synapses, by group, and the rate of all in time."""
    inputs, dt = configuration.input, configuration.simulation.dt
    n, n_steps = inputs.n_synapses, round(_SHOWN / dt)
    parts = [*inputs.events(dt, n_steps, configuration.input_seed)]
    cells = np.concatenate([np.empty(0, dtype=np.int64), *parts])
    time, synapse = cells // n * dt, cells % n
    groups = inputs.groups()
    group = np.zeros(n, dtype=np.int64) if groups is None else groups
    figure, (top, bottom) = plt.subplots(
        2, 1, sharex=True, figsize=(style.COLUMN, 3.6), height_ratios=(2.2, 1)
    )
    edges = np.arange(0, _SHOWN + _BIN / 2, _BIN)
    size = {"markersize": 1.6} if n > 10 else {"markersize": 12, "marker": "|"}
    for number in np.unique(group):
        chosen = group[synapse] == number
        colour = _COLOURS[number % len(_COLOURS)]
        seen = chosen & (synapse % max(1, n // _MOST) == 0)
        look = {"marker": ".", "markeredgewidth": 0 if n > 10 else 1} | size
        top.plot(time[seen], synapse[seen], linestyle="", color=colour, **look)
        rate = np.histogram(time[chosen], edges)[0] / (group == number).sum() / _BIN * 1000
        name = f"Group {number}" if groups is not None else None
        bottom.stairs(rate, edges, baseline=None, color=colour, label=name)
    output = inputs.output_steps(dt, n_steps, configuration.seed)
    if output is not None:
        top.plot(output * dt, np.full(output.size, 0.5), "|", color=style.LTP, markersize=12)
        top.set_ylim(-0.5, 1)
        top.set_yticks([0, 0.5], ["Input", "Output"])
    else:
        top.set_ylabel("Synapse")
    bottom.set(xlabel="Time (ms)", ylabel="Rate (Hz)", xlim=(0, _SHOWN), ylim=(0, None))
    if groups is not None:
        style.legend(figure, *bottom.get_legend_handles_labels())
    return figure
