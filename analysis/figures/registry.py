"""Registry of figures by name: what each shows, what it requires, how it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from matplotlib.figure import Figure

from analysis.figures import (
    pairing_figures,
    rule_figure,
    run_figures,
    sample_figures,
    stimulus_figures,
    sweep_figures,
    symmetry_figures,
    synapse_figures,
)
from analysis.figures.facets import Figures, numeric_axes
from analysis.figures.titles import comma_separated
from analysis.measures import late_output, spike_trains, synapses
from analysis.measures.measured import MeasuredDataset
from analysis.measures.pairing import is_paired
from analysis.reading.dataset import axes
from analysis.reading.model import trace_time_constant
from analysis.reading.samples import SAMPLE
from analysis.reading.until import ends_when_settled, run_durations


@dataclass(frozen=True)
class Drawn:
    """A figure.

    Attributes
    ----------
    name : str
        Its file name without suffix.
    figure : Figure
        The figure.
    caption : str
        Sentences.
    where : tuple of str
        `KEY=VALUE` of each axis that was sliced: with these as `--where`, and `--figure`, the
        command line draws it.
    """

    name: str
    figure: Figure
    caption: str
    where: tuple[str, ...] = ()


@dataclass(frozen=True)
class FigureSpec:
    """Definition of a named figure.

    Attributes
    ----------
    name : str
        On the command line, and the first part of its file names.
    shows : str
        Short description; the first sentence of the caption.
    needs : callable
        Returns what a dataset lacks for this figure, "" if nothing.
    draw : callable
        Yields slice, figure and remark for each figure; the remark completes the caption.
    of_a_moment : bool
        Whether it depends on `MeasuredDataset.at`.
    """

    name: str
    shows: str
    needs: Callable[[MeasuredDataset], str]
    draw: Callable[[MeasuredDataset], Figures]
    of_a_moment: bool = False

    def drawn(self, measured: MeasuredDataset) -> Iterator[Drawn]:
        """Yield the figures of a dataset."""
        at = f"_at={measured.at:g}" if self.of_a_moment and measured.at is not None else ""
        for part, figure, remark in self.draw(measured):
            caption = ". ".join(filter(None, [self.shows, remark])) + "."
            yield Drawn(f"{part.name}{measured.suffix}{at}", figure, caption, part.where)


def _nothing(measured: MeasuredDataset) -> str:
    return ""


def _an_axis(measured: MeasuredDataset) -> str:
    return "" if axes(measured.dataset) else "a swept axis"


def _two_axes(measured: MeasuredDataset) -> str:
    return "" if len(numeric_axes(measured)) > 1 else "two axes of three or more numbers"


def _samples(measured: MeasuredDataset) -> str:
    if len(sample_figures.varied(measured)) < 2:
        return "samples of two parameters or more"
    least = sample_figures.MIN_IN_PAIRS
    return "" if measured.dataset.sizes[SAMPLE] >= least else f"{least} samples or more"


def _variable(name: str, how: str) -> Callable[[MeasuredDataset], str]:
    return lambda measured: "" if name in measured.dataset else how


_HISTORY = _variable("weight_history", "record=history")
_SPIKE_TIMES = _variable("spike_time", "record.spike_times=true")


def _TRACES(measured: MeasuredDataset) -> str:  # noqa: N802 - a requirement, like those above
    if "x_pre" not in measured.dataset or "x_post" not in measured.dataset:
        return "record=everything, for a short run"
    known = set(trace_time_constant(measured.dataset)["trace"].values.tolist())
    return "" if {"x_pre", "x_post"} <= known else "a rule with traces x_pre and x_post"


def _counts_of_spikes(measured: MeasuredDataset) -> str:
    shortest = 2 * late_output.MIN_WINDOWS * spike_trains.WINDOW  # its last half has the windows
    is_long = run_durations(measured.dataset).max() >= shortest
    long_enough = "" if is_long else f"runs of {shortest / 1000:g} s or more"
    counted = "" if "late_fano_factor" in measured.dataset else _SPIKE_TIMES(measured)
    return comma_separated(_an_axis(measured), counted, long_enough)


def _rule_with_traces(measured: MeasuredDataset) -> str:
    return "" if trace_time_constant(measured.dataset).size else "a rule with traces"


def _groups(measured: MeasuredDataset) -> str:
    coords = measured.dataset.coords
    named = "group" in coords and "synapse" in coords["group"].dims
    names = "" if named else "a coordinate group (synapse) with the group names"
    return comma_separated(_HISTORY(measured), names)


def _run_duration(measured: MeasuredDataset) -> str:
    ended = "" if ends_when_settled(measured.dataset) else "simulation.until=settled"
    return comma_separated(_an_axis(measured), ended)


def _pairing(measured: MeasuredDataset) -> str:
    process = "" if is_paired(measured.dataset) else "input=pairing_protocol"
    return comma_separated(_an_axis(measured), process)


def _of_synapses(measured: MeasuredDataset) -> str:
    dataset = measured.dataset
    if synapses.group_names(dataset) or synapses.coordinates_of_synapses(dataset):
        return ""
    return "groups, or unlike latencies, phases or rates of synapses"


def _grouped(measured: MeasuredDataset) -> str:
    many = len(synapses.group_names(measured.dataset)) > 1
    return "" if many else "two groups of synapses or more, as of input=groups"


def _grouped_sweep(measured: MeasuredDataset) -> str:
    return comma_separated(_an_axis(measured), _grouped(measured))


def _symmetry(measured: MeasuredDataset) -> str:
    keys = {measured.dataset[axis].attrs.get("config_key") for axis in measured.swept}
    several = keys & {"stdp.mu", "stdp.mu_plus", "stdp.mu_minus"} or not _grouped(measured)
    either = "" if several else "two groups of synapses or an axis stdp.mu"
    return comma_separated("" if measured.swept else "a swept axis", either)


def _stimuli(measured: MeasuredDataset) -> str:
    process = "" if "stimulus_time" in measured.dataset else "input=latency or input=patterns"
    return comma_separated(process, _SPIKE_TIMES(measured))


_SPECS = (
    FigureSpec("weights", "Distribution of final weights", _nothing, sweep_figures.weights),
    FigureSpec("rates", "Output rate", _an_axis, sweep_figures.rates),
    FigureSpec("cv", "Coefficient of variation of output intervals", _an_axis, sweep_figures.cv),
    FigureSpec("fano", "Fano factor of output spike counts", _counts_of_spikes, sweep_figures.fano),
    FigureSpec("mean_weight", "Mean final weight", _an_axis, sweep_figures.mean_weight),
    FigureSpec("shares", "Shares of weak and strong weights", _an_axis, sweep_figures.shares),
    FigureSpec(
        "by_synapse",
        "Weights against what differs between synapses",
        _of_synapses,
        synapse_figures.by_synapse,
    ),
    FigureSpec(
        "weights_by_group",
        "Distribution of final weights by group",
        _grouped,
        synapse_figures.weights_by_group,
    ),
    FigureSpec(
        "mean_weight_by_group",
        "Mean final weight by group",
        _grouped_sweep,
        synapse_figures.mean_weight_by_group,
    ),
    FigureSpec(
        "strong_minus_weak",
        "Difference between the mean weights of groups",
        _grouped_sweep,
        symmetry_figures.strong_minus_weak,
    ),
    FigureSpec(
        "bifurcation",
        "Final weights of the stronger and the weaker synapses",
        _symmetry,
        symmetry_figures.bifurcation,
    ),
    FigureSpec(
        "phase_diagram",
        "Mean weight, output rate and bimodality over two axes",
        _two_axes,
        sweep_figures.phase_diagram,
    ),
    FigureSpec(
        "pairs",
        "Mean weight or output rate over each pair of sampled parameters",
        _samples,
        sample_figures.pairs,
    ),
    FigureSpec("durations", "Simulated time until settled", _run_duration, sweep_figures.durations),
    FigureSpec("settling", "Approach to equilibrium", _HISTORY, sweep_figures.approach),
    FigureSpec(
        "rule",
        "Steps of the plasticity rule against the weight, and STDP window",
        _rule_with_traces,
        rule_figure.rule,
    ),
    FigureSpec("pairing", "Weight change by pairs of spikes", _pairing, pairing_figures.pairing),
    FigureSpec(
        "weights_in_time", "Weights against time", _HISTORY, run_figures.weights_in_time, True
    ),
    FigureSpec("groups", "Weights against time by group", _groups, run_figures.groups, True),
    FigureSpec("response", "Output spikes around stimuli", _stimuli, stimulus_figures.response),
    FigureSpec("traces", "Input spikes and the traces P and M", _TRACES, run_figures.traces, True),
    FigureSpec("run", "Potential, spikes, traces and conductances", _TRACES, run_figures.run, True),
    FigureSpec("correlogram", "Input rate around output spikes", _TRACES, run_figures.correlogram),
)

FIGURES = {spec.name: spec for spec in _SPECS}

#: Names of figures in earlier versions, which are still understood, and their names now.
EARLIER_NAMES = {"window": "rule"}


def supported(measured: MeasuredDataset) -> list[str]:
    """Return the names of the figures that a dataset supports."""
    return [name for name, spec in FIGURES.items() if not spec.needs(measured)]
