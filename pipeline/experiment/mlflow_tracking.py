"""Log finished sweeps to an MLflow server, if `run.track` requests it.

Address, credentials and timeouts of the server are set by MLflow's environment variables,
`MLFLOW_TRACKING_URI` and others; `MLFLOW_EXPERIMENT_NAME` is the name of the experiment.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import math
import os
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.composition.run_settings import RunSettings
from pipeline.model.errors import RequestError
from pipeline.model.number_lists import value_text
from pipeline.model.parameters import by_key
from pipeline.model.variables import DONE, MISSING
from pipeline.request.samples import generator_of
from pipeline.storage.directory import Directory
from pipeline.storage.labels import LabelledDataset
from pipeline.storage.state import SweepState
from pipeline.system import host
from pipeline.system.atomic_files import checksum
from pipeline.system.locks import shared_lock

log = logging.getLogger("pipeline")

#: Timeouts of requests before and after the sweep [s]; each request is repeated once.
_SECONDS_BEFORE, _SECONDS_AFTER = 5, 20

#: Defaults of environment variables. MLflow's own would wait minutes for an unreachable server,
#: print a line per run, and send usage data.
_ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}

#: Longest values that MLflow accepts, also before version 2.8.
_LONGEST_PARAM, _LONGEST_TAG = 500, 5000

#: Attributes of `results.nc` that become tags of a sweep.
_TAGS = (
    "command",
    "created",
    "git_commit",
    "git_dirty",
    "model_version",
    "engine",
    "backend",
    "n_jobs",
    "seed_policy",
    "python",
    "platform",
    "processor",
    "host",
)

#: Variables of `results.nc` that become metrics of a point, and whose means those of a sweep.
_METRICS = "output_rate", "mean_weight", "spike_count", "isi_cv"
_MEANS = "output_rate", "mean_weight"

#: Tag that is set when all is logged, so that no state of a directory is logged twice.
_LOGGED = "logged_sweep"

#: What is suppressed belongs to all threads: two that overlap would not restore it.
_QUIET = shared_lock()


def open_tracker(settings: RunSettings, directory: Directory | None) -> Tracker | None:
    """Return the tracker that `run.track` requests, None if it requests none.

    Raises
    ------
    RequestError
        If there is no directory to log, MLflow is not installed, no server is named, or the server
        cannot be used.
    """
    if settings.track is None:
        return None
    if directory is None:
        raise RequestError("run.track=mlflow: needs a directory, whose files are logged")
    with _quietly(_SECONDS_BEFORE):
        try:
            import mlflow  # slow to import
        except ImportError as error:
            raise RequestError(
                f"run.track=mlflow: needs the extra, pip install 'stdp-pipeline[mlflow]' ({error})"
            ) from error
        if not mlflow.is_tracking_uri_set():
            raise RequestError(
                "run.track=mlflow: needs the address of a server in MLFLOW_TRACKING_URI, such as "
                "http://localhost:5000; without it MLflow would write into the current folder"
            )
        try:
            client = mlflow.MlflowClient()
            return Tracker(client, _experiment(client), directory, settings.track_points)
        except RequestError:
            raise
        except Exception as error:  # of MLflow, the network or a database
            server = _without_password(str(mlflow.get_tracking_uri()))
            raise RequestError(
                f"run.track=mlflow: the server at {server} cannot be reached ({_reason(error)}); "
                "MLFLOW_TRACKING_URI sets its address"
            ) from error


def _experiment(client: Any) -> str:
    """Return the identity of the MLflow experiment; create it if it does not exist."""
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or "stdp-pipeline"
    found = client.get_experiment_by_name(name)
    if found is None:
        return client.create_experiment(name)
    if found.lifecycle_stage != "active":
        raise RequestError(
            f"run.track=mlflow: the experiment {name} is deleted on the server; restore it, or "
            "name another in MLFLOW_EXPERIMENT_NAME"
        )
    return found.experiment_id


class Tracker:
    """Logs the state of a directory as one run, with a nested run for each of its points.

    A state is logged once: where nothing new was computed and the server has it, nothing is
    logged. A sweep that was not logged, because the server failed or tracking was off, is logged
    when the command is repeated; an extended sweep is logged again, with all of its points.

    Parameters
    ----------
    client : mlflow.MlflowClient
        Client of the server.
    experiment : str
        Identity of the MLflow experiment.
    directory : Directory
        The directory whose files are logged.
    most_points : int
        Largest number of points logged as nested runs: the first ones that are done or failed.
    """

    def __init__(
        self, client: Any, experiment: str, directory: Directory, most_points: int
    ) -> None:
        self.client = client
        self.experiment = experiment
        self.directory = directory
        self.most_points = most_points

    def log(self, state: SweepState, results: LabelledDataset) -> None:
        """Log the results and files of the directory; an error becomes a warning.

        Parameters
        ----------
        state : SweepState
            State of the sweep after its end.
        results : LabelledDataset
            The content of `results.nc`.
        """
        # The points as well: a copy may have grown, and a directory may have lost its provenance.
        runs = [run["id"] for run in state.runs]
        sweep = checksum(json.dumps([runs, state.arrays.fingerprint()]).encode())
        try:
            with _quietly(_SECONDS_AFTER):
                if self._has(sweep):
                    return
            has_figures = bool(state.arrays.counts().done) and _draw_figures(self.directory.path)
            with _quietly(_SECONDS_AFTER):
                run = self._log_sweep(state, results, has_figures)
                self.client.set_tag(run, _LOGGED, sweep)
            log.info("logged as MLflow run %s", run)
        except Exception as error:  # an error of tracking must not fail a sweep
            log.warning(
                "run.track=mlflow: not all is logged (%s); %s is complete, and the same command "
                "logs it without running a point again",
                _reason(error),
                self.directory.results,
            )

    def _has(self, sweep: str) -> bool:
        """Whether the server has all of this state of a directory: its runs and its points."""
        condition = f"tags.{_LOGGED} = '{sweep}'"
        return bool(self.client.search_runs([self.experiment], condition, max_results=1))

    def _log_sweep(self, state: SweepState, results: LabelledDataset, has_figures: bool) -> str:
        """Log the sweep, its files and its points; return the identity of its run."""
        started = _milliseconds(state.runs[-1]["created"] if state.runs else None)
        seconds = results.attributes.get("seconds", 0.0)
        positions = np.flatnonzero(results.values("status") != MISSING)
        shown = positions[: self.most_points]
        tags = _tags(results) | {
            "directory": str(self.directory.path.resolve()),
            "point_runs": f"{len(shown)} of {len(positions)} points",
        }
        name = self.directory.path.resolve().name
        with self._run(name, started, tags) as parent:
            counts = state.arrays.counts()._asdict()
            metrics = {f"points_{state}": count for state, count in counts.items()}
            self._log_numbers(
                parent, _params(state), metrics | {"seconds": seconds} | _means(results)
            )
            for position in shown:
                self._log_point(parent, started, state, results, position)
            self._log_files(parent, has_figures)
            all_done = counts["done"] == sum(counts.values())
            self._end(parent, all_done, started + seconds * 1000)
        return parent

    def _log_point(
        self, parent: str, started: int, state: SweepState, results: LabelledDataset, position: int
    ) -> None:
        """Log one point as a nested run of its sweep."""
        grid = state.arrays.grid
        index = np.unravel_index(position, grid.shape)
        values = grid.given_at(position)
        done = results.values("status")[index] == DONE
        tags = {"mlflow.parentRunId": parent}
        metrics, seconds = {}, 0.0
        if done:
            metrics = {name: float(results.values(name)[index]) for name in _METRICS}
            seconds = results.values("wall_time")[index]
        elif failure := state.failures.get(grid.keys[position]):
            tags["failure"] = failure.reason
        with self._run(grid.describe(position), started, tags) as run:
            self._log_numbers(run, values, metrics)
            self._end(run, done, started + seconds * 1000)

    @contextlib.contextmanager
    def _run(self, name: str, started: int, tags: Mapping[str, Any]) -> Iterator[str]:
        """Yield the identity of a new run; set it to KILLED if it cannot be logged completely."""
        texts = {key: _cut(value, _LONGEST_TAG) for key, value in tags.items()}
        run = self.client.create_run(self.experiment, started, texts, name).info.run_id
        try:
            yield run
        except BaseException:  # also Ctrl-C
            with contextlib.suppress(Exception):
                self.client.set_terminated(run, "KILLED")
            raise

    def _end(self, run: str, all_done: bool, at: float) -> None:
        self.client.set_terminated(run, "FINISHED" if all_done else "FAILED", int(at))

    def _log_numbers(self, run: str, params: Mapping[str, Any], metrics: Mapping[str, Any]) -> None:
        """Log params and metrics in one request; without NaN, which some servers refuse."""
        from mlflow.entities import Metric, Param

        now = int(time.time() * 1000)
        finite = {name: value for name, value in metrics.items() if math.isfinite(value)}
        self.client.log_batch(
            run,
            [Metric(name, value, now, 0) for name, value in finite.items()],
            [Param(name, _cut(value, _LONGEST_PARAM)) for name, value in params.items()],
        )

    def _log_files(self, run: str, has_figures: bool) -> None:
        """Log the files of the directory."""
        for name in ("results.nc", "configuration.yaml", "provenance.json", "failures.csv"):
            file = self.directory.path / name
            if file.exists():
                self.client.log_artifact(run, str(file))
        if has_figures:
            self.client.log_artifacts(run, str(self.directory.path / "figures"), "figures")


def _draw_figures(path: Path) -> bool:
    """Draw the figures of a directory in a separate process; return whether it succeeded."""
    drawn = subprocess.run(
        # In the folder of this code: the current folder may hold another `analysis`.
        [sys.executable, "-m", "analysis", str(path.resolve())],
        cwd=host.CODE,
        capture_output=True,
        text=True,
        check=False,
    )
    if drawn.returncode:
        reason = (drawn.stderr.strip() or "no reason given").splitlines()[-1]
        log.warning("run.track=mlflow: no figures (%s)", reason)
    return not drawn.returncode


def _params(state: SweepState) -> dict[str, Any]:
    """Return constants by their keys, the values of axes as text, and how samples were drawn."""
    grid = state.arrays.grid
    params = by_key(grid.constants())
    for axis in grid.axes:
        for key, values in axis.given_columns().items():
            text = ", ".join(map(value_text, values[:_LONGEST_PARAM]))
            params[f"axis.{key}"] = f"{len(values)} values: {text}"
    return params | {f"sweep.{name}": value for name, value in generator_of(grid.axes).items()}


def _tags(results: LabelledDataset) -> dict[str, Any]:
    """Return the provenance as tags, with MLflow's standard tags for command and commit."""
    attributes = results.attributes
    tags = {name: attributes[name] for name in _TAGS if name in attributes}
    own = {"mlflow.source.name": "command", "mlflow.source.git.commit": "git_commit"}
    return tags | {key: tags[name] for key, name in own.items() if name in tags}


