"""Kill, damage and move sweeps whose points go on: until they have settled, or to longer durations.

Each is compared bit for bit with one uninterrupted run of its last request.
"""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import xarray as xr

import pipeline
from pipeline.execution import backends
from pipeline.reproduce import main as reproduce
from tests.conftest import SMALL, numbers_of
from tests.soak.damage import contents, damage
from tests.soak.kills import BACKENDS, EARLIEST, kill, n_batches, wait_for_batch
from tests.soak.study import assert_whole_files_only, launched, output_of, results

#: Points that end after 16 s to some 1,000 s, at the upper bound or not.
AXES: Mapping[str, Sequence[float]] = {
    "stdp.ltd_ratio": [0.9, 1.1],
    "input.rate_hz": [40, 80],
    "seed": range(3),
}

_SETTLED = ("simulation.until=settled", "settle.minimum=16000", "settle.tolerance=0.1")


@dataclass(frozen=True)
class Kind:
    """A kind of sweep whose points go on.

    Attributes
    ----------
    words : tuple of str
        Its overrides.
    record_state : tuple of str
        Overrides of which each command has one, as it is in no key.
    durations : tuple of int
        Range of `simulation.duration` [ms].
    """

    words: tuple[str, ...]
    record_state: tuple[str, ...]
    durations: tuple[int, int]

    def rising(self, n: int, chance: random.Random) -> list[int]:
        """Return some durations [ms], rising."""
        low, high = self.durations
        return sorted(int(low * (high / low) ** chance.random()) for _ in range(n))


_KEPT, _EITHER = ("record.state=true",), ("record.state=true", "record.state=false")

KINDS = {
    "until settled": Kind(_SETTLED, _EITHER, (16_000, 2_000_000)),
    "until settled, with history": Kind((*_SETTLED, "record=history"), _KEPT, (16_000, 2_000_000)),
    "longer durations": Kind((), _EITHER, (2_000, 400_000)),
    "longer durations, with history": Kind(("record=history",), _KEPT, (2_000, 400_000)),
}


def kill_and_grow(n_sweeps: int, chance: random.Random, folder: Path) -> Counter:
    """Kill sweeps at random times, each with longer and longer durations, then let them end."""
    tried: Counter = Counter()
    for i in range(n_sweeps):
        name = [*KINDS][i % len(KINDS)]
        kind = KINDS[name]
        durations = kind.rising(3, chance)
        started = time.monotonic()
        output_of(_command(folder, kind, durations[-1], chance, "whole"))
        latest = time.monotonic() - started
        for duration in durations:
            n_before = n_batches(folder)
            process = _command(folder, kind, duration, chance, "study")
            if chance.random() < 0.6:
                wait_for_batch(folder, process, n_before)
            else:
                time.sleep(chance.uniform(EARLIEST, max(EARLIEST, latest)))
            kill(process, chance, tried)
            tried["killed when batches were on disk"] += n_batches(folder) > n_before
            assert_whole_files_only(folder)
        if "went on" in output_of(_command(folder, kind, durations[-1], chance, "study")):
            tried["went on at the last"] += 1
        xr.testing.assert_identical(results(folder), results(folder, "whole"))
        assert reproduce([str(folder / "outputs" / "study"), "--points", "3"]) == 0
        assert list((folder / "outputs").rglob("*.tmp")) == []
        tried[name] += 1
        tried["identical results, reproduced"] += 1
        shutil.rmtree(folder / "outputs")
    return tried


def _command(folder: Path, kind: Kind, duration: int, chance: random.Random, name: str):
    axes = [f"{key}={','.join(map(str, values))}" for key, values in AXES.items()]
    how = [f"run.backend={chance.choice(BACKENDS)}", "run.batch_size=1", f"name={name}"]
    words = [
        *SMALL,
        *kind.words,
        f"simulation.duration={duration}",
        chance.choice(kind.record_state),
    ]
    return launched(folder, "-m", *words, *axes, *how)


def damage_and_grow(n_damages: int, chance: random.Random, folder: Path) -> Counter:
    """Damage a directory of each kind, and ask it for longer durations.

    Shorter runs are known by their batches where both files that hold the request are lost.
    """
    tried: Counter = Counter()
    settings = {"backend": "sequential", "batch_size": 2}
    for i in range(n_damages):
        name = [*KINDS][i % len(KINDS)]
        kind, broken = KINDS[name], folder / "broken"
        *earlier, last = kind.rising(3, chance)
        for duration in earlier:
            pipeline.sweep(_base(kind, duration, chance), AXES, broken, **settings)
        before = contents(broken)
        damaged = set()
        if chance.random() < 0.3:
            for file in ("configuration.yaml", "results.nc"):
                (broken / file).unlink()
            tried["request lost"] += 1
        for _ in range(chance.choice((1, 1, 2, 3))):
            file = chance.choice(sorted(file for file in broken.rglob("*") if file.is_file()))
            tried[damage(file, chance)] += 1
            damaged.add(file)
        sealed = {file for file in damaged if file.suffix in (".npz", ".yaml", ".json")}
        lost = {file.read_bytes() for file in sealed if file.exists()} - before
        longer = _base(kind, last, chance)
        whole = numbers_of(pipeline.sweep(longer, AXES, backend="sequential"))
        grown = numbers_of(pipeline.sweep(longer, AXES, broken, **settings))
        xr.testing.assert_identical(grown, whole)
        assert lost <= contents(broken)
        assert pipeline.plan(longer, AXES, broken).asked.done == len(whole["weight"]) * 6
        tried[name] += 1
        tried["identical results"] += 1
        shutil.rmtree(broken)
    return tried


def _base(kind: Kind, duration: int, chance: random.Random) -> pipeline.Configuration:
    state = chance.choice(kind.record_state)
    return pipeline.configure(*SMALL, *kind.words, state, f"simulation.duration={duration}")


def move_and_grow(n_moves: int, chance: random.Random, folder: Path) -> Counter:
    """Rename a directory amid a sweep whose points go on there, and repeat the request."""
    tried: Counter = Counter()
    run_batch = backends.run_batch
    for i in range(n_moves):
        name = [*KINDS][i % len(KINDS)]
        kind, path, new = KINDS[name], folder / f"{i}" / "first", folder / f"{i}" / "renamed"
        first, last = kind.rising(2, chance)
        pipeline.sweep(_base(kind, first, chance), AXES, path, backend="sequential")
        longer, n_left = _base(kind, last, chance), [chance.randrange(6)]

        def rename_first(*arguments, path=path, new=new, n_left=n_left):
            if n_left[0] == 0:
                path.rename(new)
            n_left[0] -= 1
            return run_batch(*arguments)

        with mock.patch.object(backends, "run_batch", rename_first):
            grown = pipeline.sweep(longer, AXES, path, backend="sequential", batch_size=1)
        whole = numbers_of(pipeline.sweep(longer, AXES, backend="sequential"))
        xr.testing.assert_identical(numbers_of(grown), whole)
        tried["renamed while written" if new.exists() else "not renamed, as few points go on"] += 1
        last_path = new if new.exists() else path
        again = numbers_of(pipeline.sweep(longer, AXES, last_path, backend="sequential"))
        xr.testing.assert_identical(again, whole)
        tried[name] += 1
        tried["identical results"] += 1
        shutil.rmtree(folder / f"{i}")
    return tried
