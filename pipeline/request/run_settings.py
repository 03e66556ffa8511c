"""Run settings: engine, backend, workers, tracking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pipeline.model.errors import RequestError
from pipeline.model.quantity import Section, quantity, written
from pipeline.request.shard import SLURM, shard_of

#: Two implementations of one model, on the same events: spike times are equal, weights to 1e-10.
ENGINES = ("compiled", "reference")

#: Names of the backends, in the order in which they are listed; `execution.backends` implements
#: them, and adds the names of further ones.
BACKEND_NAMES = ["loky", "threading", "sequential"]


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
