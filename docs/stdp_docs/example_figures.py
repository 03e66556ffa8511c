"""An example of every figure, drawn from short runs when the site is built."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from numpy.typing import NDArray

import pipeline
from analysis.figures.registry import FIGURES, Drawn, FigureSpec
from analysis.figures.save import file_name
from analysis.measures.measured import MeasuredDataset
from analysis.plots import style


def draw_examples(folder: Path) -> None:
    """Draw an example for the page of every figure, and put it in place of its mark.

    Raises
    ------
    ValueError
        If none of the examples has what a figure needs.
    """
    mpl.use("Agg")
    examples = [MeasuredDataset(dataset) for dataset in _datasets()]
    with style.paper(False):
        for spec in FIGURES.values():
            drawn = _first(spec, examples)
            _put(spec, drawn, folder)
            plt.close(drawn.figure)


def _put(spec: FigureSpec, drawn: Drawn, folder: Path) -> None:
    """Write the file of a figure, and a link to it in place of the mark of its page."""
    picture = f"{file_name(spec.name)}.png"
    drawn.figure.savefig(folder / picture, dpi=120)
    caption = drawn.caption.replace("\n", " ")
    page = folder / f"{spec.name}.md"
    text = page.read_text(encoding="utf-8")
    example = f"## Example\n\n![{spec.shows}]({picture})\n\n*{caption}*"
    page.write_text(text.replace(f"<!-- example: {spec.name} -->", example), encoding="utf-8")


def _first(spec: FigureSpec, examples: list[MeasuredDataset]) -> Drawn:
    for measured in examples:
        if not spec.needs(measured):
            return next(spec.drawn(measured))
    needs = "; ".join(sorted({spec.needs(measured) for measured in examples}))
    raise ValueError(f"figure {spec.name}: no example has what it needs ({needs})")


def _datasets() -> Iterator[xr.Dataset]:
    """Yield sweeps, runs with all states, with groups, with bursts, samples, and a protocol."""
    swept = pipeline.configure(
        "record=history", "record.weight_interval=5000", "simulation.duration=2000000"
    )
    axes = {
        "input.rate_hz": [15, 20, 30, 40],
        "stdp.ltd_ratio": [1.02, 1.05, 1.1],
        "seed": range(4),
    }
    yield pipeline.sweep(swept, axes, n_jobs=1)
    until = pipeline.configure("simulation.until=settled", "simulation.duration=4e6")
    wide = {"input.rate_hz": [10, 15, 20, 30, 40], "stdp.ltd_ratio": [0.9, 0.95, 1.0, 1.05, 1.1]}
    yield pipeline.sweep(until, wide, n_jobs=1)
    short = pipeline.configure("record=everything", "simulation.duration=10000", "input.rate_hz=20")
    yield pipeline.simulate(short)
    grouped = pipeline.configure("record=history", "simulation.duration=60000", "input.rate_hz=10")
    spikes = np.random.default_rng(1).random((300, 60_000)) < 0.01
    spikes[:50] = spikes[0]  # fifty identical trains
    groups = ["correlated"] * 50 + ["others"] * 250
    yield pipeline.simulate(grouped, spikes).assign_coords(group=("synapse", groups))
    correlated = pipeline.configure("input=correlated", "simulation.duration=60000")
    yield pipeline.sweep(
        correlated, {"input.group_correlations": [0, 0.02, 0.05, 0.1], "seed": range(4)}, n_jobs=1
    )
    song = [f"{group}=song_miller_abbott_2000" for group in ("neuron", "synapse", "stdp")]
    bursts = ["input=latency", "input.n_synapses=1000", "synapse.w_init=0.2"]
    timed = ["simulation.duration=60000", "simulation.dt=0.1", "record.spike_times=true"]
    yield pipeline.simulate(pipeline.configure(*song, *bursts, *timed))
    yield pipeline.sweep(pipeline.configure("simulation.duration=60000"), samples=_samples(200))
    protocol = ["input=pairing_protocol", "input.rate_hz=1", "synapse.w_init=0.5"]
    paired = pipeline.configure(*protocol, "simulation.duration=60000", "simulation.dt=0.1")
    yield pipeline.sweep(paired, {"input.post_minus_pre": range(-100, 101, 5)}, n_jobs=1)


def _samples(n: int) -> dict[str, NDArray]:
    """Return values of three parameters, (n), [Hz], dimensionless and [ms], spread evenly."""
    share = np.arange(n)[:, np.newaxis] * (0.8192, 0.6711, 0.5497) % 1
    low, high = np.array([10, 1.0, 10]), np.array([40, 1.2, 40])
    values = np.round(low + share * (high - low), 4).T
    return dict(zip(("input.rate_hz", "stdp.ltd_ratio", "stdp.tau_plus"), values, strict=True))
