"""`pipeline.sweep` and `simulate`: axes, dataset and directory."""

import csv
import json

import numpy as np
import pytest
import xarray as xr

import pipeline
from pipeline.composition.compose import default_run_settings
from pipeline.execution import batch as worker
from pipeline.execution import pool
from pipeline.experiment import run as experiment_run
from pipeline.experiment.run import run_grid
from pipeline.model import reference
from pipeline.model.errors import RequestError
from pipeline.model.variables import ABOUT_RUNS
from pipeline.request import points, spec
from pipeline.request.grid import Grid
from pipeline.storage import union
from tests.conftest import numbers_of

AXES = {"input.rate_hz": [30, 60], "seed": range(3)}


def test_sweep_returns_what_it_writes(configure, tmp_path):
    """The returned dataset equals results.nc, and no directory is needed."""
    returned = pipeline.sweep(configure(), AXES, tmp_path / "run", backend="sequential")
    with xr.open_dataset(tmp_path / "run" / "results.nc") as written:
        xr.testing.assert_identical(numbers_of(written), numbers_of(returned))
        for name in returned.variables:
            assert set(returned[name].attrs) == set(written[name].attrs)
    alone = pipeline.sweep(configure(), AXES, backend="sequential")
    xr.testing.assert_identical(numbers_of(alone), numbers_of(returned))
    assert dict(returned["weight"].sizes) == {"rate_hz": 2, "seed": 3, "synapse": 40}


def test_the_dataset_of_simulate_is_the_callers_own(configure):
    """What a caller changes in a dataset is not in the next one, though labels are made once."""
    first = pipeline.simulate(configure())
    expected = first.copy(deep=True)
    first["weight_step"][:] = 7
    first["trace_time_constant"][:] = 7
    for name in first.variables:
        first[name].attrs["note"] = "mine"
    first.attrs["rules"] = "mine"
    again = pipeline.simulate(configure()).assign_attrs(created=expected.attrs["created"])
    xr.testing.assert_identical(again, expected)
    assert all(first[name].attrs["note"] == "mine" for name in first.variables)


def test_a_dataset_is_that_of_xarrays_own_constructor(configure):
    """It has the same variables, coordinates, indexes and attributes in the same order."""
    long = "input.n_synapses=10000"  # whose index is not kept
    for overrides in ((), ("record=everything",), (long, "simulation.duration=20")):
        configuration = configure(*overrides)
        results = run_grid(Grid(configuration.to_mapping()), default_run_settings()).results
        expected = xr.Dataset(
            dict(results.variables), dict(results.coordinates), dict(results.attributes)
        )
        for _ in range(2):
            made = results.to_xarray()
            xr.testing.assert_identical(made, expected)
            assert list(made.variables) == list(expected.variables)
            assert list(made.coords) == list(expected.coords)
            assert dict(made.sizes) == dict(expected.sizes)
            assert {n: type(v) for n, v in made.variables.items()} == {
                n: type(v) for n, v in expected.variables.items()
            }
            assert all(made.indexes[n].equals(i) for n, i in expected.indexes.items())


def test_simulate_labels_as_sweep_does(configure):
    """Both give the same variables, in the same order, with the same attributes."""
    for overrides in ((), ("record=everything", "record.dtype=float64")):
        configuration = configure("record.dtype=float64", *overrides)
        alone = pipeline.simulate(configuration)
        swept = pipeline.sweep(configuration, {}, backend="sequential")
        assert list(alone) == [name for name in swept if name not in ABOUT_RUNS]
        for name in alone.variables:
            xr.testing.assert_identical(alone[name], swept[name])
        alone.attrs["created"] = swept.attrs["created"]  # later, by some milliseconds
        assert alone.attrs.items() <= swept.attrs.items()


def test_sweep_and_simulate_agree(configure):
    """A point of a sweep is the run of its configuration, weights rounded to float32."""
    dataset = pipeline.sweep(configure(), AXES, backend="sequential")
    alone = pipeline.simulate(configure("input.rate_hz=60", "seed=2"))
    point = dataset.sel(rate_hz=60, seed=2)
    assert point["mean_weight"] == alone["mean_weight"]
    np.testing.assert_array_equal(point["weight"], alone["weight"].astype(np.float32))


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_backends_give_identical_datasets(configure, backend):
    """Loky and threads give the dataset of one worker bit for bit, with histories and spikes."""
    base = configure("record=history", "record.weight_interval=100", "simulation.duration=5000")
    expected = pipeline.sweep(base, AXES, backend="sequential")
    got = pipeline.sweep(base, AXES, backend=backend, n_jobs=2, batch_size=1)
    xr.testing.assert_identical(numbers_of(got), numbers_of(expected))


