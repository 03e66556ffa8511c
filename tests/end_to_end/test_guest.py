"""The public functions in another program: threads, pools of processes, a program of Hydra's."""

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.conftest import SMALL
from tests.support.guest import call_everything, state

ROOT = Path(__file__).parents[2]


def run_script(folder, text, *arguments):
    """Run a script of somebody else, at most a minute; return its output."""
    script = folder / "program.py"
    script.write_text(f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{text}")
    done = subprocess.run(
        [sys.executable, script, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_eight_threads_call_everything_at_once():
    """The numbers of each are those that it has alone, and nothing of the process is changed."""
    tasks = [(seed, "threading") for seed in range(2)]
    alone = [call_everything(task) for task in tasks]
    before = state()
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(call_everything, tasks * 4)) == alone * 4
    assert state() == before


def test_logs_of_sweeps_at_once_do_not_mix(configure, tmp_path):
    """Each directory has the log of its own sweep."""
    import pipeline

    def sweep(n_seeds):
        axes = {"seed": range(n_seeds)}
        pipeline.sweep(configure(), axes, tmp_path / str(n_seeds), backend="sequential")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(sweep, range(1, 9)))
    for n_seeds in range(1, 9):
        lines = (tmp_path / str(n_seeds) / "sweep.log").read_text().splitlines()
        assert [line.split(" INFO ")[1] for line in lines] == [
            f"{n_seeds} points, 0 of them finished before",
            f"{n_seeds} points done, 0 failed, 0 missing",
        ]


def test_threads_read_while_others_sweep(configure, tmp_path):
    """The library of netCDF files ends a process in which two threads call it."""
    import pipeline
    from analysis import open_results
    from analysis.reading.metadata import read_metadata

    def sweep_or_read(i):
        folder = tmp_path / str(i)
        if i % 2:
            pipeline.sweep(configure(), {"seed": [1, 2]}, folder, backend="sequential")
            return
        for _ in range(10):
            assert read_metadata(tmp_path / "kept" / "results.nc").points == (2, 0, 0)
            with open_results(tmp_path / "kept") as dataset:
                assert dataset["weight"].load().notnull().all()

    pipeline.sweep(configure(), {"seed": [1, 2]}, tmp_path / "kept", backend="sequential")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(sweep_or_read, range(12)))


def test_results_that_are_read_lazily_can_be_pickled(keep):
    """As dask does; they use the lock of the process that reads the pickle."""
    from analysis import open_results

    dataset = open_results(keep("x", {"seed": [1, 2]}))
    with dataset, pickle.loads(pickle.dumps(dataset)) as again:
        assert again.load().identical(dataset)


IN_POOLS = """
from tests.support.guest import POOLS, call_everything
if __name__ == "__main__":
    backend, *kinds = sys.argv[1:]
    tasks = [(1, backend), (2, backend)]
    expected = [call_everything((seed, "sequential")) for seed, _ in tasks]
    assert list(map(call_everything, tasks)) == expected  # it has worker processes of its own now
    for kind in kinds:
        assert POOLS[kind](call_everything, tasks) == expected, kind
        print(kind)
"""


def test_worker_processes_in_workers_of_pools(tmp_path):
    """They end, with the numbers of a sweep alone; `make soak` has the other kinds of pools."""
    kinds = ("Pool, fork", "ProcessPoolExecutor", "joblib, threading")
    assert run_script(tmp_path, IN_POOLS, "loky", *kinds).splitlines() == [*kinds]


def test_joblib_without_multiprocessing(tmp_path, monkeypatch):
    """JOBLIB_MULTIPROCESSING=0 makes joblib run tasks in the process itself."""
    monkeypatch.setenv("JOBLIB_MULTIPROCESSING", "0")
    command = "from pipeline.cli import main\nif __name__ == '__main__':\n    main()\n"
    words = (*SMALL, "-m", "seed=1,2", "run.batch_size=1", "run.backend=loky", "run.n_jobs=2")
    assert run_script(tmp_path, command, *words).startswith("2 points in ")


IN_HYDRA = """
import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
import pipeline
from tests.support.guest import call_everything, state

@hydra.main(version_base="1.1", config_path=None)
def program(config):
    before, own = state(), HydraConfig.get()
    numbers = call_everything((3, "threading"))
    assert state() == before
    assert HydraConfig.get() is own
    print("sum", numbers[0])

if __name__ == "__main__":
    program()
    with hydra.initialize(version_base=None, config_path=None):
        before = state()
        print("sum", call_everything((3, "threading"))[0])
        assert state() == before
        assert GlobalHydra.instance().is_initialized()
"""


def test_a_program_of_hydras_own(tmp_path):
    """Within `hydra.main` and `hydra.initialize`: Hydra's state is the user's, before and after."""
    said = run_script(tmp_path, IN_HYDRA)  # Hydra has set up the user's log, on standard output
    sums = [line.split()[1] for line in said.splitlines() if line.startswith("sum")]
    assert sums == [str(call_everything((3, "sequential"))[0])] * 2
