"""One opening of an experiment's file for all sessions of a server.

Sessions share the measures that it keeps. A file that was overwritten in place is closed
before it is opened again: HDF5 takes one that is open already for the same.
"""

from __future__ import annotations

import threading
from pathlib import Path

from stdp.explore.experiment import Experiment


class SharedExperiment:
    """An experiment that is opened once, and anew only when its file was replaced.

    Parameters
    ----------
    path : Path
        The experiment directory, or its `results.nc`.

    Raises
    ------
    LoadError
        If there are no results, or they cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._newest = Experiment(path)
        self._sessions = {self._newest: 0}

    def enter(self) -> Experiment:
        """Return the results as they are now, for a session that begins.

        Raises
        ------
        LoadError
            If the file was replaced by one that cannot be read.
        """
        with self._lock:
            if self._newest.is_replaced():
                self._open_anew()
            self._sessions[self._newest] += 1
            return self._newest

    def leave(self, experiment: Experiment) -> None:
        """End a session; close a file that was replaced after its last one."""
        with self._lock:
            self._sessions[experiment] -= 1
            if experiment is not self._newest and not self._sessions[experiment]:
                del self._sessions[experiment]
                experiment.close()

    def _open_anew(self) -> None:
        before = self._newest
        if before.is_overwritten():  # the same file, which must not be open twice
            before.close()
        self._newest = Experiment(self._path)
        self._sessions[self._newest] = 0
        if not self._sessions[before]:
            del self._sessions[before]
            before.close()
