"""Call the public functions in the workers of every kind of pool, with every backend."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

from tests.support.guest import POOLS, call_everything


def call_from_pools(n_rounds: int, chance: random.Random, folder: Path) -> Counter:
    """Call everything in each kind of pool, `n_rounds` times; compare with the same calls alone."""
    tried: Counter = Counter()
    for _ in range(n_rounds):
        seeds = [chance.randrange(1000) for _ in range(8)]
        alone = [call_everything((seed, "sequential")) for seed in seeds]
        for kind, run in POOLS.items():
            for backend in ("threading", "loky", "sequential"):
                tasks = [(seed, backend) for seed in seeds]
                assert run(call_everything, tasks) == alone, (kind, backend)
                tried[f"calls from {kind}"] += len(tasks)
    return tried
