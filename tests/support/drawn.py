"""Draw figures for tests, and read from them what is drawn."""

import matplotlib.pyplot as plt
import numpy as np

from analysis.figures.registry import FIGURES, supported
from analysis.measures.measured import MeasuredDataset
from analysis.plots import style

#: Overrides of a run that records histories and fires at about 20 Hz.
HISTORY = (
    "record.weight_interval=100",
    "record.spike_times=true",
    "simulation.duration=2500",
    "synapse.g_max=0.07",
)


def drawn_one_by_one(measured, names=()):
    """Yield the figures of these names, or all that a dataset supports, with their captions."""
    for name in names or supported(measured):
        yield from FIGURES[name].drawn(measured)


def captioned(measured, *names, bare=False):
    """Return figures by file name, closed, with their captions."""
    made = {}
    with style.paper(bare):
        for one in drawn_one_by_one(measured, names):
            made[one.name] = one
            plt.close(one.figure)
    return made


def drawn(dataset, *names, lay_out=False, **more):
    """Return figures of a dataset by file name; `lay_out` runs the layout without rendering."""
    made = {}
    with style.paper():
        for one in drawn_one_by_one(MeasuredDataset(dataset, **more), names):
            made[one.name] = one.figure
            if lay_out:
                one.figure.draw_without_rendering()
            plt.close(one.figure)
    return made


def title_of(figure):
    """Return the title of a figure, or of its first panel."""
    return figure.get_suptitle() or figure.axes[0].get_title(loc="left")


def unfolded(figure):
    """Return the title as one line."""
    return " ".join(title_of(figure).split())


def legend_text(figure):
    """Return title and entries of the legend of a figure."""
    (legend,) = figure.legends
    return legend.get_title().get_text(), [text.get_text() for text in legend.get_texts()]


def settle(dataset):
    """Replace the histories by settled ones.

    The output rate is constant, and so is the bimodal distribution of weights; strong synapses
    exchange their weights at each sample, and so do weak ones. The rate is so high that there is
    enough plasticity in these short runs.
    """
    random = np.random.default_rng(0)
    history = dataset["weight_history"]
    *_, n_synapses = history.shape
    n_strong = round(0.4 * n_synapses)
    near = random.exponential(0.04, n_synapses).clip(0, 0.4)
    weak = np.broadcast_to(near[n_strong:], (*history.shape[:-1], n_synapses - n_strong))
    strong = np.broadcast_to(1 - near[:n_strong], (*history.shape[:-1], n_strong))
    exchanged = [random.permuted(weights, axis=-1) for weights in (strong, weak)]
    dataset["weight_history"][...] = np.concatenate(exchanged, axis=-1)
    dataset["rate_history"][...] = 2000.0
    dataset["weight"][...] = dataset["weight_history"].isel(sample_time=-1).values
    dataset["mean_weight"][...] = dataset["weight"].mean("synapse").values
    return dataset


def ridge(axes, i):
    """Return the heights of the bars of one ridge above its baseline."""
    bars = [patch.get_data() for patch in axes.patches if patch.get_fill()]
    return [bar.values - i for bar in bars if bar.baseline == i][0]
