"""Registered rules, process and backend: sweep, file, resume, reproduce.

They are defined in `tests/support/toy_rules.py` and here, outside of the package.
"""

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

import pipeline
from analysis.__main__ import main as analyse
from pipeline.composition.compose import default_run_settings
from pipeline.composition.run_settings import BACKEND_NAMES
from pipeline.engine.simulate import available_engine
from pipeline.execution.backends import BACKENDS, Backend, register
from pipeline.execution.batch import run_batch
from pipeline.experiment.run import run_grid
from pipeline.model.errors import RequestError
from pipeline.model.inputs import PROCESSES
from pipeline.model.parameters import Configuration
from pipeline.model.plasticity import RULES
from pipeline.model.registry import content_hash
from pipeline.model.rule_steps import BEFORE_JUMP
from pipeline.model.rules.additive import Additive
from pipeline.model.rules.van_rossum import VanRossum
from pipeline.reproduce import main as reproduce
from pipeline.request.axis import choice_axis, value_axis
from pipeline.request.grid import Grid
from pipeline.storage.directory import Directory
from tests.conftest import numbers_of
from tests.support import toy_rules
from tests.support.toy_rules import VALUES

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def registered():
    """Register the toy rules and the toy process; unregister them at the end."""
    for rule in (toy_rules.SoftOrHard, toy_rules.ToyTriplet, toy_rules.AntiHebbian):
        pipeline.register(rule)
    pipeline.register(toy_rules.Regular)
    yield
    for name in VALUES:
        RULES.unregister(name)
    PROCESSES.unregister("toy_regular")


@pytest.fixture
def base(configure):
    """Return nested values of a small run with a toy rule."""

    def values(rule="toy_branch", **sections):
        nested = configure().to_mapping() | {"stdp": {"rule": rule, **VALUES[rule]}}
        return nested | {name: nested[name] | own for name, own in sections.items()}

    return values


def additive():
    """Return values of the built-in rule."""
    return {"rule": "additive", "A_plus": 0.01, "ltd_ratio": 1.1, "A_minus": None,
            "tau_plus": 20.0, "tau_minus": None}  # fmt: skip


def toy_axis(*rules):
    """Return the axis of the group `stdp` over toy rules, and the additive one for "additive"."""
    fields = {name: {"rule": name, **VALUES[name]} for name in VALUES} | {"additive": additive()}
    settings = [{f"stdp.{key}": value for key, value in fields[rule].items()} for rule in rules]
    return choice_axis("stdp", rules, settings)


@pytest.mark.parametrize("backend", ["sequential", "loky"])
@pytest.mark.parametrize("rule", VALUES)
def test_a_registered_rule_is_swept_resumed_and_reproduced(base, tmp_path, capsys, rule, backend):
    """Its field is an axis, workers receive its source, and points are reproduced bit for bit."""
    configuration = Configuration.from_mapping(base(rule))
    settings = {"directory": tmp_path / "run", "backend": backend, "engine": "reference"}
    settings |= {"n_jobs": 2, "batch_size": 1}
    first = pipeline.sweep(configuration, {"stdp.tau_plus": [10, 20]}, **settings)
    grown = pipeline.sweep(configuration, {"stdp.tau_plus": [10, 15, 20]}, **settings)
    assert (grown["status"] == 0).all()
    kept = grown.sel(tau_plus=[10, 20])
    np.testing.assert_array_equal(kept["weight"], first["weight"])
    np.testing.assert_array_equal(kept["made_by"], [0, 0])
    assert reproduce([str(tmp_path / "run")]) == 0
    assert capsys.readouterr().out.endswith("3 of 3 points are the same bit for bit\n")


def test_a_sweep_over_rules_with_different_fields(base, tmp_path):
    """Each point has the fields of its rule; the file describes each rule."""
    directory = Directory(tmp_path / "run")
    settings = default_run_settings(engine="reference", backend="sequential")
    seeds = value_axis("seed", [1, 2])
    run_grid(Grid(base(), [toy_axis("additive", "toy_triplet"), seeds]), settings, directory)
    wide = toy_axis("additive", "toy_triplet", "toy_anti_hebbian")
    outcome = run_grid(Grid(base(), [wide, seeds]), settings, directory)
    assert outcome.reused == 4
    with xr.open_dataset(directory.results) as dataset:
        assert dataset["stdp"].values.tolist() == ["additive", "toy_triplet", "toy_anti_hebbian"]
        assert (dataset["status"] == 0).all()
        # Fields that only some rules have are variables with fill, no coordinates.
        assert dataset["A_minus"].dims == ("stdp",)
        np.testing.assert_array_equal(dataset["A_minus"].values[1:], [np.nan, np.nan])
        assert dataset["effective_ltd_ratio"].isnull().values.tolist() == [False, True, True]
        assert dataset["trace"].values.tolist() == [
            "x_pre", "x_post", "r1", "r2", "o1", "o2", "near_pre", "near_post"
        ]  # fmt: skip
        tau = dataset["trace_time_constant"].sel(stdp="toy_triplet", trace=["x_pre", "r2"])
        np.testing.assert_array_equal(tau, [np.nan, VALUES["toy_triplet"]["tau_x"]])
        kinds = dataset["trace_kind"].sel(stdp="toy_triplet", trace=["o1", "o2", "near_pre"])
        np.testing.assert_array_equal(kinds, [0, BEFORE_JUMP, np.nan])
        rules = json.loads(dataset.attrs["rules"])
    assert rules["toy_triplet"]["traces"]["o2"] == {"side": "postsynaptic"}
    assert rules["additive"]["theory_gap"] == ""
    assert rules["toy_triplet"]["theory_gap"]
    assert reproduce([str(tmp_path / "run")]) == 0


