"""Variables that are gathered from batch files, against the same variables held in memory."""

import itertools

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import pipeline
from pipeline.execution.batch import Batch
from pipeline.model.errors import RequestError
from pipeline.model.variables import stacked
from pipeline.request.axis import value_axis
from pipeline.request.grid import Grid
from pipeline.request.overrides import grid_of_mapping
from pipeline.request.size import lengths
from pipeline.storage import arrays as storage_arrays
from pipeline.storage import columns, netcdf
from pipeline.storage.arrays import ResultArrays, refuse_larger_than_memory
from pipeline.storage.columns import Column, GatheredColumns, contiguous_sizes
from pipeline.storage.directory import Directory

#: Axes of many shapes, with points that differ in size and an axis without effect.
AXES = [
    {},
    {"seed": range(7)},
    {"seed": range(5), "input.rate_hz": [10, 20, 30]},
    {"input.n_synapses": [3, 8], "seed": range(3), "simulation.duration": [300, 500]},
    {"stdp.ltd_ratio": [1.0, 1.1], "stdp.A_plus": [0.1, 0.2], "seed": [1, 2]},
    {"seed": [1, 2], "stdp.tau_plus": [5, 6], "neuron.t_ref": [1, 2], "synapse.w_init": [0.1, 0.2]},
]
RECORDS = [
    ["record=final"],
    ["record=history", "record.weight_interval=100"],
    ["record.spike_times=true"],
    ["record=everything", "record.weight_interval=50"],
]


