"""The command line: output, files, exit codes and refusals."""

import os
import platform
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import xarray as xr

from pipeline.engine import compiled
from pipeline.model.rules.additive import Additive
from tests.conftest import SMALL, numbers_of

ROOT = Path(__file__).parents[2]


def test_a_single_run_reports_its_numbers(command):
    """One configuration: a summary, a file without swept dimensions, exit code 0."""
    ended = command(*SMALL, "name=one")
    assert ended.code == 0
    assert ended.out.startswith("1 point in ")
    assert "output spikes" in ended.out
    assert ended.out.splitlines()[-1] == "outputs/one/results.nc"
    assert ended.err == ""
    with xr.open_dataset("outputs/one/results.nc") as dataset:
        assert dict(dataset["weight"].sizes) == {"synapse": 40}
    files = {path.name for path in Path("outputs/one").iterdir()}
    assert files - {".lock"} == {
        "configuration.yaml",
        "provenance.json",
        "points",
        "results.nc",
        "sweep.log",
    }


def test_a_sweep_has_its_axes_in_the_order_given(command):
    """`-m` may be anywhere; the dimensions are the short names, then the synapses."""
    ended = command(
        *SMALL, "input.rate_hz=10,20", "-m", "seed=range(3)", "stdp.tau_plus=10,20", "name=check"
    )
    assert ended.code == 0
    with xr.open_dataset("outputs/check/results.nc") as dataset:
        sizes = {"rate_hz": 2, "seed": 3, "tau_plus": 2, "synapse": 40}
        assert dict(dataset["weight"].sizes) == sizes
        assert dataset["weight"].dims == ("rate_hz", "seed", "tau_plus", "synapse")
        assert dataset.attrs["command"].startswith("python -m pipeline -m ")


def test_command_line_and_python_give_the_same_dataset(command):
    """The command line and `pipeline.sweep` return equal datasets."""
    import pipeline

    command(*SMALL, "-m", "input.rate_hz=30,60", "seed=range(2)", "name=shell")
    axes = {"input.rate_hz": [30, 60], "seed": range(2)}
    dataset = pipeline.sweep(pipeline.configure(*SMALL), axes)
    with xr.open_dataset("outputs/shell/results.nc") as written:
        xr.testing.assert_identical(numbers_of(written), numbers_of(dataset))


def test_silent_points_are_counted(command):
    """The summary counts points without output spikes."""
    ended = command(*SMALL, "input.rate_hz=0,1,60", "name=quiet")
    assert "2 silent (no output spike)" in ended.out


def test_silent_points_of_the_file_stand_behind_its_number_of_points(command):
    """They are counted over all points of the file, not over those that the command asked for."""
    assert command(*SMALL, "input.rate_hz=0,1,60", "name=quiet").code == 0
    ended = command(*SMALL, "-m", "input.rate_hz=60", "name=quiet")
    last = ", in the file 3 points: 3 done, 2 silent (no output spike)"
    assert ended.out.splitlines()[0].endswith(last)


def test_unnamed_runs_get_study_and_time(command):
    """Without a name the directory is STUDY/DATE_TIME below outputs."""
    command(*SMALL, "outputs=elsewhere")
    (made,) = Path("elsewhere/run").iterdir()
    time.strptime(made.name, "%Y-%m-%d_%H-%M-%S")


def test_the_second_run_finds_everything_done(command):
    """A repeated command computes nothing and reports that all points were finished before."""
    command(*SMALL, "seed=1,2", "name=twice")
    assert "2 finished before" in command(*SMALL, "seed=1,2", "name=twice").out
    refused = command(*SMALL, "seed=1", "neuron.t_ref=3", "name=twice")
    assert refused.code == 2
    assert "choose another name" in refused.err


def test_a_directory_is_extended_from_shell_and_python(command):
    """An experiment, `-m` and Python into one directory: each runs the points that are missing."""
    import pipeline

    assert command("+experiment=demo", "name=grown", "seed=range(1)").code == 0
    base = ["+experiment=demo", "name=grown"]
    ended = command(*base, "-m", "seed=1,2", "input.rate_hz=20,30")
    assert "in the file 24 points: 14 done, 10 missing" in ended.out
    base = pipeline.configure("+experiment=demo")
    axes = {"input.rate_hz": [10, 20, 30, 40], "stdp.tau_plus": [10, 20], "seed": range(3)}
    grown = pipeline.sweep(base, axes, "outputs/grown")
    assert sorted(set(grown["made_by"].values.ravel().tolist())) == [0, 1, 2]
    fresh = pipeline.sweep(base, axes)
    xr.testing.assert_identical(numbers_of(grown), numbers_of(fresh))
    again = command("+experiment=demo", "name=grown", "dry_run=true")
    assert again.out.startswith("points: 12, 12 of them done; the file has a grid of 24")


