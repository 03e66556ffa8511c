"""`stdp init`: what it refuses, and what the files of a project say."""

from pathlib import Path

import pytest
import yaml

import pipeline
from pipeline.model.plasticity import RULES
from stdp.errors import CommandError
from stdp.init import PROJECT, main, write_project
from tests.conftest import ROOT


def test_a_folder_that_is_not_empty_is_refused(tmp_path):
    """Nothing in it is touched; an empty one is used."""
    folder = tmp_path / "study"
    folder.mkdir()
    written = write_project(folder)
    (folder / "README.md").write_text("mine")
    with pytest.raises(CommandError, match="^study: must be a new or empty folder$") as refused:
        _in(tmp_path, "study")
    assert "\n" not in str(refused.value)
    assert (folder / "README.md").read_text() == "mine"
    names = {"README.md", ".gitignore", "mine.yaml", "my_rule.yaml", "rule.py"}
    assert {file.name for file in written} >= names


def _in(folder, *arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        main(arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: folder; see stdp init --help"),
        (["a", "b"], "unrecognized arguments: b; see stdp init --help"),
        (["file"], "file: must be a new or empty folder"),
        (["file/a"], r"file/a: cannot be written \(Not a directory\)"),
    ],
)
def test_wrong_arguments_are_one_line(tmp_path, arguments, message):
    """The message says what to do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match=f"^{message}$"):
        _in(tmp_path, *arguments)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_parameter_set_of_a_project_has_the_keys_of_ours():
    """No key is missing or unknown, and none of its files has the name of one of ours."""
    ours = yaml.safe_load((ROOT / "conf/stdp/notebook.yaml").read_text())
    mine = yaml.safe_load((PROJECT / "conf/stdp/mine.yaml").read_text())
    assert mine.keys() == ours.keys()
    assert pipeline.configure("stdp=mine", conf=PROJECT / "conf").stdp.A_plus == mine["A_plus"]
    names = {file.relative_to(PROJECT) for file in PROJECT.rglob("*.yaml")}
    assert len(names) > 2
    assert not [name for name in names if Path(ROOT, name).exists()]


def test_the_rule_of_a_project_is_that_of_its_parameter_set(tmp_path, monkeypatch):
    """From any folder; the values of the set come before the defaults of the file."""
    write_project(tmp_path / "study")
    monkeypatch.chdir("/")
    try:
        rule = pipeline.configure("stdp=my_rule", conf=tmp_path / "study/conf").stdp
        own = pipeline.configure(f"stdp.rule={tmp_path}/study/rule.py").stdp
        assert type(rule) is type(own)
        assert rule.source == (tmp_path / "study/rule.py").read_text().partition("\n\n")[2]
        values = yaml.safe_load((tmp_path / "study/conf/stdp/my_rule.yaml").read_text())
        assert rule.to_mapping() == values | {"rule": "my_rule"}
        assert own.A == 0.01 != rule.A
    finally:
        RULES.unregister("my_rule")
