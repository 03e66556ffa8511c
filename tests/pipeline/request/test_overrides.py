"""Axes from Hydra's sweep grammar and from Python's mappings."""

import dataclasses
import time

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

import pipeline
from pipeline.composition.compose import composition
from pipeline.model.errors import RequestError
from pipeline.request.overrides import grid_of_mapping, grid_of_overrides


def compose(overrides):
    """Return the config that Hydra composes from overrides."""
    return composition(overrides).config


def grid(arguments, params=()):
    """Return the grid of a command line and an experiment's axes."""
    parser = OverridesParser.create()
    overrides = parser.parse_overrides(list(arguments))
    fixed = [o.input_line for o in overrides if not o.is_sweep_override()]
    return grid_of_overrides(
        compose(fixed), parser.parse_overrides(list(params)), overrides, compose
    )


def axes(*arguments, params=()):
    """Return key and values of each axis."""
    return {axis.key: axis.values for axis in grid(arguments, params).axes}


def test_the_sweep_grammar_is_hydras():
    """Commas, range, choice, sort and quoted values define axes, in the order given."""
    assert axes("seed=3,1", "input.rate_hz=range(10,30,5)", "stdp.A_plus=choice(0.1,0.2)") == {
        "seed": (3, 1),
        "input.rate_hz": (10, 15, 20, 25),
        "stdp.A_plus": (0.1, 0.2),
    }
    assert list(axes("stdp.A_plus=1,0.5", "seed=1,2")) == ["stdp.A_plus", "seed"]
    assert axes("seed=sort(3,1,2)") == {"seed": (1, 2, 3)}
    assert axes("input.process='poisson','notebook'") == {"input.process": ("poisson", "notebook")}


def test_a_range_counts_in_decimal():
    """Three steps of 0.1 are 0.3, and rounding never includes the end of a range."""
    assert axes("stdp.A_plus=range(0.1,0.5,0.1)") == {"stdp.A_plus": (0.1, 0.2, 0.3, 0.4)}
    assert axes("stdp.A_plus=range(0.3,0,-0.1)") == {"stdp.A_plus": (0.3, 0.2, 0.1)}
    assert axes("stdp.A_plus=range(0.004,0.012,0.002)")["stdp.A_plus"] == (
        0.004,
        0.006,
        0.008,
        0.010,
    )


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("seed=range(5,5)", "^seed: the axis has no values"),
        ("stdp.A_plus=range(0,1,0)", r"^stdp\.A_plus=range\(0,1,0\): the step of a range"),
        ("stdp.A_plus=interval(0,1)", r"interval\(0,1\): needs the number of samples"),
        ("+experiment=demo,seeds", "one experiment at a time"),
        ("record=final,history", "record=final,history: cannot be swept"),
        ("run.n_jobs=1,2", "run.n_jobs=1,2: cannot be swept"),
        ("name=a,b", "name=a,b: unknown axis"),
        ("stdp=notebook,unheard", "^stdp=unheard: must be .*notebook or .*song_abbott_2001"),
        ("stdp=notebook,notebook", "^stdp=notebook: repeated"),
        ("seed=range(300000000)", "^seed=range.300000000.: 300000000 values; .* <= 1000000"),
        ("stdp=1,2", "^stdp=1: must be the name of a file in conf/stdp"),
    ],
)
def test_a_wrong_axis_is_refused(argument, message):
    """Axes that are not allowed are refused with key and reason."""
    with pytest.raises(RequestError, match=message):
        grid([argument])


def test_the_command_line_overrides_an_experiments_axes():
    """An argument replaces the experiment's axis of its key, or fixes the key."""
    params = ["input.rate_hz=10,20", "seed=range(3)"]
    assert axes(params=params) == {"input.rate_hz": (10, 20), "seed": (0, 1, 2)}
    replaced = axes("seed=7,8", "stdp.A_plus=0.1,0.2", "input.rate_hz=5,6", params=params)
    assert list(replaced) == ["input.rate_hz", "seed", "stdp.A_plus"]
    assert replaced["seed"] == (7, 8)
    fixed = grid(["input.rate_hz=33"], params)
    assert [axis.key for axis in fixed.axes] == ["seed"]
    assert {point.input.rate_hz for point in fixed.points} == {33}