def test_the_nine_axes_work_together(configure):
    """Nine axes in one sweep: 512 points, each at its coordinates."""
    from tests.pipeline.request.test_grid import NINE_AXES

    base = configure("simulation.duration=20")
    dataset = pipeline.sweep(base, NINE_AXES, backend="sequential")
    short_names = [key.rpartition(".")[2] for key in NINE_AXES]
    assert dataset["status"].dims == tuple(short_names)
    assert (dataset["status"] == 0).all()
    last = [f"{key}={values[-1]}" for key, values in NINE_AXES.items()]
    alone = pipeline.simulate(configure("simulation.duration=20", *last))
    there = dataset.isel(dict.fromkeys(short_names, -1))
    np.testing.assert_array_equal(there["weight"], alone["weight"].astype(np.float32))


def test_finished_points_are_not_run_again(configure, tmp_path, monkeypatch):
    """The second run of a request runs nothing; a longer axis runs only what is new."""
    asked = []

    def spy(points, run, start_of):
        asked.append(sorted(point.seed for point in points))
        return pool.run_points(points, run)

    monkeypatch.setattr(experiment_run, "run_points", spy)
    directory = tmp_path / "run"
    first = pipeline.sweep(configure(), {"seed": [1, 3]}, directory, backend="sequential")
    again = pipeline.sweep(configure(), {"seed": [1, 3]}, directory, backend="sequential")
    longer = pipeline.sweep(configure(), {"seed": [1, 2, 3, 4]}, directory, backend="sequential")
    assert asked == [[1, 3], [], [2, 4]]
    xr.testing.assert_identical(numbers_of(again), numbers_of(first))
    fresh = pipeline.sweep(configure(), {"seed": [1, 2, 3, 4]}, backend="sequential")
    xr.testing.assert_identical(numbers_of(longer), numbers_of(fresh))


def test_other_settings_are_refused(configure, tmp_path):
    """Points with other model parameters or recordings are refused; the file is unchanged."""
    pipeline.sweep(configure(), {"seed": [1, 2]}, tmp_path, backend="sequential")
    before = (tmp_path / "results.nc").read_bytes()
    for change, message in [
        (
            "neuron.tau_m=12",
            r"holds an experiment with other settings \(neuron\.tau_m=10\.0 there and "
            r"neuron\.tau_m=12\.0 here\); sweep both values to have both in one file "
            r"\(neuron\.tau_m=10\.0,12\.0\), or choose another name$",
        ),
        (
            "record.spike_times=true",
            r"record\.spike_times=False there and .*=True here\); choose another name$",
        ),
    ]:
        with pytest.raises(RequestError, match=message):
            pipeline.sweep(configure(change), {"seed": [1, 2]}, tmp_path, backend="sequential")
    assert (tmp_path / "results.nc").read_bytes() == before
    swept = pipeline.sweep(
        configure(), {"neuron.tau_m": [12], "seed": [1]}, tmp_path, backend="sequential"
    )
    assert swept["status"].sel(tau_m=10).values.tolist() == [0, 0]
    assert swept["status"].sel(tau_m=12).values.tolist() == [0, 2]


def test_another_model_version_is_refused(configure, tmp_path, monkeypatch):
    """Results of another version of the model are refused, and no file is changed."""
    pipeline.sweep(configure(), {"seed": [1, 2]}, tmp_path, backend="sequential")
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    for module in (points, union, spec):
        monkeypatch.setattr(module, "MODEL_VERSION", 1000)
    with pytest.raises(
        RequestError,
        match=r"made by model version \d+, and this is version 1000, .*; choose another name$",
    ):
        pipeline.sweep(configure(), {"seed": [1, 2, 3]}, tmp_path, backend="sequential")
    after = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert {f: b for f, b in after.items() if f.name != ".lock"} == {
        f: b for f, b in before.items() if f.name != ".lock"
    }


def test_an_interruption_saves_finished_points(configure, tmp_path, monkeypatch):
    """An interruption saves the finished points in results.nc, and the next run resumes."""

    def two_batches_then_interrupt(points, run, start_of):
        batches = pool.run_points(points, run)
        yield next(batches)
        yield next(batches)
        raise KeyboardInterrupt

    monkeypatch.setattr(experiment_run, "run_points", two_batches_then_interrupt)
    settings = {"backend": "sequential", "batch_size": 1}
    with pytest.raises(KeyboardInterrupt):
        pipeline.sweep(configure(), {"seed": range(5)}, tmp_path, **settings)
    with xr.open_dataset(tmp_path / "results.nc") as dataset:
        assert dataset["status"].values.tolist() == [0, 0, 2, 2, 2]
    monkeypatch.undo()
    resumed = pipeline.sweep(configure(), {"seed": range(5)}, tmp_path, **settings)
    whole = pipeline.sweep(configure(), {"seed": range(5)}, **settings)
    xr.testing.assert_identical(numbers_of(resumed), numbers_of(whole))
    assert resumed["made_by"].values.tolist() == [0, 0, 1, 1, 1]


