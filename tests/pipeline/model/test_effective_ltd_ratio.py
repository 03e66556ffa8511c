"""`stdp.effective_ltd_ratio`, given or swept in place of `ltd_ratio` and `A_minus`."""

import numpy as np
import pytest
import xarray as xr

import pipeline
from analysis import show
from pipeline.model.errors import RequestError
from pipeline.reproduce import main as reproduce
from pipeline.request.grid import Grid
from pipeline.request.overrides import grid_of_mapping


def key_of(configuration):
    """Return the content key of a configuration."""
    return Grid(configuration.to_mapping()).keys[0]


def test_it_sets_the_amplitude_of_ltd(configure):
    """A_minus is B A_plus tau_plus / tau_minus; it replaces both values of the parameter set."""
    stdp = configure("stdp.effective_ltd_ratio=1.05", "stdp.tau_minus=40").stdp
    assert stdp.resolved().A_minus == 0.0042
    assert stdp.area_ratio() == 1.05
    assert (stdp.ltd_ratio, stdp.A_minus) == (None, None)


def test_it_is_not_part_of_the_key(configure):
    """The point is that of the A_minus that it resolves to; null leaves every key as it was."""
    assert key_of(configure("stdp.effective_ltd_ratio=1.1")) == key_of(configure())
    given = configure("stdp.effective_ltd_ratio=1.05", "stdp.tau_minus=40")
    assert key_of(given) == key_of(configure("stdp.A_minus=0.0042", "stdp.tau_minus=40"))


def test_a_time_constant_is_swept_at_a_fixed_ratio(sweep):
    """The ratio stays, where a fixed ltd_ratio moves it from 0.55 to 2.2; A_minus follows."""
    axes = {"stdp.tau_minus": [10, 20, 40]}
    fixed = sweep(axes, "stdp.effective_ltd_ratio=1.05")
    np.testing.assert_array_equal(fixed["effective_ltd_ratio"], [1.05] * 3)
    assert fixed["A_minus"].dims == ("tau_minus",)
    np.testing.assert_allclose(fixed["A_minus"], [0.0168, 0.0084, 0.0042], rtol=1e-15)
    np.testing.assert_allclose(sweep(axes)["effective_ltd_ratio"], [0.55, 1.1, 2.2], rtol=1e-15)


def test_it_can_be_an_axis_of_file_and_figure(sweep):
    """A dimension with long name and key, in place of the variable; figures draw against it."""
    dataset = sweep({"stdp.effective_ltd_ratio": [0.9, 1.05], "stdp.tau_minus": [10, 40]})
    assert dataset["status"].dims == ("effective_ltd_ratio", "tau_minus")
    ratio = dataset["effective_ltd_ratio"]
    assert ratio.values.tolist() == [0.9, 1.05]
    assert ratio.attrs == {"long_name": "effective LTD ratio", "config_key": ratio.config_key}
    assert ratio.config_key == "stdp.effective_ltd_ratio"
    assert set(dataset["A_minus"].dims) == set(dataset["status"].dims)
    figures = show(dataset, "rates")
    labels = {axes.get_xlabel() for figure in figures for axes in figure.axes}
    assert "Effective LTD ratio" in labels


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["stdp.ltd_ratio=1.2"], "stdp.ltd_ratio=1.2"),
        (["stdp.A_minus=0.01"], "stdp.A_minus=0.01"),
        (["-m", "stdp.ltd_ratio=1.2,1.3"], "stdp.ltd_ratio=1.2,1.3"),
        (["+experiment=amplitudes"], "stdp.ltd_ratio=1.0,1.05,1.1,1.2"),
    ],
)
def test_together_with_what_it_replaces_it_is_refused(command, tmp_path, words, named):
    """One line, exit code 2, nothing written: typed, as an axis, as an axis of an experiment."""
    ended = command(*words, "stdp.effective_ltd_ratio=1.05")
    assert ended.code == 2
    (line,) = ended.err.splitlines()
    reason = "must not be given together with stdp.effective_ltd_ratio=1.05, which replaces it"
    assert line == f"error: {named}: {reason}"
    assert not list(tmp_path.rglob("*.nc"))


