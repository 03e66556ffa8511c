"""The command line: `python -m analysis outputs/NAME` draws the figures of an experiment."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

from analysis import style
from analysis.catalogue import all_figures
from analysis.load import LoadError, open_results
from analysis.measures import n_not_done

FORMATS = ("png", "pdf")


def main(arguments: list[str] | None = None) -> int:
    """Draw all figures of one experiment; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m analysis", description="Draw the figures of an experiment from its file."
    )
    parser.add_argument("experiment", type=Path, help="outputs/NAME, or a results.nc")
    experiment = parser.parse_args(arguments).experiment
    mpl.use("Agg")
    try:
        dataset = open_results(experiment)
    except LoadError as error:
        return _refuse(str(error))
    place = (experiment if experiment.is_dir() else experiment.parent) / "figures"
    with dataset, style.paper():
        not_done = n_not_done(dataset)
        if not_done == dataset["status"].size:
            return _refuse(f"{experiment}: no point is done yet; nothing to draw")
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
            return _refuse(f"{place}: must be a writable directory ({error.strerror})")
    return 0


def _refuse(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
