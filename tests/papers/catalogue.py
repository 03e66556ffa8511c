"""All papers, in the order of the page."""

from __future__ import annotations

from tests.papers import (
    brian2_example,
    gilson2009,
    gutig2003,
    masquelier2008,
    notebook,
    pfister2006,
    rubin2001,
    song2000,
    song2001,
    van_rossum2000,
)

#: By the name of the experiment.
PAPERS = {
    paper.experiment: paper
    for module in (
        notebook,
        song2000,
        song2001,
        van_rossum2000,
        rubin2001,
        gutig2003,
        pfister2006,
        masquelier2008,
        gilson2009,
        brian2_example,
    )
    for paper in module.PAPERS
}
