"""Weight changes and time constants of rules along the axes of a sweep."""

import numpy as np
import pytest

from pipeline.composition.compose import default_run_settings
from pipeline.experiment.run import run_grid
from pipeline.model.plasticity import PRE
from pipeline.request.axis import value_axis
from pipeline.request.grid import Grid
from pipeline.storage import model_labels, rule_tables
from pipeline.storage.model_labels import model_variables
from pipeline.storage.netcdf import write_netcdf
from pipeline.storage.rule_tables import WEIGHTS, RuleTables, changing_axes
from tests.support.toy_rules import VALUES
from tests.support.unlike_rules import TOYS, registered, sweep_over_rules


@pytest.fixture
def grid(configure):
    """Amplitudes, time constants and two seeds."""
    axes = {
        "stdp.A_plus": [0.01, 0.02, 0.03],
        "seed": [1, 2],
        "stdp.tau_plus": [10.0, 20.0],
        "stdp.ltd_ratio": [1.0, 1.1],
    }
    return Grid(configure().to_mapping(), [value_axis(key, axes[key]) for key in axes])


def test_each_entry_is_that_of_the_rule_of_its_point(grid):
    """Of `additive`: A_plus, and A_minus, which follows amplitude and ratio."""
    variables = model_variables(grid)
    dims, steps, _ = variables["weight_step"]
    assert dims == ("A_plus", "ltd_ratio", "trace", "weight_grid")
    tau_dims, taus, _ = variables["trace_time_constant"]
    assert tau_dims == ("tau_plus", "trace")
    for position, point in enumerate(grid.points):
        a, _, tau, ratio = np.unravel_index(position, grid.shape)
        rule = point.stdp.resolved()
        np.testing.assert_allclose(steps[a, ratio, 0], rule.A_plus, rtol=1e-12)
        np.testing.assert_allclose(steps[a, ratio, 1], -rule.A_minus, rtol=1e-12)
        np.testing.assert_array_equal(taus[tau], [rule.tau_plus, rule.tau_minus])


def test_rules_of_several_classes_share_a_table():
    """A row is computed by its rule's functions; a trace that the rule does not have is NaN."""
    with registered():
        rules = [cls(**VALUES[cls.name]) for cls in (*TOYS, *reversed(TOYS))]
        names = list(dict.fromkeys(name for rule in rules for name in rule.traces))
        tables = RuleTables(rules, names)
        positions = np.array([4, 0, 5, 2, 3, 1])
        steps, taus = tables.steps_at(positions), tables.time_constants_at(positions)
    for row, position in enumerate(positions):
        rule = rules[position]
        for column, name in enumerate(names):
            if name not in rule.traces:
                assert np.isnan(steps[row, column]).all()
                assert np.isnan(taus[row, column])
                continue
            traces = dict.fromkeys(rule.traces, np.float64(0))
            change = rule.potentiate if rule.traces[name].side == PRE else rule.depress
            without = change(WEIGHTS, rule.traces_type()(**traces), rule.fields())
            alone = change(WEIGHTS, rule.traces_type()(**traces | {name: 1.0}), rule.fields())
            np.testing.assert_array_equal(steps[row, column], alone - without)
            assert taus[row, column] == rule.time_constants()[name]


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_a_change_is_found_wherever_it_is(monkeypatch, block):
    """One entry that differs makes both of its axes change, whatever the blocks."""
    monkeypatch.setattr(rule_tables, "_BLOCK", block)
    values = np.full((3, 4, 5), np.nan)
    flat = values.reshape(-1, 1)
    assert changing_axes(lambda positions: flat[positions], values.shape) == []
    values += np.arange(4)[:, np.newaxis]
    assert changing_axes(lambda positions: flat[positions], values.shape) == []
    values[:] = np.arange(4)[:, np.newaxis]
    assert changing_axes(lambda positions: flat[positions], values.shape) == [1]
    values[2, 3, 4] = 7
    assert changing_axes(lambda positions: flat[positions], values.shape) == [0, 1, 2]


def test_large_tables_are_written_in_blocks(grid, tmp_path, monkeypatch):
    """The file is the one of tables that are held in memory."""
    import netCDF4

    written = []
    for name, held in (("held.nc", 16_000_000), ("made.nc", 0)):
        monkeypatch.setattr(model_labels, "_MOST_HELD", held)
        settings = default_run_settings(backend="sequential")
        write_netcdf(run_grid(grid, settings).results, tmp_path / name)
        with netCDF4.Dataset(tmp_path / name) as file:
            written.append({n: np.asarray(file[n][...]) for n in file.variables})
        assert isinstance(model_variables(grid)["weight_step"][1], np.ndarray) == bool(held)
    assert written[0].keys() == written[1].keys()
    for name in ("weight_step", "trace_time_constant"):
        np.testing.assert_array_equal(*[variables[name] for variables in written])


def test_a_sweep_over_rules_keeps_the_tables_of_each():
    """Along an axis of rules, a step is NaN where the rule has no such trace."""
    with registered():
        dataset = sweep_over_rules(["additive", "toy_triplet"])
    steps = dataset["weight_step"]
    assert steps.dims == ("stdp", "trace", "weight_grid")
    missing = np.isnan(steps).all("weight_grid").sum("trace")
    assert missing.to_numpy().tolist() == [4, 2]


def test_many_rules_are_held_as_numbers_and_not_as_tables(run_python):
    """300,000 rules, whose tables would take 485 MB, add less than 150 MB."""
    code = """
import numpy as np, pipeline
from pipeline.storage.rule_tables import RuleTables, changing_axes
rule = pipeline.configure().stdp.resolved()
before = peak()
tables = RuleTables((rule for _ in range(300_000)), ["x_pre", "x_post"])
assert changing_axes(tables.steps_at, (300, 1000)) == []
print(peak() - before)
"""
    assert int(run_python(code)) < 150_000
