"""Sweeps over plasticity rules with unlike fields, made with the toy rules and the reference."""

import contextlib
import json

import pipeline
from pipeline.composition.compose import default_run_settings
from pipeline.experiment.run import run_grid
from pipeline.model.parameters import by_key
from pipeline.model.plasticity import RULES
from pipeline.request.axis import choice_axis, value_axis
from pipeline.request.grid import Grid
from pipeline.storage.directory import Directory
from tests.conftest import SMALL
from tests.support import toy_rules

TOYS = (toy_rules.SoftOrHard, toy_rules.ToyTriplet, toy_rules.AntiHebbian)


@contextlib.contextmanager
def registered(*rules):
    """Register rules, the toy rules by default, during a block."""
    classes = [RULES.register(rule) for rule in rules or TOYS]
    try:
        yield classes
    finally:
        for cls in classes:
            RULES.unregister(cls.name)


def settings_of(rule):
    """Return what the choice of a rule sets: of `additive`, the notebook's values."""
    if rule == "additive":
        return by_key({"stdp": pipeline.configure().to_mapping()["stdp"]})
    return by_key({"stdp": {"rule": rule, **toy_rules.VALUES[rule]}})


def sweep_over_rules(names, *overrides, axes=None, directory=None):
    """Sweep rules along the axis `stdp`, and further axes of one key; return the dataset.

    The name of one rule in place of a list makes it the rule of all points, without an axis.
    """
    base = pipeline.configure(*SMALL, *overrides).to_mapping()
    swept = [value_axis(key, values) for key, values in (axes or {}).items()]
    if isinstance(names, str):
        values = {key.removeprefix("stdp."): value for key, value in settings_of(names).items()}
        base |= {"stdp": values}
    else:
        swept.insert(0, choice_axis("stdp", names, [settings_of(name) for name in names]))
    grid = Grid(base, swept)
    settings = default_run_settings(backend="sequential", engine="reference")
    outcome = run_grid(grid, settings, Directory(directory) if directory else None)
    return outcome.results.to_xarray()


def as_version_0(dataset):
    """Return a dataset as a file of schema version 0 has it: without what version 1 has added."""
    configuration = json.loads(dataset.attrs["configuration"])
    configuration.get("stdp", {}).pop("rule", None)
    older = dataset.drop_vars(
        ["weight_step", "trace_time_constant", "trace_kind", "trace", "weight_grid"]
    )
    later = ("schema_version", "rules", "processes", "configuration")
    older.attrs = {name: value for name, value in dataset.attrs.items() if name not in later}
    older.attrs["configuration"] = json.dumps(configuration)
    for name, coordinate in older.coords.items():
        if "settings" in coordinate.attrs:
            choices = json.loads(coordinate.attrs["settings"])
            kept = [{k: v for k, v in choice.items() if k != "stdp.rule"} for choice in choices]
            older[name].attrs["settings"] = json.dumps(kept)
    return older
