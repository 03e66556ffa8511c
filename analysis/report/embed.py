"""Figures embedded in the page as PNG images with alternative text."""

from __future__ import annotations

import base64
import io
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import xarray as xr

from analysis.figures.registry import Drawn, FigureSpec
from analysis.reading.dataset import axes
from analysis.reading.samples import SAMPLE
from analysis.report import markup
from analysis.report.markup import Markup, element, joined

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


@dataclass(frozen=True)
class Embedded:
    """A figure as HTML, and what it is called in the contents.

    Attributes
    ----------
    id : str
        Of its element, for links.
    against : str
        "against input rate"; empty for a figure without an axis of the sweep as its x axis.
    values : str
        The measure, where its kind has a figure for each, and values of the axes that it does not
        show: "tau_minus = 10 ms"; empty if it shows all.
    html : Markup
        Heading, image, caption and command.
    """

    id: str
    against: str
    values: str
    html: Markup


def embedded(spec: FigureSpec, drawn: Drawn, dataset: xr.Dataset, command: str) -> Embedded:
    """Return a figure as HTML: what it shows in words, its image, its caption and its command.

    The words are left out where they are those of the heading of its kind.

    Parameters
    ----------
    spec : FigureSpec
        What kind of figure it is.
    drawn : Drawn
        The figure.
    dataset : Dataset
        The points that are reported, with `status` (...), dimensionless, along all swept axes.
    command : str
        The command line that draws it.
    """
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
    against = _against(spec, drawn, dataset)
    values = ", ".join(filter(None, [_measure(spec, drawn, dataset), _values(drawn, dataset)]))
    heading = ", ".join(filter(None, [f"{spec.shows} {against}".strip(), values]))
    html = element(
        "figure",
        element("h4", heading) if heading != spec.shows else "",
        image,
        element("figcaption", drawn.caption, markup.commands(command)),
        id=anchor(drawn.name),
        class_="wide" if width > _WIDE * _PIXELS else "",
    )
    return Embedded(anchor(drawn.name), against, values, html)


def _against(spec: FigureSpec, drawn: Drawn, dataset: xr.Dataset) -> str:
    """Return what a figure has as its x axis: "against input rate"; "" without a swept axis."""
    for axis in sorted(axes(dataset), key=len, reverse=True):
        if drawn.name.startswith(f"{spec.name}_against_{axis}"):
            if axis == SAMPLE:
                return "against what samples set"
            return f"against {dataset[axis].attrs.get('long_name', axis)}"
    return ""


def _measure(spec: FigureSpec, drawn: Drawn, dataset: xr.Dataset) -> str:
    """Return the measure in the name of a figure whose kind has one for each: "output rate"."""
    start, _, rest = drawn.name.partition(f"{spec.name}_")
    names = [name for name in map(str, dataset.data_vars) if not start and rest.startswith(name)]
    return max(names, key=len, default="").replace("_", " ")


def _values(drawn: Drawn, dataset: xr.Dataset) -> str:
    """Return the values of the axes that a figure does not show: "tau_minus = 10 ms"."""
    keys = {dataset[axis].attrs.get("config_key", axis): axis for axis in axes(dataset)}
    texts = []
    for condition in drawn.where:
        key, _, value = condition.partition("=")
        axis = keys.get(key, key)
        units = dataset[axis].attrs.get("units", "") if axis in dataset.coords else ""
        texts.append(f"{axis} = {value} {units}".strip())
    return ", ".join(texts)


def group(spec: FigureSpec, figures: Sequence[Embedded], messages: Sequence[str]) -> Markup:
    """Return all figures of one kind under its heading, and messages below them."""
    return element(
        "div",
        element("h3", spec.shows),
        element("div", *(one.html for one in figures), class_="figures"),
        *(element("p", message, class_="quiet") for message in messages),
        id=_anchor_of_kind(spec),
    )


def contents(groups: Sequence[tuple[FigureSpec, Sequence[Embedded]]]) -> Markup:
    """Return a list of the kinds of figures, with links to each figure by the values it is of."""
    kinds = []
    for spec, figures in groups:
        by_axis: dict[str, list[Embedded]] = {}
        for one in figures:
            by_axis.setdefault(one.against, []).append(one)
        entries = filter(None, (_entry(against, some) for against, some in by_axis.items()))
        listed = [element("li", entry) for entry in entries]
        name = markup.link(_anchor_of_kind(spec), spec.shows)
        kinds.append(joined(name, element("ul", *listed)) if listed else name)
    return element("nav", markup.bullets(kinds), aria_label="Figures", class_="kinds")


def _entry(against: str, figures: Sequence[Embedded]) -> Markup:
    """Return the links to the figures with one x axis: by their values if there are several.

    It is empty for the only figure of a kind, to which the link of the kind leads.
    """
    if len(figures) == 1:
        (one,) = figures
        text = ", ".join(filter(None, [against, one.values]))
        return markup.link(one.id, text) if text else Markup()
    links = [markup.link(one.id, one.values or "all") for one in figures]
    listed = [part for link in links for part in ("; ", link)][1:]
    return joined(f"{against}: " if against else "", *listed)


def _anchor_of_kind(spec: FigureSpec) -> str:
    return f"figures-{spec.name}"


def anchor(name: str) -> str:
    """Return the id of a figure for links; characters not allowed in an id become hyphens."""
    return f"figure-{re.sub(r'[^A-Za-z0-9_.=-]', '-', name)}"


def _alt(drawn: Drawn) -> str:
    """Return the alternative text of a figure: caption, axis labels, titles it does not repeat."""
    figure = drawn.figure
    panels = figure.axes
    titles = [figure.get_suptitle(), *(panel.get_title(loc="left") for panel in panels)]
    horizontal = [figure.get_supxlabel(), *(panel.get_xlabel() for panel in panels)]
    vertical = [figure.get_supylabel(), *(panel.get_ylabel() for panel in panels)]
    stated = _words(drawn.caption)
    own = [text for text in _plain(titles) if _words(text) not in stated]
    parts = [drawn.caption.rstrip("."), *own]
    parts += [f"Horizontal: {', '.join(_plain(horizontal, ' '))}"] if any(horizontal) else []
    parts += [f"Vertical: {', '.join(_plain(vertical, ' '))}"] if any(vertical) else []
    return ". ".join(parts) + "."


def _words(text: str) -> str:
    """Return a text without the ends of its sentences and lines."""
    return " ".join(re.sub(r"[.;]+(?=\s|$)", " ", text).split())


def _plain(texts: Sequence[str], line_break: str = "; ") -> list[str]:
    """Return the distinct labels of a figure without LaTeX markup and line breaks."""
    plain = (re.sub(r"\\,|\\mathrm|[${}\\]", "", text) for text in texts)
    plain = (text.replace("\n", line_break) for text in plain)
    return [text for text in dict.fromkeys(plain) if text]
