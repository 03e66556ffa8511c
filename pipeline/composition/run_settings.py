"""Run settings: engine, backend, workers, tracking."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from pipeline.composition.shard import SLURM, shard_of
from pipeline.model.errors import RequestError
from pipeline.model.quantity import Section, quantity, written

#: Two implementations of one model, on the same events: spike times are equal, weights to 1e-10.
ENGINES = ("compiled", "reference")

#: Names of the backends, in the order in which they are listed; `execution.backends` implements
#: them, and adds the names of further ones.
BACKEND_NAMES = ["loky", "threading", "sequential", "dask"]

#: Addresses of schedulers: a protocol with a connection, a host and a port.
_ADDRESS = re.compile(r"(tcp|tls)://([^\s:/\[\]]+|\[[0-9A-Fa-f:.%]+\]):[0-9]{1,5}")


@dataclass(frozen=True)
class RunSettings(Section):
    """How points are run. No setting changes a result beyond the rounding of the engines."""

    section: ClassVar[str] = "run"
    title: ClassVar[str] = "run settings"

    engine: str = quantity("engine", kind=str, choices=ENGINES)
    backend: str = quantity("backend", kind=str)
    n_jobs: int = quantity("number of workers (-1: one per core)", kind=int, at_least=-1)
    batch_size: int | None = quantity(
        "points per task", kind=int, at_least=1, null="about one second of work"
    )
    timeout: float | None = quantity("longest time of a point", "s", above=0, null="no limit")
    fail_fast: bool = quantity("whether the first failed point ends the sweep", kind=bool)
    track: str | None = quantity(
        "tracking server", kind=str, choices=("mlflow",), null="no tracking server"
    )
    track_points: int = quantity(
        "largest number of points logged as nested runs", kind=int, at_least=0
    )
    scheduler: str | None = quantity(
        "address of a Dask scheduler",
        kind=str,
        null="with run.backend=dask a cluster of n_jobs processes here",
        neutral=None,
    )
    shard: str | None = quantity(
        "part of the points that is run: i/n, or slurm", kind=str, null="all points", neutral=None
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.backend not in BACKEND_NAMES:
            allowed = " or ".join(BACKEND_NAMES)
            raise RequestError(f"{written('run.backend', self.backend)}: backend must be {allowed}")
        if self.n_jobs == 0:
            raise RequestError("run.n_jobs=0: number of workers must be >= 1, or -1 (one per core)")
        if self.shard not in (None, SLURM):
            shard_of(self.shard)
        if self.scheduler is not None:
            self._refuse_scheduler(self.scheduler)

    def refuse_shard(self) -> None:
        """Refuse a shard where no directory is written.

        Raises
        ------
        RequestError
            If a shard is asked for.
        """
        if self.shard is not None:
            raise RequestError(
                f"{written('shard', self.shard)}: needs a directory, in whose shards/ it is"
            )

    def _refuse_scheduler(self, scheduler: str) -> None:
        """Refuse an address that is none, and settings that have no effect or no use with it."""
        shown = written("run.scheduler", scheduler)
        if not _ADDRESS.fullmatch(scheduler):
            raise RequestError(f"{shown}: must be an address such as tcp://HOST:8786, or null")
        if self.backend != "dask":
            raise RequestError(
                f"{shown}: must be null with {written('run.backend', self.backend)}; only "
                "run.backend=dask uses a scheduler"
            )
        if self.n_jobs != -1:
            raise RequestError(
                f"{written('run.n_jobs', self.n_jobs)}: must be -1 with {shown}, where all workers "
                "of the scheduler are used"
            )
