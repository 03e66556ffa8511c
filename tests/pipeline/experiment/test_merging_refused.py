"""What cannot be merged is refused in one line that names directories and the way out."""

import errno
import os
import shutil
from pathlib import Path

import pytest

import pipeline
from pipeline.experiment.merging import merge
from pipeline.merge import main
from pipeline.model import parameters
from pipeline.model.errors import RequestError
from pipeline.system.atomic_files import sealed
from tests.conftest import names_in
from tests.support.merging import AXES, CONFIGURATION, ONE_BY_ONE, refused, state_of, swept

pytestmark = pytest.mark.long


def test_other_physics_is_refused_by_name(tmp_path):
    """Also of a target; nothing is written."""
    swept(tmp_path / "a", {"seed": range(2)})
    swept(tmp_path / "b", {"seed": range(2)}, "neuron.t_ref=3")
    swept(tmp_path / "long", {"seed": range(2)}, "simulation.duration=200")
    before = state_of(tmp_path)
    reason = refused([tmp_path / "a", tmp_path / "b"], tmp_path / "ab")
    assert reason == (
        f"{tmp_path / 'b'}: cannot be merged with {tmp_path / 'a'} (neuron.t_ref=2.0 in "
        f"{tmp_path / 'a'} and neuron.t_ref=3.0 in {tmp_path / 'b'})"
    )
    assert "neuron.t_ref" in refused([tmp_path / "b"], tmp_path / "a")
    assert "simulation.duration=100.0" in refused([tmp_path / "a"], tmp_path / "long")
    assert state_of(tmp_path) == before


def with_model_version_1(experiment):
    """Change the version of the model in the request of an experiment; return the experiment."""
    file = experiment / "configuration.yaml"
    lines = file.read_text().replace(
        f"model_version: {parameters.MODEL_VERSION}", "model_version: 1"
    )
    file.write_text(sealed(lines[: lines.index("# sha256")]))
    return experiment


def test_another_model_version_is_refused(tmp_path):
    """In one line with both versions."""
    swept(tmp_path / "a", {"seed": range(2)})
    with_model_version_1(Path(shutil.copytree(tmp_path / "a", tmp_path / "old")))
    reason = refused([tmp_path / "a", tmp_path / "old"], tmp_path / "out")
    assert reason.startswith(f"{tmp_path / 'old'}: made by model version 1, and this is version")
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_united_is_named_with_both_directories(tmp_path):
    """Where it is not a constant: a key that is sampled in one and an axis of the other."""
    swept(tmp_path / "a", {"seed": [1, 2]})
    configuration = pipeline.configure(*CONFIGURATION)
    pipeline.sweep(configuration, {}, tmp_path / "b", samples={"seed": [1, 2]}, **ONE_BY_ONE)
    assert refused([tmp_path / "a", tmp_path / "b"], tmp_path / "ab") == (
        f"{tmp_path / 'b'}: cannot be merged with {tmp_path / 'a'} (seed: is sampled in "
        f"{tmp_path / 'b'}, and an axis in {tmp_path / 'a'})"
    )


@pytest.fixture
def unlike(tmp_path):
    """Return an experiment of two shards of other settings, as earlier versions made it."""
    swept(tmp_path / "x", {"seed": range(4)}, shard="1/2")
    swept(tmp_path / "y", {"seed": range(4)}, "stdp.tau_plus=10", shard="2/2")
    (tmp_path / "y" / "shards" / "2").rename(tmp_path / "x" / "shards" / "2")
    return tmp_path / "x"


def test_a_merge_says_what_to_do_with_a_shard_of_other_settings(unlike, capsys):
    """It is moved away, and the shard is run again, or it is merged alone."""
    first, second = (unlike / "shards" / name for name in "12")
    assert main([str(unlike)]) == 2
    assert capsys.readouterr().err == (
        f"error: {second}: cannot be merged with {first} (stdp.tau_plus=20.0 in {first} and "
        f"stdp.tau_plus=10.0 in {second}); move the wrong one out of {unlike / 'shards'} and run "
        "that shard again, or keep it as an experiment of its own: python -m pipeline.merge "
        "THE_WRONG_ONE --into OUT\n"
    )
    for number, value in ((1, 20), (2, 10)):  # each is resumed only as the others are
        with pytest.raises(RequestError, match=rf"shard={number}/2: must have the settings of .*"):
            swept(unlike, {"seed": range(4)}, f"stdp.tau_plus={value}", shard=f"{number}/2")
    with pytest.raises(RequestError, match="shards/2: holds an .*, move it away to begin the sh"):
        swept(unlike, {"seed": range(4)}, shard="2/2")
    assert merge([second], unlike.with_name("alone")).counts.done
    second.rename(unlike.with_name("wrong"))
    swept(unlike, {"seed": range(4)}, shard="2/2")
    assert merge([unlike]).is_whole