def test_hydras_own_sweeper_still_works(command):
    """hydra/sweeper=basic makes one Hydra job and one directory per point."""
    ended = command(*SMALL, "-m", "hydra/sweeper=basic", "seed=1,2", "name=jobs")
    assert ended.code == 0
    for job in ("0", "1"):
        with xr.open_dataset(f"outputs/jobs/{job}/results.nc") as dataset:
            assert dataset["status"].dims == ()


BAD = [
    (["stdp.A_pluss=1"], r"stdp.A_pluss=1: unknown key; did you mean stdp.A_plus?"),
    (["-m", "stdp.A_pluss=1,2"], r"stdp.A_pluss=1,2: unknown axis; did you mean stdp.A_plus?"),
    (["run.jobs=2"], "run.jobs=2: unknown key"),
    (
        ["stdp.tau_plus=long"],
        "stdp.tau_plus='long': LTP time constant must be a finite number > 0 ms",
    ),
    (["stdp.tau_plus=-5"], "stdp.tau_plus=-5: LTP time constant must be a finite number > 0 ms"),
    (["-m", "neuron.tau_m=10,nan"], "neuron.tau_m=nan: membrane time constant must be a finite"),
    (["-m", "neuron.tau_m=10,inf"], "neuron.tau_m=inf: membrane time constant must be a finite"),
    (["input.rate_hz=1001"], "input.rate_hz=1001.0: with simulation.dt=1 ms"),
    (["simulation.dt=5"], "simulation.dt=5.0: the time step must be < synapse.tau_ex=5 ms"),
    (["input.n_synapses=0"], "input.n_synapses=0: number of synapses must be a whole number >= 1"),
    (["synapse.w_init=1.5"], "synapse.w_init=1.5: initial weight must be a finite number >= 0"),
    (["-m", "seed=1,2,1"], "seed=1: repeated on its axis"),
    (["-m", "seed=range(0)"], "seed: the axis has no values"),
    (["-m", "seed="], "seed='': random seed must be a whole number"),
    (["-m", "seed=" + ",".join(map(str, [*range(1998), -1]))], "seed=-1: random seed must be"),
    (["+experiment=unheard"], "experiment=unheard: must be amplitudes or "),
    (["experiment=demo"], "must be written with a plus, +experiment=demo"),
    (["-m", "stdp=notebook,unheard"], "stdp=unheard: must be additive or "),
    (["+hydra.sweeper.params.seed.x=1"], "must be key=value"),
    (["-m", "seed=1,2", "seed=3,4"], "seed=1,2 seed=3,4: the axis is given twice"),
    (["stdp=null"], "stdp=null: must be the name of a file in conf/stdp, and null is none"),
    (["stdp=Null"], "stdp=Null: must be the name of a file in conf/stdp, and null is none"),
    (["+experiment=null"], "experiment=null: must be the name of a file in conf/experiment, and"),
    (["stdp=unheard"], "stdp=unheard: must be additive or "),
    (["seed=range("], "seed=range(: must be key=value"),
    (["seed"], "seed: must be key=value"),
    (["name=../x"], "name=../x: must be a path below outputs=outputs"),
    (["outputs=/proc/none"], "/proc/none"),
    (["run.backend=ray"], "run.backend=ray: backend must be loky or"),
    (["run.backend=dask", "run.scheduler=here"], "run.scheduler=here: must be an address such as"),
    (
        ["run.scheduler=tcp://h:1"],
        "run.scheduler=tcp://h:1: must be null with run.backend=threading",
    ),
    (["run.n_jobs=0"], "run.n_jobs=0: number of workers must be >= 1"),
    (["~stdp.tau_plus"], "stdp.tau_plus: missing"),
    (["record.weight_interval=0.3"], "record.weight_interval=0.3: must be a multiple of"),
    (["-m", "record.traces=true,false"], "record.traces=True,False: cannot be swept"),
]


