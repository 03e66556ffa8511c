"""The findings in `docs/papers.md`, from the results file."""

from __future__ import annotations

import re

from tests.papers import campaign
from tests.papers.catalogue import PAPERS
from tests.papers.finding import AGREES, LEVEL, Finding, Paper

BEGIN, END = "<!-- findings: begin, by make papers -->", "<!-- findings: end -->"

_SECTION = re.compile(f"{BEGIN}\n.*?{END}", re.DOTALL)


def with_findings(page: str) -> str:
    """Return the page with the findings of the results file between its two marks.

    Raises
    ------
    ValueError
        If the page lacks a mark.
    """
    if not _SECTION.search(page):
        raise ValueError(f"docs/papers.md: must contain {BEGIN} and {END}")
    return _SECTION.sub(lambda _: f"{BEGIN}\n\n{_findings()}\n\n{END}", page)


def _findings() -> str:
    kept, rows = campaign.kept(), campaign.kept_rows()
    all_rows = [row for one in rows.values() for row in one]
    agreeing = sum(row.verdict == AGREES for row in all_rows)
    minutes = sum(one["seconds"] for one in kept["papers"].values()) / 60
    parts = [
        f"`make papers` ran the {len(rows)} experiments below on {kept['date']} in "
        f"{minutes:.0f} minutes, summed over points: {agreeing} of {len(all_rows)} values agree.",
        f"Measured is the mean over seeds with its {LEVEL:.0%} interval (Student's), in "
        "parentheses the standard error and the number of seeds. A value agrees if the published "
        "one is within this interval and the published error, or half of its last digit, added in "
        "quadrature; with a bound, if the whole interval is on its side.",
        *(_of_paper(PAPERS[name], found) for name, found in rows.items() if name in PAPERS),
    ]
    return "\n\n".join(parts)


def _of_paper(paper: Paper, rows: list[campaign.Row]) -> str:
    lines = [f"### {paper.experiment}", "", f"{paper.citation}. {_sentence(paper.check.__doc__)}"]
    if rows:
        lines += ["", "| figure | quantity | published | measured | verdict |", "|" + "---|" * 5]
    lines += [
        f"| {row.figure} | {row.quantity} | {row.published} | {_written(row.measured)} "
        f"| {row.verdict} |"
        for row in rows
    ]
    sources = dict.fromkeys(row.source for row in rows)
    if sources:
        lines += ["", f"Published: {'; '.join(sources)}."]
    causes = dict.fromkeys(
        _cause(finding)
        for row, finding in zip(rows, paper.findings, strict=True)
        if row.verdict != AGREES
    )
    if causes:
        lines += ["", f"Likely cause of what differs: {'; '.join(causes)}."]
    undone = "; ".join(change.does for change in paper.changes)
    lines += ["", f"Its test fails with: {undone}."]
    return "\n".join(lines)


def _cause(finding: Finding) -> str:
    return finding.cause or "not known"


def _sentence(docstring: str | None) -> str:
    return " ".join((docstring or "").split())


def _written(measured: campaign.Measured) -> str:
    if measured.n < 2:
        return f"{round(measured.mean, 6):.4g}"
    if measured.error == 0:
        return f"{measured.mean:.4g} ± 0 ({measured.n})"
    return f"{measured.mean:.3g} ± {measured.half_width:.2g} ({measured.error:.2g}, {measured.n})"
