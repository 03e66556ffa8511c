"""Records that are true: other code, runs that are not known, states that were logged."""

import json
import shutil
from pathlib import Path

import pytest

import pipeline
from pipeline.system import host
from tests.conftest import SMALL

SWEEP = (*SMALL, "-m", "run.backend=sequential")


def test_points_of_other_code_are_counted_at_resume(command, caplog, monkeypatch):
    """A changed line of the model: a warning when further points are computed."""
    command(*SWEEP, "seed=1,2,3", "name=x")
    monkeypatch.setattr(host, "sources_checksum", lambda *folders: "of changed sources")
    caplog.clear()
    command(*SWEEP, "seed=1,2,3", "name=x")
    assert "other code" not in caplog.text
    command(*SWEEP, "seed=range(1,6)", "name=x")
    assert "3 finished points were made by other code" in caplog.text
    assert "python -m pipeline.reproduce outputs/x compares" in caplog.text
    caplog.clear()
    command(*SWEEP, "seed=range(1,7)", "name=x")
    assert "3 finished points were made by other code" in caplog.text


def test_the_sources_of_a_run_are_those_of_model_and_engine(tmp_path, monkeypatch):
    """Every Python file at any depth counts, by content and name, and no other file."""
    host.sources_checksum.cache_clear()
    monkeypatch.setattr(host, "CODE", tmp_path)
    file = tmp_path / "model" / "rules" / "one.py"
    file.parent.mkdir(parents=True)
    seen = set()
    for text in ("a = 1\n", "a = 2\n"):
        file.write_text(text)
        host.sources_checksum.cache_clear()
        seen.add(host.sources_checksum("model"))
    file.rename(file.with_name("two.py"))
    (tmp_path / "model" / "notes.txt").write_text("text")
    host.sources_checksum.cache_clear()
    seen.add(host.sources_checksum("model"))
    (tmp_path / "model" / "notes.txt").unlink()
    host.sources_checksum.cache_clear()
    assert host.sources_checksum("model") in seen
    assert len(seen) == 3
    host.sources_checksum.cache_clear()


@pytest.fixture
def from_two_machines(configure, tmp_path, monkeypatch):
    """Sweep with each engine into a directory, and copy the points of one into the other."""
    monkeypatch.chdir(tmp_path)
    base = configure()
    for name, engine, seeds in (("x", "compiled", [1, 2]), ("y", "reference", [3, 4])):
        pipeline.sweep(base, {"seed": seeds}, Path("outputs", name), engine=engine)
    for file in Path("outputs/y/points").iterdir():
        shutil.copy(file, "outputs/x/points")
    return lambda *seeds: pipeline.sweep(base, {"seed": seeds}, "outputs/x")


def test_points_of_unknown_runs_are_counted(from_two_machines, caplog, capsys):
    """A warning when the directory is used, and reproduced by the engine that computed them."""
    from pipeline.reproduce import main

    swept = from_two_machines(1, 2, 3, 4, 5)
    assert swept["made_by"].values.tolist() == [0, 0, -1, -1, 1]
    assert "2 finished points are of runs that are not in provenance.json" in caplog.text
    assert main(["outputs/x"]) == 0
    said = capsys.readouterr().out
    assert "5 of 5 points are the same bit for bit" in said
    assert "of 2 of them it is not known who made them; both engines were tried" in said


def test_an_unknown_point_that_differs_is_reported(from_two_machines, capsys):
    """Both engines are tried, and neither gives a changed weight."""
    import netCDF4

    from pipeline.reproduce import main

    from_two_machines(1, 2, 3, 4)
    with netCDF4.Dataset("outputs/x/results.nc", "a") as file:
        file["mean_weight"][2] += 1e-3
    assert main(["outputs/x"]) == 1
    assert "3 of 4 points are the same" in capsys.readouterr().out


class Server:
    """What the tracker asks a server: whether a state was logged; and the states that were."""

    def __init__(self):
        self.states = []

    def search_runs(self, experiments, condition, max_results):
        """Return whether a state was logged."""
        return [state for state in self.states if f"'{state}'" in condition]

    def set_tag(self, run, name, state):
        """Note a state that is logged."""
        self.states.append(state)


def test_every_state_is_logged_once(configure, tmp_path, monkeypatch):
    """Also of directories that lost their provenance, and of a copy that grew without a run."""
    from pipeline.experiment import mlflow_tracking as tracking

    server = Server()
    monkeypatch.setattr(tracking, "_draw_figures", lambda path: False)
    monkeypatch.setattr(tracking.Tracker, "_log_sweep", lambda *_: "run")
    monkeypatch.setattr(
        "pipeline.experiment.run.open_tracker",
        lambda settings, directory: tracking.Tracker(server, "0", directory, 10),
    )

    def logged(name, *seeds):
        before = len(server.states)
        pipeline.sweep(configure(), {"seed": seeds}, tmp_path / name, backend="sequential")
        return len(server.states) - before

    def forget(name):
        for file in ("provenance.json", "results.nc"):
            (tmp_path / name / file).unlink()

    assert [logged("a", 1, 2), logged("a", 1, 2), logged("a", 1, 2, 3)] == [1, 0, 1]
    assert logged("b", 4, 5) == 1
    forget("a")
    forget("b")
    assert [logged("a", 1, 2, 3), logged("b", 4, 5), logged("b", 4, 5)] == [1, 1, 0]
    assert logged("c", 6) == 1
    for file in (tmp_path / "b" / "points").iterdir():
        shutil.copy(file, tmp_path / "c" / "points")
    assert json.loads((tmp_path / "c" / "provenance.json").read_text())["runs"]
    assert logged("c", 4, 5, 6) == 1