def test_a_failed_point_is_listed_and_retried(
    configure, tmp_path, fail_for_seed, monkeypatch, caplog
):
    """failures.csv names point, reason and traceback; the next run computes that point."""
    axes = {"input.rate_hz": [30], "seed": range(3)}
    fail_for_seed(1, ZeroDivisionError('no "luck",\ntoday'))
    dataset = pipeline.sweep(configure(), axes, tmp_path, backend="sequential")
    assert dataset["status"].values.tolist() == [[0, 1, 0]]
    assert "failed at rate_hz=30.0, seed=1: Zero" in (tmp_path / "sweep.log").read_text()
    assert caplog.messages[-2].startswith("failed: 1; the first at rate_hz=30.0, seed=1: Zero")
    with (tmp_path / "failures.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row.pop("traceback").splitlines()[0] == "Traceback (most recent call last):"
    assert row == {
        "input.rate_hz": "30.0",
        "seed": "1",
        "reason": 'ZeroDivisionError: no "luck", today',
        "key": Grid(configure("input.rate_hz=30", "seed=1").to_mapping()).keys[0],
    }
    more = {"input.rate_hz": [30], "seed": [3]}
    dataset = pipeline.sweep(configure(), more, tmp_path, backend="sequential")
    assert dataset["status"].values.tolist() == [[0, 1, 0, 0]], "others stay failed"
    monkeypatch.undo()
    dataset = pipeline.sweep(configure(), axes, tmp_path, backend="sequential")
    assert dataset["status"].values.tolist() == [[0, 0, 0, 0]]
    assert not (tmp_path / "failures.csv").exists()


def test_failures_that_are_not_retried_stay(configure, tmp_path, monkeypatch):
    """A retry that ends early keeps the reasons of the points that it did not run."""

    def fail(configuration, *arguments):
        if configuration.seed:
            raise ValueError(f"seed {configuration.seed}")
        return reference.run(configuration, *arguments)

    monkeypatch.setattr(worker, "engine_named", lambda name: fail)
    settings = {"backend": "sequential", "directory": tmp_path}
    assert pipeline.sweep(configure(), {"seed": range(4)}, **settings)["status"].sum() == 3
    again = pipeline.sweep(configure(), {"seed": range(4)}, fail_fast=True, **settings)
    assert again["status"].values.tolist() == [0, 1, 1, 1]
    with (tmp_path / "failures.csv").open(newline="") as file:
        reasons = [row["reason"] for row in csv.DictReader(file)]
    assert reasons == [f"ValueError: seed {seed}" for seed in (1, 2, 3)]
    more = pipeline.sweep(configure(), {"seed": [0, 7]}, **settings)
    assert more["status"].values.tolist() == [0, 1, 1, 1, 1]


def test_results_without_their_batches_are_renamed(configure, tmp_path, caplog):
    """Points in results.nc that are in no batch are reported, and the previous file is kept."""
    settings = {"backend": "sequential", "batch_size": 1, "directory": tmp_path}
    whole = pipeline.sweep(configure(), {"seed": range(3)}, **settings)
    for batch in tmp_path.glob("points/*.npz"):
        batch.unlink()
    with pytest.raises(RequestError, match="holds an experiment with other settings"):
        pipeline.sweep(configure("neuron.tau_m=12"), {"seed": [1]}, **settings)
    assert not (tmp_path / "results.nc.earlier").exists()
    pipeline.sweep(configure(), {"seed": [1]}, **settings)
    assert "has 3 finished points that are no longer in" in caplog.text
    with xr.open_dataset(tmp_path / "results.nc.earlier") as kept:
        xr.testing.assert_identical(numbers_of(kept), numbers_of(whole))
    with xr.open_dataset(tmp_path / "results.nc") as dataset:
        assert dataset["status"].values.tolist() == [2, 0, 2]


def test_a_request_without_results_can_be_replaced(configure, tmp_path, monkeypatch):
    """A directory without finished points accepts a request with other model parameters."""
    monkeypatch.setattr(experiment_run, "run_points", lambda *_: iter(()))
    settings = {"backend": "sequential", "directory": tmp_path}
    pipeline.sweep(configure(), {"seed": range(3)}, **settings)
    monkeypatch.undo()
    dataset = pipeline.sweep(configure("neuron.tau_m=12"), {"seed": [1]}, **settings)
    assert dataset["status"].values.tolist() == [0]


def test_an_axis_without_effect_is_reported(configure, caplog):
    """Sweeping ltd_ratio with a given A_minus warns, and every run is done once."""
    dataset = pipeline.sweep(
        configure("stdp.A_minus=0.01"), {"stdp.ltd_ratio": [1, 2]}, backend="sequential"
    )
    assert "stdp.ltd_ratio has no effect" in caplog.text
    np.testing.assert_array_equal(dataset["weight"][0], dataset["weight"][1])


def test_a_wrong_sweep_writes_nothing(configure, tmp_path):
    """Axes and settings are validated before the directory is created."""
    for axes, settings in [
        ({"stdp.tau_plus": [10, -1]}, {}),
        ({"stdp.tau": [10]}, {}),
        ({"seed": [1]}, {"backend": "unknown"}),
    ]:
        with pytest.raises(RequestError):
            pipeline.sweep(configure(), axes, tmp_path / "run", **settings)
    assert list(tmp_path.iterdir()) == []


def test_provenance_is_in_the_file_and_beside_it(configure, tmp_path):
    """Commit, versions, engine, command and seed policy are equal in both files."""
    dataset = pipeline.sweep(configure(), {"seed": [1]}, tmp_path, backend="sequential")
    (beside,) = json.loads((tmp_path / "provenance.json").read_text())["runs"]
    (within,) = json.loads(dataset.attrs["runs"])
    for name in ("git_commit", "git_dirty", "engine", "command", "seed_policy", "created"):
        assert beside[name]
        assert dataset.attrs[name] == beside[name]
    assert beside["packages"]["numpy"] == np.__version__
    assert beside["packages"]["pytest"] == pytest.__version__
    assert json.loads(dataset.attrs["packages"]) == beside["packages"]
    assert dataset.attrs["Conventions"] == "CF-1.11"
    assert 0 < float(dataset["wall_time"][0]) < beside["seconds"] == dataset.attrs["seconds"]
    assert not beside.pop("git_diff") or beside["git_dirty"] == "true"  # new files have none
    assert within == beside


def test_every_point_names_the_run_that_computed_it(configure, tmp_path):
    """A repeated request adds no run; an extended axis adds one."""
    settings = {"directory": tmp_path, "backend": "sequential"}
    pipeline.sweep(configure(), {"seed": [1, 3]}, engine="reference", **settings)
    made = (tmp_path / "provenance.json").read_bytes()
    again = pipeline.sweep(configure(), {"seed": [1, 3]}, engine="compiled", **settings)
    assert again.attrs["engine"] == "reference"
    assert (tmp_path / "provenance.json").read_bytes() == made
    more = pipeline.sweep(configure(), {"seed": [1, 2, 3]}, engine="compiled", **settings)
    assert more.attrs["engine"] == "reference; compiled"
    engines = [run["engine"] for run in json.loads(more.attrs["runs"])]
    assert [engines[index] for index in more["made_by"].values] == [
        "reference",
        "compiled",
        "reference",
    ]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: pipeline.sweep(c, None), "^axes=null: must map keys"),
        (lambda c: pipeline.sweep(c, ["seed"]), r"^axes=\['seed'\]: must map keys"),
        (lambda c: pipeline.sweep(c, {1: [1]}), r"^axes=\{1: \[1\]\}: must map keys"),
        (lambda c: pipeline.sweep(c, {"seed": {1: 2}}), r"^seed=\{1: 2\}: an axis needs a list"),
        (lambda c: pipeline.sweep(c, {"seed": ["1"]}), "^seed='1': random seed must be a whole"),
        (lambda c: pipeline.sweep({}, {}), r"^configuration=\{\}: must be what pipeline.configure"),
        (lambda c: pipeline.simulate(None), "^configuration=null: must be what"),
        (lambda c: pipeline.sweep(c, {}, directory=""), "^directory=: must be a path"),
        (lambda c: pipeline.sweep(c, {}, directory=3), "^directory=3: must be a path"),
        (lambda c: pipeline.simulate(c, [[0, 1], [0]]), "^spikes: must be a matrix"),
        (lambda c: pipeline.configure(["seed=1"]), r"^override=\['seed=1'\]: must be text"),
    ],
)
def test_a_wrong_call_is_refused_in_one_line(configure, call, message):
    """A refused call names the argument and what is allowed."""
    with pytest.raises(RequestError, match=message):
        call(configure())


def test_results_that_do_not_fit_are_refused_before_anything_runs(configure, tmp_path):
    """Results larger than the memory are refused with their size, and nothing is written."""
    huge = configure("record=everything", "simulation.duration=1e10")
    with pytest.raises(RequestError, match=r"^2 points of .* GB each: results must be <= .* GB"):
        pipeline.sweep(huge, {"seed": [1, 2]}, tmp_path / "run")
    assert not (tmp_path / "run").exists()
