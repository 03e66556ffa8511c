"""`make papers` runs all experiments of papers, `make papers-broken` all changes of their tests."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.conftest import ROOT
from tests.papers import campaign, page

PAGE = ROOT / "docs" / "papers.md"


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.papers", description=__doc__)
    parser.add_argument("--outputs", type=Path, default=ROOT / "outputs" / "papers")
    parser.add_argument("--broken", action="store_true", help="make every change, in a quick size")
    parser.add_argument("--page", action="store_true", help="write the page again, without a run")
    given = parser.parse_args()
    if given.broken:
        sys.exit(_broken())
    if not given.page:
        campaign.run_all(given.outputs)
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(page.with_findings(text), encoding="utf-8")


def _broken() -> int:
    """Return how many tests survived a change of theirs, or fail without one."""
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for experiment, change, fails in campaign.broken(Path(folder)):
            as_it_should = fails == (change != "unchanged")
            wrong += not as_it_should
            said = "fails" if fails else "passes"
            note = "" if as_it_should else ", AS IT SHOULD NOT"
            print(f"{experiment}, {change}: its test {said}{note}", flush=True)
    return min(wrong, 1)


if __name__ == "__main__":
    main()
