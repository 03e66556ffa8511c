"""Experiments that an earlier version made: they resume, grow, reproduce, list and draw.

The directories in `experiments/model_version_4` were written by the commit that raised
`MODEL_VERSION` to 4. Those in `model_version_3` by commit bab1837, before there was a field
`stdp.rule` or a `schema_version`; of another model version they list and draw only.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import xarray as xr

from analysis.__main__ import main as analyse
from pipeline.execution import batch
from pipeline.model import variables
from pipeline.model.parameters import MODEL_VERSION, SECTIONS
from pipeline.model.plasticity import RULES
from pipeline.model.quantity import quantity
from pipeline.model.rules.additive import Additive
from pipeline.model.sections import Neuron
from pipeline.model.variables import VARIABLES, Variable
from pipeline.reproduce import main as reproduce

pytestmark = pytest.mark.long

EXPERIMENTS = Path(__file__).parent / "experiments"

SMALL = ("synapse.g_max=0.15", "input.n_synapses=20", "input.rate_hz=40", "simulation.duration=500")
VALUES = (*SMALL, "record=history", "record.weight_interval=100")
#: What each directory was asked for.
REQUESTS = {
    "values": ("-m", *VALUES, "stdp.A_plus=0.008,0.016", "seed=0,1"),
    "choices": ("-m", *SMALL, "stdp=notebook,song_abbott_2001", "seed=0,1"),
}


@pytest.fixture
def kept(tmp_path):
    """Copies of the directories of this model version, below `outputs`."""
    shutil.copytree(EXPERIMENTS / f"model_version_{MODEL_VERSION}", tmp_path / "outputs")
    return tmp_path / "outputs"


@pytest.fixture(params=sorted(folder.name for folder in EXPERIMENTS.iterdir()))
def of_any_version(request, tmp_path):
    """Copies of the directories of each model version, below `outputs`."""
    shutil.copytree(EXPERIMENTS / request.param, tmp_path / "outputs")
    return tmp_path / "outputs"


@pytest.fixture
def of_version_3(tmp_path):
    """Copies of the directories of model version 3, below `outputs`."""
    shutil.copytree(EXPERIMENTS / "model_version_3", tmp_path / "outputs")
    return tmp_path / "outputs"


def numbers(path):
    """Return the results of a directory as they are on disk."""
    with xr.open_dataset(path / "results.nc") as dataset:
        return dataset.load()


@pytest.mark.parametrize("name", REQUESTS)
def test_the_same_request_runs_nothing(kept, command, name):
    """Every key of the earlier version is still the key of its point."""
    before = numbers(kept / name)
    ended = command(*REQUESTS[name], f"name={name}")
    assert ended.code == 0, ended.err
    assert "4 finished before" in ended.out
    after = numbers(kept / name)
    for variable in ("weight", "spike_count", "mean_weight", "wall_time"):
        np.testing.assert_array_equal(after[variable], before[variable])


@pytest.mark.parametrize("name", REQUESTS)
def test_it_grows(kept, command, name):
    """A third seed is run; the points from before are as they were."""
    before = numbers(kept / name)
    ended = command(*[w.replace("seed=0,1", "seed=0,1,2") for w in REQUESTS[name]], f"name={name}")
    assert ended.code == 0, ended.err
    assert "6 points" in ended.out
    assert "4 finished before" in ended.out
    after = numbers(kept / name)
    np.testing.assert_array_equal(after["weight"].sel(seed=[0, 1]), before["weight"])
    assert (after["status"] == 0).all()


@pytest.mark.parametrize("name", REQUESTS)
def test_it_is_reproduced(kept, name, capsys):
    """All variables are equal bit for bit."""
    assert reproduce([str(kept / name)]) == 0
    *_, same, not_recorded = capsys.readouterr().out.splitlines()
    assert same == "4 of 4 points are the same bit for bit"
    later = "euler_overshoot, late_fano_factor, late_isi_cv, late_output_rate"
    assert not_recorded == f"not recorded, and not compared: {later}"


def test_it_is_listed_compared_and_drawn(of_any_version, capsys, monkeypatch):
    """The table, the comparison of an experiment with itself, every figure and the report work."""
    monkeypatch.chdir(of_any_version.parent)
    assert analyse(["list", "outputs"]) == 0
    table = capsys.readouterr().out
    assert "values" in table
    assert "choices" in table
    assert analyse(["diff", "outputs/values", "outputs/values"]) == 0
    for name in REQUESTS:
        assert analyse([f"outputs/{name}", "--report"]) == 0
        assert (of_any_version / name / "report.html").stat().st_size > 10_000


def test_versions_can_be_compared(of_version_3, capsys):
    """`diff` of two model versions says how far their results are apart."""
    now = EXPERIMENTS / f"model_version_{MODEL_VERSION}" / "values"
    assert analyse(["diff", str(of_version_3 / "values"), str(now)]) == 1
    assert "weight" in capsys.readouterr().out


@pytest.mark.parametrize("name", REQUESTS)
def test_the_same_experiment_made_anew_is_equal(kept, command, name, capsys, monkeypatch):
    """`diff` takes a field that the earlier file lacks for what it is: at its neutral value."""
    monkeypatch.chdir(kept.parent)
    assert command(*REQUESTS[name], "name=anew").code == 0
    code = analyse(["diff", f"outputs/{name}", "outputs/anew"])
    out = capsys.readouterr().out
    assert code == 0
    assert "configuration: same" in out
    assert "euler_overshoot only in B" in " ".join(out.split())
    assert "4 points compared, 0 only in A, 0 only in B" in out


@pytest.mark.parametrize("name", REQUESTS)
def test_another_model_version_is_neither_resumed_nor_reproduced(
    of_version_3, command, name, capsys
):
    """One line names both versions, exit code 2, and no file changes."""
    before = {file: file.read_bytes() for file in of_version_3.rglob("*") if file.is_file()}
    ended = command(*REQUESTS[name], f"name={name}")
    assert ended.code == 2
    reason = f"made by model version 3, and this is version {MODEL_VERSION}, with other results"
    (line,) = ended.err.splitlines()
    assert line.endswith(f"outputs/{name}: {reason}; choose another name")
    assert reproduce([str(of_version_3 / name)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f"results.nc: {reason}")
    after = {file: file.read_bytes() for file in of_version_3.rglob("*") if file.is_file()}
    assert {file: content for file, content in after.items() if file.name != ".lock"} == before


@dataclass(frozen=True)
class AdditiveWithMu(Additive):
    """The rule of a later version: a field more, neutral at the value that changes nothing."""

    name: ClassVar[str] = "additive"

    mu: float = quantity("weight dependence of LTP", neutral=0.0, at_least=0, at_most=1)

    @staticmethod
    def potentiate(w, traces, fields):
        """Return the weight after LTP."""
        return w + fields.A_plus * (1 - fields.mu * w) * traces.x_pre


@pytest.fixture
def later_rule(monkeypatch):
    """Let the version be one whose additive rule has a field `mu`."""
    monkeypatch.setitem(RULES.classes(), "additive", AdditiveWithMu)


@pytest.mark.parametrize("name", REQUESTS)
def test_a_field_added_later_leaves_keys_as_they_are(kept, command, later_rule, name):
    """At its neutral value a point has the key that it had, so nothing runs again."""
    ended = command(*REQUESTS[name], f"name={name}", "run.engine=reference")
    assert ended.code == 0, ended.err
    assert "4 finished before" in ended.out


def test_a_field_added_later_can_be_set_and_swept(kept, command, later_rule, capsys):
    """No yaml lists `stdp.mu`; set, it makes other points, and the old ones stand at 0."""
    ended = command(*REQUESTS["values"], "stdp.mu=0,1", "name=values", "run.engine=reference")
    assert ended.code == 0, ended.err
    assert "4 finished before" in ended.out
    dataset = numbers(kept / "values")
    assert dataset["mu"].values.tolist() == [0, 1]
    assert (dataset["weight"].sel(mu=1) < dataset["weight"].sel(mu=0)).any()
    assert reproduce([str(kept / "values"), "--where", "mu=0"]) == 0
    assert analyse([str(kept / "values"), "--figure", "mean_weight"]) == 0
    alone = command(*SMALL, "stdp.mu=1", "name=alone", "run.engine=reference")
    assert alone.code == 0, alone.err


def test_another_value_of_it_is_named_where_it_does_not_fit(kept, command, later_rule):
    """The refusal tells the neutral value there and the value here."""
    ended = command(*REQUESTS["values"], "stdp.mu=1", "name=values")
    assert ended.code == 2
    assert "stdp.mu=0.0 there and stdp.mu=1.0 here" in ended.err


@dataclass(frozen=True)
class NeuronWithLeak(Neuron):
    """A section of a later version, with a field more."""

    leak_noise: float = quantity("noise of the leak", neutral=0.0, at_least=0)


def test_a_field_added_later_to_any_section(kept, command, monkeypatch):
    """The same holds for a section without variants."""
    monkeypatch.setitem(SECTIONS, "neuron", NeuronWithLeak)
    ended = command(*REQUESTS["values"], "neuron.leak_noise=0,1", "name=values")
    assert ended.code == 0, ended.err
    assert "4 finished before" in ended.out
    assert numbers(kept / "values")["leak_noise"].values.tolist() == [0, 1]


@pytest.fixture
def later_variable(monkeypatch):
    """Let the version be one that records a variable more."""
    later = Variable("largest final weight", later=True)
    monkeypatch.setitem(VARIABLES, "largest_weight", later)
    variables._number_types.cache_clear()

    def run_point(*arguments, **options):
        result = original(*arguments, **options)
        return result | {"largest_weight": result["weight"].max()}

    original = batch.run_point
    monkeypatch.setattr(batch, "run_point", run_point)
    monkeypatch.setattr("pipeline.experiment.reproduction.run_point", run_point)
    yield
    variables._number_types.cache_clear()


def test_a_variable_added_later_is_not_recorded_in_earlier_batches(
    kept, command, later_variable, capsys
):
    """It is NaN at earlier points, a number at new ones; `reproduce` names it and goes on."""
    assert reproduce([str(kept / "values"), "--points", "1"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("not recorded, and not compared: ")
    assert "largest_weight" in last
    assert "euler_overshoot" in last
    ended = command(*[w.replace("0,1", "0,1,2") for w in REQUESTS["values"]], "name=values")
    assert ended.code == 0, ended.err
    largest = numbers(kept / "values")["largest_weight"]
    assert largest.sel(seed=[0, 1]).isnull().all()
    assert largest.sel(seed=2).notnull().all()
    capsys.readouterr()
    assert reproduce([str(kept / "values")]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[-2].startswith("6 of 6 points are the same bit for bit")
    assert "largest_weight" in out[-1]


def test_whether_the_integration_was_stable_is_not_recorded_of_earlier_points(of_any_version):
    """The report says so once, and draws all that the file has."""
    for name in REQUESTS:
        assert analyse([str(of_any_version / name), "--report"]) == 0
        text = (of_any_version / name / "report.html").read_text()
        assert text.count("Stability of the integration not recorded, by an earlier version") == 1
