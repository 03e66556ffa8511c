"""Logging to an MLflow server; its errors do not fail a sweep."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import xarray as xr

import pipeline
from pipeline.experiment import mlflow_tracking
from tests.conftest import SMALL

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
TRACK = (*SMALL, "run.track=mlflow")

NO_CLIENT = find_spec("mlflow") is None
NO_SERVER = NO_CLIENT or find_spec("sqlalchemy") is None  # which the client alone does not bring
needs_client = pytest.mark.skipif(NO_CLIENT, reason="needs mlflow (make test-all)")
needs_server = pytest.mark.skipif(NO_SERVER, reason="needs all of mlflow (make test-all)")


def run_command(*words, cwd, **environment):
    """Run the real command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def free_port():
    """Return a free port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


# Without a server.


def test_mlflow_is_not_imported_unless_asked_for():
    """Importing it takes seconds: a sweep without tracking does not."""
    code = (
        "import pipeline, sys; pipeline.sweep(pipeline.configure('simulation.duration=100'), {});"
        "print('mlflow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("run.track=mlflow", "run.track=mlflow: needs the extra, pip install 'stdp-pipeline[mlfl"),
        ("run.track=wandb", "run.track=wandb: tracking server must be mlflow, or null (no track"),
        (
            "run.track_points=-1",
            "run.track_points=-1: largest number of points logged as nested runs",
        ),
    ],
)
def test_what_cannot_be_tracked_is_refused(command, monkeypatch, word, message):
    """Where MLflow is missing or the setting is wrong: one line, exit code 2, nothing written."""
    monkeypatch.setitem(sys.modules, "mlflow", None)  # what Python makes of a missing module
    ended = command(*SMALL, word)
    assert ended.code == 2
    (line,) = ended.err.splitlines()
    assert line.startswith(f"error: {message}")
    assert list(Path.cwd().iterdir()) == []


def test_tracking_needs_a_directory(configure):
    """The files of the directory are logged: a sweep without one is refused."""
    with pytest.raises(pipeline.RequestError, match="needs a directory, whose files are logged"):
        pipeline.sweep(configure(), {"seed": [1, 2]}, track="mlflow")


class FailingClient:
    """Replacement of MLflow's client, for a server that fails after the sweep."""

    ended: list = []

    def get_experiment_by_name(self, name):
        """Return an active experiment."""
        return SimpleNamespace(experiment_id="1", lifecycle_stage="active")

    def search_runs(self, *_, **__):
        """Return no runs; print as MLflow does."""
        print("View run at http://tracker")
        return []

    def create_run(self, *_):
        """Return a new run."""
        return SimpleNamespace(info=SimpleNamespace(run_id="7"))

    def log_batch(self, *_):
        """Raise an error of several lines with the address of the server."""
        raise ValueError("at http://me:secret@tracker:\nNo space left")

    def set_terminated(self, *run_and_status):
        """Record how a run ended."""
        self.ended.append(run_and_status)


@pytest.fixture
def failing_client(monkeypatch):
    """Replace the module of MLflow; draw no figures."""
    for name in ("mlflow", "mlflow.entities"):
        module = ModuleType(name)
        module.MlflowClient = FailingClient
        module.is_tracking_uri_set = lambda: True
        module.Metric = module.Param = lambda *values: values
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(mlflow_tracking, "_draw_figures", lambda path: False)
    monkeypatch.setattr(FailingClient, "ended", [])
    return FailingClient


def test_a_server_that_fails_after_the_sweep_causes_a_warning(command, failing_client, caplog):
    """The results and the exit code are those without tracking; no password is printed."""
    plain = command(*SMALL, "seed=1,2", "name=plain")
    ended = command(*TRACK, "seed=1,2", "name=tracked")
    assert (plain.code, ended.code) == (0, 0)
    assert ended.out.startswith("2 points in ")
    assert ended.out.splitlines()[1:] == ["outputs/tracked/results.nc"]
    (warning,) = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert "run.track=mlflow: not all is logged (at http://tracker: No space left)" in warning
    with (
        xr.open_dataset("outputs/plain/results.nc") as expected,
        xr.open_dataset("outputs/tracked/results.nc") as results,
    ):
        xr.testing.assert_identical(
            results.drop_attrs().drop_vars("wall_time"),
            expected.drop_attrs().drop_vars("wall_time"),
        )


def test_the_run_says_how_samples_were_drawn(command, failing_client, monkeypatch):
    """Under the keys of the command, beside the values."""
    logged = {}
    monkeypatch.setattr(
        failing_client, "log_batch", lambda self, run, metrics, params: logged.update(params)
    )
    drawn = ("input.rate_hz=interval(10,40)", "sweep.samples=2", "sweep.method=random")
    assert command("-m", *TRACK, *drawn, "sweep.seed=3", "name=x").code == 0
    assert {key: logged[f"sweep.{key}"] for key in ("method", "seed", "samples", "intervals")} == {
        "method": "random",
        "seed": "3",
        "samples": "2",
        "intervals": '{"input.rate_hz": [10, 40]}',
    }
    assert logged["axis.input.rate_hz"].startswith("2 values: ")


