"""Let the disk be full at some point of a sweep, make room, and go on."""

from __future__ import annotations

import random
import resource
import shutil
from collections import Counter
from pathlib import Path

import xarray as xr

from tests.soak.study import assert_whole_files_only, finish, results, start

#: Seeds of the second request; the first has fewer.
MORE = 16


def fill_and_make_room(n_times: int, chance: random.Random, folder: Path) -> Counter:
    """Extend a study with a limit on the size of files, then without one."""
    tried: Counter = Counter()
    finish(folder)
    first = results(folder)
    kept = folder / "kept"
    shutil.copytree(folder / "outputs", kept)
    finish(folder, n_seeds=MORE)
    whole = results(folder)
    for _ in range(n_times):
        shutil.rmtree(folder / "outputs")
        shutil.copytree(kept, folder / "outputs")
        extend_on_a_full_disk(folder, chance, tried)
        kept_results = results(folder)
        known = kept_results.sel(seed=first["seed"], spike=first["spike"])
        xr.testing.assert_identical(known.transpose(*first.dims), first)
        finish(folder, n_seeds=MORE)
        xr.testing.assert_identical(results(folder), whole)
        tried["went on to the same numbers"] += 1
    shutil.rmtree(folder / "outputs")
    return tried


def extend_on_a_full_disk(folder: Path, chance: random.Random, tried: Counter) -> None:
    """Run the command where no file may be larger than some number of bytes."""
    limit = int(10 ** chance.uniform(0, 5.5))

    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    process = start(folder, n_seeds=MORE, preexec_fn=fill)
    _, err = process.communicate(timeout=300)
    tried[f"exit code {process.returncode}"] += 1
    assert process.returncode in (0, 1), (limit, err)
    if process.returncode == 1:
        lines = err.splitlines()
        assert lines[0].startswith("error: outputs/study/"), (limit, err)
        assert "cannot be written (" in lines[0], (limit, err)
        assert len(lines) == 3, (limit, err)
        assert lines[2].startswith("python -m pipeline "), (limit, err)
    assert_whole_files_only(folder)
