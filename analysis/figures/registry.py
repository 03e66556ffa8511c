"""The figures by name: what each shows, what it needs of a file, how it is made from one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from matplotlib.figure import Figure

from analysis.figures import run_figures, sweep_figures
from analysis.figures.facets import axes_of_numbers
from analysis.figures.sweep_figures import Figures
from analysis.measures import spike_trains
from analysis.measures.measured import MeasuredDataset, words
from analysis.reading.dataset import axes, parameter


@dataclass(frozen=True)
class Drawn:
    """A figure, its name as a file, and what is said below it."""

    name: str
    figure: Figure
    caption: str


@dataclass(frozen=True)
class FigureSpec:
    """A figure by name.

    Attributes
    ----------
    name : str
        On the command line, and what the names of its files begin with.
    shows : str
        In a few words.
    needs : callable
        Returns what a study would need to have it, "" if nothing.
    draw : callable
        Yields file name, figure and a remark.
    of_a_moment : bool
        Whether it shows the moment that a study asks for.
    """

    name: str
    shows: str
    needs: Callable[[MeasuredDataset], str]
    draw: Callable[[MeasuredDataset], Figures]
    of_a_moment: bool = False

    def drawn(self, study: MeasuredDataset) -> Iterator[Drawn]:
        """Yield its figures of a study."""
        moment = f"_at={study.at:g}" if self.of_a_moment and study.at is not None else ""
        for name, figure, remark in self.draw(study):
            caption = ". ".join(filter(None, [self.shows, remark])) + "."
            yield Drawn(f"{name}{study.suffix}{moment}", figure, caption)


def _nothing(study: MeasuredDataset) -> str:
    return ""


def _an_axis(study: MeasuredDataset) -> str:
    return "" if axes(study.dataset) else "a swept axis"


def _two_axes(study: MeasuredDataset) -> str:
    return "" if len(axes_of_numbers(study)) > 1 else "two axes of three or more numbers"


def _variable(name: str, how: str) -> Callable[[MeasuredDataset], str]:
    return lambda study: "" if name in study.dataset else how


_HISTORY = _variable("weight_history", "record=history")
_SPIKE_TIMES = _variable("spike_time", "record.spike_times=true")
_TRACES = _variable("x_pre", "record=everything, for a short run")


def _long_trains(study: MeasuredDataset) -> str:
    long = parameter(study.dataset, "simulation.duration").max() >= 2 * spike_trains.WINDOW
    return words(_an_axis(study), _SPIKE_TIMES(study), "" if long else "two seconds or more")


def _groups(study: MeasuredDataset) -> str:
    named = "group" in study.dataset.coords and study.dataset["group"].dims == ("synapse",)
    return words(_HISTORY(study), "" if named else "a coordinate group (synapse) with their names")


FIGURES = {
    kind.name: kind
    for kind in (
        FigureSpec("weights", "Distribution of final weights", _nothing, sweep_figures.weights),
        FigureSpec("rates", "Output rate", _an_axis, sweep_figures.rates),
        FigureSpec("cv", "Irregularity of the output", _an_axis, sweep_figures.cv),
        FigureSpec("fano", "Fano factor of the output", _long_trains, sweep_figures.fano),
        FigureSpec("mean_weight", "Mean final weight", _an_axis, sweep_figures.mean_weight),
        FigureSpec(
            "shares",
            "Shares of weak and strong weights",
            _an_axis,
            sweep_figures.shares,
        ),
        FigureSpec("phase_diagram", "Maps over two axes", _two_axes, sweep_figures.phase_diagram),
        FigureSpec("settling", "Approach to equilibrium", _HISTORY, sweep_figures.approach),
        FigureSpec("window", "STDP window", _nothing, sweep_figures.window),
        FigureSpec(
            "weights_in_time", "Weights against time", _HISTORY, run_figures.weights_in_time, True
        ),
        FigureSpec(
            "groups",
            "Weights of groups against time",
            _groups,
            run_figures.groups,
            True,
        ),
        FigureSpec(
            "traces", "Input spikes and the traces P and M", _TRACES, run_figures.traces, True
        ),
        FigureSpec(
            "run",
            "Potential, spikes, traces and conductances",
            _TRACES,
            run_figures.run,
            True,
        ),
        FigureSpec(
            "correlogram", "Input rate around output spikes", _TRACES, run_figures.correlogram
        ),
    )
}


def supported(study: MeasuredDataset) -> list[str]:
    """Return the names of the figures that a study supports."""
    return [name for name, kind in FIGURES.items() if not kind.needs(study)]