@pytest.mark.parametrize(("words", "message"), BAD, ids=[" ".join(w)[:40] for w, _ in BAD])
def test_a_wrong_request_is_one_line_and_exit_code_2(command, words, message, monkeypatch):
    """One line with key, value and what is allowed; nothing is run or written."""
    from pipeline.experiment import run

    monkeypatch.setattr(run, "run_points", lambda *_: pytest.fail("a simulation started"))
    ended = command(*words)
    assert ended.code == 2
    assert ended.out == ""
    (line,) = ended.err.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert list(Path.cwd().iterdir()) == []


def test_the_traceback_is_shown_on_request(command, monkeypatch):
    """HYDRA_FULL_ERROR=1 raises the error itself."""
    from pipeline.cli import main
    from pipeline.model.quantity import RequestError

    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    monkeypatch.setattr(sys, "argv", [str(ROOT / "pipeline" / "__main__.py"), "seed=-1"])
    with pytest.raises(RequestError, match="seed=-1"):
        main()


def test_an_internal_error_is_not_reported_as_a_wrong_request(command, monkeypatch):
    """An error of any type from inside the pipeline is raised."""
    from pipeline.storage import state

    monkeypatch.setattr(state, "ResultArrays", lambda *_, **__: {}["no such key"])
    with pytest.raises(KeyError, match="no such key"):
        command(*SMALL)


def test_some_failed_points_are_exit_code_1(command, monkeypatch):
    """The other points are in the file, and the path of the reasons is printed."""
    from pipeline.execution import batch

    def fail(*arguments):
        raise OverflowError("too much")

    monkeypatch.setattr(batch, "engine_named", lambda name: fail)
    ended = command(*SMALL, "seed=1,2", "run.backend=sequential", "name=bad")
    assert ended.code == 1
    assert "2 FAILED" in ended.out
    assert "The reasons are in outputs/bad/failures.csv" in ended.err
    assert Path("outputs/bad/results.nc").exists()


