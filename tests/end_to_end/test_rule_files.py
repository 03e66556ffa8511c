"""A rule or process in a file of the user's: from the command line, a yaml, Python; sweeps, resume.

The refusals are in `test_rule_files_refused`.
"""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import yaml

import pipeline
from analysis import open_results
from analysis.__main__ import main as analyse
from pipeline.model.inputs import PROCESSES
from pipeline.model.plasticity import RULES
from pipeline.model.registry import content_hash
from pipeline.reproduce import main as reproduce
from tests.conftest import ROOT, SMALL
from tests.support.rule_files import CLOCK, HARD, SOFT, replaced

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def unregistered():
    """Forget the classes of a test, as another process would."""
    yield
    for registry in (RULES, PROCESSES):
        for name, cls in registry.classes().items():
            if cls.source:
                registry.unregister(name)


@pytest.fixture
def run(command, tmp_path):
    """Run the command with a small configuration on the reference; it must succeed."""
    (tmp_path / "soft.py").write_text(SOFT)
    (tmp_path / "hard.py").write_text(HARD)

    def ended(*words, code=0):
        made = command(*SMALL, "run.engine=reference", "run.backend=sequential", *words)
        assert made.code == code, made.err
        return made

    return ended


def request_in(name):
    """Return `configuration.yaml` of a directory."""
    return yaml.safe_load(Path("outputs", name, "configuration.yaml").read_text())


def values(name, variable="weight"):
    """Return the values of a variable of a directory."""
    with xr.open_dataset(Path("outputs", name, "results.nc")) as dataset:
        return dataset[variable].values


def test_a_rule_of_a_file_is_swept_and_labelled(run, tmp_path):
    """Its fields are axes and constants with their long names; its name stands for it, no path."""
    run("stdp.rule=soft.py:SoftBounds", "stdp.A=0.01,0.05", "seed=1,2", "name=a")
    request = request_in("a")
    assert request["stdp"] == {"rule": "soft_bounds", "tau": 20.0}
    assert request["axes"] == {"stdp.A": [0.01, 0.05], "seed": [1, 2]}
    assert request["sources"] == {"stdp.rule": {"soft_bounds": content_hash(SOFT)}}
    assert str(tmp_path) not in (tmp_path / "outputs/a/configuration.yaml").read_text()
    assert (tmp_path / f"outputs/a/given/{content_hash(SOFT)}.py").read_text() == SOFT
    with xr.open_dataset(tmp_path / "outputs/a/results.nc") as dataset:
        assert dataset["A"].attrs == {"long_name": "amplitude", "config_key": "stdp.A"}
        assert json.loads(dataset.attrs["rules"])["soft_bounds"]["source"] == SOFT
        assert json.loads(dataset.attrs["own_files"]) == {str(tmp_path / "soft.py"): SOFT}
        change = dataset["weight"] - 0.583333333333333
        assert (np.abs(change).max("synapse") > 0).all()


def test_one_class_needs_no_name(run):
    """`soft.py` is `soft.py:SoftBounds`, the same points."""
    run("stdp.rule=soft.py:SoftBounds", "seed=1", "name=a")
    assert "1 finished before" in run("stdp.rule=soft.py", "seed=1,2", "name=a").out


def test_values_of_the_fields(run):
    """What is typed, else its default, else what the parameter set has; other fields are not its.

    A set that is asked for comes before the default.
    """
    run("stdp.rule=hard.py", "stdp.ltd_share=1.1", "name=a")
    assert request_in("a")["stdp"] == {
        "rule": "hard_bounds", "ltd_share": 1.1, "A_plus": 0.008, "tau_plus": 17.0
    }  # fmt: skip
    run("stdp.rule=hard.py", "stdp.ltd_share=1.1", "stdp=song_abbott_2001", "name=b")
    assert request_in("b")["stdp"]["A_plus"] == 0.005
    assert request_in("b")["stdp"]["tau_plus"] == 20.0
    run("stdp.rule=hard.py", "+stdp.ltd_share=1.1", "stdp.tau_plus=5", "stdp.A_plus=0.1", "name=c")
    assert request_in("c")["stdp"]["tau_plus"] == 5.0
    assert request_in("c")["stdp"]["A_plus"] == 0.1


def test_a_field_has_the_long_name_of_its_own_rule(run, tmp_path):
    """Other rules may have a field of that name, which means something else."""
    text = replaced(SOFT, ("    A =", "    w_0 ="), ("fields.A *", "fields.w_0 *"))
    (tmp_path / "named.py").write_text(text)
    run("stdp.rule=named.py", "stdp.w_0=0.01,0.02", "seed=1", "name=a")
    with xr.open_dataset("outputs/a/results.nc") as dataset:
        assert dataset["w_0"].attrs["long_name"] == "amplitude"
        assert json.loads(dataset.attrs["parameters"])["stdp.w_0"]["long_name"] == "amplitude"


