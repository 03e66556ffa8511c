"""Draw figures of an experiment, into files beside its results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import xarray as xr
from matplotlib.figure import Figure

from analysis.figures.registry import FIGURES, Drawn, supported
from analysis.measures.measured import MeasuredDataset
from analysis.measures.weights import n_not_done
from analysis.plots import style
from analysis.reading.dataset import reading
from analysis.reading.errors import LoadError
from analysis.reading.metadata import results_file


def draw(
    experiment: Path,
    names: Sequence[str] = (),
    formats: Sequence[str] = ("png",),
    where: Sequence[str] = (),
    at: float | None = None,
) -> None:
    """Draw figures of an experiment directory, or of its `results.nc`, and print their paths.

    Parameters
    ----------
    experiment : path
        The directory, or its `results.nc`.
    names : sequence of str
        Figures by their names in `FIGURES`; all that the file supports by default.
    formats : sequence of str
        png, pdf or svg.
    where : sequence of str
        `KEY=VALUE`: only the points at these values.
    at : float, optional
        The moment [ms] at which weights in time are shown.

    Raises
    ------
    LoadError
        If there is nothing to draw, or no place for it, or a figure needs what is not recorded.
    ConditionError
        If no point is at these values.
    """
    mpl.use("Agg")
    place = results_file(experiment).parent / "figures"
    with reading(experiment) as dataset, style.paper():
        study = MeasuredDataset.of(dataset, where, at)
        _refuse_empty(experiment, study)
        _refuse_unsupported(experiment, study, names)
        try:
            for name in names or supported(study):
                paths = [_save(drawn, place, formats) for drawn in FIGURES[name].drawn(study)]
                if names and not paths:
                    print(f"{name}: no point has a number to draw")
        except OSError as error:
            raise LoadError(f"{place}: must be a writable directory ({error.strerror})") from error


def _save(drawn: Drawn, place: Path, formats: Sequence[str]) -> Path:
    place.mkdir(exist_ok=True)
    for suffix in formats:
        drawn.figure.savefig(place / f"{drawn.name}.{suffix}")
        drawn.figure.set_layout_engine("none")  # it stays as it was laid out
    plt.close(drawn.figure)
    path = place / f"{drawn.name}.{formats[0]}"
    print(path)
    return path


def show(
    dataset: xr.Dataset, name: str, where: Sequence[str] = (), at: float | None = None
) -> list[Figure]:
    """Return the figures of one name of a dataset; a notebook shows them by itself.

    Parameters
    ----------
    dataset : Dataset
        What `pipeline.sweep`, `pipeline.simulate` or `open_results` returns.
    name : str
        One of `FIGURES`.
    where : sequence of str
        `KEY=VALUE`: only the points at these values.
    at : float, optional
        The moment [ms] at which weights in time are shown.

    Raises
    ------
    LoadError
        If there is no such figure, or it needs what is not recorded.
    ConditionError
        If no point is at these values.
    """
    with style.paper():
        study = MeasuredDataset.of(dataset, where, at)
        _refuse_unsupported("dataset", study, [name])
        return [drawn.figure for drawn in FIGURES[name].drawn(study)]


def show_catalogue(experiment: Path) -> None:
    """Print which figures a file supports, and what the others would need.

    Raises
    ------
    LoadError
        If there is no such file.
    """
    with reading(experiment) as dataset:
        study = MeasuredDataset(dataset)
        for kind in FIGURES.values():
            needs = kind.needs(study)
            print(f"{kind.name:16} {kind.shows}" + (f" - needs {needs}" if needs else ""))


def _refuse_unsupported(what: object, study: MeasuredDataset, names: Sequence[str]) -> None:
    for name in names:
        if name not in FIGURES:
            raise LoadError(f"--figure {name}: must be one of {', '.join(FIGURES)}")
        if needs := FIGURES[name].needs(study):
            raise LoadError(f"{what}: --figure {name} needs {needs}")
    moments = [name for name, kind in FIGURES.items() if kind.of_a_moment]
    if names and study.at is not None and not set(names) & set(moments):
        raise LoadError(f"--at {study.at:g}: only {', '.join(moments)} show a moment")


def _refuse_empty(experiment: Path, study: MeasuredDataset) -> None:
    not_done, n = n_not_done(study.dataset), study.dataset["status"].size
    if not_done == n:
        raise LoadError(f"{experiment}: no point is done yet; nothing to draw")
    if not_done:
        print(f"{not_done} of {n} points are not done and left out")