def test_a_run_that_cannot_be_logged_in_full_is_killed_there(command, failing_client):
    """It is not left open, nor counted as logged: the same command logs the sweep again."""
    for _ in range(2):
        assert command(*TRACK, "name=half").code == 0
    assert failing_client.ended == [("7", "KILLED"), ("7", "KILLED")]


def test_a_deleted_experiment_is_refused(command, failing_client, monkeypatch):
    """MLflow would refuse its runs, but only after the sweep."""
    deleted = SimpleNamespace(experiment_id="1", lifecycle_stage="deleted")
    monkeypatch.setattr(failing_client, "get_experiment_by_name", lambda *_: deleted)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "old")
    ended = command(*TRACK)
    assert ended.code == 2
    assert "the experiment old is deleted on the server" in ended.err


def test_the_environment_is_restored(monkeypatch):
    """Variables of the user are respected, and the others are restored."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "77")
    before = dict(os.environ)
    with mlflow_tracking._quietly(5):
        assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "77"
        assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "1"
    assert dict(os.environ) == before


def test_long_values_are_cut():
    """MLflow refuses what is longer; null and true are written as in YAML."""
    assert mlflow_tracking._cut("x" * 501, 500) == "x" * 497 + "..."
    assert [mlflow_tracking._cut(value, 500) for value in ("x" * 500, None, True, 15.0)] == [
        "x" * 500,
        "null",
        "true",
        "15.0",
    ]


@needs_client
def test_tracking_without_an_address_is_refused(tmp_path, monkeypatch):
    """MLflow would make a database and a folder where the command runs: nothing is written."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    ended = run_command(*TRACK, cwd=tmp_path)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("error: run.track=mlflow: needs the address of a server in MLFLOW")
    assert list(tmp_path.iterdir()) == []


@needs_client
def test_an_unreachable_server_is_refused_at_once(tmp_path):
    """One line with the server's address, exit code 2, nothing written; in seconds, not minutes."""
    address = f"http://127.0.0.1:{free_port()}"
    started = time.monotonic()
    ended = run_command(*TRACK, cwd=tmp_path, MLFLOW_TRACKING_URI=address)
    assert time.monotonic() - started < 30
    assert ended.returncode == 2
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"error: run.track=mlflow: the server at {address} cannot be reached (")
    assert "Connection refused" in line
    assert list(tmp_path.iterdir()) == []


# With a server.


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Start a real MLflow server and return its address."""
    folder = tmp_path_factory.mktemp("server")
    address = f"http://127.0.0.1:{(port := free_port())}"
    words = ["--backend-store-uri", f"sqlite:///{folder}/runs.db", "--workers", "1"]
    words += ["--artifacts-destination", str(folder / "artifacts"), "--port", str(port)]
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *words],
            cwd=folder,
            env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_for(f"{address}/health", server)
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=30)


def wait_for(url, server):
    """Return when a server answers."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail("the MLflow server did not start")


class Logged:
    """The runs of one experiment on a server."""

    def __init__(self, address, experiment):
        from mlflow import MlflowClient

        self.client = MlflowClient(address)
        self.experiment = self.client.get_experiment_by_name(experiment).experiment_id

    def sweeps(self):
        """Return the runs of sweeps, not of points, the newest last."""
        runs = self.client.search_runs([self.experiment], order_by=["attributes.start_time"])
        return [run for run in runs if "mlflow.parentRunId" not in run.data.tags]

    def points(self, sweep):
        """Return the runs of a sweep's points by name."""
        words = f"tags.mlflow.parentRunId = '{sweep.info.run_id}'"
        runs = self.client.search_runs([self.experiment], words)
        return {run.info.run_name: run for run in runs}

    def files(self, run, folder=None):
        """Return the names of a run's artifacts."""
        return {file.path for file in self.client.list_artifacts(run.info.run_id, folder)}


@pytest.fixture(scope="module")
def tracked(address, tmp_path_factory):
    """Run and log a sweep of 4 points, 3 of them as nested runs."""
    folder = tmp_path_factory.mktemp("tracked")
    words = "-m", "input.rate_hz=0,40", "seed=1,2", "run.track_points=3", "name=study/one"
    ended = run_command(*TRACK, *words, cwd=folder, MLFLOW_TRACKING_URI=address)
    return SimpleNamespace(
        ended=ended, directory=folder / "outputs/study/one", logged=Logged(address, "stdp-pipeline")
    )


