"""Samples: several keys that take their values together, along one dimension."""

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pipeline
from pipeline.model.errors import RequestError
from pipeline.model.quantity import Section
from pipeline.request.axis_kinds import kind_of
from pipeline.request.grid import Grid
from pipeline.request.overrides import grid_of_mapping
from pipeline.request.samples import SAMPLE
from pipeline.request.spec import grid_of_request, request_of

#: Values by key that are allowed together in any combination.
VALUES = {
    "stdp.A_plus": st.floats(0, 0.1),
    "stdp.tau_plus": st.floats(2, 100),
    "input.rate_hz": st.floats(0, 100),
    "input.n_synapses": st.integers(1, 500),
    "neuron.tau_m": st.floats(5, 50),
    "seed": st.integers(0, 2**32 - 1),
    "stdp": st.sampled_from(["notebook", "song_abbott_2001", "van_rossum"]),
}


@st.composite
def tables(draw):
    """Return values by key of a few samples, no two of which are the same."""
    keys = draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=4, unique=True))
    if "stdp" in keys:  # the rules have other fields
        keys = [key for key in keys if not key.startswith("stdp.")]
    rows = draw(st.lists(st.tuples(*(VALUES[key] for key in keys)), min_size=1, max_size=5))
    rows = list(
        {tuple(f"{x:.15g}" if isinstance(x, float) else x for x in r): r for r in rows}.values()
    )
    return dict(zip(keys, map(list, zip(*rows, strict=True)), strict=True))


@settings(max_examples=40, deadline=None)
@given(tables())
def test_samples_are_the_points_that_a_loop_would_give(samples):
    """Each has the key of the configuration with its values, in the order given."""
    base = pipeline.configure("simulation.duration=100")
    grid = grid_of_mapping(base, {}, samples)
    assert grid.shape == (len(next(iter(samples.values()))),)
    for i, key in enumerate(grid.keys):
        row = {name: values[i] for name, values in samples.items()}
        chosen = [f"{name}={row.pop(name)}" for name in ("stdp",) if name in row]
        one = pipeline.configure("simulation.duration=100", *chosen).replaced(row)
        assert Grid(one).keys[0] == key
        assert grid.points[i] == one
    assert grid_of_request(request_of(grid)).keys == grid.keys


def test_samples_beside_axes(configure):
    """Each sample is run at each value of the axes, which are dimensions after that of samples."""
    samples = {"stdp.A_plus": [0.01, 0.02], "stdp.tau_plus": [10, 20]}
    dataset = pipeline.sweep(configure(), {"seed": [3, 4]}, samples=samples, backend="sequential")
    assert dataset["output_rate"].dims == ("sample", "seed")
    assert dataset["sample"].values.tolist() == [0, 1]
    assert dataset["sample"].dtype == np.int64
    assert dataset["sample"].attrs == {
        "long_name": "sample",
        "config_key": "sample",
        "sampled": '["stdp.A_plus", "stdp.tau_plus"]',
    }
    assert dataset["tau_plus"].dims == ("sample",)
    assert dataset["tau_plus"].attrs == {
        "long_name": "LTP time constant",
        "units": "ms",
        "config_key": "stdp.tau_plus",
    }
    assert dataset["A_minus"].values.tolist() == [0.011, 0.022]
    loop = pipeline.sweep(configure("stdp.A_plus=0.02", "stdp.tau_plus=20"), {"seed": [3, 4]})
    assert (
        dataset["weight"]
        .isel(sample=1)
        .equals(loop["weight"].assign_coords(dataset["weight"].isel(sample=1).coords))
    )


def test_a_table_of_pandas_is_a_mapping(configure):
    """Of its columns, whose index plays no role."""
    table = pd.DataFrame({"stdp.A_plus": [0.01, 0.02], "input.n_synapses": [10, 20]}, index=[7, 9])
    made = grid_of_mapping(configure(), {}, table)
    assert made.keys == grid_of_mapping(configure(), {}, table.to_dict("list")).keys