def run_in_a_process(*words, cwd):
    """Start the command in a separate process."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", *words],
        cwd=cwd,
        env=environment,
        text=True,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_the_real_command_refuses_in_one_line(tmp_path):
    """A new process outside of the project's folder: one line, exit code 2, no file."""
    process = run_in_a_process("-m", "stdp.tau_plus=10,-20", cwd=tmp_path)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert out == ""
    assert err == "error: stdp.tau_plus=-20: LTP time constant must be a finite number > 0 ms\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_ctrl_c_keeps_finished_points(tmp_path, backend):
    """SIGINT to a running sweep: exit code 130, results.nc complete, the same command resumes."""
    words = [
        "-m",
        "seed=range(40)",
        "simulation.duration=10000",
        "run.engine=reference",
        "run.n_jobs=2",
        "run.batch_size=1",
        f"run.backend={backend}",
        "name=long",
    ]
    process = run_in_a_process(*words, cwd=tmp_path)
    points = tmp_path / "outputs" / "long" / "points"
    deadline = time.monotonic() + 60
    while len(list(points.glob("*.npz"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Interrupted: " in err
    assert " of 40 points are finished and saved. Resume with:\n" in err
    assert "Traceback" not in err
    with xr.open_dataset(tmp_path / "outputs" / "long" / "results.nc") as dataset:
        done = int((dataset["status"] == 0).sum())
    assert 3 <= done < 40
    process = run_in_a_process(*words, cwd=tmp_path)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert f"{done} finished before" in out


def test_sigterm_ends_like_ctrl_c(tmp_path):
    """SIGTERM to the parent: exit code 130, results.nc complete, no worker left."""
    words = ["-m", "seed=range(40)", "simulation.duration=10000", "run.engine=reference"]
    words += ["run.batch_size=1", "name=job"]
    process = run_in_a_process(*words, cwd=tmp_path)
    points = tmp_path / "outputs" / "job" / "points"
    deadline = time.monotonic() + 60
    while len(list(points.glob("*.npz"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.terminate()
    _, err = process.communicate(timeout=60)  # returns when no worker holds the pipe any more
    assert process.returncode == 130, err
    with xr.open_dataset(tmp_path / "outputs" / "job" / "results.nc") as dataset:
        assert int((dataset["status"] == 0).sum()) >= 2


def test_ctrl_c_ends_long_runs_at_once(tmp_path):
    """Points of hours do not delay the exit; the command that resumes is printed."""
    words = ["-m", "seed=range(4)", "simulation.duration=1e10", "study=long"]
    process = run_in_a_process(*words, cwd=tmp_path)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("outputs/long/*/sweep.log")) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)
    interrupted = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert time.monotonic() - interrupted < 3
    (made,) = (tmp_path / "outputs" / "long").iterdir()
    first, again = err.splitlines()
    assert first == "Interrupted: 0 of 4 points are finished and saved. Resume with:"
    assert again == (
        "python -m pipeline -m 'seed=range(4)' simulation.duration=1e10 study=long "
        f"name=long/{made.name}"
    )


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_while_starting_is_one_line(tmp_path, signal_):
    """During the imports too: no traceback, exit code 130, no file."""
    process = run_in_a_process(*SMALL, "name=early", cwd=tmp_path)
    time.sleep(0.2)
    process.send_signal(signal_)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "Interrupted before any point ran\n")
    assert list(tmp_path.iterdir()) == []


def test_a_second_sweep_is_refused(tmp_path):
    """A second sweep is refused with process, host and time of the first, until that has ended."""
    words = [*SMALL, "-m", "seed=range(4)", "name=shared"]
    first = run_in_a_process(*words, "simulation.duration=1e10", cwd=tmp_path)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("outputs/shared/sweep.log")) and time.monotonic() < deadline:
        time.sleep(0.02)
    second = run_in_a_process(*words, cwd=tmp_path)
    _, err = second.communicate(timeout=60)
    assert second.returncode == 2
    assert re.fullmatch(
        rf"error: outputs/shared: process {first.pid} on {platform.node()} since "
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d is writing here; wait for it, or choose another name\n",
        err,
    )
    first.kill()
    first.communicate(timeout=60)
    third = run_in_a_process(*words, cwd=tmp_path)
    _, err = third.communicate(timeout=60)
    assert (third.returncode, err) == (0, "")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_a_read_only_directory_is_one_line(tmp_path):
    """A directory of another user is refused and unchanged."""
    run_in_a_process(*SMALL, "name=one", cwd=tmp_path).communicate(timeout=60)
    before = (tmp_path / "outputs" / "one" / "results.nc").read_bytes()
    # The other one may not be allowed to read this code: all of it is read before.
    code = (
        "import os, pathlib, sys; from pipeline.experiment.api import *; import pipeline;"
        "grid = grid_of_mapping(pipeline.configure(), {}); run = default_run_settings();"
        "os.setuid(65534); run_grid(grid, run, Directory(pathlib.Path(sys.argv[1])))"
    )
    for path in ("outputs/one", "outputs/two", "elsewhere/three"):
        done = subprocess.run(
            [sys.executable, "-c", code, path],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        last = done.stderr.splitlines()[-1]
        refusal = f"RequestError: {path}: must be a writable directory (Permission denied)"
        assert last.endswith(refusal), done.stderr
    assert (tmp_path / "outputs" / "one" / "results.nc").read_bytes() == before


def test_a_reader_never_sees_an_incomplete_file(tmp_path):
    """While sweeps extend an experiment, results.nc can be read completely at any time."""
    words = [*SMALL, "-m", "name=watched", "record.spike_times=true"]
    run_in_a_process(*words, "seed=range(2)", cwd=tmp_path).communicate(timeout=60)
    looks = 0
    for n_seeds in (300, 600):
        process = run_in_a_process(*words, f"seed=range({n_seeds})", cwd=tmp_path)
        while process.poll() is None:
            with xr.open_dataset(tmp_path / "outputs" / "watched" / "results.nc") as dataset:
                assert (dataset["status"].load() == 0).all()
                assert dataset["weight"].notnull().all()
            looks += 1
        process.communicate()
    assert looks > 20


def test_no_progress_bar_without_a_terminal(tmp_path):
    """No progress bar and no log line is written to a pipe."""
    process = run_in_a_process(*SMALL, "-m", "seed=range(4)", "name=q", cwd=tmp_path)
    _, err = process.communicate(timeout=60)
    assert err == ""


# getrusage would count in what the parent process had at its peak.
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="its own peak is in /proc")
def test_a_120_s_run_fits_in_300_mb(tmp_path):
    """120 s at dt 1 ms take less than 300 MB of memory, imports included."""
    code = (
        "import pipeline; pipeline.simulate(pipeline.configure('input=notebook'));"
        "print(*[line.split()[1] for line in open('/proc/self/status') if 'VmHWM' in line])"
    )
    compiled.load(Additive)  # numba takes more than that, once per machine
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) / 1024 < 300
