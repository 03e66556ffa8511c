"""Run the campaign (`make settle`) and write its counts, and every point, to RESULTS.md.

`--only inputs` runs the last points, those of input processes and inhibition, and keeps the
results of all others as they are: they hold as long as model version and criterion do.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np

from analysis.measures.settling import criterion
from analysis.measures.stationarity import QUANTITIES, SETTLED, STATIONARY
from tests.settle.campaign import (
    CHOICE,
    KEYS,
    LIMIT,
    LONGER,
    N_FAR,
    N_INPUTS,
    N_NEAR,
    N_RULES,
    Outcome,
    outcomes,
    points_listed,
)

RESULTS = Path(__file__).parent / "RESULTS.md"


_INPUTS = f"of other inputs and with inhibition that fire, among the last {N_INPUTS}"


def main() -> None:
    """Run all points, or the last ones."""
    parser = argparse.ArgumentParser(prog="python -m tests.settle", description=__doc__)
    parser.add_argument("--only", choices=["inputs"], help="only these points")
    parser.add_argument("--jobs", type=int, default=-1, help="number of processes")
    arguments = parser.parse_args()
    points = points_listed()
    n_kept = len(points) - N_INPUTS if arguments.only else 0
    started, found = time.monotonic(), []
    for outcome in outcomes(points[n_kept:], n_jobs=arguments.jobs):
        found.append(outcome)
        print(_row(n_kept + len(found), outcome), flush=True)
    head, rows = _kept(n_kept) if n_kept else (_head(found, time.monotonic() - started), [])
    lines = [
        *head,
        *_counts(_INPUTS, found[-N_INPUTS:]),
        "",
        "| no. | " + " | ".join([*KEYS, CHOICE]) + " | answer | after (s) | rate (Hz) | later |",
        "|" + "---|" * (len(KEYS) + 6),
        *rows,
        *(_row(number, outcome) for number, outcome in enumerate(found, n_kept + 1)),
    ]
    RESULTS.write_text("\n".join(lines).replace("\xa0", " ") + "\n")


def _head(found: Sequence[Outcome], seconds: float) -> list[str]:
    """Return the lines above the counts over the last points."""
    return [
        f"Last run of `make settle`: {date.today()}, {seconds / 60:.0f} min.",
        "",
        f"Settled means that, {criterion()}.",
        "Single runs from the notebook's initial weights with simulation.until=settled, at most",
        f"{LIMIT / 1000:,.0f} s, looked at after 64 s times powers of 2; those with an answer then",
        f"went on from their end state until they were {LONGER} times as long.",
        "",
        *_summary(found[:N_NEAR]),
        *_counts(
            f"of other rules that fire, among the {N_RULES} before the last {N_INPUTS}",
            found[-N_RULES - N_INPUTS : -N_INPUTS],
        ),
    ]


def _kept(n_rows: int) -> tuple[list[str], list[str]]:
    """Return the lines of RESULTS.md above the counts over the last points, and its first rows."""
    head, _, table = RESULTS.read_text().partition("\n\n| no. |")
    lines = [line for line in head.splitlines() if _INPUTS not in line]
    return lines, table.splitlines()[2:][:n_rows]


def _summary(near: Sequence[Outcome]) -> Iterator[str]:
    """Yield the counts over the points near the balance."""
    firing = [one for one in near if one.rate > 0]
    answered = [one for one in firing if one.answer in STATIONARY]
    settled = [one for one in firing if one.answer == SETTLED]
    counts = Counter(one.answer for one in near)
    yield f"Points 1 to {N_NEAR}, effective ratio 0.9 to 1.15: " + ", ".join(
        f"{n} {answer}" for answer, n in counts.most_common()
    )
    yield f"(the next {N_FAR}, 1.15 to 1.5, and two hard ones are listed without a quota)."
    yield ""
    yield f"- {len(answered)} of {len(firing)} points that fire in the last half have an answer."
    off, beyond = (sum(getattr(one, name).any() for one in answered) for name in ("off", "beyond"))
    yield f"- {off} of these differ later by more than tolerance and errors explain, {beyond} by"
    yield "  more than the tolerance."
    yield (
        f"- 95 % intervals of the {len(settled)} settled ones cover the mean of the far half: "
        + (
            ", ".join(
                f"{name} {share:.0%}"
                for name, share in zip(
                    QUANTITIES, np.mean([one.covered for one in settled], axis=0), strict=False
                )
            )
            + "."
        )
    )


def _counts(which: str, found: Sequence[Outcome]) -> Iterator[str]:
    """Yield the counts over points beside the main part."""
    firing = [one for one in found if one.rate > 0]
    counts = Counter(one.answer for one in firing)
    answered = [one for one in firing if one.answer in STATIONARY]
    off = sum(one.off.any() for one in answered)
    yield (
        f"- Of the {len(firing)} points {which}: "
        + ", ".join(f"{n} {answer}" for answer, n in counts.most_common())
        + f"; {off} of the {len(answered)} with an answer differ later."
    )


def _row(number: int, outcome: Outcome) -> str:
    names = [name for name, off in zip(QUANTITIES, outcome.off, strict=True) if off]
    within = [name for name, off in zip(QUANTITIES, outcome.beyond, strict=True) if off]
    later = f"off: {', '.join(names)}" if names else ""
    later = later or (f"within errors: {', '.join(within)}" if within else "")
    cells = [
        *outcome.values.values(),
        outcome.answer,
        f"{outcome.time / 1000:,.0f}",
        f"{outcome.rate:.3g}",
        later,
    ]
    return f"| {number} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
