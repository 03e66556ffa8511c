"""Inputs of reports that users of other tools made in public; see docs/public_reports.md."""

import decimal
import gc
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import pipeline
from analysis import open_results
from pipeline.model.errors import RequestError
from pipeline.model.parameters import by_key
from pipeline.request import grammar
from tests.conftest import SMALL

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]

#: A sweep of some tenths of a second.
WORDS = ("-m", "seed=1,2", "simulation.duration=5e6", "name=x")


@pytest.fixture
def settings_of_the_caller():
    """Change what the modules decimal, numpy, warnings and xarray let a program set for itself."""
    with (
        decimal.localcontext(decimal.Context(prec=2, rounding=decimal.ROUND_UP)),
        np.errstate(all="raise"),
        np.printoptions(precision=1, threshold=2, floatmode="fixed"),
        xr.set_options(keep_attrs=False, arithmetic_join="outer"),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("error")
        yield


def values_of(text):
    """Return the values of a sweep as a command line gives them."""
    return grammar.values_of(grammar.parser().parse_override(f"input.rate_hz={text}"))


def test_settings_of_the_caller_change_no_result(configure, tmp_path, settings_of_the_caller):
    """Times, ranges, weights and the file are those of a program that has set nothing."""
    fine = configure("simulation.dt=0.12345", "record=history", "record.weight_interval=12.345")
    assert pipeline.simulate(fine)["sample_time"].values[:3].tolist() == [12.345, 24.69, 37.035]
    assert values_of("range(1000.5,1003,1)") == [1000.5, 1001.5, 1002.5]
    swept = pipeline.sweep(fine, {"seed": [1, 2], "input.rate_hz": [0, 33.25]}, tmp_path / "x")
    with decimal.localcontext(decimal.Context()), np.errstate(all="ignore"):
        again = pipeline.sweep(fine, {"seed": [1, 2], "input.rate_hz": [0, 33.25]})
    xr.testing.assert_equal(
        swept.drop_vars(["wall_time", "made_by"]), again.drop_vars(["wall_time", "made_by"])
    )
    assert swept["weight"].attrs == again["weight"].attrs


@pytest.mark.parametrize("words", [[], ["dry_run=true"], ["-m", "seed=1,2"]])
def test_a_current_directory_that_was_removed_is_named(command, tmp_path, monkeypatch, words):
    """One line instead of "No such file or directory"."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    ended = command(*SMALL, *words)
    assert ended.code == 2
    assert ended.err == "error: the current directory was removed; change to one that exists\n"


def test_an_error_below_an_extension_module_is_shown(command, monkeypatch):
    """Frames of Cython have no `__name__`, and an error there is raised as it is."""
    import netCDF4

    def fail(*_, **__):
        exec(
            "raise UnicodeEncodeError('utf-8', 'a', 0, 1, 'why')",
            {"UnicodeEncodeError": UnicodeEncodeError},
        )

    monkeypatch.setattr(netCDF4, "Dataset", fail)
    with pytest.raises(UnicodeEncodeError, match="why"):
        command(*SMALL)


@pytest.mark.parametrize("call", [pipeline.plan, pipeline.sweep])
def test_a_folder_whose_name_netcdf_cannot_encode_is_refused_first(configure, tmp_path, call):
    """A name in Latin-1, where file names are UTF-8: refused before any point, nothing written."""
    folder = tmp_path / "caf\udce9"
    folder.mkdir()
    for path in (folder, folder / "outputs" / "x"):
        with pytest.raises(RequestError, match="netCDF takes only paths in utf-8"):
            call(configure(), {"seed": [1, 2]}, path)
    assert not list(folder.iterdir())


@pytest.mark.parametrize("limit", ["", "all"])
def test_a_limit_of_cores_that_cannot_be_read_ends_nothing(configure, monkeypatch, caplog, limit):
    """Joblib reads it from the environment or a control group; all cores are used."""
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", limit)
    plan = pipeline.plan(configure("simulation.duration=1e6"), {"seed": range(100)})
    assert plan.n_workers == len(os.sched_getaffinity(0))
    assert "the limit of cores cannot be read" in caplog.text


@pytest.mark.parametrize(
    "name",
    ["a#mode=zarr", "p%20q", "br[1]", "it's", "größe-λ", "new\nline", "dap4:x", "{x}", "*"],
)  # fmt: skip
def test_a_path_is_no_address_and_no_pattern(configure, tmp_path, name):
    """netCDF, glob and shells give these signs a meaning: written, resumed and read here."""
    path = tmp_path / name / "x"
    pipeline.sweep(configure(), {"seed": [1, 2]}, path, backend="sequential")
    assert pipeline.plan(configure(), {"seed": [1, 2, 3]}, path).asked.done == 2
    assert open_results(path)["seed"].values.tolist() == [1, 2]


@pytest.mark.parametrize("mask", [0o022, 0o002, 0o077])
def test_files_may_be_read_by_whom_the_umask_says(configure, tmp_path, mask):
    """Files that were written beside and renamed are not private to their owner for that."""
    before = os.umask(mask)
    try:
        pipeline.sweep(configure(), {"seed": [1, 2]}, tmp_path / "x", backend="sequential")
    finally:
        os.umask(before)
    files = [file for file in (tmp_path / "x").rglob("*") if file.is_file()]
    assert len(files) >= 5
    assert {file.stat().st_mode & 0o777 for file in files} == {0o666 & ~mask}


@pytest.mark.parametrize("now", [100.0, 6e9])
def test_the_clock_may_show_any_year(configure, tmp_path, monkeypatch, now):
    """1970 and 2160 are outside of the years that zip files know."""
    monkeypatch.setattr(time, "time", lambda: now)
    for seeds in ([1, 2], [1, 2, 3]):
        pipeline.sweep(configure(), {"seed": seeds}, tmp_path / "x", backend="sequential")
    assert pipeline.plan(configure(), {"seed": [1, 2, 3]}, tmp_path / "x").asked.done == 3


def test_files_of_other_programs_are_left_alone(configure, tmp_path, caplog):
    """What file managers, NFS, FUSE, rsync and synchronising programs leave in a folder."""
    path = tmp_path / "x"
    pipeline.sweep(configure(), {"seed": [1, 2]}, path, backend="sequential")
    batch = next((path / "points").glob("*.npz"))
    names = [".DS_Store", "Thumbs.db", "desktop.ini", ".nfs0000012", ".fuse_hidden01", "~lock#"]
    foreign = [folder / name for folder in (path, path / "points") for name in names]
    for file in foreign:
        file.write_bytes(b"theirs")
    for name in ("mine.npz", "empty.npz"):
        foreign.append(batch.with_name(name))
        foreign[-1].write_bytes(b"" if name == "empty.npz" else b"theirs")
    for name in (
        f"Copy of {batch.name}",
        f".{batch.name}.Xy12Zw",
        f"{batch.stem}.sync-conflict-20261127.npz",
    ):
        foreign.append(batch.with_name(name))
        shutil.copy(batch, foreign[-1])
    caplog.clear()
    pipeline.sweep(configure(), {"seed": [1, 2, 3]}, path, backend="sequential")
    assert not [record for record in caplog.records if record.levelname == "WARNING"]
    assert pipeline.plan(configure(), {"seed": [1, 2, 3]}, path).asked.done == 3
    assert all(file.exists() for file in foreign)


def test_times_are_numbers_and_no_intervals_of_the_calendar(configure, tmp_path):
    """Xarray decodes units such as `seconds` to timedelta64; `s` and `ms` stay as they are."""
    axes = {"simulation.duration": [400, 500], "neuron.t_ref": [2, 3]}
    pipeline.sweep(configure("record=history", "record.weight_interval=100"), axes, tmp_path / "x")
    with xr.open_dataset(tmp_path / "x" / "results.nc", decode_timedelta=True) as dataset:
        kinds = {name: variable.dtype.kind for name, variable in dataset.variables.items()}
    assert {"duration", "t_ref", "wall_time", "spike_time"} <= kinds.keys()
    assert not set(kinds.values()) & set("mM")


def test_as_many_keys_as_hdf5_has_dimensions_are_axes_at_once(configure, tmp_path):
    """29 with three further dimensions, 32 in all; one more is refused before anything runs."""
    base = configure("record=history", "record.weight_interval=100")
    axes = {
        key: [value]
        for key, value in by_key(base.to_mapping()).items()
        if value is not None and not key.startswith(("record.", "settle.", "inhibition."))
    }
    axes = dict([*axes.items()][:29]) | {"seed": [1, 2]}
    message = f"^{list(axes)[29]}: the axis is one of 30; a sweep must have <= 29, as HDF5 "
    with pytest.raises(RequestError, match=message):
        pipeline.sweep(base, axes, tmp_path / "x", backend="sequential")
    assert not (tmp_path / "x").exists()
    del axes[list(axes)[0]]
    pipeline.sweep(base, axes, tmp_path / "x", backend="sequential")
    with xr.open_dataset(tmp_path / "x" / "results.nc") as dataset:
        assert dataset["weight_history"].ndim == 31
        assert (dataset["status"] == 0).all()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="there is no /proc")
def test_repeated_calls_hold_neither_files_nor_memory(configure, tmp_path):
    """8 sweeps that are read, and 400 runs: no open file more, and less than 2 MB."""
    configuration = configure("simulation.duration=100")

    def use(numbers):
        for number in numbers:
            path = tmp_path / str(number)
            pipeline.sweep(configuration, {"seed": [1, 2]}, path, backend="sequential")
            open_results(path)
            for seed in range(50):
                pipeline.simulate(configuration.with_seed(seed))
        gc.collect()
        n_pages = int(Path("/proc/self/statm").read_text().split()[1])
        return len([*Path("/proc/self/fd").iterdir()]), n_pages * resource.getpagesize()

    n_files, memory = use(range(4))
    n_files_later, memory_later = use(range(4, 12))
    assert n_files_later == n_files
    assert memory_later - memory < 2_000_000


def test_an_interrupted_sweep_leaves_no_thread_at_work(run_python):
    """As in a notebook, whose process goes on: the threads stop, and not after their points."""
    code = """
import os, signal, threading, time, pipeline
c = pipeline.configure("simulation.duration=5e7")
pipeline.simulate(c.replaced({"simulation.duration": 100}))
start = time.monotonic()
threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    pipeline.sweep(c, {"seed": range(20)}, n_jobs=2)
except KeyboardInterrupt:
    print(time.monotonic() - start < 5)
    used = time.process_time()
    time.sleep(0.3)
    print(time.process_time() - used < 0.05)
"""
    assert run_python(code).split() == ["True", "True"]


@pytest.mark.parametrize(
    ("options", "environment"),
    [
        (["-OO", "-W", "error"], {"NUMBA_DISABLE_JIT": "1"}),
        (["-X", "dev"], {"PYTHONHASHSEED": "1", "LC_ALL": "C", "HOME": "", "OMP_NUM_THREADS": "x"}),
    ],
)
def test_options_of_python_change_no_result(configure, tmp_path, options, environment):
    """Without docstrings and assertions, without compiling, with warnings as errors."""
    words = [sys.executable, *options, "-m", "pipeline", *SMALL, "name=größe", "seed=3"]
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        words,
        cwd=tmp_path,
        env=kept | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    with xr.open_dataset(tmp_path / "outputs" / "größe" / "results.nc") as dataset:
        expected = pipeline.simulate(configure("seed=3"))["weight"].astype("float32")
        np.testing.assert_array_equal(dataset["weight"], expected)


@pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is missing")
def test_subnormal_numbers_flushed_to_zero_change_no_result(run_python, tmp_path):
    """A library of `-ffast-math` that is loaded sets this for the whole process."""
    library = tmp_path / "fast.so"
    options = ["-x", "c", "-shared", "-fPIC", "-ffast-math", "-o", str(library), "-"]
    subprocess.run(["gcc", *options], input=b"int nothing;", check=True)
    code = """
import ctypes, sys, pipeline
c = pipeline.configure("input.rate_hz=0.5", "input.n_synapses=50", "synapse.g_max=2",
                       "simulation.duration=8000", "record.spike_times=true")
def results():
    dataset = pipeline.simulate(c)
    return [dataset[name].values.tobytes() for name in ("weight", "spike_time")]
before = results()
ctypes.CDLL(sys.argv[1])
print(float("5e-324") * 1.0, results() == before)
"""
    flushed, same = run_python(code, library).split()
    assert same == "True"
    if flushed != "0.0":
        pytest.skip(reason="this compiler does not change the process")


@pytest.mark.parametrize("name", ["a,b", "a=b", "it's", "[1]", "{x: 1}"])
def test_a_quoted_text_may_have_any_sign(command, name):
    """A comma in it is no sweep, and nothing else is computed from it."""
    quoted = name.replace("'", r"\'")
    ended = command(*SMALL, f"name='{quoted}'", "dry_run=true")
    assert ended.out.splitlines()[-1] == f"directory: outputs/{name}", ended.err


def test_a_key_twice_in_a_file_is_refused(command, tmp_path):
    """Where other programs take the last value in silence."""
    file = tmp_path / "own" / "experiment" / "mine.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("# @package _global_\nseed: 1\nseed: 2\n")
    ended = command("--config-dir", "own", "+experiment=mine", *SMALL)
    assert ended.code == 2
    assert "found duplicate key seed" in ended.err


def test_a_file_that_hydra_does_not_read_is_no_choice(command, tmp_path):
    """Of `.yml` and of other letters than asked for: refused with the choices that there are."""
    (tmp_path / "own" / "experiment").mkdir(parents=True)
    for name in ("short.yml", "Upper.yaml"):
        (tmp_path / "own" / "experiment" / name).write_text("# @package _global_\nseed: 1\n")
    for name in ("short", "upper"):
        ended = command("--config-dir", "own", f"+experiment={name}", *SMALL)
        assert ended.code == 2
        assert f"experiment={name}: must be Upper or amplitudes or" in ended.err


def test_values_that_differ_in_late_digits_are_two_points(command, configure):
    """1.00001e-05 and 1.46532e-05, and the last but one of 15 digits; they are found again."""
    values = "1.00001e-05,1.46532e-05,0.00812345678901234,0.00812345678901235"
    words = (*SMALL, "-m", f"stdp.A_plus={values}", "name=late")
    for done in ("", "4 finished before"):
        ended = command(*words)
        assert ended.out.startswith("4 points")
        assert done in ended.out
    numbers = open_results("outputs/late")["A_plus"].values.tolist()
    assert numbers == [float(text) for text in values.split(",")]


def test_nohup_is_obeyed(tmp_path):
    """A hangup that the parent process ignores ends nothing."""
    code = "import signal, os; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    code += f"os.execv({sys.executable!r}, [{sys.executable!r}, '-m', 'pipeline', *{WORDS!r}])"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, stdout=subprocess.PIPE
    )
    while not list(tmp_path.glob("outputs/x/sweep.log")):
        time.sleep(0.01)
    process.send_signal(signal.SIGHUP)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.startswith(b"2 points")