def test_a_sweep_of_the_name_of_the_rule(base, tmp_path):
    """`stdp.rule` as a plain axis: constants hold the fields of both rules, each takes its own."""
    both = {"rule": "additive", "A_plus": 0.02, "tau_plus": 20.0, "ltd_ratio": 1.1}
    both |= {"A_minus": None, "tau_minus": None}
    grid = Grid(
        base() | {"stdp": both}, [value_axis("stdp.rule", ["toy_anti_hebbian", "additive"])]
    )
    settings = default_run_settings(engine="reference", backend="sequential")
    run_grid(grid, settings, Directory(tmp_path / "run"))
    assert grid.constants()["stdp"]["ltd_ratio"] == 1.1
    assert reproduce([str(tmp_path / "run")]) == 0


def test_the_steps_in_the_file_are_those_of_the_rule(base):
    """A weight-dependent step, at 101 weights, along the axis that changes it and no other."""
    dataset = pipeline.sweep(
        Configuration.from_mapping(base("toy_branch")),
        {"stdp.A_plus": [0.1, 0.2], "stdp.tau_minus": [10, 20], "seed": [1, 2]},
        engine="reference",
    )
    step, w = dataset["weight_step"], dataset["weight_grid"]
    assert step.dims == ("A_plus", "trace", "weight_grid")
    room = np.where(w > 0.6, 1 - w, 0.4)
    np.testing.assert_allclose(step.sel(trace="x_pre", A_plus=0.2), 0.2 * room, atol=1e-15)
    np.testing.assert_allclose(
        step.sel(trace="x_post"), np.tile(-0.05 * np.sqrt(w), (2, 1)), atol=1e-15
    )
    assert dataset["trace_time_constant"].dims == ("tau_minus", "trace")


def test_a_registered_process_drives_a_sweep(base, tmp_path, capsys):
    """Both engines use its events; its name and its additional field are in the file."""
    values = base("toy_branch", input={"process": "toy_regular", "phases": 0.5})
    made = {
        engine: pipeline.sweep(
            Configuration.from_mapping(values), {"input.phases": [0.0, 0.5]},
            tmp_path / engine, engine=engine, backend="sequential",
        )
        for engine in ("compiled", "reference")
    }  # fmt: skip
    one, other = made["compiled"], made["reference"]
    np.testing.assert_array_equal(one["spike_count"], other["spike_count"])
    np.testing.assert_allclose(one["weight"], other["weight"], atol=1e-6)
    assert json.loads(one.attrs["processes"])["toy_regular"]["source"].startswith("@dataclass")
    assert reproduce([str(tmp_path / "compiled")]) == 0