def test_a_sweep_over_rules_of_files_and_ours(run):
    """Each has its own fields and defaults; what is typed is for those that have the field."""
    words = ("stdp.rule=additive,soft.py,hard.py:HardBounds", "stdp.ltd_share=1.2", "seed=1")
    run(*words, "name=a")
    axis = request_in("a")["axes"]["stdp.rule"]
    assert list(axis) == ["additive", "soft_bounds", "hard_bounds"]
    assert "stdp.ltd_share" not in axis["soft_bounds"]
    assert axis["hard_bounds"] == {
        "stdp.rule": "hard_bounds", "stdp.ltd_share": 1.2, "stdp.A_plus": 0.008,
        "stdp.tau_plus": 17.0,
    }  # fmt: skip
    for i, rule in enumerate(["additive", "soft.py", "hard.py"]):
        own = ("stdp.ltd_share=1.2",) if rule == "hard.py" else ()
        run(f"stdp.rule={rule}", *own, "seed=1", f"name=one_{i}")
        np.testing.assert_array_equal(values("a")[i].ravel(), values(f"one_{i}").ravel())
    assert analyse(["outputs/a", "--report"]) == 0
    assert analyse(["outputs/a"]) == 0


def test_one_experiment_grows_by_rules(run):
    """From one rule of a file to several, with ours among them, and by seeds."""
    run("stdp.rule=soft.py", "stdp.A=0.02", "seed=1", "name=a")
    before = values("a").ravel()
    more = run("stdp.rule=soft.py,hard.py,additive", "stdp.A=0.02", "stdp.ltd_share=1", "seed=1,2",
               "name=a")  # fmt: skip
    assert "6 points" in more.out
    assert "1 finished before" in more.out
    np.testing.assert_array_equal(values("a")[0, 0], before)
    assert "2 finished before" in run("stdp.rule=soft.py", "stdp.A=0.02", "seed=1,2", "name=a").out
    more = run("stdp.rule=hard.py,soft.py", "stdp.ltd_share=1", "stdp.A=0.02", "seed=3", "name=a")
    assert "in the file 9 points: 8 done, 1 missing" in more.out


def test_an_axis_of_a_swept_rule(run):
    """A field that all of them have is an axis beside the rules."""
    run("stdp.rule=hard.py,additive", "stdp.ltd_share=1", "stdp.tau_plus=10,20", "seed=1", "name=a")
    with xr.open_dataset("outputs/a/results.nc") as dataset:
        assert dataset["weight"].dims[:2] == ("rule", "tau_plus")
        assert (dataset["status"] == 0).all()
    assert reproduce(["outputs/a"]) == 0


PLAN = """# @package _global_
stdp:
  rule: ../../rules/soft.py
  A: 0.3
hydra:
  sweeper:
    params:
      seed: 1,2
"""

RULES_OF_A_PLAN = """# @package _global_
hydra:
  sweeper:
    params:
      stdp.rule: additive,../../rules/soft.py:SoftBounds
"""


@pytest.fixture
def own_conf(tmp_path):
    """A folder with parameter sets and an experiment that name files beside and above them."""
    conf = tmp_path / "elsewhere" / "conf"
    for name, text in {
        "stdp/mine.yaml": "rule: ../../rules/hard.py:HardBounds\nA_plus: 0.02\nltd_share: 1.5\n",
        "stdp/work.yaml": "rule: of_work.py\n",
        "experiment/plan.yaml": PLAN,
        "experiment/rules.yaml": RULES_OF_A_PLAN,
        "../rules/hard.py": HARD,
        "../rules/soft.py": SOFT,
    }.items():
        file = conf / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.resolve().write_text(text)
    return conf


def test_a_yaml_names_a_file_from_where_it_stands_or_from_the_working_directory(
    run, own_conf, tmp_path
):
    """Beside the yaml first; values of the set are those of its rule, and a typed key overrides."""
    (tmp_path / "of_work.py").write_text(replaced(SOFT, ("SoftBounds", "OfWork")))
    words = ("--config-dir", str(own_conf), "seed=1")
    run(*words, "stdp=mine,notebook,work", "stdp.A_plus=0.03", "name=a")
    axis = request_in("a")["axes"]["stdp"]
    assert axis["mine"] == {
        "stdp.rule": "hard_bounds", "stdp.ltd_share": 1.5, "stdp.A_plus": 0.03,
        "stdp.tau_plus": 17.0,
    }  # fmt: skip
    assert axis["notebook"]["stdp.A_plus"] == 0.03
    assert axis["work"]["stdp.rule"] == "of_work"
    (own_conf / "stdp/of_work.py").write_text(replaced(SOFT, ("SoftBounds", "Nearer")))
    run(*words, "stdp=work", "name=b")
    assert request_in("b")["stdp"]["rule"] == "nearer"


