"""The simulations behind the lab: one for each move, and what it shows of them."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import xarray as xr

import pipeline
from analysis.measures.measured import MeasuredDataset
from analysis.measures.rule_curves import stdp_window
from analysis.report.quality import warnings_of_points
from pipeline.composition.compose import default_run_settings
from pipeline.composition.own_models import is_from_file
from pipeline.engine.cost import estimated_seconds
from pipeline.engine.simulate import available_engine
from pipeline.model.errors import RequestError
from pipeline.model.looks import SAMPLE_SPACING
from pipeline.model.parameters import Configuration
from pipeline.model.plain_values import rounded
from pipeline.model.quantity import written
from pipeline.model.sections import Settle, Simulation
from stdp.browser.combination import Combination, combination, courses
from stdp.lab.settings import Settings

#: Samples of the weights: enough to tell whether they have settled.
_N_SAMPLES = 120

#: Longest computing time at a move [s], and most values of the weight history.
_MAX_SECONDS, _MAX_RECORDED = 10.0, 50_000_000

#: Traces are of the beginning of the run: up to this time [ms], number of steps, and number of
#: values of the weights at every step, which are recorded with them.
_TRACED, _MAX_STEPS, _MAX_VALUES = 500.0, 5_000, 1_500_000


@dataclass(frozen=True)
class Refused:
    """Settings that cannot be simulated, and why, in one line as the pipeline words it."""

    settings: Settings
    message: str

    @property
    def key(self) -> str:
        """The key that the message begins with; "" if it is of none."""
        return self.message.partition("=")[0].partition(":")[0]


@dataclass(frozen=True)
class Simulated:
    """A simulation.

    Attributes
    ----------
    settings : Settings
        What was asked for.
    configuration : Configuration
        What was simulated.
    shown : Combination
        Its histogram and numbers.
    window : DataArray, (time_difference,)
        STDP window: weight change, dimensionless.
    warnings : tuple of str
        Data-quality warnings in the words of the report.
    seconds : float
        Time of the simulation [s].
    command, call : str
        The command, "" if there is none, and the Python that run the same simulation.
    """

    settings: Settings
    configuration: Configuration
    shown: Combination
    window: xr.DataArray
    warnings: tuple[str, ...]
    seconds: float
    command: str
    call: str


@dataclass(frozen=True)
class Traces:
    """State variables at every step of the beginning of a run, and its output spikes."""

    recorded: xr.Dataset


#: What a move yields, the quickest first.
Outcome = Refused | Simulated | dict[str, xr.DataArray] | Traces


class Moves:
    """The simulations of a session, one for each move."""

    def __init__(self) -> None:
        self._rest: Iterator[Outcome] = iter(())

    def outcomes(self, settings: Settings) -> Iterator[Outcome]:
        """Simulate; yield histogram and numbers, then courses in time, then traces.

        After settings that are refused, what is left of the last valid ones: the picture is always
        that of one simulation once all is drawn.

        Parameters
        ----------
        settings : Settings
            What is asked for.
        """
        try:
            shown, measured = _simulated(settings)
        except (RequestError, FloatingPointError) as error:
            yield Refused(settings, str(error))
        except Exception as error:  # a registered rule or process is anybody's code
            reason = " ".join(str(error).split())[:300]
            yield Refused(settings, f"the simulation failed ({type(error).__name__}: {reason})")
        else:
            self._rest = _rest(shown.configuration, measured)
            yield shown
        # `yield from` would end it where the caller asks for no more.
        for outcome in self._rest:  # noqa: UP028
            yield outcome


def _rest(configuration: Configuration, measured: MeasuredDataset) -> Iterator[Outcome]:
    """Yield what takes longer than histogram and numbers."""
    yield courses(measured)
    try:
        beginning = traced(configuration)
    except RequestError:  # not even one pair of a protocol fits into it
        return
    yield Traces(pipeline.simulate(beginning))


def _simulated(settings: Settings) -> tuple[Simulated, MeasuredDataset]:
    """Simulate; return what is shown at once, and what the rest is made of.

    Raises
    ------
    RequestError, FloatingPointError
        If the settings are not allowed, or the simulation fails.
    """
    configuration = recorded_in_time(settings.configuration())
    refuse_long(configuration)
    started = time.perf_counter()
    measured = MeasuredDataset.of(pipeline.simulate(configuration))
    seconds = time.perf_counter() - started
    interval = [f"record.weight_interval={configuration.record.weight_interval:.15g}"]
    by_command = can_be_typed(settings, configuration)
    shown = Simulated(
        settings,
        configuration,
        combination(measured),
        stdp_window(measured.dataset),
        tuple(one.paragraph for one in warnings_of_points(measured)),
        seconds,
        settings.command(interval) if by_command else "",
        settings.call(interval) if by_command else _mapping_call(configuration),
    )
    return shown, measured


def can_be_typed(settings: Settings, configuration: Configuration) -> bool:
    """Whether a command gives this configuration; none knows a class that is registered."""
    sections = (configuration.stdp, configuration.input)
    chosen = [(s, key) for s in sections for key in s.choosing_keys() if key in settings.typed]
    if any(section.source and not is_from_file(section) for section in sections):
        return False
    if any(section.source and (key, section.name) not in settings.files for section, key in chosen):
        return False
    if not chosen:
        return True
    try:
        composed = pipeline.configure(*settings.overrides(), conf=settings.conf)
    except RequestError:
        return False
    return recorded_in_time(composed) == configuration


def _mapping_call(configuration: Configuration) -> str:
    """Return Python that makes a configuration with a class that is registered."""
    return f"pipeline.Configuration.from_mapping({configuration.to_mapping()!r})"


def recorded_in_time(configuration: Configuration) -> Configuration:
    """Return a configuration that records weights and output rate in time."""
    simulation = configuration.simulation
    n_steps = max(1, math.ceil(simulation.n_steps / _N_SAMPLES))
    if simulation.ends_when_settled:  # how long it will be is not known; its samples become rare
        n_steps = int(SAMPLE_SPACING / simulation.dt)
    interval = min(rounded(n_steps * simulation.dt), simulation.duration)
    return _recording(configuration, weight_interval=interval, spike_times=False, traces=False)


def traced(configuration: Configuration) -> Configuration:
    """Return the beginning of a run, with all state variables at every step.

    A longer run has the input events of a shorter one, so that these are its own first steps.

    Raises
    ------
    RequestError
        If its process has an end, and is too long for it however it is cut.
    """
    simulation, n_synapses = configuration.simulation, configuration.input.n_synapses
    n_steps = min(
        simulation.n_steps,
        math.ceil(_TRACED / simulation.dt),
        _MAX_STEPS,
        max(1, _MAX_VALUES // n_synapses),
    )
    duration = min(rounded(n_steps * simulation.dt), simulation.duration)
    shorter = dataclasses.replace(
        configuration,
        input=configuration.input.cut_to(duration, simulation.dt),
        simulation=Simulation(duration, simulation.dt),
        settle=Settle(),
        record=dataclasses.replace(configuration.record, weight_interval=None),
    )
    return _recording(shorter, weight_interval=None, spike_times=True, traces=True)


def _recording(configuration: Configuration, **values: object) -> Configuration:
    record = dataclasses.replace(configuration.record, state=False, **values)  # type: ignore[arg-type]
    return dataclasses.replace(configuration, record=record)


def refuse_long(configuration: Configuration) -> None:
    """Refuse a simulation that takes too long for a move.

    Raises
    ------
    RequestError
        If it does.
    """
    engine = available_engine(default_run_settings().engine, [configuration])
    simulation = Simulation(configuration.simulation.duration, configuration.simulation.dt)
    longest = configuration.with_admitted(simulation=simulation)  # it may never settle
    seconds = estimated_seconds(longest, engine)
    values = configuration.n_samples * configuration.input.n_synapses
    if seconds <= _MAX_SECONDS and values <= _MAX_RECORDED:
        return
    duration = written("simulation.duration", f"{configuration.simulation.duration:.15g}")
    reason = (
        f"with {configuration.input.n_synapses:,} synapses it would take about {seconds:,.0f} s"
    )
    raise RequestError(
        f"{duration}: must be shorter here: {reason}, and a move may take {_MAX_SECONDS:g} s; use "
        "stdp run"
    )