def test_the_stored_source_is_executed_only_on_request(base, tmp_path):
    """Another process refuses the file in one line unless --run-given-code is set."""
    rule = RULES.named("toy_anti_hebbian")
    pipeline.sweep(
        Configuration.from_mapping(base("toy_anti_hebbian")), {"seed": [1, 2]},
        tmp_path / "run", engine="reference", backend="sequential",
    )  # fmt: skip
    kept = tmp_path / "run" / "given" / f"{content_hash(rule.source)}.py"
    assert kept.read_text() == rule.source
    words = [sys.executable, "-m", "pipeline.reproduce", str(tmp_path / "run")]
    refused = subprocess.run(words, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "stdp.rule=toy_anti_hebbian: was made with source code" in refused.stderr
    assert "--run-given-code" in refused.stderr
    done = subprocess.run([*words, "--run-given-code"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("2 of 2 points are the same bit for bit\n")


def test_a_rule_is_registered_by_a_decorator(tmp_path):
    """In a script, as CONTRIBUTING prints it; the source that is kept is that of the class."""
    script = tmp_path / "script.py"
    body = RULES.named("toy_anti_hebbian").source.replace("toy_anti_hebbian", "decorated")
    script.write_text(
        "from dataclasses import dataclass\nfrom typing import ClassVar\nimport pipeline\n"
        "from pipeline.model.plasticity import POST, PRE, Rule, Trace\n"
        "from pipeline.model.quantity import quantity\n\n"
        f"@pipeline.register\n{body}\n"
        "print(AntiHebbian.name, AntiHebbian.source.splitlines()[0])\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout == "decorated @dataclass(frozen=True)\n"


def test_a_changed_source_is_another_rule(base):
    """A point's key includes the source, so results of an edited rule are not mixed."""
    before = Grid(base("toy_anti_hebbian")).keys
    edited = RULES.named("toy_anti_hebbian").source.replace("0.9 *", "0.8 *")
    RULES.register_source(edited)
    assert Grid(base("toy_anti_hebbian")).keys != before


def test_a_class_that_is_not_self_contained_is_refused():
    """A name that its source does not define is reported at registration."""
    source = RULES.named("toy_anti_hebbian").source.replace("0.9 *", "ELSEWHERE *")
    with pytest.raises(RequestError, match="must be self-contained, .*'ELSEWHERE' is not"):
        RULES.register_source(source)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('"toy_anti_hebbian"', '"additive"'), "stdp.rule=additive: is the name of a built-in"),
        (("sets=True)", 'sets=True), "v": Trace(PRE, "tau_z")'), "trace v must be on side PRE"),
        (('"ms", above=0', '"s", above=0'), r"stdp\.tau_plus: must have the unit, kind and"),
    ],
)
def test_an_invalid_rule_is_refused(change, message):
    """The name of a built-in rule, a trace without time constant, a field of another unit."""
    source = RULES.named("toy_anti_hebbian").source.replace(*change, 1)
    with pytest.raises(RequestError, match=message):
        RULES.register_source(source)


def test_a_configuration_never_runs_another_source(base):
    """Registered again, or loaded from a pickle, the name does not change what a run is."""
    before = Configuration.from_mapping(base("toy_anti_hebbian"))
    pickled = pickle.dumps(before)
    RULES.register_source(RULES.named("toy_anti_hebbian").source.replace("0.9 *", "0.8 *"))
    now = RULES.named("toy_anti_hebbian")
    assert pickle.loads(pickled).stdp.source == before.stdp.source  # noqa: S301
    assert RULES.named("toy_anti_hebbian") is now
    with pytest.raises(RequestError, match="another source is registered now"):
        pipeline.simulate(before)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("assert fields.A_plus > 0; return w", "may raise an exception"),
        ("a = np.array([0.1, 0.2]); return w + a[0]", "allocate memory"),
    ],
)
def test_what_cannot_be_compiled_safely_is_refused(base, body, message):
    """Machine code is never made of what may raise or allocate; the reference runs it if asked."""
    source = RULES.named("toy_anti_hebbian").source
    first = source.index("return w - fields.A_plus")
    end = source.index("\n", first)
    RULES.register_source(source[:first] + body + source[end:])
    configuration = Configuration.from_mapping(base("toy_anti_hebbian"))
    with pytest.raises(RequestError, match=f"does not compile .*{message}.*run.engine=reference"):
        available_engine("compiled", [configuration])
    assert available_engine("reference", [configuration]) == "reference"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('"toy_anti_hebbian"', '"../x"'), r"stdp\.rule=\.\./x: a name must be up to 60 letters"),
        (('"toy_anti_hebbian"', '"true"'), r"stdp\.rule=true: a name must be"),
        (("near_pre", "v"), "trace v: is taken"),
        (("A_plus", "source"), r"stdp\.source: is taken"),
        (("return w - fields.A_plus * traces.near_pre", "return w - np.mean(w)"), "by itself"),
        (("return w - fields.A_plus", "raise SystemExit(3)  #"), "SystemExit: 3"),
    ],
)
def test_a_rule_that_would_fail_later_is_refused(change, message):
    """Names that are no words, names that are taken, functions that mix weights or end Python."""
    source = RULES.named("toy_anti_hebbian").source.replace(*change)
    with pytest.raises(RequestError, match=message):
        RULES.register_source(source)


