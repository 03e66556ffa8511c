"""Names, dimensions and units that `analysis` reads are those that `pipeline` writes."""

import ast
import json
from pathlib import Path

import netCDF4
import pytest

import analysis
import pipeline
from analysis.experiments.comparison import _CLASSES, source_hash
from analysis.measures import pairing, stationarity, stimuli, synapses
from analysis.reading import metadata, model
from analysis.reading.dataset import _REQUIRED
from analysis.reading.runs import packages_of
from analysis.reading.samples import _METHODS, generator, sampled_keys, tied_keys
from analysis.reading.values import range_of
from analysis.report.provenance import MAIN_PACKAGES
from pipeline.composition.compose import default_run_settings
from pipeline.composition.sweep_settings import METHODS
from pipeline.experiment.reproduction import _range_of
from pipeline.model.inputs import InputProcess
from pipeline.model.parameters import MODEL_VERSION, all_quantities, short_name
from pipeline.model.plasticity import POST, PRE, Rule
from pipeline.model.processes.pairing_protocol import PairingProtocol
from pipeline.model.registry import content_hash
from pipeline.model.rules.additive import Additive
from pipeline.storage import provenance, sample_labels, shards, synapse_labels
from pipeline.storage.labels import SCHEMA_VERSION
from tests.conftest import ROOT
from tests.contract.conftest import AXES

SWEPT = ("rate_hz", "A_plus", "seed")

#: Own dimensions and unit of each variable of the file that `analysis` reads.
VARIABLES = {
    "status": ((), ""),
    "made_by": ((), ""),
    "weight": (("synapse",), ""),
    "output_rate": ((), "Hz"),
    "spike_count": ((), ""),
    "isi_cv": ((), ""),
    "late_output_rate": ((), "Hz"),
    "late_isi_cv": ((), ""),
    "late_fano_factor": ((), ""),
    "mean_weight": ((), ""),
    "euler_overshoot": ((), ""),
    "weight_history": (("sample_time", "synapse"), ""),
    "rate_history": (("sample_time",), "Hz"),
    "spike_time": (("spike",), "ms"),
    "v": (("time",), "mV"),
    "g_ex": (("time",), ""),
    "x_pre": (("time", "synapse"), ""),
    "x_post": (("time",), ""),
    "weight_trace": (("time", "synapse"), ""),
}

#: All dimensions and unit of variables that are not along all axes.
ALONG_SOME = {
    "effective_ltd_ratio": (("A_plus",), ""),
    "discrete_ltd_ratio": (("A_plus",), ""),
    "weight_step": (("A_plus", "trace", "weight_grid"), ""),
    "trace_time_constant": (("trace",), "ms"),
    "trace_kind": (("trace",), ""),
}

#: Unit of what only runs until they have settled have, one number for each point.
UNTIL_SETTLED = {"run_duration": "ms", "settled": ""}

#: Unit of each coordinate that `analysis` reads, all of them along their own dimension.
COORDINATES = {"time": "ms", "sample_time": "ms", "synapse": "", "trace": "", "weight_grid": ""}

#: Read where it is there: `pipeline` writes no file with it yet.
OPTIONAL = {"group", "initial_weight", "stimulus_time", "synapse_rate"}

#: Attributes of the file that `analysis` reads beside those in the records of runs.
ATTRIBUTES = {
    "configuration",
    "schema_version",
    "model_version",
    "coincidence_convention",
    "title",
    "parameters",
    "rules",
    "processes",
    "runs",
    "seconds",
}

#: Attributes of the coordinate `sample`.
OF_SAMPLES = ("sampled", "tied", "generator")

#: Attributes of a variable of flags.
OF_FLAGS = ("flag_values", "flag_meanings")

#: What `analysis` reads of the record of each run.
OF_RUNS = {"created", "command", "git_commit", "git_dirty", "packages", "seconds", "id"}

#: Attributes of the file of a shard.
OF_SHARDS = {"shard", "shard_points"}

#: What only some records have: the user's configuration files that made the run, and what has drawn
#: its samples or gave them their values.
OF_SOME_RUNS = {"own_files", "sample_generator", "sample_origin"}

#: What the report says of the conditions of the runs: in each record, and for all in an attribute.
CONDITIONS = {
    "engine",
    "backend",
    "n_jobs",
    "n_cores",
    "host",
    "processor",
    "platform",
    "python",
    "model_version",
    "seed_policy",
}

