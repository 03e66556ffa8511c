"""Figures inside a page: their pixels, and words for who cannot see them."""

from __future__ import annotations

import base64
import io
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from analysis.figures.registry import Drawn
from analysis.report import markup
from analysis.report.markup import Markup, element

_DPI = 200

#: Pixels of the page for an inch of a figure, whose letters then are as large as those around it.
_PIXELS = 130

#: Two figures that are wider [inch] do not stand side by side.
_WIDE = 4


class _Remarks(logging.Handler):
    """Collects what is told while drawing, as that figures of a kind were left out."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.words.append(record.getMessage())


@contextmanager
def remarks() -> Iterator[list[str]]:
    """Yield a list in which remarks gather while figures are drawn."""
    log, handler = logging.getLogger("analysis"), _Remarks()
    propagated, log.propagate = log.propagate, False
    log.addHandler(handler)
    try:
        yield handler.words
    finally:
        log.removeHandler(handler)
        log.propagate = propagated


def picture(drawn: Drawn, command: str) -> Markup:
    """Return a figure with its name above, its caption and command below."""
    png = io.BytesIO()
    drawn.figure.savefig(png, format="png", dpi=_DPI)
    width, height = (round(_PIXELS * inches) for inches in drawn.figure.get_size_inches())
    image = element(
        "img",
        src=f"data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}",
        alt=_alt(drawn),
        width=width,
        height=height,
    )
    caption = element("figcaption", drawn.caption, markup.commands(command))
    return element(
        "figure",
        element("h3", drawn.name),
        image,
        caption,
        id=anchor(drawn.name),
        class_="wide" if width > _WIDE * _PIXELS else "",
    )


def anchor(name: str) -> str:
    """Return what a figure is linked to by; a value in its name may have blanks, this may not."""
    return f"figure-{re.sub(r'[^A-Za-z0-9_.=-]', '-', name)}"


def _alt(drawn: Drawn) -> str:
    """Say what a figure shows to who cannot see it: caption, title, and what is along its axes."""
    figure = drawn.figure
    panels = figure.axes
    title = [figure.get_suptitle(), *(panel.get_title(loc="left") for panel in panels)]
    across = [figure.get_supxlabel(), *(panel.get_xlabel() for panel in panels)]
    up = [figure.get_supylabel(), *(panel.get_ylabel() for panel in panels)]
    words = [drawn.caption.rstrip("."), *_plain(title)]
    words += [f"Across: {', '.join(_plain(across))}"] if any(across) else []
    words += [f"Up: {', '.join(_plain(up))}"] if any(up) else []
    return ". ".join(words) + "."


def _plain(texts: Sequence[str]) -> list[str]:
    """Return labels of a figure without the marks of formulas and ends of lines, each once."""
    plain = (re.sub(r"\\,|\\mathrm|[${}\\]", "", text).replace("\n", "; ") for text in texts)
    return [text for text in dict.fromkeys(plain) if text]
