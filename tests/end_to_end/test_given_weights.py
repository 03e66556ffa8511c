"""Initial weights that are given: arrays, files, and final weights of a point of an experiment."""

import shutil
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import xarray as xr

import pipeline
from analysis import initial_weight
from pipeline.model.errors import RequestError
from pipeline.model.variables import FAILED
from pipeline.reproduce import main as reproduce
from tests.conftest import SMALL
from tests.support.contents import forget_all

pytestmark = pytest.mark.long

WEIGHTS = np.random.default_rng(3).random(40)


@pytest.fixture(autouse=True)
def forgotten():
    """Forget the contents of a test, as another process would."""
    yield
    forget_all()


@pytest.fixture
def run(command):
    """Run the command as a new process would."""

    def ended(*words, code=0):
        forget_all()
        made = command(*SMALL, "run.backend=sequential", *words)
        assert made.code == code, made.err
        return made

    return ended


def results(name):
    """Return the content of `results.nc` of a directory."""
    with xr.open_dataset(Path("outputs", name, "results.nc")) as dataset:
        return dataset.load()


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_weights_are_those_of_the_array(configure, engine):
    """A run without input keeps them; its file has them, and the analysis reads them."""
    quiet = configure("input.rate_hz=0")
    found = pipeline.simulate(quiet, w_init=WEIGHTS, engine=engine)
    np.testing.assert_array_equal(found["weight"], WEIGHTS)
    np.testing.assert_array_equal(initial_weight(found), WEIGHTS)


def test_equal_weights_are_the_run_with_one_value(configure):
    """Bit for bit; the key is another one, as it has the hash in place of the value."""
    one, other = configure("synapse.w_init=0.4"), configure()
    expected = pipeline.simulate(one)
    np.testing.assert_array_equal(
        pipeline.simulate(other, w_init=np.full(40, 0.4))["weight"], expected["weight"]
    )


def test_the_key_has_the_hash_alone(configure, tmp_path, monkeypatch):
    """Neither the path nor what the weights replace; the other keys are as without the fields."""
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", WEIGHTS)
    Path("b.csv").write_text("\n".join(["weights", *map(repr, WEIGHTS.tolist())]))
    np.savez("c.npz", weights=WEIGHTS)
    with netCDF4.Dataset("d.nc", "w") as file:
        file.createDimension("synapse", 40)
        file.createVariable("weights", "f8", ("synapse",))[:] = WEIGHTS
    made = [configure(f"synapse.w_from={name}") for name in ("a.npy", "b.csv", "c.npz", "d.nc")]
    (values,) = {tuple(sorted(one.synapse.key_values().items())) for one in made}
    assert {"w_content"} == {name for name, _ in values if name.startswith("w_")}
    assert not {"w_from", "w_content"} & configure().synapse.key_values().keys()


def test_an_experiment_begins_where_a_point_of_another_ended(run):
    """The other one may be gone afterwards: the same command resumes, and points reproduce."""
    run("-m", "input.rate_hz=40,60", "seed=3,4", "name=before")
    before = results("before")["weight"]
    names = ["outputs/before:rate_hz=40:seed=4", "outputs/before:input.rate_hz=60.0:seed=3"]
    words = ("-m", f"synapse.w_from={','.join(names)}", "simulation.duration=200", "name=after")
    run(*words)
    after = results("after")
    assert after["w_from"].values.tolist() == names
    for name, one in zip(
        names, ({"rate_hz": 40, "seed": 4}, {"rate_hz": 60, "seed": 3}), strict=True
    ):
        np.testing.assert_array_equal(after["initial_weight"].sel(w_from=name), before.sel(one))
    run("-m", "input.rate_hz=40,60", "seed=3,4,5", "name=before")  # it grows: not the key
    assert "2 finished before" in run(*words).out
    shutil.rmtree("outputs/before")
    assert "2 finished before" in run(*words).out
    forget_all()
    assert reproduce(["outputs/after", "--points", "2"]) == 0
    assert run(*words[:2], "simulation.duration=200", "seed=2020,9", "name=after").out.startswith(
        "4 p"
    )


def test_a_file_of_simulate_is_a_point_too(configure, tmp_path):
    """It has no axes."""
    first = pipeline.simulate(configure())
    first.to_netcdf(tmp_path / "first.nc")
    second = pipeline.simulate(configure(f"synapse.w_from={tmp_path}/first.nc"))
    np.testing.assert_array_equal(second["initial_weight"], first["weight"])


