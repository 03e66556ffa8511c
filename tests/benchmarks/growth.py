"""Growth of the run time with the size of a problem: four series, one figure and its numbers.

A sweep is measured against the number of its points; one run against the number of synapses, the
simulated time and the time step.
"""

from __future__ import annotations

import csv
import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

import pipeline
from analysis.plots import style, text
from pipeline import Configuration
from pipeline.engine import compiled
from tests.benchmarks.contest import one_core
from tests.benchmarks.contestants import lasting
from tests.benchmarks.plan import Plan
from tests.benchmarks.shell import pipeline_command
from tests.benchmarks.table import Row, time_text

#: Seconds for the repeats of one run, and their least and greatest number.
_BUDGET, _REPEATS = 1.5, (5, 100)

#: Input rates of the sweep [Hz]: ten points for each seed.
_RATES = "input.rate_hz=range(10,20)"

#: Duration of the runs that are not measured against it [ms].
_DURATION = 12_000.0


_TITLE = (
    "Dots: shortest time of several. Blue: fit of a constant and a power of the size; "
    "dashed: with power 1"
)

#: Style of the line of slope 1.
_LINEAR = {"color": style.LTP, **style.THEORY}

#: Exponents that are tried in the fit.
_SLOPES = np.linspace(0.5, 1.5, 1001)


@dataclass(frozen=True)
class Series:
    """Times against one size.

    Attributes
    ----------
    size : str
        What is varied, with its unit.
    what : str
        What is measured.
    unit : str
        What the time should be proportional to, beyond a constant.
    values : tuple of float
        The sizes, rising.
    seconds : tuple of float
        Time at each [s].
    units : callable
        Number of units at a size.
    """

    size: str
    what: str
    unit: str
    values: tuple[float, ...]
    seconds: tuple[float, ...]
    units: Callable[[float], float] = float

    def slope(self) -> float:
        """Return the slope of the time beyond a constant against units, on logarithmic axes."""
        errors = [self._least_squares(slope)[1] for slope in _SLOPES]
        return float(_SLOPES[np.argmin(errors)])

    def fit(self, slope: float) -> tuple[float, float]:
        """Return the constant and the factor of constant + factor * units ** slope [s]."""
        constant, factor = self._least_squares(slope)[0]
        return float(constant), float(factor)

    def slope_text(self) -> str:
        """Return the slope and the constant."""
        slope = self.slope()
        rises = self.units(self.values[-1]) > self.units(self.values[0])
        return f"slope {slope if rises else -slope:.2f} beyond {_seconds_text(self.fit(slope)[0])}"

    def linear_text(self) -> str:
        """Return the constant and the time per unit if the slope is 1."""
        constant, per_unit = self.fit(1.0)
        return f"{_seconds_text(constant)} + {_seconds_text(per_unit)} per {self.unit}"

    def _least_squares(self, slope: float) -> tuple[NDArray[np.float64], float]:
        """Return constant and factor, both positive, and the sum of squared relative errors."""
        seconds = np.array(self.seconds)
        powers = np.array([self.units(value) for value in self.values]) ** slope
        scale = powers.max()
        terms = np.stack([1 / seconds, powers / scale / seconds], axis=1)
        found = np.linalg.lstsq(terms, np.ones(seconds.size), rcond=None)[0]
        if found[0] < 0:
            found = np.array([0.0, (terms[:, 1].sum() / (terms[:, 1] ** 2).sum())])
        return found / (1, scale), float(((terms @ found - 1) ** 2).sum())


def growth(plan: Plan) -> Iterator[Row]:
    """Yield a row for each series; write the figure and its numbers."""
    series = measured(plan)
    write(series, plan)
    for one in series:
        ends = f"{time_text(one.seconds[0])} at {one.values[0]:,.7g}"
        ends += f", {time_text(one.seconds[-1])} at {one.values[-1]:,.7g}"
        yield Row(
            f"{one.size}: {one.what}", ours=one.slope_text(), check=f"{ends}; {one.linear_text()}"
        )