def test_a_merge_says_what_to_do_with_a_shard_of_another_model(parts):
    """Of which no merge makes an experiment; run again, no shard waits for it."""
    shard = with_model_version_1(parts / "shards" / "2")
    reason = refused([parts])
    assert reason.startswith(f"{shard}: made by model version 1, and this is version")
    assert reason.endswith(f"move the wrong one out of {parts / 'shards'} and run that shard again")
    with pytest.raises(RequestError, match=r"shard=5/8: must .* \(made by model version 1"):
        for number in (1, 3, 4):
            shutil.rmtree(parts / "shards" / str(number))
        (parts / "shards" / "shards.json").write_text('{"shards": 8, "first_task": null}')
        swept(parts, AXES, shard="5/8")


def test_shards_are_compared_with_what_was_merged(parts):
    """Also where the directories of all shards were removed since."""
    merge([parts])
    for shard in (parts / "shards").glob("[1-4]"):
        shutil.rmtree(shard)
    with pytest.raises(RequestError) as error:
        swept(parts, AXES, "neuron.t_ref=3", shard="1/4")
    assert str(error.value) == (
        f"run.shard=1/4: must have the settings of {parts}, with which it will be merged "
        "(neuron.t_ref=2.0 there and neuron.t_ref=3.0 here); sweep both values in every shard "
        "(neuron.t_ref=2.0,3.0), or choose another name"
    )


def test_samples_of_another_seed_are_no_shard_of_others(tmp_path, command):
    """Of the same intervals, which could be drawn with any seed."""
    drawn = ("-m", *CONFIGURATION, "input.rate_hz=interval(10,40)", "name=x", "sweep.samples=4")
    assert command(*drawn, "run.shard=1/2").code == 0
    ended = command(*drawn, "run.shard=2/2", "sweep.seed=1")
    assert ended.code == 2
    assert "sweep.seed=0 there and with sweep.seed=1 here); choose another name" in ended.err
    assert names_in(Path("outputs/x/shards")) == ["1", "shards.json"]


def test_nothing_is_merged_into_an_experiment_with_other_shards(parts, tmp_path):
    """Which would be hidden; its own shards may be, and others once these are merged."""
    swept(tmp_path / "a", {"seed": range(20, 22)}, "input.rate_hz=20")
    assert refused([tmp_path / "a"], parts) == (
        f"{parts}: has 4 shards, run.shard=i/4, that are not merged; "
        f"python -m pipeline.merge {parts} merges them"
    )
    some = [parts / "shards" / name for name in "123"]
    assert "that are not merged" in refused(some, parts)
    assert names_in(parts) == ["shards"]
    assert merge([*some, parts / "shards" / "4"], parts).counts == (16, 0, 0)
    assert merge([tmp_path / "a"], parts).counts.done == 18


def test_what_cannot_be_merged_is_refused(parts, tmp_path):
    """A directory into itself, no experiment, several without a target, a target with files."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("a")
    shard = parts / "shards" / "1"
    assert "must be another directory than those" in refused([parts, shard], shard)
    (tmp_path / "link").symlink_to(shard)
    assert "must be another directory than those" in refused([shard], tmp_path / "link")
    assert "empty: must be the directory of an experiment" in refused([tmp_path / "empty"])
    assert "nowhere: must be the directory of an exp" in refused([tmp_path / "nowhere"], parts)
    assert "--into: is missing" in refused([parts, shard])
    assert "as it has no shards" in refused([shard])
    assert "(thesis.tex)" in refused([parts], tmp_path / "other")
    assert names_in(tmp_path / "other") == ["thesis.tex"]
    assert names_in(parts) == ["shards"]


def test_a_shard_that_cannot_be_read_is_named(parts, monkeypatch):
    """In one line, as that of another user."""
    shard = parts / "shards" / "2"
    is_file = Path.is_file

    def denied(path):
        if path.parent == shard:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", denied)
    assert refused([parts]) == f"{shard}: cannot be read (Permission denied)"


def test_a_folder_of_shards_that_cannot_be_read_is_named(parts, monkeypatch):
    """It is not taken for an experiment without shards."""
    monkeypatch.setattr(os.path, "exists", lambda _: False)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert refused([parts]) == f"{parts / 'shards'}: cannot be read (Permission denied)"