def test_an_experiments_axis_may_be_a_list_or_one_value():
    """A YAML list and a single value in the file are axes."""
    assert axes(params=["seed=[4,5]"]) == {"seed": (4, 5)}
    assert axes(params=["seed=4"]) == {"seed": (4,)}


def test_a_group_is_swept_by_its_choices():
    """Each choice sets its section, and single values of the command line override all of them."""
    swept = grid(["stdp=notebook,song_abbott_2001", "stdp.ltd_ratio=1.3", "input=poisson,notebook"])
    assert [axis.values for axis in swept.axes] == [
        ("notebook", "song_abbott_2001"),
        ("poisson", "notebook"),
    ]
    assert [(p.stdp.A_plus, p.stdp.ltd_ratio, p.input.process) for p in swept.points] == [
        (0.008, 1.3, "poisson"),
        (0.008, 1.3, "notebook"),
        (0.005, 1.3, "poisson"),
        (0.005, 1.3, "notebook"),
    ]


def test_groups_compose_once_per_choice():
    """500 points of two choices take three compositions: one without and one per choice."""
    composed_overrides = []

    def compose_again(overrides):
        composed_overrides.append(overrides)
        return compose(overrides)

    parser = OverridesParser.create()
    arguments = parser.parse_overrides(["stdp=notebook,song_abbott_2001", "seed=range(250)"])
    assert len(grid_of_overrides(compose([]), [], arguments, compose_again).points) == 500
    assert composed_overrides == [["stdp=notebook"], ["stdp=song_abbott_2001"], []]


def test_a_reference_to_a_swept_key_has_its_values():
    """`${stdp.tau_plus}` has the values of the axis, not that of the base."""
    swept = grid(["stdp.tau_minus=${stdp.tau_plus}", "stdp.tau_plus=10,30"])
    assert [p.stdp.tau_minus for p in swept.points] == [10, 30]
    across = grid(["neuron.tau_m=${stdp.tau_plus}", "stdp.tau_plus=10,30"])
    assert [p.neuron.tau_m for p in across.points] == [10, 30]
    both = grid(["stdp.tau_minus=${.tau_plus}", "stdp.tau_plus=10,30", "stdp.tau_minus=5,6"])
    assert {(p.stdp.tau_plus, p.stdp.tau_minus) for p in both.points} == {
        (10, 5),
        (10, 6),
        (30, 5),
        (30, 6),
    }


@pytest.mark.parametrize(
    ("overrides", "key", "values"),
    [
        (["neuron.tau_m=${stdp.tau_minus}", "stdp.tau_minus=${stdp.tau_plus}"], "tau_m", [10, 30]),
        (["seed=${input.n_synapses}", "input.n_synapses=10,20"], "seed", [10, 20]),
        (["synapse.tau_ex=${oc.select:stdp.tau_plus}"], "tau_ex", [10, 30]),
    ],
)
def test_chained_and_computed_references_are_resolved(overrides, key, values):
    """Chains of references, references to the seed, and resolvers are settings of an axis."""
    swept = grid([*overrides, *([] if key == "seed" else ["stdp.tau_plus=10,30"])])
    (axis,) = swept.axes
    full = next(name for name in axis.settings[0] if name.rpartition(".")[2] == key)
    assert [settings[full] for settings in axis.settings] == values
    section, _, short_name = full.rpartition(".")
    points = [getattr(p, section) if section else p for p in swept.points]
    assert [getattr(point, short_name) for point in points] == values
    assert key not in (swept.constants().get(section, {}) if section else swept.constants())


def test_an_axis_given_twice_is_refused():
    """Two lists of values for one key are refused."""
    with pytest.raises(RequestError, match="^seed=1,2 seed=3,4: the axis is given twice"):
        grid(["seed=1,2", "seed=3,4"])


def test_shell_and_python_give_the_same_points():
    """Overrides of a configuration override a swept group, from Python as from the shell."""
    overrides = ["input.n_synapses=40", "input.rate_hz=40", "stdp.ltd_ratio=1.3"]
    shell = grid(
        [*overrides, "input=poisson,notebook", "stdp=notebook,song_abbott_2001", "seed=1,2"]
    )
    axes = {
        "input": ["poisson", "notebook"],
        "stdp": ["notebook", "song_abbott_2001"],
        "seed": range(1, 3),
    }
    python = grid_of_mapping(pipeline.configure(*overrides), axes)
    assert python.keys == shell.keys
    assert python.constants() == shell.constants()
    assert {point.input.n_synapses for point in python.points} == {40}
    assert {point.stdp.ltd_ratio for point in python.points} == {1.3}


