"""`python -m pipeline.reproduce outputs/NAME`: run points again and compare them bit for bit."""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.engine.simulate import available_engine, engine_named, run_point
from pipeline.model.errors import RequestError
from pipeline.model.inputs import PROCESSES
from pipeline.model.parameters import Configuration, all_quantities
from pipeline.model.plasticity import RULES
from pipeline.model.quantity import unknown_key, written
from pipeline.model.variables import ABOUT_RUNS, DONE, VARIABLES, stacked
from pipeline.request.grid import Grid
from pipeline.request.spec import grid_of_request
from pipeline.storage.netcdf import request_in, runs_in
from pipeline.storage.provenance import RunRecord
from pipeline.system.signals import INTERRUPTED

#: Exit codes besides 0, which means that all points are the same.
DIFFERENT, WRONG_REQUEST = 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Compare points of one experiment; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.reproduce",
        description="Run points of an experiment again, from its file alone, and compare them bit "
        "for bit. Exit code 0: all the same, 1: some differ, 2: nothing could be compared.",
    )
    parser.add_argument("experiment", type=Path, help="outputs/NAME, or a results.nc")
    parser.add_argument(
        "--points", type=int, default=20, help="number of points, chosen at random (20)"
    )
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="only points with this value on an axis, such as seed=3; may be repeated",
    )
    parser.add_argument(
        "--run-given-code",
        action="store_true",
        help="run the source code of registered rules and processes that the file contains; read "
        "it first (given/*.py)",
    )
    given = parser.parse_args(arguments)
    try:
        return _reproduce(given.experiment, given.points, given.where, given.run_given_code)
    except RequestError as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG_REQUEST
    except KeyboardInterrupt:
        print("Interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader closed the pipe, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DIFFERENT


def _reproduce(
    experiment: Path, n_points: int, conditions: Sequence[str], run_given_code: bool
) -> int:
    import netCDF4

    if n_points < 1:
        raise RequestError(f"--points={n_points}: must be a whole number >= 1")
    path = experiment / "results.nc" if experiment.is_dir() else experiment
    try:
        with netCDF4.Dataset(path) as file:
            file.set_auto_mask(False)
            _register_given(file, run_given_code)
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
    chosen = sorted(random.sample(chosen, min(n_points, len(chosen))))
    n_same = sum([_is_same(recorded, position) for position in chosen])
    print(f"{n_same} of {len(chosen)} points are the same bit for bit")
    if recorded.not_recorded:
        print(f"not recorded, and not compared: {', '.join(sorted(recorded.not_recorded))}")
    return DIFFERENT if n_same < len(chosen) else 0


def _is_same(recorded: _Recorded, position: int) -> bool:
    """Compare a point with the file and print the result."""
    differences = list(recorded.compare(position))
    verdict = f"DIFFERENT  {'; '.join(differences)}  at" if differences else "same "
    print(verdict, recorded.grid.describe(position), flush=True)
    return not differences


def _register_given(file: Any, run_given_code: bool) -> None:
    """Register the rules and processes whose source a file contains, if that is allowed.

    Raises
    ------
    RequestError
        If it is not allowed, and one of them is not registered.
    """
    for registry, attribute in ((RULES, "rules"), (PROCESSES, "processes")):
        described = json.loads(getattr(file, attribute, "{}"))
        for name, description in described.items():
            known = registry.classes().get(name)
            if not description["source"] or (known and known.source == description["source"]):
                continue
            if not run_given_code:
                raise RequestError(
                    f"{written(registry.key, name)}: was made with source code that the file "
                    "holds; read it in given/, then add --run-given-code to run it"
                )
            if registry.class_of(description["source"]).name != name:
                raise RequestError(f"{written(registry.key, name)}: the source has another name")
            registry.register_source(description["source"])


class _Recorded:
    """Content of a results file; points are addressed by their flat index on the grid."""

    def __init__(self, file: Any) -> None:
        self.grid: Grid = grid_of_request(request_in(file))
        self._runs = runs_in(file)
        shape, n_points = self.grid.shape, len(self.grid.points)
        self.not_recorded: set[str] = set()
        self._columns = {
            name: file[name][...].reshape(n_points, *file[name].shape[len(shape) :])
            for name in ("status", "made_by", *VARIABLES)
            if name in file.variables
        }

    def done(self, conditions: Sequence[str]) -> list[int]:
        """Return the indices of the points that are done and meet all conditions."""
        meets = self._columns["status"] == DONE
        for condition in conditions:
            meets = meets & self._meeting(condition)
        return np.flatnonzero(meets).tolist()

    def _meeting(self, condition: str) -> NDArray[np.bool_]:
        key, _, text = condition.partition("=")
        axes = {axis.key: axis for axis in self.grid.axes}
        axis = axes.get(key) or {axis.short_name: axis for axis in self.grid.axes}.get(key)
        if axis is None:
            raise unknown_key(key, text, axes, "no axis of this file")
        shown = {_shown(axis.key, value): i for i, value in enumerate(axis.values)}
        if _shown(axis.key, text) not in shown:
            raise RequestError(f"{written(key, text)}: must be one of {', '.join(shown)}")
        shape = [1] * len(self.grid.axes)
        n = self.grid.axes.index(axis)
        shape[n] = len(axis.values)
        meets = np.arange(len(axis.values)) == shown[_shown(axis.key, text)]
        return np.broadcast_to(meets.reshape(shape), self.grid.shape).ravel()

    def compare(self, position: int) -> Iterator[str]:
        """Run a point again and yield the difference of each variable that differs."""
        point = self.grid.points[position]
        engine = engine_named(self._engine(position, point))
        try:
            again = stacked([run_point(point, engine)], point.record)
        except Exception as error:  # reported as a difference
            yield f"cannot be run ({type(error).__name__}: {error})"
            return
        for name, column in again.items():
            if name in ABOUT_RUNS:
                continue
            if self._is_recorded(name, position, column[0]):
                yield from _difference(name, column[0], self._columns[name][position])
            else:
                self.not_recorded.add(name)

    def _is_recorded(self, name: str, position: int, again: NDArray) -> bool:
        """Whether file and point are not older than a variable, which has a value now."""
        if name not in self._columns or not VARIABLES[name].later:
            return name in self._columns
        return bool(np.isnan(again).all() or not np.isnan(self._columns[name][position]).all())

    def _engine(self, position: int, point: Configuration) -> str:
        """Return the engine that computed a point: another agrees with it to rounding only."""
        engine = self._run_of(position).get("engine")
        return engine or available_engine("compiled", [point])

    def _run_of(self, position: int) -> RunRecord:
        """Return the record of the run that made a point, empty where it is not known."""
        made_by = self._columns["made_by"][position]
        return self._runs[made_by] if 0 <= made_by < len(self._runs) else {}


def _shown(key: str, value: Any) -> str:
    """Return the text of a value, the same for all spellings of a number."""
    quantity = all_quantities().get(key)
    try:
        return str(quantity.kind(value)) if quantity else str(value)
    except ValueError:
        return str(value)


def _difference(name: str, again: NDArray, recorded: NDArray) -> Iterator[str]:
    """Yield how a variable differs from the file, which may be padded with NaN."""
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


if __name__ == "__main__":
    sys.exit(main())