def test_an_experiment_names_a_file(run, own_conf):
    """As a value, with values of its fields over the default set, and as an axis."""
    run("--config-dir", str(own_conf), "+experiment=plan", "name=a")
    assert request_in("a")["stdp"] == {"rule": "soft_bounds", "A": 0.3, "tau": 20.0}
    run("--config-dir", str(own_conf), "+experiment=rules", "name=b")
    assert [*request_in("b")["axes"]["stdp.rule"]] == ["additive", "soft_bounds"]


def test_from_python_as_on_the_command_line(run, own_conf, tmp_path):
    """By `configure`, by an axis of files, of sets of an own folder; the same results."""
    run("stdp.rule=soft.py", "stdp.A=0.02,0.03", "seed=1", "name=shell")
    configuration = pipeline.configure(*SMALL, "stdp.rule=soft.py", "seed=1")
    swept = pipeline.sweep(configuration, {"stdp.A": [0.02, 0.03]}, engine="reference")
    np.testing.assert_allclose(swept["weight"].values, values("shell").squeeze(), rtol=0, atol=1e-7)
    rules = {"stdp.rule": ["additive", "soft.py", "hard.py"]}
    base = pipeline.configure(*SMALL, "stdp.ltd_share=1.2", "stdp.rule=hard.py")
    both = pipeline.sweep(base, rules, engine="reference", backend="sequential")
    run("stdp.rule=additive,soft.py,hard.py", "stdp.ltd_share=1.2", "name=rules")
    np.testing.assert_array_equal(both["weight"].values, values("rules"))
    sets = pipeline.sweep(
        pipeline.configure(*SMALL, conf=own_conf), {"stdp": ["mine", "notebook"]},
        engine="reference", backend="sequential",
    )  # fmt: skip
    assert json.loads(sets["stdp"].attrs["settings"])[0]["stdp.rule"] == "hard_bounds"
    one = pipeline.simulate(pipeline.configure(*SMALL, "stdp.rule=soft.py"), engine="reference")
    assert json.loads(one.attrs["own_files"]) == {str(tmp_path / "soft.py"): SOFT}


def test_a_changed_file_is_read_again_by_configure(run, tmp_path):
    """In one process, as a notebook does; nothing of the earlier text is kept."""
    overrides = (*SMALL, "stdp.rule=soft.py")
    for _ in range(3):  # compositions are kept
        assert pipeline.configure(*overrides).stdp.A == 0.01
    (tmp_path / "soft.py").write_text(replaced(SOFT, ("0.01", "0.02")))
    assert pipeline.configure(*overrides).stdp.A == 0.02


