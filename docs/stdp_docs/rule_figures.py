"""Figures of every plasticity rule, drawn from short runs when the site is built."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

import pipeline
from analysis.figures.registry import FIGURES
from analysis.measures.measured import MeasuredDataset
from analysis.plots import style
from pipeline.model.plasticity import RULES
from stdp_docs.item_pages import parameter_sets

_MARK = "<!-- pictures -->"

#: Thirty pairs: half the usual number keep the triplet rules, whose papers have no bounds, within.
_PROTOCOL = (
    *("input=pairing_protocol", "input.n_pairs=30"),
    *("simulation.dt=0.1", "synapse.w_init=0.5"),
)


def draw_rules(folder: Path) -> None:
    """Draw the steps and windows of every rule, and what pairing measures, on its page."""
    mpl.use("Agg")
    with style.paper(False):
        for name, cls in RULES.classes().items():
            page = folder / f"{name}.md"
            choice = next(iter(parameter_sets("stdp", cls)))
            text = "\n\n".join(_pictures(name, choice, folder))
            page.write_text(page.read_text(encoding="utf-8").replace(_MARK, text), encoding="utf-8")


def _pictures(name: str, choice: str, folder: Path) -> Iterator[str]:
    """Write the pictures of a parameter set of a rule; yield the text that shows each."""
    short = pipeline.simulate(pipeline.configure(f"stdp={choice}", "simulation.duration=100"))
    yield "## Steps and window"
    yield _picture("rule", MeasuredDataset(short), folder / f"{name}_rule.png", choice)
    protocol = pipeline.configure(f"stdp={choice}", *_PROTOCOL, "simulation.duration=291000")
    axes = {"input.post_minus_pre": [10.0, -10.0], "input.rate_hz": [0.1, 10, 20, 30, 40, 50]}
    pairs = pipeline.sweep(protocol, axes, n_jobs=1)
    yield "## Pairing"
    yield _picture("pairing", MeasuredDataset(pairs), folder / f"{name}_pairing.png", choice)
    yield "30 [pairs](../../how_to/pairing.md) in a row at each frequency, from a weight of 0.5."


def _picture(figure: str, measured: MeasuredDataset, file: Path, choice: str) -> str:
    drawn = next(FIGURES[figure].drawn(measured))
    drawn.figure.savefig(file, dpi=120)
    plt.close(drawn.figure)
    caption = drawn.caption.replace("\n", " ")
    return f"![{FIGURES[figure].shows}: {choice}]({file.name})\n\n*`stdp={choice}`: {caption}*"
