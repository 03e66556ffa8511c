"""`pipeline.simulator`: a function from arrays of parameters to arrays of outputs."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.composition.compose import default_run_settings
from pipeline.composition.own_contents import refuse_unknown_content
from pipeline.composition.run_settings import RunSettings
from pipeline.engine.simulate import available_engine, refuse_uncompilable
from pipeline.execution.batch import Job
from pipeline.execution.pool import run_jobs
from pipeline.experiment.outputs import Output, Outputs
from pipeline.experiment.rows import Rows, as_array, columns_of, explicit_seeds
from pipeline.experiment.run import progress_bar, warn_of_unstable_steps
from pipeline.model.errors import RequestError
from pipeline.model.parameters import Configuration
from pipeline.model.plain_values import plain
from pipeline.model.quantity import written

log = logging.getLogger("pipeline")

#: Number of seeds.
_N_SEEDS = 2**32

#: What becomes of a row whose values are not allowed.
_INVALID = ("raise", "nan")


def simulator(
    configuration: Configuration,
    names: Sequence[str],
    outputs: Output | Sequence[Output],
    *,
    seed: int = 0,
    n_bins: int = 20,
    invalid: str = "raise",
    **settings: Any,
) -> Simulator:
    """Return a function that simulates rows of parameters: for inference, sensitivity, search.

    Parameters
    ----------
    configuration : Configuration
        The parameters that are not in `names`; see `pipeline.configure`. Its `seed` is not used.
    names : sequence of str
        Keys with a number, such as `["stdp.A_plus", "input.rate_hz"]`: the columns of parameters.
    outputs : str, callable, or sequence of them
        The columns of the result, in this order: names of variables of `results.nc` with a number
        for each simulation (`output_rate`, `mean_weight`, `late_isi_cv`, ...) or a vector
        (`weight`); `weight_histogram`, the fractions of synapses in `n_bins` equal bins of the
        final weight over [0, 1], as of `analysis.weight_histogram`; functions of a mapping of all
        variables of a simulation by name, which return a number or a vector, each time of the same
        length. One of them need not be in a list.
    seed : int
        Decides the seeds of all rows; see `Simulator`.
    n_bins : int
        Number of bins of `weight_histogram`.
    invalid : str
        What becomes of a row with a value that is not allowed, as one out of bounds: "raise" raises
        `RequestError` before anything runs, "nan" gives a row of NaN.
    **settings
        Settings of the section `run`: `backend`, `n_jobs`, `batch_size`, `engine`, `timeout`,
        `fail_fast`. Without them, threads on all cores.

    Returns
    -------
    Simulator
        To be called with an array of parameters.

    Raises
    ------
    RequestError
        If a name, an output or a setting is not allowed.
    """
    if not isinstance(configuration, Configuration):
        raise RequestError(
            f"{written('configuration', configuration)}: must be what pipeline.configure returns"
        )
    if invalid not in _INVALID:
        raise RequestError(f"{written('invalid', invalid)}: must be {' or '.join(_INVALID)}")
    run_settings = default_run_settings(**{"backend": "threading"} | settings)
    run_settings.refuse_shard()
    columns = columns_of(configuration, names)
    exact = configuration.with_admitted(record=configuration.record.with_admitted(dtype="float64"))
    made = Outputs(exact, [column.key for column in columns], outputs, n_bins)
    refuse_unknown_content(exact)
    refuse_uncompilable(run_settings.engine, [exact])
    first_seed = Configuration.quantities()["seed"].admit("seed", seed)
    rows = Rows(exact, columns, invalid == "nan")
    return Simulator(rows, made, run_settings, first_seed)


class Simulator:
    """Simulates rows of parameters; what `pipeline.simulator` returns.

    Each row has a seed of its own. The rows of all calls are counted; row r, from 0, has the seed
    `(first_seed + r) % 2**32`, where `first_seed` is a random number that follows from the argument
    `seed`. So the same calls of two simulators with the same `seed` give the same numbers, on any
    backend and any number of workers, and no two rows of a simulator share a seed.

    Rows run in parallel, in one process: it cannot be sent to others, where it would count anew.

    Attributes
    ----------
    names : tuple of str
        The keys of the columns of parameters.
    labels : tuple of str
        The names of the columns of outputs, such as `output_rate` and `weight_histogram[0]`. That a
        function returns a vector is known once it was called.
    first_seed : int
        Seed of the first row.
    n_rows : int
        Rows of all calls so far, without those that had explicit seeds.
    """

    def __init__(self, rows: Rows, outputs: Outputs, settings: RunSettings, seed: int) -> None:
        self._rows, self._outputs, self._settings = rows, outputs, settings
        self._counting = threading.Lock()
        self.names = rows.names
        self.first_seed = int(np.random.SeedSequence(seed).generate_state(1)[0])
        self.n_rows = 0

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the columns of outputs."""
        return self._outputs.labels

    def __call__(
        self, parameters: ArrayLike, seeds: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Simulate rows of parameters.

        Parameters
        ----------
        parameters : array_like, (n, k) or (k,)
            A row for each simulation, a column for each of `names`, in its unit [ms, Hz, mV, ...].
            Arrays of other libraries are taken as well, such as tensors of PyTorch. Numbers of 32
            bits are the shortest decimals that they stand for. Of a DataFrame with these `names`
            as columns the order is of no effect.
        seeds : array_like of int, (n,) or (), optional
            Seed of each row, or one of all rows [dimensionless]; by default seeds of their own.

        Returns
        -------
        ndarray, (n, m) or (m,)
            A row of outputs for each simulation, in the units of the variables [Hz, ms, ...]; one
            output that is a number, and not in a list, has no dimension: (n,) or (). NaN
            where a variable is NaN, in the whole row where a simulation failed (one warning says
            how many, and why the first) and, with `invalid="nan"`, where a value is not allowed.

        Raises
        ------
        RequestError
            If the array has another shape, or holds something else than numbers; if a value is not
            allowed, unless `invalid="nan"`. Nothing is run then.
        RuntimeError
            If a simulation failed with `fail_fast=True`; or if all did, and it is not known how
            many numbers a function returns.
        KeyboardInterrupt
            After an interruption; the results of this call are lost.
        """
        array = as_array(parameters, self.names)
        values = plain(np.atleast_2d(array))
        points, refused = self._rows.made(values)
        matrix = self._simulated(points, self._seeds(seeds, len(values)), refused)
        result = matrix[:, 0] if self._outputs.is_number else matrix
        return result if array.ndim == 2 else result[0]

    def configurations(
        self, parameters: ArrayLike, seeds: ArrayLike | None = None
    ) -> list[Configuration]:
        """Return what a call would simulate, a configuration for each row, without counting rows.

        Parameters
        ----------
        parameters : array_like, (n, k) or (k,)
            As of a call: values in the units of `names` [ms, Hz, mV, ...].
        seeds : array_like of int, (n,) or (), optional
            As of a call [dimensionless].

        Returns
        -------
        list of Configuration
            For `pipeline.simulate`, which gives the same numbers.

        Raises
        ------
        RequestError
            As of a call; also for a value that is not allowed with `invalid="nan"`.
        """
        values = plain(np.atleast_2d(as_array(parameters, self.names)))
        points, refused = self._rows.made(values)
        for why in refused.values():
            raise RequestError(why)
        made = zip(points, self._seeds(seeds, len(values), False), strict=True)
        return [point.with_admitted(seed=seed) for point, seed in made if point is not None]

    def __reduce__(self) -> NoReturn:
        raise RequestError(
            "simulator: must stay in its process, as it counts the seeds of its rows; it runs them "
            "in parallel itself, so call it with many rows, and without workers of the caller "
            "(of sbi num_workers=1, of SALib without nprocs)"
        )

    def _seeds(self, seeds: ArrayLike | None, n: int, counts: bool = True) -> list[int]:
        """Return the seed of each of n rows; those of their own are counted."""
        if seeds is not None:
            return explicit_seeds(seeds, n)
        with self._counting:
            first = self.first_seed + self.n_rows
            self.n_rows += n if counts else 0
        return [(first + i) % _N_SEEDS for i in range(n)]

    def _simulated(
        self,
        points: Sequence[Configuration | None],
        seeds: Sequence[int],
        refused: dict[int, str],
    ) -> NDArray[np.float64]:
        """Return the outputs of points with their seeds, NaN where there is none."""
        running = [point for point in points if point is not None]
        settings = self._settings
        if running:
            kinds = running if self._rows.changes_kernel else running[:1]
            engine = available_engine(settings.engine, kinds)
            settings = dataclasses.replace(settings, engine=engine)
        jobs = (
            Job(str(i), point.with_admitted(seed=seed))
            for i, (point, seed) in enumerate(zip(points, seeds, strict=True))
            if point is not None
        )
        found: list[tuple[list[int], NDArray[np.float64]]] = []
        overshoot, failed = np.full(len(points), np.nan), dict(refused)
        unlike = self._rows.unlike(running)
        with progress_bar(len(running)) as progress:
            for batch in run_jobs(jobs, len(running), unlike, settings):
                failed |= {int(key): failure.reason for key, failure in batch.failures.items()}
                if batch.keys:
                    done = [int(key) for key in batch.keys]
                    found.append((done, self._outputs.of_batch(batch)))
                    overshoot[done] = batch.columns["euler_overshoot"]
                progress.update(len(batch.keys) + len(batch.failures))
        self._tell(failed, len(points), refused)
        warn_of_unstable_steps(overshoot)
        matrix = np.full((len(points), self._outputs.n_columns), np.nan)
        for done, rows in found:
            matrix[done] = rows
        return matrix

    def _tell(self, failed: dict[int, str], n: int, refused: dict[int, str]) -> None:
        """Warn of rows of NaN, or raise where there is no result."""
        if not failed:
            return
        first = min(failed)
        text = f"{len(failed)} of {n} rows are NaN; the first, row {first}: {failed[first]}"
        if len(failed) > len(refused) and self._settings.fail_fast:
            failing = min(failed.keys() - refused.keys())
            raise RuntimeError(f"row {failing} failed: {failed[failing]}")
        if not self._outputs.is_known and len(failed) == n:
            raise RuntimeError(f"{text}; how many numbers a function returns is not known")
        log.warning("%s", text)
