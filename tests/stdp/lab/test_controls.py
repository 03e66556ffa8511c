"""What can be moved: every field of the chosen rule and process, within its bounds."""

import numpy as np
import pytest

import pipeline
from pipeline.composition.compose import CONF
from pipeline.model.parameters import SECTIONS, all_quantities, all_variants
from pipeline.model.plasticity import RULES
from pipeline.model.quantity import Quantity
from stdp.lab.controls import (
    Control,
    SliderScale,
    default_sets,
    resolved_value,
    section_controls,
    seed_control,
    shown_sections,
)
from tests.support.toy_rules import SoftOrHard


def around(key, value):
    """Return the range of the slider of a key."""
    return SliderScale.around(key, all_quantities()[key], value)


def test_each_field_of_each_variant_has_a_control():
    """With long name, unit and bounds, or the choices of a menu; not what is recorded, no hash."""
    assert set(shown_sections()) == set(SECTIONS) - {"record"}
    for variant in all_variants():
        section = section_controls(variant.section, variant, [CONF])
        hashes = ("content", "w_content")
        fields = {n: one for n, one in variant.quantities().items() if n not in hashes}
        assert [one.key for one in section.controls] == [variant.key(name) for name in fields]
        for control, quantity in zip(section.controls, fields.values(), strict=True):
            assert control.label.lower().startswith(quantity.long_name.lower())
            assert (f"({quantity.units})" in control.label) == bool(quantity.units)
            assert control.bounds
            is_text = control.key in ("input.file", "synapse.w_from")
            assert (control.is_number or is_text) != bool(control.options)


@pytest.mark.parametrize("override", ["stdp=notebook", "stdp=song_abbott_2001_slow_ltd"])
def test_each_number_of_a_configuration_has_a_slider_of_allowed_values(override):
    """All of its positions are admitted; the present value is one of its positions, nearly."""
    configuration = pipeline.configure(override, "neuron=song_abbott_2001")
    checked = 0
    for section in (getattr(configuration, name) for name in shown_sections()):
        for name, quantity in section.quantities().items():
            control = Control.of(section.key(name), quantity)
            value = resolved_value(section, name)
            if not control.is_number or value is None:  # as ltd_ratio beside the effective one
                continue
            scale = control.scale(value)
            assert scale.covers(value)
            values = [scale.value(step) for step in range(scale.n_steps + 1)]
            assert values == sorted(values)
            for one in values:
                quantity.admit(control.key, one)
            width = (values[-1] - values[0]) / 50
            assert abs(scale.value(scale.step(value)) - value) <= width
            checked += 1
    assert checked > 15


@pytest.mark.parametrize(
    ("key", "value", "low", "high", "is_log"),
    [
        ("stdp.A_plus", 0.008, 0.0008, 0.08, True),
        ("stdp.A_plus", 0.5, 0, 1, False),
        ("stdp.tau_plus", 20, 2, 200, True),
        ("stdp.ltd_ratio", 1.1, 0.55, 2.2, True),
        ("synapse.w_init", 0.6, 0, 1, False),
        ("neuron.V_th", -55, -82.5, -27.5, False),
        ("neuron.t_ref", 0, 0, 10, False),
        ("synapse.E_ex", 0, -50, 50, False),
        ("seed", 2020, 1970, 2070, False),
        ("seed", 3, 0, 53, False),
        ("input.n_synapses", 300, 30, 3000, True),
    ],
)
def test_ranges(key, value, low, high, is_log):
    """A factor around the value, or the bounds where they are near."""
    found = around(key, value)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.is_log == is_log


def test_positions_of_whole_numbers_are_whole():
    """Each seed is a position of its own; numbers of synapses are whole."""
    seeds = around("seed", 3)
    assert [seeds.value(step) for step in range(seeds.n_steps + 1)] == list(range(54))
    synapses = around("input.n_synapses", 300)
    found = [synapses.value(step) for step in range(synapses.n_steps + 1)]
    assert all(isinstance(one, int) for one in found)


def test_a_position_and_its_value_belong_together():
    """`step` is the inverse of `value`, and an end of the range beyond it."""
    for scale in (around("stdp.A_plus", 0.008), around("neuron.V_th", -55.0)):
        steps = np.arange(scale.n_steps + 1)
        assert [scale.step(scale.value(int(step))) for step in steps] == pytest.approx(steps, abs=1)
        assert (scale.step(-1e9), scale.step(1e9)) == (0, scale.n_steps)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 2.0])
def test_a_value_that_is_not_allowed_has_no_slider(value):
    """Only the text."""
    assert around("stdp.A_plus", value) is None


def test_an_exclusive_bound_is_not_reached():
    """A field that must be above 5, at 5.1, has a slider from above 5 on."""
    quantity = Quantity("delay", "ms", above=5)
    scale = SliderScale.around("input.delay", quantity, 5.1)
    assert scale.value(0) > 5


def test_derived_values_stand_for_null():
    """The slider of `A_minus` begins at ltd_ratio * A_plus."""
    rule = pipeline.configure().stdp
    assert rule.A_minus is None
    assert resolved_value(rule, "A_minus") == 0.0088
    assert resolved_value(rule, "effective_ltd_ratio") == pytest.approx(1.1)


def test_a_registered_rule_appears_by_itself():
    """It is in the menu of rules, and its fields have controls."""
    pipeline.register(SoftOrHard)
    try:
        variant = RULES.classes()["toy_branch"]
        section = section_controls("stdp", variant, [CONF])
        by_key = {one.key: one for one in section.controls}
        assert "toy_branch" in by_key["stdp.rule"].options
        assert by_key["stdp.w_soft"].bounds == "0 to 1"
    finally:
        RULES.unregister("toy_branch")


def test_parameter_sets_are_those_of_all_folders(tmp_path):
    """With one line about each; the user's appear beside ours."""
    (tmp_path / "stdp").mkdir()
    (tmp_path / "stdp" / "mine.yaml").write_text("# Mine alone. And more.\nA_plus: 0.01\n")
    found = section_controls("stdp", SECTIONS["stdp"].variants()[0], [CONF, tmp_path]).sets
    assert found["mine"] == "Mine alone."
    assert "notebook" in found


def test_the_default_sets_are_those_that_are_composed():
    """Chosen by name, they give the same configuration."""
    chosen = default_sets()
    assert set(chosen) == {*SECTIONS}
    named = pipeline.configure(*(f"{group}={name}" for group, name in chosen.items()))
    assert named == pipeline.configure()


def test_the_seed_has_a_control():
    """It is the only parameter without section."""
    assert seed_control().label == "Random seed"
    assert seed_control().bounds == "whole, 0 to 4294967295"