def result_of(point, random):
    """Return made-up variables of one point, of the shapes that a run has."""
    sizes = lengths(Grid(point.to_mapping()))
    count = int(random.integers(0, 6))
    sizes["spike"] = count
    variables = {
        name: random.random([sizes[dim] for dim in variable.dims])
        for name, variable in pipeline.model.variables.VARIABLES.items()
        if variable.when(point)
    }
    return variables | {"spike_count": count}


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record[0])
@pytest.mark.parametrize("axes", AXES, ids=lambda axes: ",".join(axes) or "one point")
@pytest.mark.parametrize("block", [1, 700])
def test_a_gathered_dataset_is_the_one_in_memory(
    configure, tmp_path, monkeypatch, axes, record, block
):
    """Batches in any order, failed and missing points: the files are equal value by value."""
    monkeypatch.setattr(columns, "_BLOCK", block)
    monkeypatch.setattr(netcdf, "_CHUNK", 300)
    random = np.random.default_rng(len(axes))
    size = ["input.n_synapses=8", "stdp.A_minus=0.01", "simulation.duration=400"]
    grid = grid_of_mapping(configure(*size, *record), axes)
    held, gathered = ResultArrays(grid), ResultArrays(grid, in_memory=False)
    directory = Directory(tmp_path)
    points = list(grid.at(random.permutation(grid.keys.distinct())).items())
    done, other = points[: max(1, 2 * len(points) // 3)], points[2 * len(points) // 3 :]
    for start in range(0, len(done), 2):
        some = done[start : start + 2]
        results = [result_of(point, random) for _, point in some]
        batch = Batch([key for key, _ in some], stacked(results, grid.record))
        kept = directory.save(batch, "me")
        held.add(batch.keys, batch.columns, made_by=3)
        gathered.add(kept.keys, kept.columns, made_by=3)
    for key, _ in other[1:2]:
        held.fail(key)
        gathered.fail(key)
    files = {"held": held, "gathered": gathered}
    for name, arrays in files.items():
        netcdf.write_netcdf(arrays.labelled(), tmp_path / f"{name}.nc")
    with (
        xr.open_dataset(tmp_path / "held.nc") as one,
        xr.open_dataset(tmp_path / "gathered.nc") as two,
    ):
        assert (one["status"] == 0).any()
        xr.testing.assert_identical(one, two)
    xr.testing.assert_identical(held.labelled().to_xarray(), gathered.labelled().to_xarray())


def test_later_batches_replace_earlier_ones(configure, tmp_path):
    """A point that is in two batches has the values of the later one, held or gathered."""
    grid = Grid(configure("input.n_synapses=2").to_mapping(), [value_axis("seed", [1, 2])])
    for arrays in (ResultArrays(grid), ResultArrays(grid, in_memory=False)):
        for value in (0.25, 0.75):
            random = np.random.default_rng()
            results = [result_of(p, random) | {"weight": np.full(2, value)} for p in grid.points]
            arrays.add(list(grid.keys), stacked(results, grid.record))
        assert (arrays.labelled().values("weight") == 0.75).all()


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize(("earlier", "later"), [(20, 3), (3, 20)])
def test_later_batches_may_have_fewer_spikes(configure, in_memory, earlier, later):
    """Spike times of a point are those of its later batch, held or gathered, and NaN behind."""
    overrides = "input.n_synapses=2", "record.spike_times=true"
    grid = Grid(configure(*overrides).to_mapping(), [value_axis("seed", [1, 2])])
    arrays, random = ResultArrays(grid, in_memory), np.random.default_rng()

    def results(*counts):
        return [
            result_of(point, random) | {"spike_time": np.arange(float(n)), "spike_count": n}
            for point, n in zip(grid.points, counts, strict=False)
        ]

    arrays.add(list(grid.keys), stacked(results(earlier, 14), grid.record))
    arrays.add(list(grid.keys)[:1], stacked(results(later), grid.record))
    times = np.asarray(arrays.labelled().to_xarray()["spike_time"])
    assert np.isfinite(times).sum(axis=1).tolist() == [later, 14]


def test_missing_values_need_no_memory(configure, monkeypatch):
    """A point that failed for want of memory is written without its arrays, which read as NaN."""
    grid = Grid(configure().to_mapping(), [value_axis("seed", [1, 2, 3])])
    monkeypatch.setattr(columns, "_BLOCK", 1)
    arrays, random = ResultArrays(grid, in_memory=False), np.random.default_rng()
    arrays.add([grid.keys[1]], stacked([result_of(grid.points[1], random)], grid.record))
    arrays.fail(grid.keys[0])
    variable = arrays.labelled().variables["weight"][1]
    assert [place for place, _ in variable.blocks([1, 40])] == [(slice(1, 2),)]
    assert np.isnan(np.asarray(variable)[[0, 2]]).all()


@given(
    st.lists(st.integers(1, 9), max_size=3),
    st.lists(st.integers(0, 5), max_size=2),
    st.integers(1, 300),
    st.integers(1, 300),
)
def test_blocks_consist_of_whole_chunks(shape, own, room, block):
    """Blocks cover all points once, in order, and no chunk is in two of them."""
    n_points = int(np.prod(shape))
    gathered = GatheredColumns({"x": Column(np.dtype("f4"), tuple(own))}, n_points)
    source = np.arange(n_points * np.prod(own, dtype=int)).reshape(n_points, *own)
    gathered.add(np.arange(n_points), np.arange(n_points), {"x": source})
    variable = gathered.variable("x").reshape((*shape, *own))
    chunks = contiguous_sizes(variable.shape, room)
    seen, copy = set(), np.full(variable.shape, -1.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "_BLOCK", block)
        for place, values in variable.blocks(chunks):
            assert (copy[place] == -1).all()
            copy[place] = values
            touched = itertools.product(
                *[range(p.start // c, -(-p.stop // c)) for p, c in zip(place, chunks, strict=False)]
            )
            for chunk in touched:
                assert chunk not in seen
                seen.add(chunk)
    np.testing.assert_array_equal(copy, source.reshape(variable.shape))


@given(st.lists(st.integers(1, 50), min_size=1, max_size=4), st.integers(1, 5000))
def test_parts_are_contiguous_and_about_equal(shape, room):
    """A part has at most `room` values: indices first, a share of one dimension, whole others."""
    sizes = contiguous_sizes(shape, room)
    assert np.prod(sizes) <= room
    split = [i for i, (size, whole) in enumerate(zip(sizes, shape, strict=True)) if size < whole]
    first = max(split, default=0)
    assert all(size == 1 for size in sizes[:first])
    n_parts = -(-shape[first] // sizes[first])
    assert n_parts * sizes[first] < shape[first] + n_parts


def test_results_in_files_may_be_larger_than_the_memory(configure, monkeypatch):
    """In files only the results of one point must fit in memory, otherwise all of them."""
    grid = Grid(configure("record=everything").to_mapping(), [value_axis("seed", range(9))])
    per_point = storage_arrays.bytes_per_point(grid)
    monkeypatch.setattr(storage_arrays, "memory_limit", lambda: (5 * per_point, "its memory"))
    refuse_larger_than_memory(grid, in_memory=False)
    with pytest.raises(RequestError, match=r"^9 points of .* GB each: results must be <= .* GB"):
        refuse_larger_than_memory(grid, in_memory=True)
    monkeypatch.setattr(storage_arrays, "memory_limit", lambda: (per_point / 2, "its memory"))
    with pytest.raises(RequestError, match=r"^9 points of .* each: those of a point must be <= "):
        refuse_larger_than_memory(grid, in_memory=False)


BOUNDED = """
import sys
import netCDF4
from pathlib import Path
import numpy as np
import pipeline
from pipeline.execution.batch import Batch
from pipeline.request.overrides import grid_of_mapping
from pipeline.storage import columns
from pipeline.storage.directory import Directory
from pipeline.storage.state import SweepState

columns._BLOCK = 4_000_000
axes = {"seed": range(400), "input.rate_hz": range(1, 501)}
grid = grid_of_mapping(pipeline.configure("input.n_synapses=300", "simulation.duration=1"), axes)
before = peak()
with Directory(Path(sys.argv[1])).held():
    state = SweepState(grid, Directory(Path(sys.argv[1])))
    state.runs.append({"id": "me", "seconds": 0.0})
    state.open()
    for positions in np.random.default_rng(0).permutation(200_000).reshape(40, 5_000):
        weight = np.repeat(positions.astype(np.float32)[:, np.newaxis], 300, axis=1)
        numbers = dict.fromkeys(("output_rate", "isi_cv", "mean_weight", "wall_time"), positions)
        columns_ = {"weight": weight, "spike_count": positions, **numbers}
        state.enter(Batch(grid.keys.texts(positions), columns_))
    state.conclude()
print(peak() - before)
"""


def test_the_memory_of_a_sweep_does_not_grow_with_its_weights(run_python, tmp_path):
    """240 MB of weights in scattered batches take less than 140 MB, and are read back."""
    used = int(run_python(BOUNDED, tmp_path / "run"))
    assert used < 140_000
    with xr.open_dataset(tmp_path / "run" / "results.nc") as results:
        weight = results["weight"].values
    assert weight.shape == (400, 500, 300)
    np.testing.assert_array_equal(weight[:, :, 7].ravel(), np.arange(200_000))
    np.testing.assert_array_equal(weight[:, :, 0], weight[:, :, 299])
