"""Test the calibration at full size (`make inference`), and write the coverage to RESULTS.md."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import date
from pathlib import Path

from tests.inference.calibration import LEVELS, MOST_ERRORS, PRIOR, Coverage, inferred_ranks

RESULTS = Path(__file__).parent / "RESULTS.md"


def main() -> int:
    """Return 1 if the coverage is not nominal."""
    parser = argparse.ArgumentParser(prog="python -m tests.inference", description=__doc__)
    parser.add_argument("--simulations", type=int, default=100_000, help="for training")
    parser.add_argument("--truths", type=int, default=1_000, help="for the coverage")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    started = time.monotonic()
    ranks = inferred_ranks(asked.simulations, asked.truths, 1_000, asked.seed)
    coverage = Coverage.of(ranks)
    text = page(coverage, asked.simulations, asked.truths, time.monotonic() - started)
    RESULTS.write_text(text)
    print(text)
    return 0 if coverage.is_nominal else 1


def page(coverage: Coverage, n_simulations: int, n_truths: int, seconds: float) -> str:
    """Return the text of RESULTS.md."""
    answer = "nominal" if coverage.is_nominal else "NOT nominal"
    lines = [
        f"Last run of `make inference`: {date.today()}, {seconds / 60:.0f} min.",
        "",
        f"Neural posterior estimation by sbi (mixture density network, {n_simulations:,} "
        "simulations of 120 s) from the histogram of weights and the output rate; "
        f"{n_truths:,} further truths.",
        f"The coverage is {answer}: within {MOST_ERRORS:g} standard errors at every level.",
        "",
        "| truths within the central | " + " | ".join(f"{level:.0%}" for level in LEVELS) + " |",
        "|" + "---|" * (len(LEVELS) + 1),
        *(
            f"| {key} | " + " | ".join(f"{share:.1%}" for share in shares) + " |"
            for key, shares in zip(PRIOR, coverage.shares, strict=True)
        ),
        "| standard error | " + " | ".join(f"{error:.1%}" for error in coverage.errors) + " |",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
