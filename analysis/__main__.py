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
        print(f"error: {error}", file=sys.stderr)
        return 2
    place = (experiment if experiment.is_dir() else experiment.parent) / "figures"
    place.mkdir(exist_ok=True)
    with dataset, style.paper():
        not_done = int((dataset["status"] != 0).sum())
        if not_done:
            print(f"{not_done} of {dataset['status'].size} points are not done and left out")
        for name, figure in all_figures(dataset):
            for suffix in FORMATS:
                figure.savefig(place / f"{name}.{suffix}")
            plt.close(figure)
            print(place / f"{name}.{FORMATS[0]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