def test_a_job_of_hydras_own_launchers_refuses_it_likewise(command, tmp_path):
    """Where each point is validated only when its job starts."""
    typed = ("hydra/sweeper=basic", "stdp.ltd_ratio=1.2", "stdp.effective_ltd_ratio=1.05")
    ended = command("-m", *typed)
    assert ended.code == 2
    assert "stdp.ltd_ratio=1.2: must not be given together with" in ended.err
    assert not list(tmp_path.rglob("*.nc"))


def test_from_python_it_is_refused_likewise(configure):
    """As an axis beside an override, among overrides, and in `replaced`, until it is null again."""
    given = configure("stdp.effective_ltd_ratio=1.05")
    for make in (
        lambda: grid_of_mapping(given, {"stdp.ltd_ratio": [1.2, 1.3]}),
        lambda: grid_of_mapping(configure("stdp.ltd_ratio=1.2"), {"stdp.effective_ltd_ratio": [1]}),
        lambda: configure("stdp.ltd_ratio=1.2", "stdp.effective_ltd_ratio=1"),
        lambda: given.replaced({"stdp.ltd_ratio": 1.2}),
    ):
        with pytest.raises(
            RequestError, match=r"^stdp.ltd_ratio=1.2.*: must not be given together"
        ):
            make()
    back = given.replaced({"stdp.ltd_ratio": 1.2, "stdp.effective_ltd_ratio": None})
    assert back.stdp.resolved().A_minus == 0.0096


def test_a_ratio_of_null_needs_another_field(configure):
    """Neither of the three fields leaves no amplitude of LTD."""
    with pytest.raises(RequestError, match=r"^stdp.ltd_ratio=null: needs a value where neither"):
        configure("stdp.ltd_ratio=null")
    assert configure("stdp.ltd_ratio=null", "stdp.A_minus=0.01").stdp.area_ratio() == 1.25


def test_an_experiment_at_a_fixed_ratio_grows_along_it(keep, tmp_path, caplog, capsys):
    """The earlier points stand at the ratio that they have, and do not run again."""
    keep("x", {"seed": [1, 2]})
    before = {file.name for file in (tmp_path / "x" / "points").iterdir()}
    keep("x", {"stdp.effective_ltd_ratio": [1.0, 1.1], "seed": [1, 2]})
    with xr.open_dataset(tmp_path / "x" / "results.nc") as dataset:
        assert (dataset["status"] == 0).all()
        assert dataset["effective_ltd_ratio"].values.tolist() == [1.0, 1.1]
        assert dataset["made_by"].sel(effective_ltd_ratio=1.1).values.tolist() == [0, 0]
    assert before < {file.name for file in (tmp_path / "x" / "points").iterdir()}
    keep("x", {"seed": [3]})
    assert reproduce([str(tmp_path / "x")]) == 0
    with pytest.raises(RequestError, match=r"stdp.ltd_ratio: has no value of its own"):
        keep("x", {"stdp.ltd_ratio": [1.1, 1.2], "seed": [1]})


def test_it_is_shown_by_a_dry_run(configure):
    """Where it is fixed, swept, or follows an axis."""
    lines = str(pipeline.plan(configure(), {"stdp.tau_minus": [10, 40]})).splitlines()
    assert "derived: effective_ltd_ratio = 0.55, 2.2 along tau_minus" in lines
    ratio = {"stdp.effective_ltd_ratio": [1.0, 1.1]}
    lines = str(pipeline.plan(configure(), ratio)).splitlines()
    assert "axis: stdp.effective_ltd_ratio = 1.0, 1.1 (2)" in lines
    assert "derived: stdp.A_minus = 0.008, 0.0088 along effective_ltd_ratio" in lines
    assert "derived: effective_ltd_ratio = 1.1" in str(pipeline.plan(configure(), {"seed": [1]}))
