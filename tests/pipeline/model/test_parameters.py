"""Parameters are validated on construction, alone and against each other."""

import dataclasses
import time

import numpy as np
import pytest

import pipeline
from pipeline.model.errors import RequestError
from pipeline.model.parameters import SECTIONS, Configuration, all_quantities
from pipeline.model.plasticity import RULES
from pipeline.model.quantity import override_text
from pipeline.model.sections import steps


def test_null_is_derived_from_the_other_parameter(configure):
    """A_minus and tau_minus are ltd_ratio * A_plus and tau_plus unless they are given."""
    stdp = configure("stdp.A_plus=0.01", "stdp.ltd_ratio=1.5", "stdp.tau_plus=17").stdp
    assert (stdp.A_minus, stdp.tau_minus) == (None, None)
    assert stdp.resolved().A_minus == pytest.approx(0.015)
    assert stdp.resolved().tau_minus == 17
    given = configure("stdp.A_minus=0.5", "stdp.tau_minus=3").stdp.resolved()
    assert (given.A_minus, given.tau_minus) == (0.5, 3)


def test_a_configuration_cannot_be_changed(configure):
    """Sections and the configuration are frozen."""
    configuration = configure()
    with pytest.raises(dataclasses.FrozenInstanceError):
        configuration.stdp.A_plus = 1.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        configuration.seed = 1


def test_a_mapping_gives_an_equal_configuration(configure):
    """to_mapping and from_mapping are inverse."""
    configuration = configure("stdp.A_minus=0.01")
    assert Configuration.from_mapping(configuration.to_mapping()) == configuration


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"neuron": {"V_reset": -55.0}}, r"neuron\.V_reset=-55\.0: must be < neuron\.V_th=-55"),
        ({"simulation": {"dt": 5.0}}, r"simulation\.dt=5\.0: .* < synapse\.tau_ex=5 ms"),
        ({"simulation": {"dt": 4.0}, "neuron": {"tau_m": 3.0}}, r"< neuron\.tau_m=3 ms"),
        ({"simulation": {"dt": 4.0}, "stdp": {"tau_minus": 4.0}}, r"< stdp\.tau_minus=4 ms"),
        ({"simulation": {"dt": 4.0}, "stdp": {"tau_plus": 2.0}}, r"< stdp\.tau_plus=2 ms"),
        ({"input": {"rate_hz": 1000.1}}, r"input\.rate_hz=1000\.1: .* <= 1000 Hz"),
        ({"simulation": {"duration": 0.5}}, r"simulation\.duration=0\.5: .* at least one step"),
        ({"record": {"weight_interval": 1.5}}, r"record\.weight_interval=1\.5: .* multiple of"),
        ({"record": {"weight_interval": 501.0}}, r"weight_interval=501\.0: .* <= sim.*=500 ms"),
        ({"simulation": {"duration": 1e12}, "input": {"n_synapses": 10**6}}, r"must be <= 2\*\*48"),
        ({"stdp": {"A_pluss": 1}}, r"stdp\.A_pluss=1: unknown key; did you mean stdp\.A_plus\?"),
        ({"colour": 1}, r"colour=1: unknown key"),
    ],
)
def test_parameters_are_checked_against_each_other(configure, change, message):
    """Conditions on several parameters are refused in one line as well."""
    mapping = configure().to_mapping()
    for section, values in change.items():
        mapping[section] = {**mapping[section], **values} if isinstance(values, dict) else values
    with pytest.raises(RequestError, match=message):
        Configuration.from_mapping(mapping)


def test_a_missing_value_is_named(configure):
    """There are no defaults in the code: a value that is not in conf/ is missing."""
    mapping = configure().to_mapping()
    del mapping["stdp"]["A_plus"]
    with pytest.raises(RequestError, match=r"^stdp\.A_plus: missing"):
        Configuration.from_mapping(mapping)


def test_a_rate_of_one_spike_a_step_is_allowed(configure):
    """Rate * dt = 1 is the largest allowed value."""
    assert configure("input.rate_hz=1000").input.rate_hz == 1000


@pytest.mark.parametrize(
    ("time", "dt", "n"),
    [(2, 0.1, 20), (1.1, 0.1, 11), (1.2, 0.5, 3), (0, 0.1, 0), (0.3, 0.1, 3), (2.05, 1, 3)],
)
def test_steps_round_up_but_not_a_rounding_error(time, dt, n):
    """1.1 / 0.1 is 11.000000000000002 in floating point; the number of steps is 11."""
    assert steps(time, dt) == n


def test_every_quantity_has_a_name_and_only_known_followers():
    """Each parameter has a long name, and derived fields name existing fields."""
    assert all(quantity.long_name for quantity in all_quantities().values())
    for rule in RULES.classes().values():
        for name, sources in rule.followers.items():
            assert rule.quantities()[name].null
            assert {name, *sources} <= set(rule.quantities())
    assert list(SECTIONS) == [
        "neuron", "synapse", "stdp", "input", "inhibition", "simulation", "settle", "record"
    ]  # fmt: skip


REPLACED = {"stdp.A_plus": 0.004, "seed": 3, "record.weight_interval": None, "input.rate_hz": 7.0}


