"""Draw all figures of an experiment, into files beside its results."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

from analysis import style
from analysis.catalogue import all_figures
from analysis.load import LoadError, open_results
from analysis.measures import n_not_done

FORMATS = ("png", "pdf")


def draw(experiment: Path) -> None:
    """Draw the figures of an experiment directory, or of its `results.nc`, and print their paths.

    Raises
    ------
    LoadError
        If there is nothing to draw, or no place for it.
    """
    mpl.use("Agg")
    dataset = open_results(experiment)
    place = (experiment if experiment.is_dir() else experiment.parent) / "figures"
    with dataset, style.paper():
        not_done = n_not_done(dataset)
        if not_done == dataset["status"].size:
            raise LoadError(f"{experiment}: no point is done yet; nothing to draw")
        if not_done:
            print(f"{not_done} of {dataset['status'].size} points are not done and left out")
        try:
            place.mkdir(exist_ok=True)
            for name, figure in all_figures(dataset):
                for suffix in FORMATS:
                    figure.savefig(place / f"{name}.{suffix}")
                plt.close(figure)
                print(place / f"{name}.{FORMATS[0]}")
        except OSError as error:
            raise LoadError(f"{place}: must be a writable directory ({error.strerror})") from error