@needs_server
@pytest.mark.long
@pytest.mark.filterwarnings("ignore")  # of MLflow's own, which reads here what was logged
class TestServer:
    """Content of a real server after the command."""

    def test_the_output_of_the_command_is_unchanged(self, tracked):
        """Two lines on stdout, none on stderr: the output of MLflow is suppressed."""
        assert tracked.ended.returncode == 0, tracked.ended.stderr
        assert tracked.ended.stderr == ""
        summary, path = tracked.ended.stdout.splitlines()
        assert summary.startswith("4 points in ")
        assert path == "outputs/study/one/results.nc"

    def test_a_sweep_is_a_run(self, tracked):
        """Constants and axes are its params, provenance its tags, counts and means its metrics."""
        (sweep,) = tracked.logged.sweeps()
        assert sweep.info.run_name == "one"
        assert sweep.info.status == "FINISHED"
        params, tags, metrics = sweep.data.params, sweep.data.tags, sweep.data.metrics
        assert params["synapse.g_max"] == "0.15"
        assert params["stdp.tau_minus"] == "null"
        assert params["axis.input.rate_hz"] == "2 values: 0.0, 40.0"
        assert params["axis.seed"] == "2 values: 1, 2"
        assert not {"input.rate_hz", "seed"} & set(params)
        assert tags["directory"] == str(tracked.directory)
        with xr.open_dataset(tracked.directory / "results.nc") as results:
            for name in ("git_commit", "git_dirty", "engine", "host", "command", "seed_policy"):
                assert tags[name] == results.attrs[name]
            assert metrics["output_rate"] == pytest.approx(results["output_rate"].mean().item())
            assert metrics["mean_weight"] == pytest.approx(results["mean_weight"].mean().item())
            assert metrics["seconds"] == results.attrs["seconds"]
        counts = {name: metrics[f"points_{name}"] for name in ("done", "failed", "missing")}
        assert counts == {"done": 4, "failed": 0, "missing": 0}

    def test_its_files_are_artifacts(self, tracked):
        """The artifacts are the files of the directory, byte for byte, and the figures."""
        (sweep,) = tracked.logged.sweeps()
        files = {"results.nc", "configuration.yaml", "provenance.json", "figures"}
        assert tracked.logged.files(sweep) == files
        figures = {f"figures/{file.name}" for file in (tracked.directory / "figures").iterdir()}
        assert tracked.logged.files(sweep, "figures") == figures
        assert "figures/weights.png" in figures
        for name in files - {"figures"}:
            back = tracked.logged.client.download_artifacts(sweep.info.run_id, name)
            assert Path(back).read_bytes() == (tracked.directory / name).read_bytes()

    def test_a_point_is_a_nested_run(self, tracked):
        """The first `run.track_points` of the grid; metrics of NaN are left out."""
        (sweep,) = tracked.logged.sweeps()
        points = tracked.logged.points(sweep)
        assert set(points) == {"rate_hz=0.0, seed=1", "rate_hz=0.0, seed=2", "rate_hz=40.0, seed=1"}
        assert sweep.data.tags["point_runs"] == "3 of 4 points"
        silent, firing = points["rate_hz=0.0, seed=2"], points["rate_hz=40.0, seed=1"]
        assert silent.data.params == {"input.rate_hz": "0.0", "seed": "2"}
        assert set(silent.data.metrics) == {"output_rate", "mean_weight", "spike_count"}
        with xr.open_dataset(tracked.directory / "results.nc") as results:
            own = results.sel(rate_hz=40, seed=1)
            for name in ("output_rate", "mean_weight", "spike_count", "isi_cv"):
                assert firing.data.metrics[name] == pytest.approx(own[name].item())
        assert {run.info.status for run in points.values()} == {"FINISHED"}

    def test_a_failed_point_is_a_failed_run(self, address, tmp_path):
        """It has its reason, `failures.csv` is an artifact, and the sweep is FAILED."""
        words = "-m", "simulation.duration=100,300000", "run.engine=reference", "run.timeout=0.5"
        environment = {"MLFLOW_TRACKING_URI": address, "MLFLOW_EXPERIMENT_NAME": "failing"}
        ended = run_command(*TRACK, *words, "name=bad", cwd=tmp_path, **environment)
        assert ended.returncode == 1, ended.stderr
        logged = Logged(address, "failing")
        (sweep,) = logged.sweeps()
        assert sweep.info.status == "FAILED"
        assert (sweep.data.metrics["points_done"], sweep.data.metrics["points_failed"]) == (1, 1)
        assert "failures.csv" in logged.files(sweep)
        points = logged.points(sweep)
        assert points["duration=100.0"].info.status == "FINISHED"
        failed = points["duration=300000.0"]
        assert failed.info.status == "FAILED"
        assert failed.data.tags["failure"].startswith("TimeoutError: took longer than run.timeout")
        assert failed.data.metrics == {}

    def test_a_state_of_a_directory_is_logged_once(self, address, tmp_path):
        """Also after the sweep; not twice; and again, with all points, when it was extended."""
        environment = {"MLFLOW_TRACKING_URI": address, "MLFLOW_EXPERIMENT_NAME": "growing"}

        def n_points_logged(*words):
            ended = run_command(*words, "-m", "name=grown", cwd=tmp_path, **environment)
            assert ended.returncode == 0, ended.stderr
            logged = Logged(address, "growing")
            return [len(logged.points(sweep)) for sweep in logged.sweeps()]

        ended = run_command(*SMALL, "-m", "seed=1,2", "name=grown", cwd=tmp_path)
        assert ended.returncode == 0, ended.stderr
        assert n_points_logged(*TRACK, "seed=1,2") == [2]
        assert n_points_logged(*TRACK, "seed=1,2") == [2]
        assert n_points_logged(*TRACK, "seed=1,2,3") == [2, 3]
