"""The figure of each experiment of a paper: its command, and its picture in the gallery.

`python -m stdp_docs.paper_figures OUTPUTS` draws the pictures from what `make papers` has run.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.figures.registry import FIGURES
from analysis.measures.measured import MeasuredDataset
from analysis.plots import style
from analysis.reading.dataset import reading
from stdp_docs.places import GALLERY

#: Of pictures [dots per inch], so that each is below 60 kB.
_RESOLUTION = 100
_README_RESOLUTION = 120

#: Rows of README's picture: experiment and title of each panel.
_README = (
    (
        ("song2000_latency", "Song, Miller & Abbott 2000: early inputs win"),
        ("song2001_two_groups", "Song & Abbott 2001: one of two groups wins"),
    ),
    (
        ("song2001_correlation_time", "Song & Abbott 2001: correlation time"),
        ("pfister2006", "Pfister & Gerstner 2006: frequency of pairs"),
    ),
)

#: README's picture.
OF_README = GALLERY / "papers.png"


@dataclass(frozen=True)
class PaperFigure:
    """A figure of an experiment that stands beside one of the paper.

    Attributes
    ----------
    figure : str
        Its name, as of `FIGURES`.
    of_paper : str
        What the paper shows: where, and of what, after "Beside the original's".
    file : str
        The begin of its file name, where the figure is drawn against several axes.
    where : tuple of str
        `KEY=VALUE`: the points that are drawn.
    stored : str
        Of a picture that the gallery has already, its name.
    """

    figure: str
    of_paper: str
    file: str = ""
    where: tuple[str, ...] = ()
    stored: str = ""

    def command(self, experiment: str) -> str:
        """Return the command that draws it."""
        chosen = [word for condition in self.where for word in ("--where", condition)]
        words = ["stdp", "figures", f"outputs/{experiment}", "--figure", self.figure, *chosen]
        return shlex.join(words)

    def drawn(self, results: Path) -> Figure:
        """Draw it.

        Raises
        ------
        ValueError
            If the results have no figure of this file name.
        """
        with reading(results) as dataset:
            measured = MeasuredDataset.of(dataset, self.where)
            for one in FIGURES[self.figure].drawn(measured):
                if one.name.startswith(self.file or self.figure):
                    return one.figure
                plt.close(one.figure)
        raise ValueError(f"{results}: no figure {self.file or self.figure}")


#: By the name of the experiment.
PAPER_FIGURES = {
    "notebook_exercise_2": PaperFigure(
        "run", "exercise 2: potential, spikes and traces", stored="exercise_2.png"
    ),
    "notebook_demo_2": PaperFigure("weights", "Demo 2: histograms of weights"),
    "notebook_demo_3": PaperFigure("by_synapse", "Demo 3: weights of correlated and other inputs"),
    "song2000_rates": PaperFigure("rates", "figure 2c: output rate against input rate"),
    "song2000_ratio": PaperFigure("weights", "weights at several ratios of LTD to LTP"),
    "song2000_latency": PaperFigure("by_synapse", "figure 4: weights against latency"),
    "song2001_uncorrelated": PaperFigure(
        "weights", "figure 1B: weights without correlation", where=("stdp=song_abbott_2001",)
    ),
    "song2001_one_group": PaperFigure(
        "by_synapse", "figure 1C: weights against input index", where=("seed=0",)
    ),
    "song2001_two_groups": PaperFigure(
        "by_synapse", "figure 1D: weights against input index", where=("seed=0",)
    ),
    "song2001_correlation_time": PaperFigure(
        "strong_minus_weak",
        "figure 1E and F: difference of the groups against correlation time",
        file="strong_minus_weak_against_correlation_time",
    ),
    "van_rossum2000": PaperFigure("weights", "figure 2: one peak"),
    "rubin2001": PaperFigure("weights", "distribution of weights at equilibrium"),
    "gutig2003": PaperFigure("bifurcation", "symmetry breaking against the exponent"),
    "pfister2006": PaperFigure("pairing", "figure 7: weight change against frequency"),
    "masquelier2008": PaperFigure(
        "response", "latencies of output spikes, as they move to the begin of the pattern"
    ),
    "gilson2009": PaperFigure("mean_weight_by_group", "mean weights of both pools"),
    "brian2_example": PaperFigure("weights", "histogram of weights"),
}


def picture(experiment: str) -> Path:
    """Return where the picture of an experiment is stored."""
    return GALLERY / (PAPER_FIGURES[experiment].stored or f"paper_{experiment}.png")


def draw_all(outputs: Path) -> Iterator[Path]:
    """Draw the pictures of all experiments into the gallery, and README's picture of four.

    Parameters
    ----------
    outputs : path
        With an experiment directory of each name.

    Yields
    ------
    Path
        Of each picture.
    """
    mpl.use("Agg")
    with style.paper():
        for name, one in PAPER_FIGURES.items():
            if one.stored:
                continue
            figure = one.drawn(outputs / name)
            figure.savefig(picture(name), dpi=_RESOLUTION)
            plt.close(figure)
            yield picture(name)
    with style.paper(bare=True):
        rows = [
            np.hstack(_padded([_panel(outputs, *one) for one in row], axis=0)) for row in _README
        ]
        plt.imsave(OF_README, np.vstack(_padded(rows, axis=1)))
    yield OF_README


def _panel(outputs: Path, experiment: str, title: str) -> NDArray[np.uint8]:
    """Return the pixels of a figure below a title, (height, width, 3)."""
    figure = PAPER_FIGURES[experiment].drawn(outputs / experiment)
    heading = plt.figure(figsize=(figure.get_size_inches()[0], 0.3))
    heading.text(0.03, 0.3, title, fontsize=8, weight="bold")
    return np.vstack(_padded([_pixels(heading), _pixels(figure)], axis=1))


def _pixels(figure: Figure) -> NDArray[np.uint8]:
    """Return what a figure looks like, (height, width, 3); it is closed."""
    figure.set_dpi(_README_RESOLUTION)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    plt.close(figure)
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _padded(parts: list[NDArray[np.uint8]], axis: int) -> list[NDArray[np.uint8]]:
    """Return pictures with white at the end of an axis, so that all are as long there."""
    longest = max(part.shape[axis] for part in parts)
    return [
        np.pad(
            part,
            [(0, longest - part.shape[axis] if i == axis else 0) for i in range(3)],
            constant_values=255,
        )
        for part in parts
    ]


def main() -> None:
    """Draw all pictures."""
    parser = argparse.ArgumentParser(prog="python -m stdp_docs.paper_figures", description=__doc__)
    parser.add_argument("outputs", type=Path, help="folder of the experiments of papers")
    for path in draw_all(parser.parse_args().outputs):
        print(path)


if __name__ == "__main__":
    main()
