"""Flip bits of a finished experiment, truncate and delete its files, and repeat the request."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from pathlib import Path

import xarray as xr

import pipeline
from tests.conftest import SMALL, numbers_of

AXES = {"input.rate_hz": [30, 60], "seed": range(3)}


def damage_and_repair(n_damages: int, chance: random.Random, folder: Path) -> Counter:
    """Damage a directory `n_damages` times and repeat the same request after each."""
    tried: Counter = Counter()
    base = pipeline.configure(*SMALL, "record.spike_times=true")
    kept, broken = folder / "kept", folder / "broken"
    settings = {"backend": "sequential", "batch_size": 2}
    whole = numbers_of(pipeline.sweep(base, AXES, kept, **settings))
    (kept / "failures.csv").write_text("reason,traceback,key\nnone,,0000\n")
    for _ in range(n_damages):
        shutil.copytree(kept, broken)
        damaged = set()
        for _ in range(chance.choice((1, 1, 2, 3))):
            files = sorted(file for file in broken.rglob("*") if file.is_file())
            file = chance.choice(files)
            kind = damage(file, chance)
            tried[kind] += 1
            tried[f"in {file.suffix or file.name}"] += 1
            damaged.add(file)
        # Those with a checksum: damage of others may leave a file that can be read.
        sealed = {file for file in damaged if file.suffix in (".npz", ".yaml", ".json")}
        lost = {file.read_bytes() for file in sealed if file.exists()} - contents(kept)
        repaired = pipeline.sweep(base, AXES, broken, **settings)
        xr.testing.assert_identical(numbers_of(repaired), whole)
        with xr.open_dataset(broken / "results.nc") as dataset:
            xr.testing.assert_identical(numbers_of(dataset), whole)
        assert lost <= contents(broken)
        tried["damaged files kept"] += len(lost)
        again = pipeline.plan(base, AXES, broken)
        assert again.asked.done == 6
        shutil.rmtree(broken)
        tried["repaired with identical results"] += 1
    return tried


def contents(folder: Path) -> set[bytes]:
    """Return the contents of all files at any depth."""
    return {file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def damage(file: Path, chance: random.Random) -> str:
    """Damage a file at random; return the kind of damage."""
    content = bytearray(file.read_bytes())
    kind = chance.choice(("bits flipped", "truncated", "overwritten", "deleted"))
    if kind == "deleted":
        file.unlink()
        return kind
    if kind == "truncated":
        content = content[: chance.randrange(len(content))] if content else content
    elif content:
        for _ in range(1 if kind == "bits flipped" else chance.randrange(1, 200)):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    file.write_bytes(content)
    return kind
