"""Flip bytes of a finished experiment, cut its files short, take them away; and ask again."""

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
    """Damage a directory `n_damages` times, and ask each time for the same again."""
    tried: Counter = Counter()
    base = pipeline.configure(*SMALL, "record.spike_times=true")
    kept, broken = folder / "kept", folder / "broken"
    settings = {"backend": "sequential", "batch_size": 2}
    whole = numbers_of(pipeline.sweep(base, AXES, kept, **settings))
    (kept / "failures.csv").write_text("reason,traceback,key\nnone,,0000\n")
    for _ in range(n_damages):
        shutil.copytree(kept, broken)
        for _ in range(chance.choice((1, 1, 2, 3))):
            files = sorted(file for file in broken.rglob("*") if file.is_file())
            file = chance.choice(files)
            kind = damage(file, chance)
            tried[kind] += 1
            tried[f"in {file.suffix or file.name}"] += 1
        repaired = pipeline.sweep(base, AXES, broken, **settings)
        xr.testing.assert_identical(numbers_of(repaired), whole)
        with xr.open_dataset(broken / "results.nc") as dataset:
            xr.testing.assert_identical(numbers_of(dataset), whole)
        again = pipeline.plan(base, AXES, broken)
        assert again.asked.done == 6
        shutil.rmtree(broken)
        tried["repaired to the same numbers"] += 1
    return tried


def damage(file: Path, chance: random.Random) -> str:
    """Change a file for the worse; return what was done."""
    content = bytearray(file.read_bytes())
    kind = chance.choice(("flipped", "cut short", "overwritten", "taken away"))
    if kind == "taken away":
        file.unlink()
        return kind
    if kind == "cut short":
        content = content[: chance.randrange(len(content))] if content else content
    elif content:
        for _ in range(1 if kind == "flipped" else chance.randrange(1, 200)):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    file.write_bytes(content)
    return kind
