"""Commands without a name, started together."""

import re
from datetime import datetime, timedelta
from pathlib import Path

from tests.conftest import SMALL
from tests.end_to_end.test_command_line import run_in_a_process


def test_nameless_runs_of_one_second_take_free_directories(tmp_path):
    """None is refused for a name that nobody chose; each has its own seed in its own directory."""
    runs = [run_in_a_process(*SMALL, f"seed={seed}", cwd=tmp_path) for seed in range(4)]
    for run in runs:
        out, err = run.communicate(timeout=60)
        assert (run.returncode, err) == (0, ""), out
    made = list((tmp_path / "outputs" / "run").iterdir())
    assert len(made) == 4
    text = "\n".join((path / "configuration.yaml").read_text() for path in made)
    assert sorted(map(int, re.findall(r"^seed: (\d+)", text, re.MULTILINE))) == [0, 1, 2, 3]


def test_nameless_jobs_of_hydras_sweeper_use_its_directories(command):
    """Hydra has made them: they are not taken."""
    assert command(*SMALL, "-m", "hydra/sweeper=basic", "seed=1,2").code == 0
    (made,) = Path("outputs", "run").iterdir()
    assert sorted(path.name for path in made.iterdir() if path.is_dir()) == ["0", "1"]
    assert (made / "0" / "results.nc").is_file()


def test_the_command_that_resumes_has_the_name_that_was_free(command):
    """Where the directories of this and the next seconds are taken, it ends in `_2`."""
    for seconds in range(5):
        name = f"{datetime.now() + timedelta(seconds=seconds):%Y-%m-%d_%H-%M-%S}"
        Path("outputs", "run", name).mkdir(parents=True)
    ended = command(*SMALL, "simulation.duration=1e9", "run.timeout=0.05")
    assert ended.code == 1
    name = ended.err.splitlines()[-1].rpartition(" name=run/")[2]
    assert name.endswith("_2")
    assert Path("outputs", "run", name, "results.nc").is_file()
