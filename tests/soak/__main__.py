"""`make soak`: long campaigns, other ones every time; what was tried goes to RESULTS.md."""

from __future__ import annotations

import logging
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
from tests.soak.full_disk import fill_and_make_room
from tests.soak.kills import kill_and_resume
from tests.soak.requests import ask_for_nonsense

RESULTS = Path(__file__).parent / "RESULTS.md"

CAMPAIGNS: dict[str, tuple[int, Callable[..., Counter]]] = {
    "kills": (80, kill_and_resume),
    "damage": (400, damage_and_repair),
    "full disk": (15, fill_and_make_room),
    "requests": (300, ask_for_nonsense),
}


def main() -> None:
    """Run all campaigns, or those that are named; stop at the first broken promise."""
    logging.getLogger("pipeline").setLevel(logging.ERROR)  # of damage there is no end
    seed = random.randrange(2**32)
    print(f"seed {seed}", flush=True)
    lines = [
        f"The last `make soak`, {date.today()}, {platform.platform()}: no promise was broken.",
        "",
        "| campaign | what was tried | |",
        "|---|---|---|",
    ]
    for name in sys.argv[1:] or CAMPAIGNS:
        n_trials, campaign = CAMPAIGNS[name]
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            tried = campaign(n_trials, random.Random(seed), Path(folder))
        minutes = (time.monotonic() - started) / 60
        words = ", ".join(f"{count:,} {what}" for what, count in tried.most_common())
        lines.append(f"| {name} | {words} | {minutes:.0f} min |")
        print(lines[-1], flush=True)
    if not sys.argv[1:]:
        RESULTS.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
