"""Results in the forms of other tools: a table of points, spike trains of Neo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from analysis.measures.late_output import fano_factor
from analysis.reading.dataset import axes, broadcast_to
from analysis.reading.errors import LoadError
from analysis.reading.metadata import DONE, FAILED
from analysis.reading.samples import SAMPLE, sampled_parameters
from analysis.reading.until import answers_of_runs, run_durations

if TYPE_CHECKING:
    import pandas as pd

#: Variables of a point that only have a meaning within the file.
_WITHIN_THE_FILE = ("made_by",)


def tidy_table(dataset: xr.Dataset) -> pd.DataFrame:
    """Return a table with a row for each point and a column for each axis and variable.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes.

    Returns
    -------
    pandas.DataFrame, (points,)
        The axes, values that go with them, and all variables that have one value at each point,
        under their names and in their units in the dataset, such as [Hz]; dimensionless without.
        The attributes `units` and `long_names` are dicts by column. `status` is text: done, failed
        or missing; so is `settled`, one of `stationarity.ANSWERS`, empty where not done.
    """
    swept = axes(dataset)
    per_point = [
        name
        for name, variable in dataset.variables.items()
        if set(variable.dims) <= set(swept) and name not in (*swept, *_WITHIN_THE_FILE)
    ]
    points = dataset[per_point].reset_coords()
    status = dataset["status"].values
    text = np.where(status == DONE, "done", np.where(status == FAILED, "failed", "missing"))
    points = points.assign(status=(dataset["status"].dims, text, dataset["status"].attrs))
    factor = fano_factor(dataset)
    if factor is not None and factor.name in points:
        points = points.assign({factor.name: factor.reset_coords(drop=True)})
    answers = answers_of_runs(dataset)
    if answers is not None:
        points = points.assign(settled=answers.reset_coords(drop=True))
    # A dataset without axes, of a single point, has one row as well.
    flat = points.expand_dims("point").to_dataframe(dim_order=["point", *swept])
    table = flat.reset_index(level=swept).reset_index(drop=True)
    described = {name: dataset[name].attrs for name in table.columns}
    table.attrs = {
        "units": {name: said.get("units", "") for name, said in described.items()},
        "long_names": {name: said.get("long_name", name) for name, said in described.items()},
    }
    return table


def to_neo(dataset: xr.Dataset) -> Any:
    """Return the output spike trains in the classes of Neo, for Elephant and Viziphant.

    Requires the package neo, which is installed with the extra `neo`.

    Parameters
    ----------
    dataset : Dataset
        Results with `spike_time` (..., spike) [ms] and `status` (...), dimensionless.

    Returns
    -------
    neo.Block
        One segment for each point that is done, in the order of the axes, with the values of the
        axes, and of what samples set, as annotations; each has one `neo.SpikeTrain` in ms from 0
        to the end of the run.

    Raises
    ------
    LoadError
        If the results have no spike times, or neo is not installed.
    """
    if "spike_time" not in dataset:
        raise LoadError("spike_time: not recorded; run the points with record.spike_times=true")
    try:
        import neo
    except ImportError as error:
        raise LoadError("neo: not installed; pip install 'stdp-pipeline[neo]'") from error
    done = dataset["status"] == DONE
    swept = list(done.dims)
    trains = dataset["spike_time"].transpose(*swept, "spike").values
    ends = broadcast_to(run_durations(dataset), done).values
    parameters = sampled_parameters(dataset) if SAMPLE in swept else []
    block = neo.Block(name=dataset.attrs.get("title", ""))
    for index in zip(*np.nonzero(np.atleast_1d(done.values)), strict=True):
        at = index if swept else ()
        point = {str(dim): dataset[dim].values[i].item() for dim, i in zip(swept, at, strict=True)}
        sampled = {name: dataset[name][at[swept.index(SAMPLE)]].item() for name in parameters}
        segment = neo.Segment(
            name=", ".join(f"{name}={value}" for name, value in point.items()), **point, **sampled
        )
        times = trains[at]
        segment.spiketrains.append(
            neo.SpikeTrain(
                times[np.isfinite(times)], units="ms", t_stop=float(ends[at]), name="output"
            )
        )
        block.segments.append(segment)
    return block
