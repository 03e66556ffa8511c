"""The experiment directory: atomic writes, and no finished point is lost."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from omegaconf import OmegaConf

import pipeline
from pipeline.engine.simulate import run_point
from pipeline.execution.batch import Batch
from pipeline.model import reference
from pipeline.model.errors import RequestError
from pipeline.model.variables import stacked
from pipeline.request.axis import value_axis
from pipeline.request.grid import Grid
from pipeline.request.spec import request_of
from pipeline.storage.arrays import ResultArrays
from pipeline.storage.directory import Directory
from pipeline.storage.paths import directory_path
from pipeline.system.atomic_files import replacing


@pytest.fixture
def directory(tmp_path):
    """An experiment directory that does not exist yet."""
    return Directory(tmp_path / "study" / "run")


def test_a_failed_write_leaves_the_old_file_and_no_temporary_file(tmp_path):
    """After an error the previous file is unchanged and the temporary file is removed."""
    path = tmp_path / "results.nc"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="power cut"), replacing(path) as temporary:
        temporary.write_text("ha")
        raise RuntimeError("power cut")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_reader_keeps_its_file(directory, configure):
    """Replacing results.nc does not affect a process that has it open."""
    arrays = ResultArrays(Grid(configure().to_mapping(), [value_axis("seed", [1, 2])]))
    directory.write_results(arrays.labelled({"version": "first"}))
    with xr.open_dataset(directory.results) as reader:
        directory.write_results(arrays.labelled({"version": "second"}))
        assert reader["seed"].values.tolist() == [1, 2]
        assert np.isnan(reader["weight"].values).all()
    with xr.open_dataset(directory.results) as reader:
        assert reader.attrs["version"] == "second"


def test_saved_batches_are_read_bit_for_bit(directory, configure):
    """Saved batches are equal when read, with NaN and spike trains of unequal length."""
    points = [
        configure(
            "record=history", "record.weight_interval=50", f"seed={s}", f"input.rate_hz={rate}"
        )
        for s, rate in [(1, 0), (2, 40), (3, 90)]
    ]
    results = [run_point(point, reference.run) for point in points]
    batches = [
        Batch(["a", "b"], stacked(results[:2], points[0].record)),
        Batch(["c"], stacked(results[2:], points[0].record)),
    ]
    for batch, made_by in zip(batches, ("first", "second"), strict=True):
        directory.save(batch, made_by)
    kept = sorted(directory.finished(), key=lambda kept: kept[0].keys)
    back = [batch for batch, _ in kept]
    assert [batch.keys for batch in back] == [["a", "b"], ["c"]]
    assert [made_by for _, made_by in kept] == ["first", "second"]
    for batch, saved in zip(back, batches, strict=True):
        assert batch.columns.keys() == saved.columns.keys()
        for name, column in saved.columns.items():
            np.testing.assert_array_equal(batch.columns[name], column, err_msg=name)
    for row, result in zip(back[0].columns["spike_time"], results[:2], strict=True):
        np.testing.assert_array_equal(row[~np.isnan(row)], result["spike_time"])


def test_the_file_is_compressed_and_keeps_text(directory, configure):
    """Weights are float32 with zlib and shuffle; text coordinates are not cut."""
    grid = Grid(configure().to_mapping(), [value_axis("input.process", ["poisson", "notebook"])])
    directory.write_results(ResultArrays(grid).labelled())
    with xr.open_dataset(directory.results) as dataset:
        encoding = dataset["weight"].encoding
        assert (encoding["zlib"], encoding["shuffle"]) == (True, True)
        assert dataset["weight"].dtype == np.float32
        assert dataset["process"].values.tolist() == ["poisson", "notebook"]


@pytest.mark.parametrize(
    ("overrides", "axes"),
    [
        (["record=history", "record.weight_interval=100"], {}),
        (["record=history", "record.weight_interval=100", "input.rate_hz=0"], {"seed": [1, 2]}),
        (["record=everything"], {"stdp": ["notebook", "song_abbott_2001"], "input": ["poisson"]}),
    ],
)
def test_the_file_is_what_xarray_would_have_written(directory, configure, overrides, axes):
    """Scalars, text, counts and an empty dimension: values, types and attributes.

    xarray writes words with variable lengths, of which HDF5 opens no file twice, and reads words
    from characters as objects.
    """
    returned = pipeline.sweep(configure(*overrides), axes, directory.path, backend="sequential")
    with xr.open_dataset(directory.results) as written:
        returned.to_netcdf(directory.path / "xarray.nc")
        with xr.open_dataset(directory.path / "xarray.nc") as by_xarray:
            xr.testing.assert_identical(written, by_xarray)
            for name in by_xarray.variables:
                found = written[name].dtype
                assert found == by_xarray[name].dtype or by_xarray[name].dtype.kind == "U", name


def test_the_request_is_readable(directory, configure):
    """configuration.yaml holds constants and axes as plain YAML."""
    directory.write_request(Grid(configure().to_mapping(), [value_axis("stdp.tau_plus", [10, 20])]))
    request = OmegaConf.load(directory.path / "configuration.yaml")
    assert request.axes["stdp.tau_plus"] == [10, 20]
    assert request.input.n_synapses == 40
    assert "tau_plus" not in request.stdp


@pytest.mark.parametrize(
    "name", ["", " ", ".", "../elsewhere", "/etc/passwd", "a/../../b", None, [1]]
)
def test_a_name_stays_below_the_root(name):
    """An empty name, or one outside of `outputs`, is refused."""
    with pytest.raises(RequestError, match=r"^name=.*must be"):
        directory_path("outputs", name)


def test_a_plain_name_is_a_directory_below_the_root():
    """Names may have slashes and be numbers."""
    assert directory_path("out", "study/one") == Path("out/study/one")
    assert directory_path("out", 7) == Path("out/7")


def test_a_directory_that_cannot_be_created_is_refused(tmp_path):
    """A path that is a file is refused in one line."""
    (tmp_path / "taken").write_text("")
    with (
        pytest.raises(RequestError, match=r"taken/run: must be a writable directory \(Not a dir"),
        Directory(tmp_path / "taken" / "run").held(),
    ):
        pass


def test_a_directory_with_other_files_is_refused(tmp_path):
    """A folder with other files and a folder inside an experiment are refused."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "todo.txt").write_text("text")
    experiment = tmp_path / "one"
    (experiment / "points").mkdir(parents=True)
    (experiment / "configuration.yaml").write_text("")
    for path, message in [
        (tmp_path / "notes", r"notes: must hold no files but those of an experiment \(todo.txt\)"),
        (experiment / "points" / "two", "must not be inside the points of another experiment"),
        (experiment / "figures", "must not be inside the figures of another experiment"),
    ]:
        with pytest.raises(RequestError, match=message), Directory(path).held():
            pass
    assert [file.name for file in (tmp_path / "notes").iterdir()] == ["todo.txt"]


