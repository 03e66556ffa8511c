"""Draw the figures of an experiment: into files beside its results, or in a notebook."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import xarray as xr
from matplotlib.figure import Figure

from analysis.figures.registry import EARLIER_NAMES, FIGURES, Drawn, supported
from analysis.figures.titles import missing_points
from analysis.measures.measured import MeasuredDataset
from analysis.plots import style
from analysis.reading.dataset import reading
from analysis.reading.errors import LoadError, WriteError
from analysis.reading.files import replacing
from analysis.reading.metadata import beside, results_file
from analysis.reading.output import say

#: Metadata with which a file is the same at each drawing.
_WITHOUT_DATE = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}


def draw(
    experiment: Path,
    names: Sequence[str] = (),
    formats: Sequence[str] = ("png",),
    where: Sequence[str] = (),
    at: float | None = None,
    bare: bool = False,
    each_seed: bool = False,
) -> None:
    """Draw figures of an experiment into its folder `figures`, and print their paths.

    Beside each figure is its caption, as NAME.txt.

    Parameters
    ----------
    experiment : path
        The experiment directory, or its `results.nc`.
    names : sequence of str
        Figures by their names in `FIGURES`; by default all that the file supports.
    formats : sequence of str
        png, pdf or svg.
    where : sequence of str
        `KEY=VALUE`: only the points at these values.
    at : float, optional
        Time at which weight histories and traces are shown [ms].
    bare : bool
        Whether figures are drawn without header, as for a paper.
    each_seed : bool
        Whether figures along an axis show each seed beside the mean.

    Raises
    ------
    LoadError
        If no point is done, a figure requires what is not recorded, or the folder cannot be made.
    WriteError
        If files cannot be written, after all others have been.
    ConditionError
        If there are no points at these values, or no run lasts until `at`.
    """
    mpl.use("Agg")
    names = [EARLIER_NAMES.get(name, name) for name in names]
    folder = beside(results_file(experiment), "figures")
    unwritten: list[str] = []
    with reading(experiment) as dataset, style.paper(bare):
        measured = MeasuredDataset.of(dataset, where, at, each_seed)
        _refuse_empty(experiment, measured)
        _refuse_unsupported(experiment, measured, names)
        for name in names or supported(measured):
            n_drawn = 0
            for drawn in FIGURES[name].drawn(measured):
                unwritten += _save(drawn, folder, formats)
                n_drawn += 1
            if names and not n_drawn:
                say(f"{name}: no point has a number to draw")
    if unwritten:
        more = f"; and {len(unwritten) - 1} more" if len(unwritten) > 1 else ""
        raise WriteError(f"{unwritten[0]}{more}")


def _save(drawn: Drawn, folder: Path, formats: Sequence[str]) -> list[str]:
    """Write a figure in each format with its caption beside it, and print the figures' paths.

    Returns
    -------
    list of str
        Of each file that could not be written, its path and the reason.
    """
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise LoadError(f"{folder}: cannot be made ({error.strerror or error})") from error
    unwritten = []
    stem = file_name(drawn.name)
    for suffix in formats:
        try:
            with replacing(folder / f"{stem}.{suffix}") as path:
                metadata = _WITHOUT_DATE.get(suffix)
                drawn.figure.savefig(path, format=suffix, metadata=metadata)
        except LoadError as error:
            unwritten.append(str(error))
        else:
            say(folder / f"{stem}.{suffix}")
        drawn.figure.set_layout_engine("none")  # the same layout in every format
    plt.close(drawn.figure)
    try:
        with replacing(folder / f"{stem}.txt") as path:
            path.write_text(f"{drawn.caption}\n", encoding="utf-8")
    except LoadError as error:
        unwritten.append(str(error))
    return unwritten


def file_name(name: str) -> str:
    """Return the name of a figure as a file name: characters that no file may have as %2F.

    Parameters
    ----------
    name : str
        With values of axes, such as the names of parameter sets in folders.
    """
    return re.sub(r'[%/\\:*?"<>|\x00-\x1f]', lambda found: f"%{ord(found[0]):02X}", name)


def show(
    dataset: xr.Dataset,
    name: str | None = None,
    where: Sequence[str] = (),
    at: float | None = None,
    bare: bool = False,
    each_seed: bool = False,
) -> list[Figure]:
    """Draw the figures of one name, or all; a notebook displays them.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes, as returned by
        `pipeline.sweep`, `pipeline.simulate` or `open_results`.
    name : str, optional
        One of `FIGURES`; by default all that the dataset supports.
    where : sequence of str
        `KEY=VALUE`: only the points at these values.
    at : float, optional
        Time at which weight histories and traces are shown [ms].
    bare : bool
        Whether figures are drawn without header, as for a paper.
    each_seed : bool
        Whether figures along an axis show each seed beside the mean.

    Returns
    -------
    list of Figure
        One of each name, or several where the dataset has more axes than a figure can show.

    Raises
    ------
    LoadError
        If there is no such figure, or it requires what is not recorded.
    ConditionError
        If there are no points at these values, or no run lasts until `at`.
    """
    # All figures of a dataset may be more than matplotlib expects to be open.
    with style.paper(bare), mpl.rc_context({"figure.max_open_warning": 0}):
        measured = MeasuredDataset.of(dataset, where, at, each_seed)
        names = supported(measured) if name is None else [EARLIER_NAMES.get(name, name)]
        _refuse_unsupported("dataset", measured, names if name is not None else [])
        return [drawn.figure for one in names for drawn in FIGURES[one].drawn(measured)]


def show_catalogue(experiment: Path) -> None:
    """Print all figures, and what a file lacks for those that it does not support.

    Raises
    ------
    LoadError
        If there is no such file.
    """
    with reading(experiment) as dataset:
        measured = MeasuredDataset(dataset)
        for spec in FIGURES.values():
            needs = spec.needs(measured)
            say(f"{spec.name:16} {spec.shows}" + (f" - needs {needs}" if needs else ""))


def _refuse_unsupported(source: object, measured: MeasuredDataset, names: Sequence[str]) -> None:
    for name in names:
        if name not in FIGURES:
            raise LoadError(f"--figure {name}: must be one of {', '.join(FIGURES)}")
        if needs := FIGURES[name].needs(measured):
            raise LoadError(f"{source}: --figure {name} needs {needs}")
    of_a_moment = [name for name, spec in FIGURES.items() if spec.of_a_moment]
    if names and measured.at is not None and not set(names) & set(of_a_moment):
        raise LoadError(f"--at {measured.at:g}: only {', '.join(of_a_moment)} depend on it")


def _refuse_empty(experiment: Path, measured: MeasuredDataset) -> None:
    if not measured.done.any():
        raise LoadError(f"{experiment}: no point is done yet; nothing to draw")
    if missing := missing_points(measured.dataset):
        say(missing)