def test_weights_differ_from_point_to_point(run):
    """An array at some points, one value at others: the file says which had which."""
    np.save("w.npy", WEIGHTS)
    Path("mine/synapse").mkdir(parents=True)
    yaml = "# Mine.\ndefaults: [notebook]\nw_from: {}\n"
    Path("mine/synapse/given.yaml").write_text(yaml.format("w.npy"))
    shutil.move("w.npy", "mine/synapse")
    run("--config-dir", "mine", "-m", "synapse=notebook,given", "name=choices")
    found = results("choices")
    drawn = found["initial_weight"]
    assert drawn.sel(synapse_set="notebook").isnull().all()
    np.testing.assert_allclose(drawn.sel(synapse_set="given"), WEIGHTS, rtol=1e-6)


REFUSED = [
    (["synapse.w_from=no.npy"], "synapse.w_from=no.npy: must be a file or a directory that exists"),
    (["synapse.w_from="], "synapse.w_from=: must be a name; none is given"),
    (["synapse.w_from=short.npy"], "synapse.w_from=short.npy: 39 weights; must be one for each of"),
    (["synapse.w_from=high.npy"], "synapse.w_from=high.npy: weight 1.5: every weight must be from"),
    (["synapse.w_from=nan.npy"], "synapse.w_from=nan.npy: weight nan: every weight must be from 0"),
    (
        ["synapse.w_from=two.npy"],
        "synapse.w_from=two.npy: weights of shape (2, 20): must be a list",
    ),
    (["synapse.w_from=text.csv"], "synapse.w_from=text.csv: line 1: must be weights, and is '0.5'"),
    (["synapse.w_from=cut.npz"], "synapse.w_from=cut.npz: cannot be read ("),
    (["synapse.w_from=w.npy", "synapse.w_init_spread=0.1"], "synapse.w_init_spread=0.1: must be 0"),
    (
        ["synapse.w_from=w.npy", "synapse.w_init=0.1"],
        "synapse.w_init=0.1: has no effect with synap",
    ),
    (
        ["synapse.w_from=w.npy:seed=1"],
        "synapse.w_from=w.npy:seed=1: seed=1: is for a point of an ex",
    ),
    (
        ["synapse.w_from=old"],
        "synapse.w_from=old: must name one point: seed is 1, 2; add :seed=1 f",
    ),
    (["synapse.w_from=old:seed=5"], "synapse.w_from=old:seed=5: seed=5: must be one of 1, 2"),
    (
        ["synapse.w_from=old:dt=1"],
        "synapse.w_from=old:dt=1: dt=1: must be a value on one of its axe",
    ),
    (
        ["synapse.w_from=empty"],
        "synapse.w_from=empty: has no results.nc; it is written when the swee",
    ),
    (["synapse.w_from=failed:seed=1"], "synapse.w_from=failed:seed=1: the point is not done"),
    (["-m", "synapse.w_from=w.npy,no.npy"], "synapse.w_from=no.npy: must be a file or a directory"),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Write files of weights, and an experiment of two points."""
    folder = tmp_path_factory.mktemp("weights")
    for name, weights in (
        ("w", WEIGHTS),
        ("short", WEIGHTS[1:]),
        ("high", [*WEIGHTS[1:], 1.5]),
        ("nan", [*WEIGHTS[1:], np.nan]),
        ("two", WEIGHTS.reshape(2, 20)),
    ):
        np.save(folder / f"{name}.npy", weights)
    (folder / "text.csv").write_text("0.5\n")
    (folder / "cut.npz").write_bytes(b"PK\x03\x04")
    (folder / "empty").mkdir()
    pipeline.sweep(pipeline.configure(*SMALL), {"seed": [1, 2]}, folder / "old", n_jobs=1)
    shutil.copytree(folder / "old", folder / "failed")
    with netCDF4.Dataset(folder / "failed" / "results.nc", "a") as file:
        file["status"][0] = FAILED
    return folder


@pytest.mark.parametrize(("words", "said"), REFUSED)
def test_bad_input_is_one_line_and_nothing_is_written(run, files, monkeypatch, words, said):
    """Exit code 2 before any run."""
    monkeypatch.chdir(files)
    refused = run(*words, "name=bad", code=2).err
    assert refused.startswith(f"error: {said}")
    assert refused.count("\n") == 1
    assert not Path("outputs").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([0.5] * 39, r"39 weights; must be one for each of input\.n_synapses=40"),
        ([0.5] * 39 + [-0.1], r"^w_init: weight -0\.1: every weight must be from 0 to 1"),
        ("half", r"^w_init: weights of shape \(\): must be a list of numbers"),
        (np.ma.masked_equal([0.5] * 39 + [0.1], 0.1), r"^w_init: weight nan: every weight must"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(configure, given, said):
    """In one line."""
    for call in (pipeline.simulate, lambda made, w_init: pipeline.plan(made, {}, w_init=w_init)):
        with pytest.raises(RequestError, match=said) as refusal:
            call(configure(), w_init=given)
        assert "\n" not in str(refusal.value)