def measured(plan: Plan) -> list[Series]:
    """Measure all series."""
    return [
        _against_points(plan),
        _of_runs(
            "Number of synapses",
            f"one run of {_DURATION / 1000:g} s, dt 1 ms, one core",
            "synapse",
            _decades(100, 100_000),
            _with_synapses,
        ),
        _of_runs(
            "Simulated time (s)",
            "one run, 300 synapses, dt 1 ms, one core",
            "s",
            _decades(0.1, plan.long * 4 / 1000),
            lambda seconds: lasting(pipeline.configure(), 1000 * seconds),
        ),
        _of_runs(
            "Time step (ms)",
            f"one run of {_DURATION / 1000:g} s, 300 synapses, one core",
            "step",
            (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
            lambda dt: lasting(pipeline.configure(f"simulation.dt={dt}"), _DURATION),
            lambda dt: _DURATION / dt,
        ),
    ]


def draw(series: Sequence[Series]) -> Figure:
    """Draw one panel for each series: a constant and a power of the size, and with slope 1."""
    figure, panels = plt.subplots(2, 2, figsize=(style.PAGE, 4.6))
    for axes, one in zip(panels.flat, series, strict=True):
        _draw_panel(axes, one)
    text.set_header(figure, text.header(_TITLE, style.PAGE))
    return figure


def write(series: Sequence[Series], plan: Plan) -> None:
    """Write the figure `growth.png` and its numbers `growth.csv`."""
    with style.paper():
        figure = draw(series)
        figure.savefig(plan.figures / "growth.png")
        plt.close(figure)
    with (plan.figures / "growth.csv").open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("size", "what", "value", "seconds"))
        for one in series:
            for value, seconds in zip(one.values, one.seconds, strict=True):
                rows.writerow((one.size, one.what, f"{value:g}", f"{seconds:.6g}"))


def _draw_panel(axes: Axes, series: Series) -> None:
    values, seconds = np.array(series.values), np.array(series.seconds)
    fine = np.geomspace(values.min(), values.max(), 200)
    units = np.array([series.units(value) for value in fine])
    slope = series.slope()
    for exponent, style_of_line in ((slope, {"color": style.LTD}), (1.0, _LINEAR)):
        constant, factor = series.fit(exponent)
        axes.loglog(fine, constant + factor * units**exponent, **style_of_line)
    axes.loglog(values, seconds, "o", color=style.NEUTRAL)
    axes.set(xlabel=series.size, ylabel="Time (s)", title=series.what.capitalize())
    axes.set_ylim(
        10 ** np.floor(np.log10(seconds.min())), 10 ** np.ceil(np.log10(seconds.max()) + 0.2)
    )
    axes.minorticks_off()
    rises = seconds[-1] > seconds[0]
    place = {"x": 0.04, "ha": "left"} if rises else {"x": 0.98, "ha": "right"}
    place |= {"fontsize": 7, "transform": axes.transAxes}
    axes.text(y=0.9, s=series.slope_text(), color=style.LTD, **place)
    axes.text(y=0.81, s=series.linear_text(), color=style.LTP, **place)


def _seconds_text(seconds: float) -> str:
    """Return a time with two significant digits, in s, ms, us or ns."""
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs"), (1e9, "ns")):
        if abs(seconds) * factor >= 1 or unit == "ns":
            break
    return f"{float(f'{seconds * factor:.2g}'):g} {unit}"


def _decades(low: float, high: float) -> tuple[float, ...]:
    """Return 1 and 3 times the powers of ten from `low` to `high`."""
    found: list[float] = []
    step = low
    while step <= high:
        found += [step, 3 * step]
        step *= 10
    return tuple(float(f"{value:.6g}") for value in found if value <= high * 1.0001)


def _with_synapses(n_synapses: float) -> Configuration:
    """Return a run with the drive of 300 synapses, whatever their number."""
    configuration = pipeline.configure(f"input.n_synapses={n_synapses:.0f}")
    g_max = configuration.synapse.g_max * 300 / n_synapses
    synapse = dataclasses.replace(configuration.synapse, g_max=g_max)
    return lasting(dataclasses.replace(configuration, synapse=synapse), _DURATION)


def _of_runs(
    size: str,
    what: str,
    unit: str,
    values: Iterable[float],
    configuration_of: Callable[[float], Configuration],
    units: Callable[[float], float] = float,
) -> Series:
    """Measure one run at each size, on one core: the shortest of several."""
    values = tuple(values)
    with one_core():
        seconds = tuple(_shortest(configuration_of(value)) for value in values)
    return Series(size, what, unit, values, seconds, units)


def _shortest(configuration: Configuration) -> float:
    """Return the shortest time of a run [s]."""
    compiled.run(configuration)
    least, most = _REPEATS
    times: list[float] = []
    while len(times) < least or (len(times) < most and sum(times) < _BUDGET):
        started = time.perf_counter()
        compiled.run(configuration)
        times.append(time.perf_counter() - started)
    return min(times)


def _against_points(plan: Plan) -> Series:
    """Measure the complete command of a sweep."""
    short = (_RATES, "simulation.duration=1000", "simulation.dt=1")

    def seconds(n_points: float) -> float:
        words = ("-m", f"seed=range({n_points / 10:.0f})", *short)
        repeats = 3 if n_points <= 10_000 else 1
        return min(pipeline_command(plan.folder, *words).seconds for _ in range(repeats))

    values = _decades(100, plan.growth_points)
    seconds(values[0])  # compiles
    return Series(
        "Number of points",
        "sweep of runs of 1 s, complete command, all cores",
        "point",
        values,
        tuple(seconds(value) for value in values),
    )