@pytest.mark.parametrize(
    "numbers",
    [[40.0, 50.0], np.array([40, 50], np.float32), pd.Series([40.0, 50.0]), [np.array(40.0), 50]],
)
def test_whole_numbers_of_another_type_are_whole_numbers(configure, numbers):
    """As of columns of floats; of samples, and of an axis from Python."""
    key = "input.n_synapses"
    for grid in (
        grid_of_mapping(configure(), {}, {key: numbers}),
        grid_of_mapping(configure(), {key: numbers}),
    ):
        assert grid.keys == grid_of_mapping(configure(), {key: [40, 50]}).keys
    base = configure("input=groups", "input.group_sizes=[20,20]")
    grid = grid_of_mapping(base, {}, {"input.group_sizes": np.array([[20.0, 20], [30, 10]])})
    assert [point.input.group_sizes for point in grid.points] == [(20, 20), (30, 10)]


def test_rules_may_differ_from_sample_to_sample(configure):
    """A group, and a key that chooses a rule, are columns like others."""
    grid = grid_of_mapping(
        configure(), {}, {"stdp": ["notebook", "triplet"], "input.rate_hz": [3, 4]}
    )
    assert [point.stdp.name for point in grid.points] == ["additive", "triplet"]
    grid = grid_of_mapping(
        configure(), {}, {"stdp.rule": ["additive", "multiplicative"], "stdp.A_plus": [0.01, 0.02]}
    )
    assert [(p.stdp.name, p.stdp.A_plus) for p in grid.points] == [
        ("additive", 0.01),
        ("multiplicative", 0.02),
    ]
    assert grid_of_request(request_of(grid)).keys == grid.keys


def test_a_sampled_key_overrides_what_a_sampled_group_sets(configure):
    """In whichever order they are given."""
    samples = {"stdp.A_plus": [0.01, 0.02], "stdp": ["notebook", "song_abbott_2001"]}
    for columns in (samples, dict(reversed(samples.items()))):
        grid = grid_of_mapping(configure(), {}, columns)
        assert [point.stdp.A_plus for point in grid.points] == [0.01, 0.02]


def test_lists_of_numbers_are_samples():
    """Their coordinate is their text."""
    base = pipeline.configure("input=groups", "input.group_sizes=[20,20]")
    samples = {"input.group_rates_hz": [[10, 20], [30, 5]], "seed": [1, 2]}
    grid = grid_of_mapping(base, {}, samples)
    assert [point.input.group_rates_hz for point in grid.points] == [(10, 20), (30, 5)]
    assert grid_of_request(request_of(grid)).keys == grid.keys


def test_values_tied_to_samples_follow_each(configure):
    """A list may refer to several keys that are sampled."""
    base = pipeline.configure(
        "input=groups",
        "input.group_sizes=[20,20]",
        "input.group_rates_hz=[${input.rate_hz},${stdp.tau_plus}]",
    )
    grid = grid_of_mapping(base, {}, {"input.rate_hz": [1, 2], "stdp.tau_plus": [10, 20]})
    assert [point.input.group_rates_hz for point in grid.points] == [(1, 10), (2, 20)]


