"""The tables of `docs/explanation/other_simulators.md`, from the stored results.

The text between `<!-- compare: NAME -->` and `<!-- compare end -->` is replaced as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.compare.cases import KINDS, USUAL, overrides_of
from tests.compare.nest_cases import FREE, PRESCRIBED
from tests.compare.results import TOLERANCE

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "other_simulators.md"


def blocks(results: Mapping[str, Any]) -> dict[str, str]:
    """Return the text of every block by its name."""
    return {
        "brian2": _brian2(results),
        "brian2 usual": _brian2_usual(results),
        "nest weights": _nest_weights(results),
        "nest rates": _nest_rates(results),
    }


def _brian2(results: Mapping[str, Any]) -> str:
    rows = []
    for kind, cases in KINDS.items():
        for name in cases:
            entry = results["brian2"][name]
            overrides = " ".join(f"`{one}`" for one in overrides_of(kind, name)[:-1])
            rows.append([kind, name, overrides, *_same(entry)])
    heading = ["", "case", "beyond the values by default", "output spikes", "weights"]
    return f"Brian2 {results['versions']['Brian2']}, 10 s:\n\n{_table(heading, rows)}"


def _brian2_usual(results: Mapping[str, Any]) -> str:
    same = results["brian2"]["additive"]
    rows = [["none", f"{same['spikes']:,}", "-", f"{same['mean_weight']:.4f}"]]
    for name, meaning in USUAL.items():
        entry = results["brian2_usual"][name]
        rows.append([meaning, f"{entry['spikes']:,}", _first(entry), f"{entry['mean_weight']:.4f}"])
    entry = results["brian2"]["ltp_only"]
    meaning = "coincidences are LTP only (`stdp.coincidence=ltp_only` here)"
    rows.append([meaning, f"{entry['spikes']:,}", "", f"{entry['mean_weight']:.4f}"])
    heading = ["left as usual", "output spikes in 10 s", "first one that differs", "mean weight"]
    return _table(heading, rows)


def _first(entry: Mapping[str, Any]) -> str:
    if entry["first_difference"] is None:
        return "none"
    return f"no. {entry['first_difference'] + 1}, at {entry['at_step']:,} ms"


def _nest_weights(results: Mapping[str, Any]) -> str:
    rows = []
    for name, case in PRESCRIBED.items():
        entry = results["nest_prescribed"][name]
        rows.append([f"`{case.model}`", name, *_same(entry)])
    heading = ["NEST's synapse", "case", "output spikes", "weights"]
    return f"NEST {results['versions']['NEST']}, 10 s at dt 1 ms:\n\n{_table(heading, rows)}"


def _same(entry: Mapping[str, Any]) -> list[str]:
    """Return the cells of a comparison on the same events: spikes, largest weight difference."""
    difference = entry["largest_weight_difference"]
    spikes = f"{entry['spikes']:,}, {'equal' if entry['same_spikes'] else '**different**'}"
    weights = f"equal (within {difference:.0e})" if difference else "equal"
    return [spikes, weights if difference < TOLERANCE else f"differ by up to {difference:.4f}"]


def _nest_rates(results: Mapping[str, Any]) -> str:
    rows = []
    after = "weight sent after its LTD"
    for name, case in FREE.items():
        entry = results["nest_free"][name]
        sides = [entry[side] for side in ("here", f"here, {after}", "NEST")]
        rates = [_mean(side["rate"], 2) for side in sides]
        weights = [_mean(side["weight"], 4) for side in sides]
        rows.append([f"`{case.model}`", name, *rates, *weights])
    headings = ["rate here (Hz)", f"here, {after}", "NEST", "mean weight here"]
    heading = ["NEST's synapse", "case", *headings, f"here, {after}", "NEST"]
    return _table(heading, rows)


def _mean(values: Sequence[float], digits: int) -> str:
    return f"{values[0]:.{digits}f} ± {values[1]:.{digits}f}"


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
