"""Experiments over rules with unlike fields: listed, filtered, compared, drawn, reported."""

import pytest

from analysis.__main__ import main
from analysis.experiments.matching import Side, matched
from analysis.reading.dataset import open_results
from analysis.reading.metadata import read_metadata
from pipeline.model.plasticity import RULES
from pipeline.model.registry import content_hash
from tests.support.unlike_rules import as_version_0, registered, sweep_over_rules

pytestmark = pytest.mark.long

NAMES = ["additive", "toy_branch", "toy_anti_hebbian"]


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """A terminal in which no row is wrapped."""
    monkeypatch.setenv("COLUMNS", "1000")


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Experiments of several rules and of one."""
    root = tmp_path_factory.mktemp("outputs")
    with registered():
        for name, rules in (("all", NAMES), ("two", NAMES[:0:-1]), ("one", NAMES[:1])):
            sweep_over_rules(rules, axes={"seed": [1, 2]}, directory=root / name)
    return root


def test_experiments_are_listed_and_filtered_by_fields_of_some_rules(outputs, capsys):
    """A condition holds where any choice sets the value."""
    assert main(["list", str(outputs), "--where", "stdp.w_soft=0.6"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["name", "all", "two"]
    assert main(["list", str(outputs), "--where", "ltd_ratio=1.1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["name", "all", "one"]


def test_an_experiment_equals_itself(outputs, capsys):
    """NaN, where a rule has no such field, equals NaN; parameters are no results."""
    assert main(["diff", str(outputs / "all"), str(outputs / "all")]) == 0
    out = capsys.readouterr().out
    assert "results: 6 points compared, 0 only in A, 0 only in B" in out
    assert "A_minus" not in out


def test_the_points_of_common_rules_are_compared(outputs, capsys):
    """By the axis of both, whose other choices are listed with what they set."""
    assert main(["diff", str(outputs / "all"), str(outputs / "two")]) == 1
    out = capsys.readouterr().out
    assert "results: 4 points compared, 2 only in A, 0 only in B" in out
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line.startswith("  ")}
    assert rows["stdp.ltd_ratio"] == ["1.1", "along", "stdp", "-"]
    assert rows["weight"] == ["same"]


def side(path):
    """Return an experiment as it is compared."""
    return Side(path, read_metadata(path / "results.nc"), open_results(path))


@pytest.mark.parametrize("other_first", [False, True])
def test_an_axis_of_rules_is_matched_with_a_constant_rule(outputs, tmp_path, other_first):
    """By all fields of its choices; a field that the other experiment lacks is absent in both."""
    with registered():
        sweep_over_rules("toy_anti_hebbian", axes={"seed": [2, 3]}, directory=tmp_path)
    one = side(tmp_path)
    assert [axis.key for axis in one.metadata.axes] == ["seed"]
    several = side(outputs / "all")
    sides = (one, several) if other_first else (several, one)
    match = matched(*sides)
    in_several, in_one = (match.b, match.a) if other_first else (match.a, match.b)
    assert in_several == [5]  # toy_anti_hebbian, seed 2
    assert in_one == [0]
    assert match.only_a + match.only_b == 5 + 1


def test_rules_of_one_name_with_unlike_sources_differ(outputs, tmp_path, capsys):
    """The hashes of their source texts are listed, as the pipeline names them."""
    with registered() as classes:
        source = classes[0].source
    changed = source.replace("np.sqrt(w)", "w")
    cls = RULES.register_source(changed)
    try:
        sweep_over_rules(NAMES[1:2], axes={"seed": [1, 2]}, directory=tmp_path / "changed")
    finally:
        RULES.unregister(cls.name)
    assert main(["diff", str(outputs / "all"), str(tmp_path / "changed")]) == 1
    row = next(
        line for line in capsys.readouterr().out.splitlines() if "stdp.rule=toy_branch" in line
    )
    assert row.split() == [
        "stdp.rule=toy_branch", "source", content_hash(source), "source", content_hash(changed)
    ]  # fmt: skip


def test_a_file_of_version_0_equals_the_same_of_version_1(keep, tmp_path, capsys):
    """The rule that it does not name is no difference, nor what the file says of rules."""
    path = keep("kept", {"stdp": ["notebook", "song_abbott_2001"], "seed": [1, 2]})
    with open_results(path) as dataset:
        older = as_version_0(dataset.load())
    older.to_netcdf(tmp_path / "older.nc")
    assert main(["diff", str(path), str(tmp_path / "older.nc")]) == 0
    out = capsys.readouterr().out
    assert "configuration: same" in out
    assert "rules" not in out


def test_all_figures_are_drawn_and_reported(outputs, tmp_path, capsys):
    """Of an experiment with everything recorded, and where only some rules have traces to draw."""
    with registered():
        sweep_over_rules(
            ["toy_branch", "toy_triplet"],
            "record=everything",
            "simulation.duration=100",
            "record.weight_interval=10",
            directory=tmp_path / "drawn",
        )
    assert main([str(tmp_path / "drawn")]) == 0
    assert main([str(tmp_path / "drawn"), "--report"]) == 0
    drawn = {path.name for path in (tmp_path / "drawn" / "figures").iterdir()}
    assert {"rule.png", "weights.png", "run_stdp=toy_branch.png"} <= drawn
    report = (tmp_path / "drawn" / "report.html").read_text()
    assert "toy_branch: 0.6" in report
    assert "toy_triplet: 101" in report