@pytest.mark.parametrize(
    ("yielded", "message"),
    [
        ("np.array([5, 3])", "must rise"),
        ("np.array([3, 3])", "must rise"),
        ("np.array([-5])", "must rise"),
        ("np.array([10**9])", "must rise"),
        ("np.array([1.5])", "whole numbers"),
        ("None", "whole numbers"),
    ],
)
@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_events_that_make_no_sense_fail_the_point(base, yielded, message, engine):
    """Unordered, repeated, outside the lattice, no integers: the same error on both engines."""
    source = PROCESSES.named("toy_regular").source
    line = "yield start * self.n_synapses + np.flatnonzero(spikes)"
    PROCESSES.register_source(source.replace(line, f"yield {yielded}"))
    values = {"process": "toy_regular", "n_synapses": 4, "rate_hz": 40.0, "phases": 0.5}
    configuration = Configuration.from_mapping(base() | {"stdp": additive(), "input": values})
    with pytest.raises(ValueError, match=message):
        pipeline.simulate(configuration, engine=engine)


def test_every_record_of_a_rule_with_other_traces(base, tmp_path):
    """`x_pre` and `x_post` are not in the file; figures that need them say so, others are drawn."""
    values = base("toy_triplet")
    values["record"] |= {"traces": True, "spike_times": True}
    configuration = Configuration.from_mapping(values)
    dataset = pipeline.sweep(configuration, {"seed": [1]}, tmp_path, backend="sequential")
    assert {"x_pre", "x_post"}.isdisjoint(dataset.variables)
    assert dataset["v"].notnull().all()
    assert analyse([str(tmp_path), "--report"]) == 0


def test_machine_code_belongs_to_the_files_of_base_classes_too():
    """A rule derived from another one is compiled again when that one's file changes."""
    texts = type("Child", (Additive,), {"__module__": __name__}).source_text().split("\0")
    for what in ("class Additive(PairRule)", "class PairRule("):
        assert any(what in text for text in texts)


def test_machine_code_belongs_to_the_files_of_borrowed_functions_too():
    """A rule with the functions of another one is compiled again when that one's file changes."""
    texts = VanRossum.source_text().split("\0")
    for what in ("class VanRossum", "class Additive(", "class Multiplicative(", "class PairRule("):
        assert any(what in text for text in texts)
    nearest = pipeline.configure("stdp=gutig", "stdp.pairing=nearest").stdp.template
    assert nearest.source_text() != pipeline.configure("stdp=gutig").stdp.template.source_text()


def test_fields_of_every_kind_and_no_trace(base, tmp_path, capsys):
    """Numbers, truth values, words and null reach both engines, axes, the file and the figures."""
    pipeline.register(toy_rules.NoTrace)
    fields = {"n_steps_up": 0, "is_on": True, "flavour": "sweet", "floor": None}
    configuration = Configuration.from_mapping(base() | {"stdp": {"rule": "toy_no_trace"} | fields})
    axes = {"stdp.is_on": [True, False], "stdp.flavour": ["sweet", "sour"], "stdp.floor": [0.4]}
    engines = "reference", "compiled"
    try:
        alone = [pipeline.simulate(configuration, engine=engine) for engine in engines]
        np.testing.assert_allclose(*(dataset["weight"] for dataset in alone), atol=1e-10)
        made = [
            pipeline.sweep(configuration, axes, tmp_path / e, engine=e, backend="sequential")
            for e in engines
        ]
        np.testing.assert_allclose(*(dataset["weight"] for dataset in made), atol=1e-6)
        assert made[0]["weight"].sel(is_on=True).min() == pytest.approx(0.4)
        assert made[0].sizes["trace"] == 0
        with xr.open_dataset(tmp_path / "compiled" / "results.nc") as dataset:
            assert dataset["is_on"].values.tolist() == [True, False]
        assert reproduce([str(tmp_path / "compiled")]) == 0
        assert analyse([str(tmp_path / "compiled"), "--report"]) == 0
        assert analyse([str(tmp_path / "compiled"), "--list"]) == 0
        assert "needs a rule with traces" in capsys.readouterr().out
    finally:
        RULES.unregister("toy_no_trace")


def test_a_registered_backend(base, command):
    """It is a value of `run.backend`, from Python and on the command line."""
    seen = []

    def last_first(tasks, n_workers, settings, stop):
        for task in list(tasks)[::-1]:
            seen.append([point.seed for _, point, _ in task])
            yield run_batch(task, settings.engine, settings.timeout, settings.fail_fast, stop)

    register("toy", Backend(last_first, parallel=False))
    try:
        configuration = Configuration.from_mapping(base())
        own = pipeline.sweep(configuration, {"seed": range(4)}, backend="toy", batch_size=1)
        usual = pipeline.sweep(configuration, {"seed": range(4)}, backend="sequential")
        assert seen == [[3], [2], [1], [0]]
        assert numbers_of(own).identical(numbers_of(usual))
        assert command("simulation.duration=50", "run.backend=toy", "name=x").code == 0
    finally:
        del BACKENDS["toy"]
        BACKEND_NAMES.remove("toy")
