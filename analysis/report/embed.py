"""Figures embedded in the page as PNG images with alternative text."""

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

#: Pixels of the page per inch of a figure, so that its letters are as large as those of the page.
_PIXELS = 130

#: Wider figures [inch] take the whole width of the page.
_WIDE = 4


class _Collector(logging.Handler):
    """Collects log messages, such as that some slices were not drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@contextmanager
def log_messages() -> Iterator[list[str]]:
    """Yield a list that collects the log messages of the block, in place of the terminal."""
    log, handler = logging.getLogger("analysis"), _Collector()
    propagated, log.propagate = log.propagate, False
    log.addHandler(handler)
    try:
        yield handler.messages
    finally:
        log.removeHandler(handler)
        log.propagate = propagated


def picture(drawn: Drawn, command: str) -> Markup:
    """Return a figure as HTML: its name, its image, its caption and its command."""
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
    """Return the id of a figure for links; characters not allowed in an id become hyphens."""
    return f"figure-{re.sub(r'[^A-Za-z0-9_.=-]', '-', name)}"


def _alt(drawn: Drawn) -> str:
    """Return the alternative text of a figure: caption, titles and axis labels."""
    figure = drawn.figure
    panels = figure.axes
    titles = [figure.get_suptitle(), *(panel.get_title(loc="left") for panel in panels)]
    horizontal = [figure.get_supxlabel(), *(panel.get_xlabel() for panel in panels)]
    vertical = [figure.get_supylabel(), *(panel.get_ylabel() for panel in panels)]
    parts = [drawn.caption.rstrip("."), *_plain(titles)]
    parts += [f"Horizontal: {', '.join(_plain(horizontal, ' '))}"] if any(horizontal) else []
    parts += [f"Vertical: {', '.join(_plain(vertical, ' '))}"] if any(vertical) else []
    return ". ".join(parts) + "."


def _plain(texts: Sequence[str], line_break: str = "; ") -> list[str]:
    """Return the distinct labels of a figure without LaTeX markup and line breaks."""
    plain = (re.sub(r"\\,|\\mathrm|[${}\\]", "", text) for text in texts)
    plain = (text.replace("\n", line_break) for text in plain)
    return [text for text in dict.fromkeys(plain) if text]
