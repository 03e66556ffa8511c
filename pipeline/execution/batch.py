"""What a worker does: a batch of points in, their variables out, failures as records."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline.engine.simulate import engine_named, load_engine, run_point
from pipeline.execution.cancel import Stop, StoppedError
from pipeline.model.parameters import Configuration
from pipeline.model.variables import Columns, stacked, stored

#: Points by content key.
Task = list[tuple[str, Configuration]]


@dataclass(frozen=True)
class Failure:
    """Why a point has no results."""

    reason: str
    traceback: str = ""


@dataclass(frozen=True)
class Batch:
    """Some points by content key: the variables of those that are done, and why others are not.

    Attributes
    ----------
    keys : list of str
        The points that are done.
    columns : dict of ndarray
        Their variables, in the order of `keys` along the first dimension.
    failures : dict of Failure
        The points that are not.
    """

    keys: list[str]
    columns: Columns
    failures: dict[str, Failure] = field(default_factory=dict)


def run_batch(
    task: Task, engine: str, timeout: float | None, fail_fast: bool, stop: Stop | None = None
) -> Batch:
    """Run points in turn; a point that raises becomes a `Failure` and stops no other.

    Unless the first failure is to end the batch, or `stop` asks for the end: then the points left
    are neither done nor failed.
    """
    load_engine(engine, {type(point.stdp) for _, point in task})
    run, record = engine_named(engine), task[0][1].record  # one for all points of a sweep
    results, failures = {}, {}
    for key, point in task:
        try:
            checkpoint = _checkpoint(timeout, stop)
            results[key] = stored(run_point(point, run, checkpoint=checkpoint), record)
            if timeout is not None:
                checkpoint()  # runs too short to call it themselves
        except StoppedError:
            break
        except Exception as error:  # whatever a point does, the sweep goes on and says so
            results.pop(key, None)
            failures[key] = _failure(error)
            if fail_fast:
                break
    try:
        return Batch(list(results), stacked(list(results.values()), record), failures)
    except MemoryError as error:
        return Batch([], {}, failures | dict.fromkeys(results, _failure(error)))


def _checkpoint(timeout: float | None, stop: Stop | None) -> Callable[[], None]:
    """Return what a run calls now and then, to be told that it must end."""
    if stop and stop.asked:
        raise StoppedError
    end = None if timeout is None else time.monotonic() + timeout

    def checkpoint() -> None:
        if stop and stop.asked:
            raise StoppedError
        if end is not None and time.monotonic() > end:
            raise TimeoutError(f"took longer than run.timeout={timeout:g} s")

    return checkpoint


def _failure(error: Exception) -> Failure:
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return Failure(reason, "".join(traceback.format_exception(error)))
