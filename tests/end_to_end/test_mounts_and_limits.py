"""File systems and processes with limits: errors of system calls are injected with strace."""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import xarray as xr

import pipeline
from tests.conftest import SMALL, numbers_of

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]

WORDS = (*SMALL, "-m", "seed=1,2", "name=a")


def strace_works():
    """Whether strace is installed and may trace."""
    traced = ["strace", "-qq", "-o", os.devnull, "true"]
    return bool(shutil.which("strace")) and subprocess.run(traced, check=False).returncode == 0


needs_strace = pytest.mark.skipif(not strace_works(), reason="strace is missing, or may not trace")


@pytest.fixture
def run(tmp_path):
    """Run a module below `tmp_path`, after a prefix of the command line."""

    def start(module, *words, prefix=(), **environment):
        return subprocess.run(
            [*prefix, sys.executable, "-m", module, *words],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return start


def injecting(call, error, *paths):
    """Return the prefix of a command in which a system call fails, for some paths or for all."""
    watched = [word for path in paths for word in ("-P", str(path))]
    inject = ["-e", f"trace={call}", "-e", f"inject={call}:error={error}"]
    return ["strace", "-f", "-qq", "-o", os.devnull, *watched, *inject]


def n_done(tmp_path):
    """Return how many of the points a sweep would find done."""
    path = tmp_path / "outputs" / "a"
    return pipeline.plan(pipeline.configure(*SMALL), {"seed": [1, 2]}, path).asked.done


@needs_strace
def test_a_folder_that_cannot_be_synced_holds_an_experiment(run, tmp_path):
    """CIFS, vboxsf and FUSE refuse fsync of a folder."""
    folders = [tmp_path / "outputs" / "a" / name for name in ("", "points")]
    folders[1].mkdir(parents=True)
    done = run("pipeline", *WORDS, prefix=injecting("fsync", "EINVAL", *folders))
    assert done.returncode == 0, done.stderr
    assert n_done(tmp_path) == 2


@needs_strace
def test_a_file_that_cannot_be_synced_is_reported(run, tmp_path):
    """Its content may not be on the disk: one line and exit code 1."""
    done = run("pipeline", *WORDS, prefix=injecting("fsync", "EIO"))
    assert done.returncode == 1
    assert "configuration.yaml: cannot be written (Input/output error)" in done.stderr
    assert not (tmp_path / "outputs" / "a" / "configuration.yaml").exists()


@needs_strace
def test_a_file_system_without_locks_holds_an_experiment(run, tmp_path):
    """NFS and Lustre may have none: written, resumed and reproduced with one warning."""
    without_locks = injecting("flock", "ENOLCK")
    for _ in range(2):
        done = run("pipeline", *WORDS, prefix=without_locks)
        assert done.returncode == 0, done.stderr
        (line,) = done.stderr.splitlines()
        assert "cannot be locked" in line
    assert "2 finished before" in done.stdout
    assert run("pipeline.reproduce", "outputs/a", prefix=without_locks).returncode == 0
    assert n_done(tmp_path) == 2
    assert not list((tmp_path / "outputs" / "a").glob("*.damaged"))


@needs_strace
def test_a_file_system_without_locks_is_analysed(keep, run, tmp_path):
    """Listed, compared, drawn and reported as elsewhere."""
    keep("a", {"seed": [1, 2]})
    without_locks = injecting("flock", "ENOLCK")
    for words in (["list", "."], ["diff", "a", "a"], ["a", "--figure", "weights"]):
        there = run("analysis", *words, prefix=without_locks)
        assert (there.returncode, there.stderr) == (0, "")
        assert there.stdout == run("analysis", *words).stdout
    assert (tmp_path / "a" / "figures" / "weights.png").is_file()


@needs_strace
def test_batches_that_cannot_be_mapped_are_read(configure, tmp_path, run):
    """A file system of FUSE may map no files into memory."""
    whole = pipeline.sweep(configure(), {"seed": [1, 2]}, tmp_path / "outputs" / "a")
    files = (tmp_path / "outputs" / "a" / "points").iterdir()
    done = run("pipeline", *WORDS, prefix=injecting("mmap", "ENODEV", *files))
    assert done.returncode == 0, done.stderr
    assert "2 finished before" in done.stdout
    with xr.open_dataset(tmp_path / "outputs" / "a" / "results.nc") as dataset:
        xr.testing.assert_identical(numbers_of(dataset), numbers_of(whole))


#: A command that has little left of a resource, after a first sweep has imported everything.
LIMITED = """
import os, resource, sys
from pipeline.cli import main
import pipeline
pipeline.sweep(pipeline.configure(), {}, "first", backend="sequential")
kind, left, *words = sys.argv[1:]
if kind == "memory":
    pages = int(open("/proc/self/statm").read().split()[0])
    number, used = resource.RLIMIT_AS, pages * os.sysconf("SC_PAGE_SIZE")
else:
    number, used = resource.RLIMIT_NOFILE, len(os.listdir("/proc/self/fd")) - 1
resource.setrlimit(number, (used + int(left),) * 2)
sys.argv[1:] = words
main()
"""
only_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def run_limited(tmp_path):
    """Run the command with a limit above what is in use."""

    def start(kind, left, *words):
        (tmp_path / "limited.py").write_text(LIMITED)
        return subprocess.run(
            [sys.executable, "limited.py", kind, str(left), *words],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return start


@only_linux
@pytest.mark.parametrize("left", [20_000_000, 60_000_000])
def test_too_little_memory_is_one_line(run_limited, left):
    """What is exhausted, how much there is, how to go on; threads may not start, or arrays fit."""
    words = (*SMALL, "-m", "seed=range(12)", "record=everything", "simulation.duration=5000")
    done = run_limited("memory", left, *words, "input.n_synapses=300", "name=a")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert any(word in done.stderr for word in ("out of memory; this process has", "MemoryError"))
    assert done.stderr.splitlines()[-1].endswith(" name=a")


@only_linux
def test_no_more_threads_start_than_have_memory(run_python):
    """All without a limit; else so many that each has its stack and some more, or none."""
    code = """
import os, resource
from pipeline.system.memory import n_threads_with_memory
print(n_threads_with_memory(8))
resource.setrlimit(resource.RLIMIT_STACK, (8 * 2**20,) * 2)
for left in (3, 20, 60):
    used = int(open("/proc/self/statm").read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (used + left * 10**6, resource.RLIM_INFINITY))
    print(n_threads_with_memory(8))
"""
    assert run_python(code).split() == ["8", "0", "1", "4"]


@only_linux
@pytest.mark.parametrize("left", [0, 300_000])
def test_a_file_is_not_begun_with_too_little_memory(run_python, tmp_path, left):
    """HDF5 would end the process, which may be that of another program."""
    code = """
import os, resource, sys
from pathlib import Path
from pipeline.storage.labels import LabelledDataset
from pipeline.storage.netcdf import write_netcdf
folder, left = Path(sys.argv[1]), int(sys.argv[2])
write_netcdf(LabelledDataset({}, {}, {}), folder / "whole.nc")
used = int(open("/proc/self/statm").read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
resource.setrlimit(resource.RLIMIT_AS, (used + left, resource.RLIM_INFINITY))
try:
    write_netcdf(LabelledDataset({}, {}, {}), folder / "begun.nc")
except MemoryError as error:
    print(error)
"""
    assert run_python(code, tmp_path, left) == "less than 2,000,000 bytes are left\n"
    assert [file.name for file in tmp_path.iterdir()] == ["whole.nc"]


@only_linux
def test_too_few_files_are_one_line(run_limited):
    """The file that could not be opened, or how many a process may open."""
    done = run_limited("files", 1, *SMALL, "-m", "seed=1,2", "name=a")
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert "oo many open files" in done.stderr


@only_linux
def test_processes_that_cannot_be_started_are_replaced_by_threads(run_limited, tmp_path):
    """Too few files for loky: the points are done."""
    words = (*SMALL, "-m", "seed=1,2", "run.backend=loky", "run.batch_size=1", "name=a")
    done = run_limited("files", 9, *words)
    assert done.returncode == 0, done.stderr
    (line,) = done.stderr.splitlines()
    assert "processes cannot be started (Too many open files); run.backend=threading is" in line
    assert n_done(tmp_path) == 2


def test_a_plan_knows_the_limit_of_the_process(monkeypatch):
    """Results of a point larger than `ulimit -v` are refused before anything runs."""
    monkeypatch.setattr(resource, "getrlimit", lambda number: (10**9, 10**9))
    configuration = pipeline.configure("record=everything", "simulation.duration=1e6")
    for call in (pipeline.plan, pipeline.sweep):
        with pytest.raises(pipeline.RequestError, match=r"<= 1 GB, the limit of this process"):
            call(configuration, {"seed": [1, 2]})


@pytest.mark.parametrize(
    ("lines", "file", "text", "expected"),
    [
        ("0::/jobs/7\n", "jobs/7/memory.max", "5000\n", 5000),
        ("0::/jobs/7\n", "jobs/memory.max", "5000\n", 5000),
        ("0::/jobs/7\n", "jobs/7/memory.max", "max\n", None),
        ("4:cpu,memory:/a\n0::/\n", "memory/a/memory.limit_in_bytes", "7000\n", 7000),
        ("4:cpu:/a\n", "memory/a/memory.limit_in_bytes", "7000\n", None),
    ],
)
def test_the_limit_of_a_control_group(tmp_path, lines, file, text, expected):
    """Versions 1 and 2, of the group itself or of one around it, as Slurm and containers set it."""
    from pipeline.system.memory import _of_control_group

    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(text)
    (tmp_path / "own").write_text(lines)
    assert _of_control_group(tmp_path, tmp_path / "own") == expected


#: Replaces the control groups by a folder, for one program.
IN_GROUPS = (
    *("unshare", "--map-root-user", "--mount", "sh", "-c"),
    'mount --bind "$1" /sys/fs/cgroup && shift && exec "$@"',
    "sh",
)


def may_mount(folder):
    """Whether a folder may be mounted in a name space of its own."""
    tried = [*IN_GROUPS, str(folder), "true"]
    return shutil.which("unshare") and subprocess.run(tried, check=False).returncode == 0


def test_a_command_knows_the_limit_of_its_control_group(run, tmp_path):
    """A point larger than the memory of a batch job is refused before anything runs."""
    groups = tmp_path / "groups"
    (groups / "memory").mkdir(parents=True)
    if not may_mount(groups):
        pytest.skip(reason="no folder may be mounted in place of the control groups")
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        (groups / name).write_text("1000000000\n")
    words = ("record=everything", "simulation.duration=1e6", "name=a")
    for more in ((), ("dry_run=true",)):
        done = run("pipeline", *words, *more, prefix=[*IN_GROUPS, str(groups)])
        assert (done.returncode, done.stdout) == (2, "")
        (line,) = done.stderr.splitlines()
        assert "<= 1 GB, the limit of its control group, as of a batch job or container" in line
    assert not (tmp_path / "outputs").exists()


#: The superuser is refused nothing: starts a program without that power (CAP_DAC_OVERRIDE).
_REFUSED = """
import ctypes, os, sys
if os.getuid() == 0 and ctypes.CDLL(None).prctl(24, 1, 0, 0, 0):
    sys.exit("PR_CAPBSET_DROP is not allowed")
os.execv(sys.argv[1], sys.argv[1:])
"""


@only_linux
def test_code_is_compiled_once_where_only_temporary_files_can_be_written(run, tmp_path):
    """Neither the installation nor the home is writable: one process says that it compiles."""
    for name in ("pipeline", "hydra_plugins", "conf"):
        compiled = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / "code" / name, ignore=compiled)
    for name in ("home", "temporary"):
        (tmp_path / name).mkdir()
    for folder in (tmp_path / "home", *(tmp_path / "code").glob("**/")):
        folder.chmod(0o555)
    prefix = [sys.executable, "-c", _REFUSED]
    places = {"PYTHONPATH": "code", "HOME": "home", "TMPDIR": "temporary"}
    environment = {name: str(tmp_path / folder) for name, folder in places.items()}
    messages = []
    for name in ("first", "second"):
        words = (*SMALL, f"name={name}")
        done = run("pipeline", *words, prefix=prefix, XDG_CACHE_HOME="", **environment)
        assert done.returncode == 0, done.stderr
        messages.append(done.stderr)
    assert not list((tmp_path / "home").iterdir())
    assert "compiling" in messages[0]
    assert messages[1] == ""
