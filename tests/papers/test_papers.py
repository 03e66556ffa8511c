"""The finding of each paper, by `+size=quick` of its experiment, and the kept results of all.

Each test fails under the changes that its paper lists (`Paper.changes`): `make papers-broken` makes
them.
"""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.model.parameters import MODEL_VERSION
from tests.conftest import ROOT
from tests.papers import campaign, page
from tests.papers.catalogue import PAPERS
from tests.papers.finding import AGREES, DIFFERS, Measured, Published
from tests.papers.running import QUICK, opened, words


@pytest.mark.long
@pytest.mark.parametrize("paper", PAPERS.values(), ids=PAPERS)
def test_the_finding_comes_out(command, tmp_path, paper):
    """With the quick size: what the docstring of `check` states."""
    where = (f"outputs={tmp_path}", f"name={paper.experiment}", "run.n_jobs=1")
    ended = command(*words(paper.experiment, QUICK), *where)
    assert ended.code == 0, ended.err
    paper.check(opened(tmp_path, paper.experiment))


def test_every_paper_says_under_which_change_its_test_fails():
    """At least one each, with overrides, and a docstring with what is asserted."""
    for paper in PAPERS.values():
        assert paper.changes, paper.experiment
        assert all(change.does and change.overrides for change in paper.changes)
        assert paper.check.__doc__, paper.experiment


def test_every_paper_has_findings_with_figure_value_and_source():
    """None is empty, each published value can be read, and an experiment over seeds has eight."""
    for name, rows in campaign.kept_rows().items():
        assert rows, name
        for row in rows:
            assert row.figure, (name, row.quantity)
            assert row.quantity, name
            assert row.source, (name, row.quantity)
            assert Published.read(row.published), (name, row.quantity)
            assert row.measured.n in (1, 8), (name, row.quantity)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.6", Published(0.6, 0.05)),
        ("1219", Published(1219, 0.5)),
        ("-0.04 ± 0.05", Published(-0.04, 0.05)),
        ("< 0.1", Published(0.1, 0, "<")),
    ],
)
def test_a_published_value_has_its_error_or_half_of_its_last_digit(text, expected):
    """As it is written in the table."""
    found = Published.read(text)
    assert found.bound == expected.bound
    assert (found.value, found.error) == pytest.approx((expected.value, expected.error))


def test_a_published_value_that_is_no_number_is_refused():
    """So that a typing error does not become a verdict."""
    with pytest.raises(ValueError, match="about half: must be a number"):
        Published.read("about half")


@pytest.mark.parametrize(
    ("text", "mean", "verdict"),
    [
        ("0.5", 0.52, AGREES),
        ("0.5", 0.60, DIFFERS),  # 0.1 > hypot(0.05, 0.0236)
        ("0.5 ± 0.1", 0.60, AGREES),
        ("< 0.5", 0.47, AGREES),
        ("< 0.5", 0.49, DIFFERS),  # the interval ends at 0.514
        ("> 0.5", 0.53, AGREES),
        ("> 0.5", 0.51, DIFFERS),
    ],
)
def test_the_verdict_adds_both_errors_in_quadrature(text, mean, verdict):
    """Of eight seeds with a standard error of 0.01: Student's interval is ± 0.0236."""
    measured = Measured(mean, 0.01, 8)
    assert measured.half_width == pytest.approx(0.02365, abs=1e-5)
    assert Published.read(text).verdict(measured) == verdict


def test_a_mean_over_seeds_has_its_standard_error():
    """Of 1, 2, 3: 2 with 1 / sqrt(3); a seed without a value is no mean."""
    measured = Measured.over(np.array([1.0, 2.0, 3.0]))
    assert (measured.mean, measured.n) == (2, 3)
    assert measured.error == pytest.approx(1 / np.sqrt(3))
    with pytest.raises(ValueError, match="must be a number for each seed"):
        Measured.over(np.array([1.0, np.nan]))


def test_the_kept_results_are_of_these_findings():
    """Of this model version; each finding with its verdict, each difference with its cause."""
    assert campaign.kept()["model_version"] == MODEL_VERSION
    kept = campaign.kept_rows()
    assert list(kept) == list(PAPERS)
    for name, rows in kept.items():
        findings = PAPERS[name].findings
        assert [row.quantity for row in rows] == [one.quantity for one in findings]
        for row, finding in zip(rows, findings, strict=True):
            assert (row.published, row.source) == (finding.published, finding.source)
            assert row.verdict == Published.read(row.published).verdict(row.measured)
            assert row.verdict == AGREES or finding.cause, (name, row.quantity)


def test_the_page_is_that_of_the_kept_results():
    """`make papers` writes both."""
    assert (
        page.with_findings((ROOT / "docs" / "papers.md").read_text())
        == (ROOT / "docs" / "papers.md").read_text()
    )