def test_replaced_values_are_those_of_further_overrides():
    """`replaced` equals composing with its values, and replaces earlier ones of the same keys."""
    base = pipeline.configure("stdp.A_plus=0.01", "record=history", "input=notebook")
    changed = base.replaced(REPLACED)
    further = [override_text(key, value) for key, value in REPLACED.items()]
    assert changed == pipeline.configure(*base.overrides, *further)
    assert changed.overrides == ("record=history", "input=notebook", *further)
    assert changed == pipeline.configure(*changed.overrides)
    assert base.stdp.A_plus == 0.01
    assert base.replaced({}) == base
    for seed in range(5):
        changed = changed.replaced({"seed": np.int64(seed)})
    assert changed.overrides[-1] == "seed=4"
    assert len(changed.overrides) == 6


def test_replacing_takes_microseconds(configure):
    """The best of 200 calls takes less than 0.2 ms."""
    base, times = configure(), []
    for _ in range(200):
        started = time.perf_counter()
        base.replaced({"stdp.A_plus": 0.004, "seed": 3})
        times.append(time.perf_counter() - started)
    assert min(times) < 2e-4


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"stdp.A_pluss": 1}, r"^stdp\.A_pluss=1: unknown key; did you mean stdp\.A_plus\?"),
        ({"A_plus": 1}, r"^A_plus=1: unknown key; did you mean stdp\.A_plus\?"),
        ({"run.n_jobs": 2}, r"^run\.n_jobs=2: must be an argument of pipeline\.simulate or "),
        ({"overrides": ()}, r"^overrides=\(\): unknown key"),
        ({3: 4}, r"^3=4: unknown key"),
        ({"stdp": "notebook"}, r"^stdp=notebook: must be chosen with pipeline\.configure$"),
        ({"stdp.rule": "additive"}, r"^stdp\.rule=additive: must be chosen with pipeline\.conf"),
        ({"input.process": "notebook"}, r"^input\.process=notebook: must be chosen with"),
        ({"stdp.A_plus": "0.004"}, r"^stdp\.A_plus='0.004': LTP amplitude must be a finite number"),
        ({"stdp.A_plus": -1}, r"^stdp\.A_plus=-1: LTP amplitude must be .* >= 0"),
        ({"stdp.A_plus": None}, r"^stdp\.A_plus=null: LTP amplitude must be"),
        ({"seed": 1.5}, r"^seed=1\.5: random seed must be a whole number"),
        ({"simulation.dt": 50}, r"^simulation\.dt=50\.0: the time step must be < neuron\.tau_m=10"),
        ({"stdp.tau_plus": 0.5}, r"^simulation\.dt=1\.0: the time step must be < stdp\.tau_plus"),
        ({"neuron.V_reset": 0}, r"^neuron\.V_reset=0\.0: must be < neuron\.V_th"),
        ({"record.weight_interval": 0.3}, r"^record\.weight_interval=0\.3: must be a multiple"),
        ([("seed", 1)], r"^values=\[\('seed', 1\)\]: must map keys to values$"),
    ],
)
def test_a_replaced_value_is_validated(configure, values, message):
    """Unknown keys, choices, wrong types and bounds are refused, and values that do not fit."""
    with pytest.raises(RequestError, match=message) as refused:
        configure().replaced(values)
    assert "\n" not in str(refused.value)


def test_what_another_value_refers_to_is_not_replaced():
    """The value that follows it would keep the old one; a key that is not referred to may be."""
    base = pipeline.configure("stdp.tau_minus=${stdp.tau_plus}")
    with pytest.raises(RequestError, match=r"^stdp\.tau_plus=30: stdp\.tau_minus refers to it"):
        base.replaced({"stdp.tau_plus": 30})
    changed = base.replaced({"seed": 5, "stdp.tau_minus": 40.0})
    assert changed == pipeline.configure(*changed.overrides)
    assert (changed.seed, changed.stdp.tau_plus, changed.stdp.tau_minus) == (5, 20, 40)


def test_a_reference_is_gone_once_its_value_is_replaced():
    """What it referred to may be replaced, then or in the same call; as if composed so."""
    base = pipeline.configure("stdp.tau_minus=${stdp.tau_plus}", "seed=4")
    in_turn = base.replaced({"stdp.tau_minus": 10}).replaced({"stdp.tau_plus": 12})
    at_once = base.replaced({"stdp.tau_plus": 12, "stdp.tau_minus": 10})
    for changed in (in_turn, at_once):
        assert (changed.stdp.tau_plus, changed.stdp.tau_minus, changed.seed) == (12, 10, 4)
        composed = pipeline.configure(*changed.overrides)
        assert changed == composed
        assert changed.references == composed.references == {}
    assert base.references == {"stdp.tau_minus": {"stdp", "tau_plus"}}


def test_a_reference_that_is_left_still_refuses():
    """Of two values that refer to one, both must be replaced with it."""
    base = pipeline.configure("stdp.tau_minus=${stdp.tau_plus}", "neuron.tau_m=${stdp.tau_plus}")
    with pytest.raises(RequestError, match=r"^stdp\.tau_plus=12: neuron\.tau_m refers to it"):
        base.replaced({"stdp.tau_plus": 12, "stdp.tau_minus": 10})
    changed = base.replaced({"stdp.tau_minus": 10, "neuron.tau_m": 9, "stdp.tau_plus": 12})
    assert changed == pipeline.configure(*changed.overrides)


def test_values_that_belong_together_are_replaced_together(configure):
    """Only the result is validated, so that two values may change at the same time."""
    changed = configure().replaced({"neuron.V_th": -80, "neuron.V_reset": -90})
    assert (changed.neuron.V_th, changed.neuron.V_reset) == (-80, -90)
