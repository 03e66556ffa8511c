"""`input=file input.file=...` from the command line: sweeps, moved and changed files, refusals."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import yaml

from analysis.__main__ import main as analyse
from analysis.measures.coverage import theory_gaps
from pipeline.composition import kept_contents
from pipeline.model.contents import content_of
from pipeline.reproduce import main as reproduce
from tests.support.contents import forget_all, random_events

pytestmark = pytest.mark.long

FILE = ("input=file", "input.n_synapses=40", "synapse.g_max=0.15", "simulation.duration=500")


@pytest.fixture
def run(command, tmp_path):
    """Run the command as a new process would, beside two files of events."""
    for name, seed in (("a", 1), ("b", 2)):
        times, synapses = random_events(seed)
        np.savez(tmp_path / f"{name}.npz", times=times, synapses=synapses)

    def ended(*words, code=0):
        forget_all()
        made = command(*FILE, "run.backend=sequential", *words)
        assert made.code == code, made.err
        return made

    yield ended
    forget_all()


def results(name):
    """Return the content of `results.nc` of a directory."""
    with xr.open_dataset(Path("outputs", name, "results.nc")) as dataset:
        return dataset.load()


def given(name):
    """Return the names of the files in `given/`."""
    return sorted(path.name for path in Path("outputs", name, "given").iterdir())


def test_files_are_swept_and_reproduced_without_them(run):
    """The labels are what was typed; hashes are beside them; the copies are enough afterwards."""
    run("-m", "input.file=a.npz,b.npz", "seed=0,1", "name=two")
    found = results("two")
    assert found["file"].values.tolist() == ["a.npz", "b.npz"]
    assert (found["weight"].sel(seed=0).values == found["weight"].sel(seed=1).values).all()
    assert (found["weight"].isel(file=0) != found["weight"].isel(file=1)).any()
    request = yaml.safe_load(Path("outputs/two/configuration.yaml").read_text())
    hashes = [one["input.content"] for one in request["axes"]["input.file"].values()]
    assert given("two") == sorted(f"{one}.npz" for one in hashes)
    for one in hashes:  # workers do not see what happens to the files meanwhile
        assert content_of(one).source.path == Path(f"outputs/two/given/{one}.npz").absolute()
    for name in ("a.npz", "b.npz"):
        Path(name).unlink()
    forget_all()
    assert reproduce(["outputs/two", "--points", "4"]) == 0
    assert run("-m", "input.file=a.npz,b.npz", "seed=0,1,2", "name=two").out.startswith("6 points")


def test_a_moved_file_is_the_same_and_a_changed_one_is_refused(run):
    """It is the content that counts; the refusal names the copy, which goes on under its name."""
    run("input.file=a.npz", "name=one")
    Path("moved").mkdir()
    Path("a.npz").rename("moved/c.npz")
    for name in ("moved/c.npz", "a.npz"):  # where it is now; and where it is no longer
        assert "1 finished before" in run(f"input.file={name}", "name=one").out
    Path("b.npz").rename("a.npz")
    refused = run("input.file=a.npz", "name=one", code=2).err
    assert refused.startswith("error: outputs/one: its points are of another content of input.file")
    kept = refused.partition("input.file=outputs")[2].partition(",")[0]
    assert "1 finished before" in run(f"input.file=outputs{kept}", "name=one").out
    both = run("-m", f"input.file=outputs{kept},moved/c.npz", "name=one", code=2).err
    assert "input.file=a.npz: repeated on its axis" in both
    run("-m", f"input.file=outputs{kept}", "seed=2020,7", "name=one")
    assert results("one").sizes["seed"] == 2


def test_a_run_grows_with_silence_after_the_last_event(run):
    """A longer run goes on from the end of the shorter one, as if undivided."""
    history = ("record=history", "record.weight_interval=100")
    run("input.file=a.npz", *history, "name=grown")
    run("input.file=a.npz", *history, "name=grown", "simulation.duration=800")
    run("input.file=a.npz", *history, "name=whole", "simulation.duration=800")
    for name in ("weight", "weight_history", "output_rate"):
        np.testing.assert_array_equal(results("grown")[name], results("whole")[name])


def test_a_large_file_stays_where_it_is(run, monkeypatch):
    """Its path is noted; moved it is found by its name, changed it is refused."""
    monkeypatch.setattr(kept_contents, "MOST_COPIED", 1000)
    run("input.file=a.npz", "name=large")
    (note,) = given("large")
    assert Path("outputs/large/given", note).read_text() == f"a.npz\n{Path('a.npz').absolute()}\n"
    forget_all()
    assert reproduce(["outputs/large"]) == 0
    content = Path("a.npz").read_bytes()
    Path("a.npz").write_bytes(Path("b.npz").read_bytes())
    refused = run("input.file=a.npz", "name=large", code=2).err
    assert "another content of input.file=a.npz; restore it, or choose another name" in refused
    forget_all()
    assert reproduce(["outputs/large"]) == 2
    Path("c.npz").write_bytes(content)
    assert "1 finished before" in run("input.file=c.npz", "name=large").out


def test_a_damaged_copy_is_said_and_written_anew_by_the_file(run):
    """Finished points are kept; the events are those of the file that is named."""
    run("input.file=a.npz", "name=damaged")
    (copy,) = Path("outputs/damaged/given").iterdir()
    content = copy.read_bytes()
    copy.write_bytes(content[:-100])
    assert "1 finished before" in run("input.file=a.npz", "name=damaged").out
    Path("a.npz").unlink()
    copy.write_bytes(content[:-100])
    assert "must be a file that exists" in run("input.file=a.npz", "name=damaged", code=2).err


def test_choices_of_inputs_are_swept(run):
    """By group and by process; a rate is that of the other input. No theory covers the events."""
    run("-m", "input=file,poisson", "input.file=b.npz", "name=groups", "record=history",
        "input.rate_hz=30", "record.weight_interval=100")  # fmt: skip
    words = ("-m", "input=poisson", "input.process=poisson,file", "input.file=b.npz")
    run(*words, "name=processes")
    by_group, by_process = results("groups"), results("processes")
    np.testing.assert_array_equal(
        by_group["weight"].sel(input="file"), by_process["weight"].sel(process="file")
    )
    rates = by_group["rate_hz"].sel(input=["file", "poisson"]).values
    assert rates[1] == 30 and rates[0] == pytest.approx(random_events(2)[0].size / 20)
    gaps = theory_gaps(by_group).sel(input=["file", "poisson"]).values.tolist()
    assert gaps[0].endswith("independent Poisson inputs, and these are given") and not gaps[1]
    assert analyse(["outputs/groups", "--figure", "weights"]) == 0


def test_a_yaml_of_ones_own_names_a_file_beside_it(run, tmp_path):
    """A relative path is looked up in the folder of the yaml, then in the working directory."""
    folder = tmp_path / "mine" / "input"
    folder.mkdir(parents=True)
    Path("a.npz").rename(folder / "a.npz")
    (folder / "recorded.yaml").write_text("# Mine.\ndefaults: [file]\nfile: a.npz\n")
    run("--config-dir", "mine", "input=recorded", "name=own")
    assert results("own").attrs["configuration"].count('"file": "a.npz"') == 1


REFUSED = [
    ([], r"input.file=null: must be a file of events with input.process=file"),
    (["input.file=none.npz"], "input.file=none.npz: must be a file that exists; there is none in "),
    (["input.file=a.npz", "input.n_synapses=30"], "input.file=a.npz: synapse 39 of an event: must"),
    (
        ["input.file=a.npz", "simulation.duration=400"],
        "input.file=a.npz: an event at 498 ms: its nearest time step must",
    ),
    (["input.file=a.npz", "simulation.dt=2"], "input.file=a.npz: synapse "),
    (["input.file=a.npz", "input.rate_hz=5"], "input.rate_hz=5.0: must be null with input.process"),
    (["-m", "input.file=a.npz,bad.csv"], "input.file=bad.csv: line 3: must be a time in ms and a"),
    (
        ["input.file=a.npz", "simulation.until=settled"],
        "simulation.until=settled: must be duration",
    ),
    (
        ["input=poisson", "input.file=a.npz"],
        "input.file=a.npz: a field of file, not of input.proce",
    ),
    (["input.file=array:00"], "input.file=array:00: no such array was given in this process"),
    (["input.content=00"], "input.content=00: must be null, as input.file is null"),
    (
        ["input.file=a.npz", "input.content=00"],
        "input.content=00: must be null, as that of input.fi",
    ),
]


@pytest.mark.parametrize(("words", "said"), REFUSED)
def test_bad_input_is_one_line_and_nothing_is_written(run, words, said):
    """Exit code 2 before any run."""
    Path("bad.csv").write_text("times,synapses\n0,1\n1,one\n")
    refused = run(*words, "name=bad", code=2).err
    assert refused.startswith(f"error: {said}")
    assert refused.count("\n") == 1
    assert not Path("outputs").exists()