@pytest.mark.parametrize(
    "left", [".lock", "configuration.yaml", "provenance.json", "sweep.log", "points"]
)
def test_an_experiment_is_known_by_any_of_its_files(keep, configure, left):
    """With one of them left, and its results and failures, the same request goes on there."""
    path = keep("one", {"seed": [1, 2, 3]})
    (path / "failures.csv").write_text("reason,traceback,key\n")
    for name in {".lock", "configuration.yaml", "provenance.json", "sweep.log"} - {left}:
        (path / name).unlink()
    if left != "points":
        shutil.rmtree(path / "points")
    again = pipeline.sweep(configure(), {"seed": [1, 2, 3]}, path, backend="sequential")
    assert (again["status"] == 0).all()


def test_a_directory_has_one_writer(directory):
    """A second sweep is refused while the first holds the lock."""
    with directory.held():
        message = rf"run: process {os.getpid()} on .* since .* is writing here"
        with pytest.raises(RequestError, match=message), Directory(directory.path).held():
            pass
    with Directory(directory.path).held():
        pass


@pytest.mark.parametrize("damage", [b"", b"invalid", None])
def test_a_damaged_batch_is_set_aside(directory, configure, damage, caplog):
    """Its points are missing, the others are read, and the file is renamed."""
    for seed in (1, 2):
        point = configure(f"seed={seed}")
        batch = Batch([str(seed)], stacked([run_point(point, reference.run)], point.record))
        directory.save(batch, "me")
    file = sorted(directory.points.iterdir())[0]
    file.write_bytes(file.read_bytes()[:-400] if damage is None else damage)
    assert len(list(directory.finished(changes_files=True))) == 1
    assert file.with_name(f"{file.name}.damaged").exists()
    assert "is damaged and set aside" in caplog.text


def test_a_file_that_cannot_be_read_is_not_called_damaged(directory, configure, monkeypatch):
    """An error of reading is no evidence of damage: the file is not renamed."""
    results = [run_point(configure(), reference.run)]
    directory.save(Batch(["1"], stacked(results, configure().record)), "me")

    def fail(path, mode):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(Path, "open", fail)
    with pytest.raises(RequestError, match=r"npz: cannot be read \(Too many open files\)"):
        list(directory.finished(changes_files=True))
    assert len(list(directory.points.glob("*.npz"))) == 1


def test_changed_text_is_detected(directory, configure, caplog):
    """A changed digit in configuration.yaml or provenance.json is detected."""
    grid = Grid(configure().to_mapping(), [value_axis("seed", [1, 2])])
    directory.write_request(grid)
    directory.write_runs([{"id": "a", "git_commit": "abc"}])
    assert directory.request() == request_of(grid)
    assert directory.runs() == [{"id": "a", "git_commit": "abc"}]
    for name, old, new in (
        ("configuration.yaml", "  - 2", "  - 3"),
        ("provenance.json", "abc", "abd"),
    ):
        file = directory.path / name
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))
    assert directory.request() is None
    assert directory.runs() == []
    assert "configuration.yaml is damaged; results.nc is read instead" in caplog.text
    assert "provenance.json is damaged; results.nc is read instead" in caplog.text


def test_request_and_runs_are_also_in_the_results(configure, tmp_path):
    """Without configuration.yaml and provenance.json both are read from results.nc."""
    axes = {"stdp": ["notebook", "song_abbott_2001"], "input.rate_hz": [30, 60], "seed": [1]}
    pipeline.sweep(configure(), axes, tmp_path / "run", backend="sequential")
    directory = Directory(tmp_path / "run")
    request, runs = directory.request(), directory.runs()
    for name in ("configuration.yaml", "provenance.json"):
        (directory.path / name).unlink()
    assert directory.request() == request
    for made in runs:
        del made["git_diff"]
    assert directory.runs() == runs
