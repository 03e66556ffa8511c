"""Run points of a file again and compare them bit for bit."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.composition.own_contents import GIVEN as GIVEN_FOLDER
from pipeline.composition.own_contents import refuse_unknown_content
from pipeline.engine.simulate import available_engine, engine_named, run_point
from pipeline.experiment.api import simulate
from pipeline.experiment.given_code import register_given
from pipeline.experiment.phases import EARLIER, GIVEN, GIVEN_OUTPUT, phase_from
from pipeline.model.errors import RequestError
from pipeline.model.number_lists import axis_text, value_of_text
from pipeline.model.parameters import Configuration, all_quantities, short_name
from pipeline.model.quantity import unknown_key, written
from pipeline.model.variables import ABOUT_RUNS, DONE, VARIABLES, Result, stacked
from pipeline.request.grid import Grid
from pipeline.request.spec import grid_of_request
from pipeline.storage.netcdf import opened, request_in, runs_in, sources_in
from pipeline.storage.own_contents import take_up
from pipeline.storage.provenance import RunRecord
from pipeline.storage.shards import refuse_not_merged
from pipeline.system.output import say

if TYPE_CHECKING:
    import xarray as xr

#: Up to this many values of an axis are listed.
_MOST_LISTED = 8


def reproduce(
    experiment: Path, n_points: int, conditions: Sequence[str], run_given_code: bool
) -> bool:
    """Compare points of one experiment and print the results; return whether all are the same.

    Parameters
    ----------
    experiment : path
        The experiment directory, or its `results.nc`.
    n_points : int
        Number of points, chosen at random.
    conditions : sequence of str
        `KEY=VALUE`, or `KEY=FROM:TO`: only points with this value, or in this range, on an axis.
    run_given_code : bool
        Whether source code that the file contains may be run.

    Raises
    ------
    RequestError
        If nothing can be compared.
    """
    if n_points < 1:
        raise RequestError(f"--points={n_points}: must be a whole number >= 1")
    path = experiment / "results.nc" if experiment.is_dir() else experiment
    refuse_not_merged(experiment)
    if not path.exists() and (experiment / "configuration.yaml").is_file():
        raise RequestError(
            f"{experiment}: has no results.nc yet; it is written when the sweep ends, and after an "
            "interruption or a kill the same command resumes it"
        )
    try:
        with opened(path) as file:
            file.set_auto_mask(False)
            register_given(sources_in(file), runs_in(file), run_given_code)
            take_up(request_in(file), path.parent / GIVEN_FOLDER)
            recorded = _Recorded(file)
    except RequestError as error:
        raise RequestError(f"{path}: {error}") from error
    except Exception as error:  # damaged files raise errors of many types
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise RequestError(f"{path}: must be a results.nc of a sweep ({reason})") from error
    chosen = recorded.done(conditions)
    if not chosen:
        text = " and ".join(conditions)
        raise RequestError(f"{path}: no point{f' with {text}' if text else ''} is done")
    recorded.refuse_unknown()
    chosen = sorted(random.Random().sample(chosen, min(n_points, len(chosen))))
    n_same = sum([_is_same(recorded, position) for position in chosen])
    say(f"{n_same} of {len(chosen)} points are the same bit for bit")
    if recorded.n_unknown:
        say(
            f"of {recorded.n_unknown} of them it is not known who made them; both engines were "
            "tried"
        )
    if recorded.not_recorded:
        say(f"not recorded, and not compared: {', '.join(sorted(recorded.not_recorded))}")
    return n_same == len(chosen)


def _is_same(recorded: _Recorded, position: int) -> bool:
    """Compare a point with the file and print the result."""
    differences = list(recorded.compare(position))
    verdict = f"DIFFERENT  {'; '.join(differences)}  at" if differences else "same "
    say(f"{verdict} {recorded.grid.describe(position)}")
    return not differences


class _Recorded:
    """Content of a results file; points are addressed by their flat index on the grid."""

    def __init__(self, file: Any) -> None:
        self.grid: Grid = grid_of_request(request_in(file))
        self._runs = runs_in(file)
        shape, n_points = self.grid.shape, len(self.grid.points)
        self.not_recorded: set[str] = set()
        self.n_unknown = 0
        self._engine = getattr(file, "engine", None) if not self._runs else None
        self._chain = json.loads(getattr(file, EARLIER, "[]"))
        _refuse_given_spikes(file, self._chain)
        self._columns = {
            name: file[name][...].reshape(n_points, *file[name].shape[len(shape) :])
            for name in ("status", "made_by", *VARIABLES)
            if name in file.variables
        }

    def refuse_unknown(self) -> None:
        """Refuse points, and simulations before, whose events or weights are not known."""
        self.grid.refuse_unknown_contents()
        for one in self._chain:
            refuse_unknown_content(Configuration.from_mapping(one["configuration"]))

    def done(self, conditions: Sequence[str]) -> list[int]:
        """Return the indices of the points that are done and meet all conditions."""
        meets = self._columns["status"] == DONE
        for condition in conditions:
            meets = meets & self._meeting(condition)
        return np.flatnonzero(meets).tolist()

    def _meeting(self, condition: str) -> NDArray[np.bool_]:
        key, _, text = condition.partition("=")
        full, n, values = self._along_axis(key, text)
        if ends := _range_of(text):
            meets = np.array([_is_within(value, ends) for value in values])
        else:
            meets = np.array([_shown(full, value) for value in values]) == _shown(full, text)
        if not meets.any():
            known = list(dict.fromkeys(_shown(full, value) for value in values))
            allowed = _abbreviated(known)
            if len(known) > _MOST_LISTED and isinstance(values[0], int | float):
                allowed += f", or a range of them, as {key}=FROM:TO"
            raise RequestError(f"{written(key, text)}: must be one of {allowed}")
        shape = [1] * len(self.grid.axes)
        shape[n] = len(values)
        return np.broadcast_to(meets.reshape(shape), self.grid.shape).ravel()

    def _along_axis(self, key: str, text: str) -> tuple[str, int, Sequence[Any]]:
        """Return the full name of a key, the number of its axis, and its values along this one.

        A key is what is swept or sampled, or what follows an axis by `${...}`.
        """
        given = {
            name: (n, values)
            for n, axis in enumerate(self.grid.axes)
            for name, values in axis.given_columns().items()
        }
        following = {name: n for n, axis in enumerate(self.grid.axes) for name in axis.keys}
        names = [*given, *following]
        full = key if key in names else {short_name(name): name for name in names}.get(key)
        if full is None:
            raise unknown_key(key, text, given, "no axis of this file")
        if full in given:
            return (full, *given[full])
        n = following[full]
        return full, n, [one.get(full) for one in self.grid.axes[n].settings]

    def compare(self, position: int) -> Iterator[str]:
        """Run a point again and yield the difference of each variable that differs.

        Where it is not known which engine computed the point, it is one of them.
        """
        point = self.grid.points[position]
        recorded = self._run_of(position).get("engine", self._engine)
        engines = [recorded] if recorded else [available_engine("compiled", [point]), "reference"]
        differences: list[list[str]] = []
        for engine in dict.fromkeys(engines):
            differences.append(list(self._differences(position, point, engine)))
            if not differences[-1]:
                break
        else:
            yield from differences[0]
        if not recorded:
            self.n_unknown += 1

    def _differences(self, position: int, point: Configuration, engine: str) -> Iterator[str]:
        try:
            point = self._as_long(position, point)
            again = stacked([self._run(point, engine)], point.record)
        except Exception as error:  # reported as a difference
            yield f"cannot be run ({type(error).__name__}: {error})"
            return
        for name, column in again.items():
            if name in ABOUT_RUNS:
                continue
            recorded = self._columns[name][position] if name in self._columns else None
            # The file, or the batch, was written before the variable was introduced.
            if recorded is None or (VARIABLES[name].later and _is_missing(recorded, column[0])):
                self.not_recorded.add(name)
            else:
                yield from _difference(name, column[0], recorded)

    def _as_long(self, position: int, point: Configuration) -> Configuration:
        """Return a point until it has settled with the time that it took as its limit."""
        if not point.simulation.ends_when_settled:
            return point
        duration = float(self._columns["run_duration"][position])
        return point.replaced({"simulation.duration": duration})

    def _run(self, point: Configuration, engine: str) -> Result:
        """Run a point again, and before it the simulations from whose ends it went on."""
        earlier: xr.Dataset | None = None
        for one in self._chain:
            configuration = Configuration.from_mapping(one["configuration"])
            kept = configuration.replaced({"record.state": True})
            earlier = simulate(kept, state=earlier, engine=one["engine"])
        if earlier is None:
            return run_point(point, engine_named(engine))
        phase = phase_from(point, earlier)
        return run_point(
            point,
            engine_named(engine),
            phase.cells,
            start=phase.start,
            output_steps=phase.output_steps,
        )

    def _run_of(self, position: int) -> RunRecord:
        """Return the record of the run that made a point, empty where it is not known."""
        made_by = self._columns["made_by"][position] if "made_by" in self._columns else -1
        return self._runs[made_by] if 0 <= made_by < len(self._runs) else {}


def _refuse_given_spikes(file: Any, chain: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a simulation if the caller gave spikes of it, or of one from whose end it went on."""
    given = {
        "input": [getattr(file, GIVEN, ""), *(one["given_spikes"] for one in chain)],
        "output": [getattr(file, GIVEN_OUTPUT, ""), *(one.get("given_output") for one in chain)],
    }
    what = " and ".join(name for name, values in given.items() if any(values))
    if what:
        raise RequestError(f"its {what} spikes were given by the caller, and are not in the file")


