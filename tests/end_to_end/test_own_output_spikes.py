"""A process of one's own that prescribes output spikes: swept, resumed, reproduced, settled."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
import xarray as xr

import pipeline
from pipeline.experiment.reproduction import reproduce
from pipeline.model.inputs import PROCESSES, Cells, InputProcess, bernoulli_cells, random_generator
from pipeline.model.quantity import quantity


@dataclass(frozen=True)
class PoissonOutput(InputProcess):
    """Independent Poisson input, and Poisson output that does not depend on it."""

    name: ClassVar[str] = "toy_poisson_output"

    toy_output_hz: float = quantity("prescribed output rate", "Hz", at_least=0)

    def events(self, dt: float, n_steps: int, seed: int) -> Iterator[Cells]:
        """Yield the input spikes."""
        return bernoulli_cells(self.spike_probability(dt), self.n_synapses, n_steps, seed)

    def output_steps(self, dt, n_steps, seed):
        """Return a train of its own stream, without step 0."""
        draws = random_generator(seed, 7).random(n_steps)
        draws[0] = 1
        return np.flatnonzero(draws < self.toy_output_hz * dt / 1000)


@dataclass(frozen=True)
class Wrong(InputProcess):
    """Prescribes what is no train."""

    name: ClassVar[str] = "toy_wrong_output"

    toy_case: int = quantity("which", kind=int)

    def events(self, dt: float, n_steps: int, seed: int) -> Iterator[Cells]:
        """Yield nothing."""
        yield np.empty(0, dtype=np.int64)

    def output_steps(self, dt, n_steps, seed):
        """Return wrong steps."""
        return [[0, 5], [5, 5], [7, 5], [5, n_steps], [5.0], [[5]], [-5]][self.toy_case]


@pytest.fixture(autouse=True)
def registered():
    """Register the processes for a test."""
    for process in (PoissonOutput, Wrong):
        pipeline.register(process)
    yield
    for process in (PoissonOutput, Wrong):
        PROCESSES.unregister(process.name)


@pytest.fixture
def own(configure):
    """Compose a small run of one of the processes."""

    def made(*overrides, process="toy_poisson_output", **fields):
        values = configure(*overrides).to_mapping()
        fields = fields or {"toy_output_hz": 20.0}
        values["input"] = {"process": process, "n_synapses": 40, "rate_hz": 40.0} | fields
        return pipeline.Configuration.from_mapping(values)

    return made


def test_a_sweep_is_resumed_grown_and_reproduced(own, tmp_path, capsys):
    """By rate, seed and duration; a longer run goes on from the shorter one, bit for bit."""
    base = own("record=history", "record.weight_interval=100")
    axes = {"input.toy_output_hz": [10, 40], "seed": [1, 2]}
    pipeline.sweep(base, axes, tmp_path / "run", backend="loky", n_jobs=2, batch_size=1)
    longer = replace(base, simulation=replace(base.simulation, duration=900.0))
    axes["input.toy_output_hz"] = [10, 20, 40]
    grown = pipeline.sweep(longer, axes, tmp_path / "run", backend="sequential")
    whole = pipeline.sweep(longer, axes, backend="sequential", engine="reference")
    np.testing.assert_array_equal(grown["spike_time"], whole["spike_time"])
    np.testing.assert_allclose(grown["weight"], whole["weight"], rtol=0, atol=1e-6)
    counts = grown["spike_count"].sum("seed").values
    assert (np.diff(counts) > 5).all() and counts[0] > 5
    assert reproduce(tmp_path / "run", 6, [], run_given_code=True)
    assert "6 of 6 points are the same bit for bit" in capsys.readouterr().out


def test_it_runs_until_it_has_settled(own):
    """Its statistics are constant. It is not said to be unable to fire, as without its spikes."""
    until = ("simulation.until=settled", "simulation.duration=4e6")
    made = own(*until, "stdp.A_plus=0.02", "stdp.ltd_ratio=0.5")
    run = pipeline.simulate(made)
    assert run["settled"].item() == 1  # at the upper bound
    assert run["spike_count"] > 100
    unable = own(*until, "synapse.g_max=0")
    run = pipeline.simulate(unable)
    assert run["spike_count"] > 100
    assert run["settled"].item() != 4


@pytest.mark.parametrize("case", range(7))
def test_wrong_steps_are_a_failure_of_the_point(own, case):
    """With the process and what is allowed; the other points are done."""
    made = own(process="toy_wrong_output", toy_case=case)
    for engine in ("compiled", "reference"):
        with pytest.raises(ValueError, match=r"input.process=toy_wrong_output: output steps must "):
            pipeline.simulate(made, engine=engine)


def test_the_file_says_that_the_theory_does_not_cover_it(own, tmp_path):
    """Nor for output spikes given by the caller; figures are drawn without it."""
    from analysis import expected_histogram, open_results, show
    from analysis.measures.coverage import theory_gap

    pipeline.sweep(own(), {"seed": [1, 2]}, tmp_path / "run")
    assert theory_gap(open_results(tmp_path / "run")) != []
    run = pipeline.simulate(
        pipeline.configure("record=history", "simulation.duration=20000"), output_spikes=[50, 90]
    )
    assert theory_gap(run) == [
        "the theory covers the neuron's own output only, and spikes were given by the caller"
    ]
    assert expected_histogram(run)["share"].isnull().all()
    assert isinstance(run, xr.Dataset) and len(show(run, "weights")) == 1
