"""Run the experiments of all papers, whole or changed, and keep what is measured."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from pipeline.model.parameters import MODEL_VERSION
from tests.papers.catalogue import PAPERS
from tests.papers.finding import Measured, Paper, Published
from tests.papers.running import QUICK, run

RESULTS = Path(__file__).parent / "results.json"


@dataclass(frozen=True)
class Row:
    """A finding as it was measured.

    Attributes
    ----------
    figure, quantity, published, source : str
        As in `Finding`.
    measured : Measured
        Mean and standard error over seeds.
    verdict : str
        `agrees` or `differs`.
    """

    figure: str
    quantity: str
    published: str
    source: str
    measured: Measured
    verdict: str

    @classmethod
    def read(cls, values: dict[str, Any]) -> Row:
        """Return a row of the results file."""
        return cls(**{**values, "measured": Measured(**values["measured"])})


def rows_of(paper: Paper, dataset: xr.Dataset) -> list[Row]:
    """Return the findings of a paper as measured of the whole experiment."""
    found = []
    for finding in paper.findings:
        measured = finding.of(dataset)
        verdict = Published.read(finding.published).verdict(measured)
        known = (finding.figure, finding.quantity, finding.published, finding.source)
        found.append(Row(*known, measured, verdict))
    return found


def run_all(folder: Path) -> None:
    """Run all experiments, and write the results file when all are done."""
    papers = {}
    for paper in PAPERS.values():
        dataset = run(paper.experiment, folder)
        rows = rows_of(paper, dataset)
        seconds = round(float(dataset["wall_time"].sum()), 1)  # also of points that were there
        agreeing = sum(row.verdict == "agrees" for row in rows)
        print(f"{paper.experiment}: {agreeing} of {len(rows)} agree, {seconds:.0f} s", flush=True)
        papers[paper.experiment] = {"seconds": seconds, "rows": [asdict(row) for row in rows]}
    found = {"date": time.strftime("%Y-%m-%d"), "model_version": MODEL_VERSION, "papers": papers}
    RESULTS.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def kept() -> dict[str, Any]:
    """Return the results file: `date`, `model_version`, and run times [s] and rows of `papers`."""
    return dict(json.loads(RESULTS.read_text(encoding="utf-8")))


def kept_rows() -> dict[str, list[Row]]:
    """Return the rows of the results file by experiment."""
    papers = kept()["papers"]
    return {name: [Row.read(row) for row in one["rows"]] for name, one in papers.items()}


def broken(folder: Path) -> Iterator[tuple[str, str, bool]]:
    """Make every change of every experiment, in its quick size.

    Yields
    ------
    experiment, change : str
        Which; the first of each experiment is without a change.
    fails : bool
        Whether its test fails.
    """
    for paper in PAPERS.values():
        yield paper.experiment, "unchanged", _fails(paper, folder / "unchanged")
        for number, change in enumerate(paper.changes):
            where = folder / str(number)
            yield paper.experiment, change.does, _fails(paper, where, *change.overrides)


def _fails(paper: Paper, folder: Path, *overrides: str) -> bool:
    dataset = run(paper.experiment, folder, QUICK, *overrides)
    try:
        paper.check(dataset)
    except AssertionError:
        return True
    return False