def _range_of(text: str) -> tuple[float, float] | None:
    """Return the ends of a range of numbers, `10:20`, `10:` or `:20`; None for another text."""
    low, colon, high = text.partition(":")
    try:
        return (float(low or "-inf"), float(high or "inf")) if colon and low + high else None
    except ValueError:
        return None


def _is_within(value: Any, ends: tuple[float, float]) -> bool:
    """Return whether a value is a number from the first to the second end."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and ends[0] <= value <= ends[1]


def _shown(key: str, value: Any) -> str:
    """Return the text of a value, the same for all spellings of a number."""
    if value is None:
        return "null"
    quantity = all_quantities().get(key)
    if quantity and quantity.per_group:
        return axis_text(value_of_text(value))
    try:
        return str(quantity.kind(value)) if quantity else str(value)
    except ValueError:
        return str(value)


def _abbreviated(texts: Sequence[str]) -> str:
    """Return texts separated by commas; of many, the first ones, the last one and their number."""
    if len(texts) <= _MOST_LISTED:
        return ", ".join(texts)
    return f"{', '.join(texts[:3])}, ..., {texts[-1]} ({len(texts):,} values)"


def _is_missing(recorded: NDArray, again: NDArray) -> bool:
    """Whether a file has NaN alone where there are numbers."""
    return bool(np.isnan(recorded).all() and not np.isnan(again).all())


def _difference(name: str, again: NDArray, recorded: NDArray) -> Iterator[str]:
    """Yield how a variable differs from the file, which may be padded with NaN, or be shorter."""
    missing = [max(0, n - m) for n, m in zip(again.shape, recorded.shape, strict=True)]
    if any(missing):
        widths = [(0, n) for n in missing]
        recorded = np.pad(recorded.astype(float), widths, constant_values=np.nan)
    own = tuple(slice(length) for length in again.shape)
    same = (again == recorded[own]) & (np.signbit(again) == np.signbit(recorded[own]))
    same |= np.isnan(again) & np.isnan(recorded[own])
    padding = np.ones(recorded.shape, dtype=bool)
    padding[own] = False
    n_different = int((~same).sum() + (~np.isnan(recorded[padding])).sum())
    if n_different:
        # `fmax` leaves out NaN.
        largest = np.fmax.reduce(np.abs(np.where(same, 0, again - recorded[own])), None, initial=0)
        yield f"{name} ({n_different} of {recorded.size} values, by up to {largest:.3g})"