def test_two_thousand_points_are_ready_in_two_seconds():
    """Composing, expanding and validating 2,000 points takes less than 2 s."""
    started = time.perf_counter()
    ready = grid(["input.rate_hz=range(1,41)", "seed=range(50)", "stdp.A_plus=0.01"])
    assert len(set(ready.keys)) == 2000
    assert time.perf_counter() - started < 2


def test_groups_that_depend_on_each_other_are_not_swept_together():
    """A key that depends on the choices of two groups is refused."""
    message = "^input.rate_hz: depends on both neuron and input; one of them must be fixed"
    with pytest.raises(RequestError, match=message):
        grid(
            [
                "input.rate_hz=${neuron.tau_m}",
                "neuron=notebook,song_abbott_2001",
                "input=poisson,notebook",
            ]
        )


def test_replaced_values_hold_for_every_choice():
    """They do as on the command line: for choices of other groups and of their own."""
    base = pipeline.configure("input.n_synapses=40")
    changed = base.replaced({"stdp.A_plus": 0.004, "input.rate_hz": 7, "seed": 3})
    arguments = ["input.n_synapses=40", "stdp.A_plus=0.004", "input.rate_hz=7", "seed=3"]
    for group, names in (
        ("input", ["poisson", "notebook"]),
        ("stdp", ["notebook", "song_abbott_2001"]),
        ("simulation", ["demo_2", "exercise_2"]),
    ):
        python = grid_of_mapping(changed, {group: names})
        assert python.keys == grid([*arguments, f"{group}={','.join(names)}"]).keys
        assert [point.stdp.A_plus for point in python.points] == [0.004, 0.004]
        assert [point.input.rate_hz for point in python.points] == [7, 7]


def test_an_axis_overrides_a_replaced_value():
    """The values of an axis take the place of a replaced one."""
    changed = pipeline.configure().replaced({"stdp.A_plus": 0.004})
    swept = grid_of_mapping(changed, {"stdp.A_plus": [0.001, 0.002], "seed": [1]})
    assert [point.stdp.A_plus for point in swept.points] == [0.001, 0.002]


def test_references_stay_alive_beside_a_replaced_value():
    """A value that refers to another follows its axis, whatever else was replaced."""
    changed = pipeline.configure("stdp.tau_minus=${stdp.tau_plus}").replaced({"seed": 7})
    swept = grid_of_mapping(changed, {"stdp.tau_plus": [5, 10]})
    assert [(point.seed, point.stdp.tau_minus) for point in swept.points] == [(7, 5), (7, 10)]


def test_references_are_resolved_from_python_too():
    """Those of a composed configuration are resolved along an axis; an edited one has none."""
    configuration = pipeline.configure("stdp.tau_minus=${stdp.tau_plus}")
    swept = grid_of_mapping(configuration, {"stdp.tau_plus": [5, 10]})
    assert [point.stdp.tau_minus for point in swept.points] == [5, 10]
    edited = dataclasses.replace(configuration, seed=7)
    swept = grid_of_mapping(edited, {"stdp.tau_plus": [5, 10]})
    assert [(point.seed, point.stdp.tau_minus) for point in swept.points] == [(7, 20), (7, 20)]


@pytest.mark.parametrize("values", [5, "notebook", {"notebook": 1}])
def test_a_group_needs_a_list_of_names(values):
    """A single name or a number is refused."""
    with pytest.raises(RequestError, match="^stdp=.*: an axis needs a list of values"):
        grid_of_mapping(pipeline.configure(), {"stdp": values})


def test_an_unrelated_reference_does_not_slow_an_axis():
    """2,000 seeds with an unrelated reference take less than 2 s."""
    started = time.perf_counter()
    ready = grid(["stdp.tau_minus=${stdp.tau_plus}", "seed=range(2000)"])
    assert len(ready.points) == 2000
    assert time.perf_counter() - started < 2