#: Made by `analysis`: what is no name in the file.
OWN = {"input", "output", "choices", "input_spike", "significant_digits", "order"}


def strings_read():
    """Yield each string by which `analysis` looks something up, and what it is looked up in.

    As a subscript, by `in`, or as the argument of a method such as `get`; lists one by one.
    """
    for file in Path(analysis.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            for base, key in looked_up(node):
                keys = key.elts if isinstance(key, ast.List | ast.Tuple) else [key]
                for one in keys:
                    if isinstance(one, ast.Constant) and isinstance(one.value, str):
                        yield ast.unparse(base), one.value


def looked_up(node):
    """Yield base and key of the look-up that a syntax node is, if it is one."""
    if isinstance(node, ast.Subscript):
        yield node.value, node.slice
    elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
        yield node.comparators[0], node.left
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        if node.func.attr in ("get", "getncattr"):
            yield node.func.value, node.args[0]
        elif node.func.attr == "said":
            yield ast.Name("run"), node.args[0]


READ = set(strings_read())


def read_from(*endings):
    """Return the names that are looked up in expressions with these last parts."""
    names = {name for base, name in READ if base.split(".")[-1] in endings}
    assert names
    return names


def test_every_variable_that_is_read_is_in_the_table():
    """Of datasets of the file, by the names that they have in the code."""
    read = read_from("dataset", "one", "coords", "variables")
    known = {*VARIABLES, *ALONG_SOME, *UNTIL_SETTLED, *COORDINATES, "source"}
    assert read - OPTIONAL - OWN <= known
    assert {"weight", "status", "weight_step", "made_by", "weight_trace"} <= read


def test_runs_until_they_have_settled_have_what_is_read_of_them():
    """A number for each point; the flags are the answers of the analysis, in words."""
    until = ("simulation.until=settled", "simulation.duration=64000", "input.rate_hz=0")
    dataset = pipeline.simulate(pipeline.configure(*until))
    for name, units in UNTIL_SETTLED.items():
        assert dataset[name].dims == ()
        assert dataset[name].attrs.get("units", "") == units
    words = dataset["settled"].attrs["flag_meanings"].split()
    assert len(words) == len(dataset["settled"].attrs["flag_values"])
    answers = {answer.replace(" ", "_") for answer in stationarity.ANSWERS}
    assert {*words} == answers - {"not_recorded"}


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_has_the_dimensions_and_unit_that_are_read(dataset, name):
    """The swept axes, in the order of the sweep, and then its own."""
    dims, units = VARIABLES[name]
    assert dataset[name].dims == (*SWEPT, *dims)
    assert dataset[name].attrs.get("units", "") == units
    assert dataset[name].attrs["long_name"]


@pytest.mark.parametrize("name", ALONG_SOME)
def test_a_variable_along_some_axes_has_the_dimensions_and_unit_that_are_read(dataset, name):
    """The axes that change it, and then its own."""
    dims, units = ALONG_SOME[name]
    assert dataset[name].dims == dims
    assert dataset[name].attrs.get("units", "") == units


def test_coordinates_have_the_units_that_are_read(dataset):
    """Those of the dimensions, and the values of the axes with their keys."""
    for name, units in COORDINATES.items():
        assert dataset[name].dims == (name,)
        assert dataset[name].attrs.get("units", "") == units
    keys = {dataset[name].attrs["config_key"]: dataset[name].values.tolist() for name in SWEPT}
    assert keys == AXES
    assert dataset["A_minus"].attrs["config_key"] == "stdp.A_minus"


def test_what_is_read_of_synapses_and_stimuli_is_in_files_of_processes_that_have_it():
    """Coordinates along synapses, times of stimuli, and the group of a synapse that is in none."""
    words = ("record.spike_times=true", "simulation.duration=300")
    dataset = pipeline.simulate(pipeline.configure("input=patterns", *words))
    assert (synapses.GROUP, synapses.NO_GROUP) == ("group", synapse_labels.NO_GROUP)
    for name, units in (("synapse_rate", "Hz"), (stimuli.LATENCY, "ms"), (synapses.GROUP, "")):
        one = pipeline.simulate(pipeline.configure("input=latency")) if units == "Hz" else dataset
        assert one.coords[name].dims == ("synapse",)
        assert one[name].attrs.get("units", "") == units
    assert dataset["stimulus_time"].dims == (stimuli.STIMULUS,)
    assert dataset["stimulus_time"].attrs["units"] == "ms"


def test_the_file_requires_no_more_variables_than_it_has(dataset):
    """Those without which `open_results` refuses a file are in every file."""
    assert {*_REQUIRED} <= {*VARIABLES, *ALONG_SOME}
    assert {*_REQUIRED} <= {*dataset.variables}


def test_shards_have_the_names_that_are_read(keep, configure):
    """Their folder, the file with their number, the attributes of the file of one."""
    whole = keep("whole", {"seed": range(4)})
    pipeline.sweep(configure(), {"seed": range(4)}, whole, shard="2/3", backend="sequential")
    assert (metadata.SHARDS, metadata.DIVISION) == (shards.SHARDS, shards.DIVISION)
    assert (whole / metadata.SHARDS / metadata.DIVISION).is_file()
    kept = metadata.read_metadata(whole / metadata.SHARDS / "2" / "results.nc")
    assert {*kept.attributes} >= OF_SHARDS
    assert kept.points == (kept.attributes["shard_points"], 0, 0)


def test_every_attribute_that_is_read_is_written(experiment, dataset):
    """Of the file, of its coordinates, and of the record of each run."""
    read = read_from("attributes", "run", "runs[i]", "metadata")
    of_coordinates = {"units", "config_key", "settings", "long_name", *OF_FLAGS, *OF_SAMPLES}
    assert read <= ATTRIBUTES | OF_RUNS | OF_SOME_RUNS | OF_SHARDS | of_coordinates | {
        "sample_time",
        "weight_history",
    }
    assert read_from("attrs") <= ATTRIBUTES | OF_SHARDS | of_coordinates | OWN
    assert {*dataset.attrs} >= ATTRIBUTES
    runs = json.loads(dataset.attrs["runs"])
    assert {*runs[-1]} >= OF_RUNS | CONDITIONS
    assert set(MAIN_PACKAGES) <= {*packages_of(runs[-1])}
    for name in CONDITIONS:
        assert str(dataset.attrs[name]) == str(runs[-1][name])
    kept = metadata.read_metadata(experiment / "results.nc")
    assert kept.created is not None
    assert kept.seconds == pytest.approx(sum(run["seconds"] for run in runs), abs=1e-3)


def test_samples_have_the_names_that_are_read(configure):
    """The keys that they set and those that follow, what has drawn them, what gave their values."""
    names = (sample_labels.SAMPLED, sample_labels._TIED, sample_labels.GENERATOR)
    assert names == OF_SAMPLES
    assert {*_METHODS} == {*METHODS}
    samples = {"stdp.tau_plus": [10, 20]}
    tied = configure("neuron.tau_m=${stdp.tau_plus}")
    dataset = pipeline.sweep(tied, samples=samples, backend="sequential")
    assert sampled_keys(dataset) == ["stdp.tau_plus"]
    assert tied_keys(dataset) == ["neuron.tau_m"]
    assert generator(dataset) == {}
    record = provenance.capture(default_run_settings(), None, {"method": "sobol"}, "a table")
    assert {*record} >= OF_SOME_RUNS - {"own_files"}


@pytest.mark.parametrize("text", ["10:20", "10:", ":20", "-1:1e3", ":", "10", "a:b", "1:2:3", ""])
def test_a_range_is_the_same_to_both(text):
    """`--where KEY=FROM:TO` of figures and reports, and of `stdp reproduce`."""
    assert range_of(text) == _range_of(text)


def test_every_parameter_that_is_read_is_one_of_the_model():
    """Each text of the form `section.name` in the code is a key of the configuration."""
    sections = {key.partition(".")[0] for key in all_quantities()} - {"seed"}
    found = set()
    for file in Path(analysis.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                section, _, name = node.value.partition(".")
                if section in sections and name.isidentifier():
                    found.add(node.value)
    assert {"stdp.rule", "simulation.dt", "neuron.E_L", "input.rate_hz"} <= found
    assert found <= set(all_quantities())


def test_versions_are_known_to_the_analysis(dataset):
    """Of the names in the file the same; that of the model is in the file and in each run."""
    assert metadata.SCHEMA_VERSION == SCHEMA_VERSION == dataset.attrs["schema_version"]
    assert dataset.attrs["model_version"] == MODEL_VERSION
    assert json.loads(dataset.attrs["runs"])[-1]["model_version"] == MODEL_VERSION


def test_rules_and_processes_are_described_by_the_names_that_are_read(dataset):
    """Sides and gaps; the rule of older files is the one whose name is neutral."""
    assert (model.PRESYNAPTIC, model.POSTSYNAPTIC) == (PRE, POST)
    assert InputProcess.quantities()["seed_policy"].neutral == metadata.FIRST_SEED_POLICY
    assert metadata.FIRST_RULE == Rule.quantities()["rule"].neutral == Additive.name
    sides = {name: trace.side for name, trace in Additive.traces.items()}
    assert sides == model._FIRST_TRACES
    assert model.rules(dataset)["additive"]["traces"].keys() == sides.keys()
    for name, side in sides.items():
        assert model.rules(dataset)["additive"]["traces"][name]["side"] == side
    for known in (model.rules(dataset)["additive"], model.processes(dataset)["poisson"]):
        assert known["theory_gap"] == ""
        assert known["source"] == ""
        assert known["stationary"] is True
    assert PairingProtocol.name == pairing.PROTOCOL
    own = {pairing.DIFFERENCE, pairing.FREQUENCY, "n_pairs"}
    assert own <= {*PairingProtocol.quantities()} - {"n_synapses"}
    difference = PairingProtocol.quantities()[pairing.DIFFERENCE]
    assert difference.units == pairing.POST_MINUS_PRE["units"]
    assert {*_CLASSES.values()} <= {*dataset.attrs}
    assert content_hash("def x") == source_hash("def x")


def test_a_reader_of_netcdf_alone_finds_the_unit_of_every_constant(experiment):
    """In the attribute `parameters`, by the keys of the attribute `configuration`."""
    with netCDF4.Dataset(experiment / "results.nc") as file:
        constants = metadata.flat(json.loads(file.configuration))
        described = json.loads(file.parameters)
    assert described["neuron.V_th"] == {"long_name": "spike threshold", "units": "mV"}
    assert described["stdp.A_plus"] == {"long_name": "LTP amplitude"}
    quantities = all_quantities()
    assert {*constants, *AXES} <= {*described} <= {*quantities}
    for key, one in described.items():
        assert one.get("units", "") == quantities[key].units, key
    assert metadata.read_metadata(experiment / "results.nc").described == described


def test_an_axis_of_choices_has_a_list_of_what_each_sets(tmp_path):
    """In the attribute `settings`, by key, in the order of the coordinate."""
    axes = {"stdp": ["notebook", "song_abbott_2001"]}
    short = pipeline.configure("simulation.duration=20")
    pipeline.sweep(short, axes, tmp_path / "kept", backend="sequential", engine="reference")
    with netCDF4.Dataset(tmp_path / "kept" / "results.nc") as file:
        settings = json.loads(file["stdp"].getncattr("settings"))
    (axis,) = metadata.read_metadata(tmp_path / "kept" / "results.nc").axes
    assert axis.key == "stdp"
    assert axis.values == axes["stdp"]
    assert axis.settings == settings
    assert [choice["stdp.A_plus"] for choice in settings] == [0.008, 0.005]


def test_output_that_cannot_be_written_is_handled_alike():
    """Neither package imports the other: the module is in both."""
    mine, theirs = ("analysis/reading/output.py", "pipeline/system/output.py")
    assert (ROOT / mine).read_text() == (ROOT / theirs).read_text()


def test_packages_have_the_names_of_the_index():
    """A version whose folder is called netCDF4 is that of netcdf4, in old files and new ones."""
    run = {"packages": json.dumps({"netCDF4": "1.7.3", "hydra_core": "1.3.8"})}
    assert packages_of(run) == {"netcdf4": "1.7.3", "hydra-core": "1.3.8"}
    assert {*MAIN_PACKAGES} == {*packages_of({"packages": dict.fromkeys(MAIN_PACKAGES)})}


def test_short_names_are_those_of_the_dimensions():
    """Of every key: where two sections share a word, the later one carries its section."""
    keys = [*all_quantities(), "stdp", "seed"]
    assert [metadata.short_name(key) for key in keys] == [short_name(key) for key in keys]
    assert short_name("inhibition.rate_hz") == "inhibition_rate_hz"
    assert short_name("input.rate_hz") == "rate_hz"
