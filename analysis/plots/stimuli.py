"""Plots of output spikes around stimuli."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.plots import style, text

#: Number of bins of the histogram over the window.
N_BINS = 60

#: Colours of the first and the last stimuli.
COLOURS = (style.LTD, style.LTP)


def raster(
    stimulus: NDArray[np.int64],
    time: NDArray[np.float64],
    window: tuple[float, float],
    parts: Sequence[tuple[str, int, int]],
    n_stimuli: int,
    title: str = "",
) -> Figure:
    """Draw output spikes around stimuli, and their rate around some of them.

    Parameters
    ----------
    stimulus, time : ndarray, (n,)
        Number of the stimulus, dimensionless, and time relative to it [ms], of each spike.
    window : tuple of float
        Begin and end relative to the stimulus [ms].
    parts : sequence of tuple
        Name, first and last number (exclusive) of stimuli, of each of which a histogram is drawn.
    n_stimuli : int
        Number of stimuli.
    title : str
        May have several lines.

    Returns
    -------
    Figure
        With a raster, the first stimulus at the bottom, and below it the rates [Hz].
    """
    title = text.header(title, style.COLUMN)
    size = (style.COLUMN, 3.9 + text.header_height(title))
    figure, (top, bottom) = plt.subplots(2, 1, sharex=True, figsize=size, height_ratios=(2, 1))
    top.plot(time, stimulus + 1, "|" if n_stimuli <= 60 else ".", color="black", ms=1.5, mew=0.4)
    top.set_ylim(0, n_stimuli + 1)
    top.set_ylabel("Number of the stimulus")
    edges = np.linspace(*window, N_BINS + 1)
    width, lines, names = edges[1] - edges[0], [], []
    for (name, first, last), colour in zip(parts, COLOURS, strict=False):
        top.axhspan(first + 0.5, last + 0.5, color=colour, alpha=0.12, lw=0)
        chosen = (stimulus >= first) & (stimulus < last)
        count, _ = np.histogram(time[chosen], edges)
        rate = 1000 * count / (width * max(1, last - first))
        lines += bottom.plot(edges, np.append(rate, rate[-1]), color=colour, drawstyle="steps-post")
        names.append(name)
    for axes in (top, bottom):
        axes.axvline(0, color=style.NEUTRAL, lw=0.6, ls=":", zorder=0)
    bottom.set(xlabel="Time from the stimulus (ms)", ylabel=text.folded("Output rate (Hz)", 1.1))
    bottom.set_xlim(window)
    bottom.set_ylim(bottom=0)
    text.set_header(figure, title)
    style.legend(figure, lines, names)
    return figure
