"""Run the campaigns with a new random seed (`make soak`) and write their counts to RESULTS.md.

With names of campaigns only these are run, and their rows replaced.
"""

from __future__ import annotations

import logging
import os
import platform
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

from tests.soak.damage import damage_and_repair
from tests.soak.full_disk import fill_and_resume
from tests.soak.growth import damage_and_grow, kill_and_grow, move_and_grow
from tests.soak.guests import call_from_pools
from tests.soak.kills import kill_and_resume
from tests.soak.moves import fail_jobs, move_and_repeat
from tests.soak.operations import fail_operations
from tests.soak.requests import make_requests

RESULTS = Path(__file__).parent / "RESULTS.md"

CAMPAIGNS: dict[str, tuple[int, Callable[..., Counter]]] = {
    "kills": (80, kill_and_resume),
    "damage": (400, damage_and_repair),
    "moves": (200, move_and_repeat),
    "kills of growth": (32, kill_and_grow),
    "damage of growth": (80, damage_and_grow),
    "moves of growth": (40, move_and_grow),
    "jobs": (20, fail_jobs),
    "full disk": (15, fill_and_resume),
    "file operations": (600, fail_operations),
    "guests": (1, call_from_pools),
    "requests": (300, make_requests),
}


def main() -> None:
    """Run all campaigns, or those named on the command line; stop at the first violation."""
    logging.getLogger("pipeline").setLevel(logging.ERROR)  # every damaged file is a warning
    seed = random.randrange(2**32)
    print(f"seed {seed}", flush=True)
    rows = _rows_of(RESULTS.read_text()) if sys.argv[1:] else {}
    for name in sys.argv[1:] or CAMPAIGNS:
        n_trials, campaign = CAMPAIGNS[name]
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            tried = campaign(n_trials, random.Random(seed), Path(folder))
        minutes = (time.monotonic() - started) / 60
        counts = ", ".join(f"{count:,} {kind}" for kind, count in tried.most_common())
        rows[name] = f"| {name} | {counts} | {minutes:.0f} min | {date.today()} |"
        print(rows[name], flush=True)
    lines = [
        f"Last runs by `make soak`, {os.cpu_count()} cores, {platform.system()}; "
        "no violation found.",
        "",
        "| campaign | trials | time | date |",
        "|---|---|---|---|",
        *(rows[name] for name in CAMPAIGNS if name in rows),
    ]
    RESULTS.write_text("\n".join(lines) + "\n")


def _rows_of(text: str) -> dict[str, str]:
    """Return the rows of the table by campaign."""
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    return {row.split(" | ")[0].removeprefix("| "): row for row in rows}


if __name__ == "__main__":
    main()