def test_two_experiments_with_one_class_name_in_one_process(run, tmp_path):
    """Each has its own source and goes on with it."""
    for name, size in (("one", "0.01"), ("two", "0.2")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rule.py").write_text(replaced(SOFT, ("(1 - w)", f"({size} - w)")))
    for seeds in ("1", "1,2"):
        for name in ("one", "two"):
            run(f"stdp.rule={name}/rule.py", f"seed={seeds}", f"name={name}")
    assert not np.array_equal(values("one"), values("two"))
    for name in ("one", "two"):
        (kept,) = Path("outputs", name, "given").iterdir()
        assert kept.read_text() == Path(name, "rule.py").read_text()
        assert reproduce([f"outputs/{name}", "--run-given-code"]) == 0


@pytest.mark.parametrize(
    "name", ["my rules/soft bounds.py", "größe/règle.py", "link.py", "package/rules.py", "a=b.py"]
)
def test_paths_of_every_kind(run, tmp_path, name):
    """Spaces, other alphabets, a link, a module of a package, a sign of the grammar."""
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    if name == "link.py":
        file.symlink_to(tmp_path / "soft.py")
    elif name == "package/rules.py":
        (file.parent / "__init__.py").write_text("raise SystemExit('imported')\n")
        file.write_text(SOFT)
    else:
        file.write_text(replaced(SOFT, ("amplitude", "Stärke"), ("LTP in", "LTP – in")))
    run(f"stdp.rule={name}:SoftBounds", "seed=1", "name=a")
    assert request_in("a")["stdp"]["rule"] == "soft_bounds"
    run(f"stdp.rule={name},additive", "seed=1", "name=a")
    with xr.open_dataset("outputs/a/results.nc") as dataset:
        kept = json.loads(dataset.attrs["rules"])["soft_bounds"]["source"]
    assert kept == file.read_text()
    assert kept == Path("outputs/a/given", f"{content_hash(kept)}.py").read_text(encoding="utf-8")


def test_what_else_is_in_the_file_neither_runs_nor_counts(run, tmp_path):
    """Other classes, commands, imports; a constant and a function that the rule uses do."""
    whole = (
        "import matplotlib\n\nFACTOR = 1.0\n\n\ndef room(w):\n    return FACTOR - w\n\n\n"
        + replaced(SOFT, ("(1 - w)", "room(w)"))
        + "\n\nclass Other(Rule):\n    pass\n\n\nprint('side effect')\n"
        "if __name__ == '__main__':\n    import matplotlib\n"
    )
    (tmp_path / "whole.py").write_text(whole)
    assert "side effect" not in run("stdp.rule=whole.py:SoftBounds", "seed=1", "name=a").out
    (tmp_path / "whole.py").write_text(f"# new\n{whole}\n\nclass Another(Other):\n    pass\n")
    words = ("stdp.rule=whole.py:SoftBounds", "seed=1", "name=a")
    assert "1 finished before" in run(*words).out
    (tmp_path / "whole.py").write_text(replaced(whole, ("FACTOR = 1.0", "FACTOR = 2.0")))
    assert "another text of stdp.rule=soft_bounds" in run(*words, code=2).err


def test_workers_in_processes_get_the_text(run):
    """They need neither the file nor its folder."""
    words = (*SMALL, "stdp.rule=soft.py", "stdp.A=0.02,0.03", "seed=1,2", "run.n_jobs=2")
    run(*words, "run.backend=loky", "run.batch_size=1", "name=loky")
    run(*words, "name=here")
    np.testing.assert_array_equal(values("loky"), values("here"))


def test_both_engines_run_what_a_file_holds(run, command, tmp_path):
    """Helper functions that call others, constants, a rule without a presynaptic trace."""
    text = replaced(
        SOFT, ('"x_pre": Trace(PRE, "tau"), ', ""), ("(1 - w) * traces.x_pre", "room(w)")
    )
    helpers = "LIMIT = 1.0\n\n\ndef half(x):\n    return 0.5 * x\n\n\n"
    helpers += "def room(w):\n    return half(LIMIT - w)\n\n\n"
    (tmp_path / "helped.py").write_text(helpers + text)
    words = ("stdp.rule=helped.py", "record=history", "record.weight_interval=50", "seed=1")
    run(*words, "name=reference")
    made = command(*SMALL, *words, "run.backend=sequential", "name=compiled")
    assert made.code == 0, made.err
    assert (
        json.loads(Path("outputs/compiled/provenance.json").read_text())["runs"][0]["engine"]
        == "compiled"
    )
    weights = [values(name, "weight_history") for name in ("compiled", "reference")]
    np.testing.assert_allclose(*weights, rtol=0, atol=1e-6)
    assert np.ptp(weights[0]) > 0.01


SIDE_EFFECT = replaced(SOFT, ("    A = q", '    print("the class is executed")\n    A = q'))


def test_only_run_executes_a_file(run, tmp_path, capsys):
    """Lists, figures, tables and whoever opens the file do not; reproduce does when it is told."""
    (tmp_path / "loud.py").write_text(SIDE_EFFECT)
    assert "the class is executed" in run("stdp.rule=loud.py", "seed=1,2", "name=a").out
    for registry in (RULES._modules, RULES._made):
        registry.clear()
    RULES.unregister("soft_bounds")
    capsys.readouterr()
    for words in (["outputs/a"], ["outputs/a", "--report"], ["list"], ["diff", *["outputs/a"] * 2]):
        with contextlib.suppress(SystemExit):
            assert analyse(words) == 0
    open_results("outputs/a").close()
    assert reproduce(["outputs/a"]) == 2
    ended = capsys.readouterr()
    assert "the class is executed" not in ended.out
    assert "was made with source code that the file holds" in ended.err
    assert reproduce(["outputs/a", "--run-given-code"]) == 0
    said = capsys.readouterr().out
    assert "the class is executed" in said
    assert said.endswith("2 of 2 points are the same bit for bit\n")


def test_reproduce_says_what_has_changed_in_the_file(run, tmp_path, capsys):
    """It runs what was kept; a file that is gone or the same is not mentioned."""
    run("stdp.rule=soft.py", "seed=1", "name=a")
    (tmp_path / "soft.py").write_text(replaced(SOFT, ("0.01", "0.02")))
    RULES.unregister("soft_bounds")
    assert reproduce(["outputs/a", "--run-given-code"]) == 0
    said = capsys.readouterr().out
    assert f"stdp.rule=soft_bounds: {tmp_path / 'soft.py'} has changed since (line 4: " in said
    assert "default=0.01)' there and" in said
    for text in (SOFT, None):
        (tmp_path / "soft.py").write_text(text) if text else (tmp_path / "soft.py").unlink()
        RULES.unregister("soft_bounds")
        assert reproduce(["outputs/a", "--run-given-code"]) == 0
        assert "has changed" not in capsys.readouterr().out


def test_a_kept_source_goes_on(run, tmp_path):
    """The file in `given/` is a rule file like any other: same text, same points."""
    run("stdp.rule=soft.py", "seed=1", "name=a")
    (kept,) = Path("outputs/a/given").iterdir()
    (tmp_path / "soft.py").unlink()
    assert "1 finished before" in run(f"stdp.rule={kept}", "seed=1,2", "name=a").out


def test_a_process_of_a_file(run, tmp_path):
    """The same way: swept with ours, its field an axis, reproduced when told."""
    (tmp_path / "clock.py").write_text(CLOCK)
    run("input.process=clock.py", "input.delay=0,5", "seed=1", "name=a")
    assert request_in("a")["input"]["process"] == "clock"
    run("input.process=clock.py,poisson", "seed=1", "name=b")
    assert (values("b", "status") == 0).all()
    PROCESSES.unregister("clock")
    assert reproduce(["outputs/a"]) == 2
    assert reproduce(["outputs/a", "--run-given-code"]) == 0


def test_a_rule_from_a_base_of_the_package(run, tmp_path):
    """`PairRule` brings fields, traces and the choices of pairing."""
    (tmp_path / "pair.py").write_text(
        "from pipeline import PairRule\n\n\nclass Squared(PairRule):\n"
        "    def potentiate(w, traces, fields):\n"
        "        return w + fields.A_plus * (1 - w) ** 2 * traces.x_pre\n\n"
        "    def depress(w, traces, fields):\n"
        "        return w - fields.A_minus * w**2 * traces.x_post\n"
    )
    run("stdp.rule=pair.py", "stdp.pairing=all_to_all,nearest", "seed=1", "name=a")
    assert request_in("a")["stdp"]["ltd_ratio"] == 1.1
    assert not np.array_equal(*values("a").reshape(2, -1))


def test_hydras_own_sweeper_takes_a_file(command, tmp_path):
    """One directory for each point."""
    (tmp_path / "soft.py").write_text(SOFT)
    words = ("hydra/sweeper=basic", "stdp.rule=soft.py,additive", "run.engine=reference", "name=a")
    made = command("-m", *SMALL, *words)
    assert made.code == 0, made.err
    assert request_in("a/0")["stdp"]["rule"] == "soft_bounds"
    assert request_in("a/1")["stdp"]["rule"] == "additive"


def test_a_dataset_without_the_class_is_that_of_the_file(run, tmp_path):
    """Another process opens it, compares and reports by the name of the rule."""
    run("stdp.rule=soft.py", "seed=1,2", "name=a")
    code = (
        "import sys\nfrom analysis import open_results\nfrom analysis.__main__ import main\n"
        "open_results('outputs/a').close()\nassert main(['outputs/a', '--report']) == 0\n"
        "assert 'pipeline' not in sys.modules\n"
    )
    environment = {"PYTHONPATH": str(ROOT), "PATH": "", "MPLBACKEND": "Agg"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, cwd=tmp_path)
    report = (tmp_path / "outputs/a/report.html").read_text()
    assert "soft_bounds" in report
    assert "class SoftBounds(Rule)" in report


def test_a_point_in_the_file_has_the_source_in_its_key(run, tmp_path):
    """Equal values under another text are another point."""
    configuration = pipeline.configure(*SMALL, "stdp.rule=soft.py")
    (tmp_path / "soft.py").write_text(replaced(SOFT, ("* w *", "* w * w *")))
    other = pipeline.configure(*SMALL, "stdp.rule=soft.py")
    assert configuration.stdp.to_mapping() == other.stdp.to_mapping()
    assert configuration.stdp.key_values() != other.stdp.key_values()
