"""Dask workers that are processes of this machine: started, and started again where one ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pipeline.system.signals import interrupts_deferred

#: Time after which a worker that has not reached its scheduler ends [s].
_SECONDS_TO_REGISTER = 60


class OwnWorkers:
    """Worker processes of one thread each.

    Parameters
    ----------
    n_workers : int
        Number of processes.
    scheduler : str
        Address of the scheduler.
    folder : str
        Folder for their files.
    """

    def __init__(self, n_workers: int, scheduler: str, folder: str) -> None:
        self._command = [sys.executable, "-m", "distributed.cli.dask_worker", scheduler]
        self._command += ["--nthreads", "1", "--no-nanny", "--no-dashboard"]
        self._command += ["--memory-limit", "0", "--host", "127.0.0.1"]
        self._command += ["--death-timeout", str(_SECONDS_TO_REGISTER)]
        self._command += ["--local-directory", folder]
        self._log = Path(folder) / "workers.log"
        self._n_workers = n_workers
        self._processes: list[subprocess.Popen[bytes]] = []

    def start_missing(self) -> int:
        """Start as many processes as have ended, or at first all; return how many have ended.

        Raises
        ------
        OSError
            If they cannot be started.
        """
        alive = [process for process in self._processes if process.poll() is None]
        n_ended, self._processes = len(self._processes) - len(alive), alive
        # They import what this process can, and it alone handles Ctrl-C.
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        with interrupts_deferred(), self._log.open("ab") as log:
            while len(self._processes) < self._n_workers:
                self._processes.append(
                    subprocess.Popen(
                        self._command,
                        env=environment,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                    )
                )
        return n_ended

    def last_words(self) -> str:
        """Return the last line that a worker has written."""
        lines = self._log.read_text(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "no message")

    def end(self) -> None:
        """End all processes."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()
