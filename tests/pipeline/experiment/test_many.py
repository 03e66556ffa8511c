"""`pipeline.simulate_many`: any configurations along one dimension."""

import json
import logging

import numpy as np
import pytest

import pipeline
from pipeline.reproduce import main as reproduce

#: Of the second one, the first has not all fields.
_RULES = ("additive", "triplet")


@pytest.fixture(scope="module")
def unlike():
    """Other rules, inputs, numbers of synapses, durations and seeds; the first one twice."""
    overrides = (
        ("simulation.duration=500",),
        ("stdp=multiplicative", "input.n_synapses=100", "simulation.duration=700", "seed=3"),
        ("input=groups", "input.rate_hz=30", "simulation.duration=500", "stdp.A_minus=0.01"),
        ("simulation.duration=500",),
    )
    return [pipeline.configure("input.rate_hz=20", *own) for own in overrides]


@pytest.fixture(scope="module")
def many(unlike):
    """Results of all of them."""
    return pipeline.simulate_many(unlike, n_jobs=2, backend="threading")


def test_each_row_is_its_configuration_alone(unlike, many):
    """Numbers and weights of a row are those of `simulate`, filled up with NaN."""
    assert many["weight"].dims == ("sample", "synapse")
    for number, configuration in enumerate(unlike):
        alone, row = pipeline.simulate(configuration), many.isel(sample=number)
        n = configuration.input.n_synapses
        assert np.array_equal(row["weight"].values[:n], alone["weight"].values.astype(np.float32))
        assert np.isnan(row["weight"].values[n:]).all()
        for name in ("output_rate", "spike_count", "mean_weight", "status"):
            assert row[name].item() == alone[name].item()


def test_what_differs_labels_the_samples(many):
    """A key in which they differ is a coordinate along `sample`, with its key, name and unit."""
    assert many["sample"].values.tolist() == [0, 1, 2, 3]
    assert many["sample"].dtype == np.int64
    sampled = json.loads(many["sample"].attrs["sampled"])
    assert many["sample"].attrs["config_key"] == "sample"
    assert {"stdp.rule", "input.process", "input.n_synapses", "seed"} <= set(sampled)
    assert "stdp.tau_plus" not in sampled
    assert many["rule"].values.tolist() == ["additive", "multiplicative", "additive", "additive"]
    assert many["duration"].values.tolist() == [500, 700, 500, 500]
    assert many["duration"].dims == ("sample",)
    assert many["duration"].attrs["config_key"] == "simulation.duration"
    assert many["duration"].attrs["units"] == "ms"


def test_a_number_that_is_null_somewhere_is_resolved_or_a_variable(many):
    """What follows others where null has its value; else it is NaN there, and no coordinate."""
    assert many["A_minus"].values.tolist() == [0.0088, 0.0088, 0.01, 0.0088]
    assert many["A_minus"].dims == ("sample",)
    of_rules = [pipeline.configure(f"stdp={rule}", "simulation.duration=10") for rule in _RULES]
    found = pipeline.simulate_many(of_rules, engine="reference", backend="sequential")
    assert found["tau_x"].values.tolist()[1:] == [101.0] and np.isnan(found["tau_x"][0])
    assert "tau_x" in found.data_vars and found["tau_x"].attrs["units"] == "ms"
    assert not any(np.isnan(one).any() for one in found.coords.values() if one.dtype.kind == "f")


def test_one_that_is_repeated_is_run_once(many):
    """Both rows are the same run."""
    first, last = many.isel(sample=0), many.isel(sample=3)
    assert first["wall_time"].item() == last["wall_time"].item()
    assert np.array_equal(first["weight"].values, last["weight"].values)


def test_equal_configurations_differ_in_their_number_alone(unlike):
    """Without a key that differs, the seed is the coordinate."""
    same = pipeline.simulate_many([unlike[0]] * 2, backend="sequential")
    assert json.loads(same["sample"].attrs["sampled"]) == ["seed"]
    assert same["seed"].values.tolist() == [unlike[0].seed] * 2
    one = pipeline.simulate_many(iter(unlike[:1]), backend="sequential")
    assert one["output_rate"].shape == (1,)


def test_a_saved_dataset_reproduces(many, tmp_path, monkeypatch, capsys):
    """A file of it has all of its rules, fields that only some have, and repetitions."""
    many.to_netcdf(tmp_path / "many.nc")
    monkeypatch.chdir(tmp_path)
    assert reproduce([str(tmp_path / "many.nc"), "--points", "4"]) in (None, 0)
    assert "4 of 4 points are the same bit for bit" in capsys.readouterr().out


def test_one_that_fails_leaves_the_others(unlike, caplog):
    """It is NaN with status 1, and the log names it with its values."""
    long = unlike[0].replaced({"simulation.duration": 2e8})
    with caplog.at_level(logging.ERROR, "pipeline"):
        found = pipeline.simulate_many([unlike[0], long], timeout=0.05, backend="sequential")
    assert found["status"].values.tolist() == [0, 1]
    assert np.isnan(found["output_rate"].values).tolist() == [False, True]
    assert "sample=1 (duration=200000000.0)" in caplog.text


def test_what_one_file_cannot_hold_is_refused(unlike):
    """Other records, or other ends of a run, are refused in one line."""
    recorded = pipeline.configure("record.weight_interval=100")
    with pytest.raises(
        pipeline.RequestError,
        match=r"^record\.weight_interval=100\.0: must be the same in all configurations, .*=null$",
    ):
        pipeline.simulate_many([unlike[0], recorded])
    settled = pipeline.configure("simulation.until=settled")
    with pytest.raises(pipeline.RequestError, match="^simulation.until: must be the same for all"):
        pipeline.simulate_many([unlike[0], settled])


@pytest.mark.parametrize(
    ("configurations", "message"),
    [
        ([], r"^configurations=\[\]: must be at least one$"),
        (3, "^configurations=3: must be a list of what pipeline.configure returns$"),
        ("seed=1", "^configurations=seed=1: must be a list of what"),
        (["seed=1"], r"^configurations\[0\]=seed=1: must be what pipeline.configure returns$"),
    ],
)
def test_something_else_is_refused(configurations, message):
    """The line names what was given in place of a configuration."""
    with pytest.raises(pipeline.RequestError, match=message):
        pipeline.simulate_many(configurations)


def test_a_setting_that_does_not_exist_is_refused(unlike):
    """Settings are those of the section `run`."""
    with pytest.raises(pipeline.RequestError, match="^run.workers=2: unknown key"):
        pipeline.simulate_many(unlike, workers=2)
    with pytest.raises(pipeline.RequestError, match="^shard=1/2: needs a directory"):
        pipeline.simulate_many(unlike, shard="1/2")
