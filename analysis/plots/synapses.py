"""Plots of weights against what each synapse has: latency, phase, rate, index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from analysis.plots import style, text

#: Colours of groups of synapses, in turn.
_GROUPS = (style.LTD, style.LTP, "#009E73", "#CC79A7", "#E69F00", "#56B4E9")

#: Of so many dots on, they are this small and pale [points].
_MANY, _SMALL, _LARGE = 1500, 1.2, 2.4


@dataclass(frozen=True)
class Cloud:
    """Weights of the synapses of one group in one panel.

    Attributes
    ----------
    name : str
        Of the group; "" without groups.
    x, weight : ndarray, (n,)
        What the synapse has, in its unit, and its weight, dimensionless.
    mean_x, mean_weight : ndarray, (n_bins,)
        Means in bins, drawn as a line.
    """

    name: str
    x: NDArray[np.float64]
    weight: NDArray[np.float64]
    mean_x: NDArray[np.float64]
    mean_weight: NDArray[np.float64]


def clouds(
    panels: Sequence[Sequence[Cloud]],
    names: Sequence[str],
    x_label: str,
    y_label: str,
    title: str = "",
) -> Figure:
    """Draw the weight of each synapse as a dot, and means as lines, in one colour per group.

    Parameters
    ----------
    panels : sequence of sequence of Cloud
        The groups of each panel.
    names : sequence of str
        What is above each panel; "" for none.
    x_label, y_label : str
        With units.
    title : str
        May have several lines.

    Returns
    -------
    Figure
        With the panels side by side.
    """
    width = style.COLUMN if len(panels) == 1 else style.PAGE
    title = text.header(title, width)
    size = (width, 2.3 + text.header_height(title) + 0.15 * (len(panels) > 1))
    figure, grid = plt.subplots(1, len(panels), sharey=True, squeeze=False, figsize=size)
    every = dict.fromkeys(cloud.name for panel in panels for cloud in panel)
    order = [name for name in every if name]
    n_dots = max((sum(cloud.x.size for cloud in panel) for panel in panels), default=0)
    dot, opacity = (_SMALL, 0.25) if n_dots > _MANY else (_LARGE, 0.6)
    for axes, panel, name in zip(grid[0], panels, names, strict=True):
        for cloud in panel:
            colour = _colour(order, cloud.name)
            axes.plot(cloud.x, cloud.weight, "o", color=colour, ms=dot, mew=0, alpha=opacity)
            axes.plot(cloud.mean_x, cloud.mean_weight, color=colour, lw=1.2)
        if name:
            axes.set_title(name, loc="center")
        axes.set_ylim(-0.03, 1.03)
    grid[0, 0].set_ylabel(text.folded(y_label, 1.9))
    if len(panels) == 1:
        grid[0, 0].set_xlabel(x_label)
    else:
        figure.supxlabel(x_label, fontsize=8)
    text.set_header(figure, title)
    if order:
        handles = [Line2D([], [], color=_colour(order, name)) for name in order]
        style.legend(figure, handles, order)
    return figure


def _colour(order: Sequence[str], name: str) -> str:
    if not order:
        return style.LTD
    return _GROUPS[order.index(name) % len(_GROUPS)] if name else style.NEUTRAL