@pytest.mark.parametrize(
    ("samples", "axes", "message"),
    [
        ({"seed": [1, 2], "stdp.A_plus": [0.1]}, {}, "seed has 2 values and stdp.A_plus has 1"),
        ({}, {}, "samples: there are none"),
        ({"seed": []}, {}, "samples: there are none"),
        ({"seed": [1, 2, 1]}, {}, r"sample 2: is the same as sample 0 \(seed=1\); each"),
        (
            {"neuron.V_th": [-54, -60], "neuron.V_reset": [-60, -50]},
            {"seed": [1, 2]},
            "^sample 1, neuron.V_reset=-50.0: must be < neuron.V_th=-60.0 mV",
        ),
        (
            {"stdp.tau_plus": [10, 20]},
            {"simulation.dt": [1, 15]},
            "^sample 0, simulation.dt=15.0: the time step must be < ",
        ),
        ({"seed": [1, 0.5]}, {}, "sample 1, seed=0.5: random seed must be a whole number"),
        ({"stdp.A_plus": [0.1, float("nan")]}, {}, "^sample 1, stdp.A_plus: missing value; every"),
        ({"seed": pd.array([1, None, 3], "Int64")}, {}, "^sample 1, seed: missing value; every s"),
        ({"stdp": ["notebook", None]}, {}, "^sample 1, stdp: missing value"),
        ({"stdp.rule": ["additive", np.nan]}, {}, "^sample 1, stdp.rule: missing value"),
        (pd.DataFrame([[1, 2]], columns=["seed", "seed"]), {}, "^samples: column seed is given tw"),
        ({"stdp.A_minus": [0.1, -1]}, {}, "^sample 1, stdp.A_minus=-1.0: LTD .* <= 1000$"),
        ({"stdp.A_minus": [0.1, -2]}, {}, "^sample 1, stdp.A_minus=-2: LTD .* <= 1000$"),
        ({"simulation.dt": [20, 1]}, {}, "^sample 0, simulation.dt=20.0: the time step must be <"),
        (
            {"seed": [1, 2]},
            {"seed": [3]},
            r"seed: must be either an axis or sampled, not both \(samples and seed=3\)",
        ),
        ({"stdp.foo": [1]}, {}, "stdp.foo=1: unknown axis"),
        ({"record.dtype": ["float32"]}, {}, "record.dtype=float32: cannot be swept"),
        ([1, 2], {}, "samples: must map keys"),
        ({"seed": 3}, {}, "seed=3: an axis needs a list of values"),
        ({}, {"sample": [1]}, "axes=sample: must be given as samples"),
        ({"stdp": ["notebook", "none"]}, {}, "stdp=none: must be"),
        ({"stdp.tau_plus": [20, 0.5]}, {}, r"must be < stdp.tau_plus=0.5 ms"),
        ({"stdp.A_plus": [0.1, None]}, {}, "sample 1, stdp.A_plus: missing value"),
    ],
)
def test_what_cannot_be_samples_is_refused_in_one_line(configure, samples, axes, message):
    """The line names the sample and its value."""
    with pytest.raises(RequestError, match=message) as refused:
        grid_of_mapping(configure(), axes, samples)
    assert "\n" not in str(refused.value)


def test_columns_of_unlike_rules_are_validated_by_their_own(configure):
    """A value that one rule admits and another has not is refused, wherever it stands."""
    with pytest.raises(RequestError, match=r"stdp.A_plus"):
        grid_of_mapping(
            configure(), {}, {"stdp": ["notebook", "triplet"], "stdp.A_plus": [0.01, 0.02]}
        )


def test_a_section_of_a_sample_is_made_once(configure, monkeypatch):
    """Also of more samples than sections are kept: for its checks and for its key."""
    monkeypatch.setattr("pipeline.request.points._KEPT", 64)
    made = []
    variations = Section.variations

    def counted(section):
        varied = variations(section)
        return lambda values: made.append(values) or varied(values)

    monkeypatch.setattr(Section, "variations", counted)
    rates = [1 + i / 100 for i in range(1000)]
    grid = grid_of_mapping(configure(), {}, {"input.rate_hz": rates})
    assert len(made) <= 1001
    assert grid.keys[999] == grid_of_mapping(configure(), {"input.rate_hz": [rates[999]]}).keys[0]


def test_the_time_to_restore_samples_grows_with_their_number():
    """Four times as many take some four times as long, not sixteen times."""

    def seconds(n_samples):
        values = np.linspace(5, 50, n_samples).tolist()
        stored = {"sampled": ["input.rate_hz"], "columns": {"input.rate_hz": values}}
        begun = time.process_time()
        kind_of(SAMPLE).restore(SAMPLE, stored)
        return time.process_time() - begun

    seconds(1000)
    assert seconds(160_000) < 9 * max(min(seconds(40_000) for _ in range(3)), 0.01)