def _means(results: LabelledDataset) -> dict[str, float]:
    """Return means over all points that are done; none if no point is."""
    done = results.values("status") == DONE
    return {name: float(results.values(name)[done].mean()) for name in _MEANS if done.any()}


def _cut(value: Any, longest: int) -> str:
    """Return a value as text, written as in YAML and cut to the longest that is accepted."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def _milliseconds(date: str | None) -> int:
    """Return an ISO date, by default now, in milliseconds since 1970, as MLflow does."""
    seconds = datetime.fromisoformat(date).timestamp() if date else time.time()
    return int(seconds * 1000)


@contextlib.contextmanager
def _quietly(seconds: int) -> Iterator[None]:
    """Suppress output and long timeouts of MLflow during the block; restore the environment."""
    with _QUIET, _quiet_environment(seconds):
        yield


@contextlib.contextmanager
def _quiet_environment(seconds: int) -> Iterator[None]:
    wanted = _ENVIRONMENT | {"MLFLOW_HTTP_REQUEST_TIMEOUT": str(seconds)}
    missing = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(missing)
    disabled = logging.root.manager.disable
    logging.disable()
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
        for name in missing:
            os.environ.pop(name, None)


def _reason(error: BaseException) -> str:
    """Return an error as one line; that of the network, if it is the cause."""
    chain = [error]
    while below := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(below)
    of_network = [
        e for e in chain if isinstance(e, OSError) and type(e).__module__ in ("builtins", "socket")
    ]
    text = " ".join(str([error, *of_network][-1]).split()) or type(error).__name__
    return _without_password(_cut(text, 200))


def _without_password(text: str) -> str:
    return re.sub(r"//[^/@\s]+@", "//", text)
