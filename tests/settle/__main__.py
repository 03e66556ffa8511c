"""Run the campaign (`make settle`) and write its counts, and every point, to RESULTS.md."""

from __future__ import annotations

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
    N_NEAR,
    N_RULES,
    Outcome,
    outcomes,
)

RESULTS = Path(__file__).parent / "RESULTS.md"


def main() -> None:
    """Run all points."""
    started = time.monotonic()
    found = []
    for outcome in outcomes():
        found.append(outcome)
        print(_row(len(found), outcome), flush=True)
    minutes = (time.monotonic() - started) / 60
    lines = [
        f"Last run of `make settle`: {date.today()}, {minutes:.0f} min.",
        "",
        f"Settled means that, {criterion()}.",
        "Single runs from the notebook's initial weights with simulation.until=settled, at most",
        f"{LIMIT / 1000:,.0f} s, looked at after 64 s times powers of 2; those with an answer then",
        f"went on from their end state until they were {LONGER} times as long.",
        "",
        *_summary(found[:N_NEAR]),
        *_of_rules(found[-N_RULES:]),
        "",
        "| no. | " + " | ".join([*KEYS, CHOICE]) + " | answer | after (s) | rate (Hz) | later |",
        "|" + "---|" * (len(KEYS) + 6),
        *(_row(number, outcome) for number, outcome in enumerate(found, 1)),
    ]
    RESULTS.write_text("\n".join(lines).replace("\xa0", " ") + "\n")


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


def _of_rules(found: Sequence[Outcome]) -> Iterator[str]:
    """Yield the counts over the points of other rules."""
    firing = [one for one in found if one.rate > 0]
    counts = Counter(one.answer for one in firing)
    answered = [one for one in firing if one.answer in STATIONARY]
    off = sum(one.off.any() for one in answered)
    yield (
        f"- Of the {len(firing)} points of other rules that fire, among the last {N_RULES}: "
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
