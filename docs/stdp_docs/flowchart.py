"""Flowcharts in the syntax of Mermaid as SVG, drawn when the site is built: no script is loaded.

What is drawn is a layer for each rank, of boxes of one height, and straight arrows between them:
nodes `name`, `name[label]`, `name[(label)]`; edges `a --> b & c`, `a -- label --> b`; directions LR
and BT. Anything else is an error.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_CHART = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NODE = re.compile(r"(\w+)(?:\[\(?([^\])]*)\)?\])?")
_EDGE = re.compile(r"(.+?) --(?: (.+?) --)?> (.+)")

#: Sizes [px]: of a letter, of a box beside its letters, between boxes and between layers.
_LETTER, _MARGIN, _HEIGHT, _BETWEEN, _LAYERS = 7.4, 24.0, 34.0, 26.0, 44.0


@dataclass
class Chart:
    """A flowchart.

    Attributes
    ----------
    direction : str
        LR, from left to right, or BT, from bottom to top.
    labels : dict of str to str
        Labels of the nodes by name.
    edges : list of tuple of str
        Start, end and label of each arrow.
    """

    direction: str
    labels: dict[str, str] = field(default_factory=dict)
    edges: list[tuple[str, str, str]] = field(default_factory=list)

    @classmethod
    def parsed(cls, text: str) -> Chart:
        """Return the chart of a text.

        Raises
        ------
        ValueError
            If a line is not of the syntax that is drawn.
        """
        first, *lines = [line.strip() for line in text.strip().splitlines()]
        found = re.fullmatch(r"flowchart (LR|BT)", first)
        if not found:
            raise ValueError(f"{first}: must be flowchart LR or flowchart BT")
        chart = cls(found[1])
        for line in lines:
            edge = _EDGE.fullmatch(line)
            if not edge:
                raise ValueError(f"{line}: must be an arrow, as a --> b & c")
            starts, label, ends = edge.groups()
            for start in chart._nodes(starts):
                for end in chart._nodes(ends):
                    chart.edges.append((start, end, label or ""))
        return chart

    def _nodes(self, text: str) -> Iterator[str]:
        for part in text.split("&"):
            node = _NODE.fullmatch(part.strip())
            if not node:
                raise ValueError(f"{part.strip()}: must be a node, as name[label]")
            name, label = node.groups()
            self.labels[name] = label or self.labels.get(name, name)
            yield name

    def layers(self) -> list[list[str]]:
        """Return the names of the nodes by rank: the ends of the longest ways in the last layer."""
        after = {
            name: [end for start, end, _ in self.edges if start == name] for name in self.labels
        }

        def way(name: str) -> int:
            return max((1 + way(end) for end in after[name]), default=0)

        ways = {name: way(name) for name in self.labels}
        return [[n for n in ways if ways[n] == rank] for rank in range(max(ways.values()), -1, -1)]


def drawn(page: str) -> str:
    """Return a page with its flowcharts as SVG."""
    return _CHART.sub(lambda found: f"```{{raw}} html\n{svg(Chart.parsed(found[1]))}\n```", page)


def svg(chart: Chart) -> str:
    """Return a chart as SVG, in the colour of the text around it."""
    boxes, width, height = _boxes(chart)
    shapes = [
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{_HEIGHT}" rx="4" fill="none" '
        f'stroke="currentColor"/><text x="{x + w / 2:.1f}" y="{y + _HEIGHT / 2 + 4.5:.1f}" '
        f'text-anchor="middle" fill="currentColor">{html.escape(chart.labels[name])}</text>'
        for name, (x, y, w) in boxes.items()
    ]
    arrows = [_arrow(chart.direction, boxes[a], boxes[b], label) for a, b, label in chart.edges]
    marker = (
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" fill="currentColor"/>'
        "</marker></defs>"
    )
    described = "; ".join(f"{a} to {b}" for a, b, _ in chart.edges)
    return (
        f'<svg class="flowchart" role="img" aria-label="Arrows from {described}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" style="max-width:{width:.0f}px;width:100%" '
        f'font-size="13" font-family="monospace">{marker}{"".join(shapes + arrows)}</svg>'
    )


def _boxes(chart: Chart) -> tuple[dict[str, tuple[float, float, float]], float, float]:
    """Return left edge, top and width of each node, and width and height of the chart."""
    layers = chart.layers()
    widths = {name: _LETTER * len(label) + _MARGIN for name, label in chart.labels.items()}
    boxes = {}
    if chart.direction == "BT":
        breadths = [sum(widths[n] for n in layer) + _BETWEEN * (len(layer) - 1) for layer in layers]
        for rank, layer in enumerate(reversed(layers)):
            x = (max(breadths) - breadths[len(layers) - 1 - rank]) / 2 + 2
            for name in layer:
                boxes[name] = (x, rank * (_HEIGHT + _LAYERS) + 2, widths[name])
                x += widths[name] + _BETWEEN
        return boxes, max(breadths) + 4, len(layers) * (_HEIGHT + _LAYERS) - _LAYERS + 4
    heights = [len(layer) * (_HEIGHT + _BETWEEN) - _BETWEEN for layer in layers]
    x = 2.0
    for layer, tall in zip(layers, heights, strict=True):
        y = (max(heights) - tall) / 2 + 2
        for name in layer:
            boxes[name] = (x, y, widths[name])
            y += _HEIGHT + _BETWEEN
        leaving = [label for start, _, label in chart.edges if start in layer]
        longest = max((_LETTER * len(label) for label in leaving), default=0.0)
        x += max(widths[name] for name in layer) + max(_LAYERS, longest + 16)
    return boxes, x - _LAYERS + 2, max(heights) + 4


def _arrow(
    direction: str, start: tuple[float, float, float], end: tuple[float, float, float], label: str
) -> str:
    (x, y, w), (to_x, to_y, to_w) = start, end
    if direction == "BT":
        ends = x + w / 2, y, to_x + to_w / 2, to_y + _HEIGHT + 1
    else:
        ends = x + w, y + _HEIGHT / 2, to_x - 1, to_y + _HEIGHT / 2
    line = '<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" '.format(*ends)
    text = (
        f'<text x="{(ends[0] + ends[2]) / 2:.1f}" y="{(ends[1] + ends[3]) / 2 - 6:.1f}" '
        f'text-anchor="middle" fill="currentColor">{html.escape(label)}</text>'
    )
    return f'{line}stroke="currentColor" marker-end="url(#head)"/>{text if label else ""}'
