"""Each operation of Python on the files of an experiment fails once, and the request is repeated.

Run as a module, it is the process in which they fail: an audit hook cannot be removed.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import logging
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import xarray as xr

from tests.conftest import SMALL
from tests.soak.study import assert_whole_files_only, results

ERRORS = (errno.EACCES, errno.EIO, errno.ENOSPC, errno.EROFS, errno.EMFILE, errno.ENOMEM)

#: Operations, by the names of Python's audit events.
EVENTS = ("open", "os.listdir", "os.scandir", "os.mkdir", "os.rename", "os.remove", "fcntl.flock")

WORDS = (*SMALL, "-m", "record=history", "record.weight_interval=100", "name=study")
WORDS += ("run.backend=sequential", "run.batch_size=1")


def fail_operations(n_trials: int, chance: random.Random, folder: Path) -> Counter:
    """Extend an experiment `n_trials` times while one operation on its files fails."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", __name__, str(n_trials), str(chance.randrange(2**32))],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Counter(json.loads(done.stdout))


class Failing:
    """Audit hook that records operations on files below `outputs`, and lets one of them fail."""

    def __init__(self) -> None:
        self.seen: list[str] | None = None
        self.fails_at, self.error = -1, 0
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple) -> None:
        """Record an operation, and raise an error in its place if it is the one that fails."""
        if self.seen is None or event not in EVENTS:
            return
        path = arguments[0]
        if event == "fcntl.flock":
            path = Path(f"/proc/self/fd/{path}").readlink()
        path = os.path.relpath(os.fsdecode(path)) if isinstance(path, str | bytes | Path) else ""
        if not path.startswith("outputs"):
            return
        self.seen.append(f"{event} {Path(path).suffix or path}")
        if len(self.seen) - 1 == self.fails_at:
            raise OSError(self.error, os.strerror(self.error), path)

    @contextlib.contextmanager
    def during(self, fails_at: int, error: int = 0):
        """Record operations during the block."""
        self.fails_at, self.error, self.seen = fails_at, error, []
        try:
            yield self.seen
        finally:
            self.seen = None


def command(*words: str) -> tuple[int, str]:
    """Run the command in this process; return exit code and errors."""
    import pipeline
    from pipeline.cli import main

    sys.argv = [str(Path(pipeline.__file__).with_name("__main__.py")), *WORDS, *words]
    logging.root.handlers.clear()
    os.environ.pop("HYDRA_FULL_ERROR", None)
    said = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        try:
            main()
        except SystemExit as ended:
            return int(ended.code or 0), said.getvalue()
    return 0, said.getvalue()


def fail_here(n_trials: int, chance: random.Random) -> Counter:
    """Do the work of `fail_operations` in this process and in the current folder."""
    tried: Counter = Counter()
    failing = Failing()
    assert command("seed=1,2") == (0, "")
    shutil.copytree("outputs", "first")
    with failing.during(-1) as seen:
        assert command("seed=1,2,3") == (0, "")
    whole = results(Path())
    places = {kind: [i for i, one in enumerate(seen) if one == kind] for kind in seen}
    kinds = [kind for i in range(n_trials) for kind in sorted(places)][:n_trials]
    for kind in kinds:
        error = chance.choice(ERRORS)
        shutil.rmtree("outputs")
        shutil.copytree("first", "outputs")
        with failing.during(chance.choice(places[kind]), error) as seen:
            code, said = command("seed=1,2,3")
        where = (kind, errno.errorcode[error], code, said)
        check_outcome(code, said, where)
        tried[f"exit code {code}"] += 1
        tried[kind.partition(" ")[0]] += 1
        code, said = command("seed=1,2,3")
        assert code == 0, (where, said)
        xr.testing.assert_identical(results(Path()), whole)
        tried["repeated with identical results"] += 1
    return tried


def check_outcome(code: int, said: str, where: tuple) -> None:
    """Check that an error is reported in one line and that nothing finished is lost."""
    assert code in (0, 1, 2), where
    assert "Traceback" not in said, where
    lines = [line for line in said.splitlines() if line.startswith("error:")]
    assert len(lines) == bool(code), where
    named = ("outputs", "out of memory", "too many open files")
    assert all(any(name in line for name in named) for line in lines), where
    assert_whole_files_only(Path())
    kept = {file.read_bytes() for file in Path("first").rglob("*.npz")}
    there = {file.read_bytes() for file in Path("outputs").rglob("*.npz*")}
    assert kept <= there, where


if __name__ == "__main__":
    n, seed = map(int, sys.argv[1:])
    print(json.dumps(fail_here(n, random.Random(seed))))
