"""The last results of `make compare` are those of this version, and the page shows them.

What Brian2 and NEST gave on the same events is stored (`results.json`): hashes of output spikes,
mean and standard deviation of the weights. This project's runs are repeated here and compared with
it, so that a change of the model is seen without the other simulators.
"""

import pytest

from pipeline.engine import compiled
from pipeline.model import reference
from pipeline.model.features import NO_FEATURES, Features
from pipeline.model.inputs import PROCESSES as KNOWN_PROCESSES
from pipeline.model.plasticity import RULES as KNOWN_RULES
from pipeline.model.rules.additive import Additive
from tests.compare.brian2 import PeerRun
from tests.compare.cases import KINDS, NOT_COMPARED, configurations
from tests.compare.nest import run_here
from tests.compare.nest_cases import DIFFERENT, FREE, N_SEEDS, PRESCRIBED
from tests.compare.page import PAGE, blocks
from tests.compare.results import TOLERANCE, identity, over_seeds, stored
from tests.support.marked import filled

pytestmark = pytest.mark.long

STORED = stored()
IN_BRIAN2 = [(kind, name) for kind, cases in KINDS.items() for name in cases]

#: Cases with a time step of 0.1 ms, which take the reference engine seconds. It runs all that needs
#: a kernel of its own, which takes as long to compile: other tests compare the two engines.
FINE = ("fine_step", "song_2000")


@pytest.fixture(scope="module")
def configured(tmp_path_factory):
    """Return the configurations of all cases by name."""
    return configurations(tmp_path_factory.mktemp("compare"))


def test_every_rule_and_every_process_is_compared_with_brian2(configured):
    """What is built in has a case, which Brian2 has run, or a reason why it has none."""
    tried = {one.stdp.name for one in configured.values()}
    tried |= {one.input.name for one in configured.values()}
    built_in = {*KNOWN_RULES.classes(), *KNOWN_PROCESSES.classes()}
    assert built_in - tried == NOT_COMPARED.keys()
    assert [(entry["kind"], name) for name, entry in STORED["brian2"].items()] == sorted(
        IN_BRIAN2, key=lambda one: one[1]
    )


def test_brian2_had_the_same_spikes_and_weights():
    """In the last comparison all output spikes were equal, and all weights to 1e-9."""
    for name, entry in STORED["brian2"].items():
        assert entry["spikes"] >= 50, name
        assert entry["same_spikes"], name
        assert entry["largest_weight_difference"] < TOLERANCE, name


@pytest.mark.parametrize("name", [name for _, name in IN_BRIAN2 if name not in FINE])
def test_runs_are_still_those_of_brian2(configured, name):
    """Spikes and weights of this version are those that Brian2 gave."""
    configuration = configured[name]
    plain = configuration.stdp.template is Additive and Features.of(configuration) == NO_FEATURES
    recording = (compiled if plain else reference).run(configuration)
    assert_is(PeerRun(recording.spike_step, recording.weight), STORED["brian2"][name])


def assert_is(run, entry):
    """Compare a run with what is stored of one."""
    found = identity(run)
    assert run.spike_step.size == entry["spikes"]
    assert found["spike_hash"] == entry["spike_hash"]
    for moment in ("mean_weight", "sd_weight"):
        assert found[moment] == pytest.approx(entry[moment], rel=0, abs=TOLERANCE)


def test_nest_had_the_same_weights_on_prescribed_output_spikes():
    """Delays, coincidences and rules are NEST's: the weights were equal, but in one case.

    That one is `stdp_nn_symm_synapse` before its first input spike, which it takes to be at 0.
    """
    assert list(STORED["nest_prescribed"]) == sorted(PRESCRIBED)
    for name, entry in STORED["nest_prescribed"].items():
        assert entry["same_spikes"], name
        assert (entry["largest_weight_difference"] > TOLERANCE) == (name == DIFFERENT), name


@pytest.mark.parametrize("name", [name for name in PRESCRIBED if name != DIFFERENT])
def test_weights_are_still_those_of_nest(name):
    """On prescribed output spikes the weights of this version are those that NEST gave."""
    engine = compiled if name.startswith("additive") else reference
    found = run_here(PRESCRIBED[name], 1, engine.run)
    assert_is(found, STORED["nest_prescribed"][name])


@pytest.mark.parametrize("name", FREE)
def test_rates_and_weights_in_nest_are_within_the_spread(name):
    """With NEST's order of depression and sending, mean rate and weight are within one spread."""
    entry = STORED["nest_free"][name]
    ours, theirs = entry["here, weight sent after its LTD"], entry["NEST"]
    for quantity in ("rate", "weight"):
        assert abs(ours[quantity][0] - theirs[quantity][0]) < theirs[quantity][1], quantity


def test_rates_and_weights_here_are_still_those_of_the_comparison():
    """Ten seeds of the additive rule give the rate and the mean weight that are stored."""
    name = "additive, delay 0.1 ms"
    found = over_seeds([run_here(FREE[name], seed) for seed in range(N_SEEDS)], 10_000)
    for quantity, values in found.items():
        assert values == pytest.approx(STORED["nest_free"][name]["here"][quantity], abs=1e-9)


def test_the_page_shows_the_stored_results():
    """The tables of the page are made from them; `python -m tests.compare page` makes them."""
    page = PAGE.read_text()
    assert filled(page, "compare", blocks(STORED)) == page
    assert page.count("equal (within") > len(IN_BRIAN2)


def test_a_page_without_a_mark_is_refused():
    """A table is put between its marks, of which there must be one pair."""
    with pytest.raises(ValueError, match="0 blocks <!-- compare: brian2 -->: must be one"):
        filled("no marks", "compare", {"brian2": "a table"})
