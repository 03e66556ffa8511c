"""Hydra's words into ours."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

import pipeline
from pipeline.compose import axis_of, composed, default_run, grid_of
from pipeline.grid import Grid
from pipeline.quantities import RequestError


def grid(arguments, params=()):
    """Return the grid of a command line and an experiment's axes."""
    parser = OverridesParser.create()
    overrides = parser.parse_overrides(list(arguments))
    fixed = [o.input_line for o in overrides if not o.is_sweep_override()]
    return grid_of(composed(fixed), parser.parse_overrides(list(params)), overrides, composed)


def axes(*arguments, params=()):
    """Return key and values of each axis."""
    return {axis.key: axis.values for axis in grid(arguments, params).axes}


def test_configure_takes_overrides_groups_and_experiments():
    """The Python door composes what the command line does."""
    configuration = pipeline.configure("+experiment=demo", "stdp.A_plus=0.01", "input=notebook")
    assert configuration.stdp.A_plus == 0.01
    assert configuration.input.process == "notebook"
    assert configuration.simulation.duration == 2000


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("stdp.A_pluss=1", r"^stdp\.A_pluss=1: unknown key; did you mean stdp\.A_plus\?"),
        ("+stdp.x=1", r"^stdp\.x=1: unknown key"),
        ("stdp=unheard", r"^stdp=unheard: must be notebook or song_abbott_2001$"),
        ("+experiment=unheard", r"^experiment=unheard: must be .*input_rates"),
        ("seed=range(", r"^seed=range\(: must be key=value"),
        ("stdp.tau_plus=abc", r"^stdp\.tau_plus=abc: LTP time constant must be"),
        ("~stdp.tau_plus", r"^stdp\.tau_plus: missing"),
        ("stdp.tau_plus=???", r"(?i)missing.*stdp\.tau_plus"),
        ("stdp.tau_plus=${stdp.nothing}", r"stdp\.nothing"),
        ("seed=1,2", r"seed"),
        ("stdp=null", r"stdp"),
    ],
)
def test_a_wrong_override_is_one_line(override, message):
    """Whatever Hydra says of it, a user reads one line that names the key."""
    with pytest.raises(RequestError, match=message) as refused:
        pipeline.configure(override)
    assert "\n" not in str(refused.value)


def test_the_sweep_grammar_is_hydras():
    """Commas, range, choice, sort and quoted words all make axes, in the order given."""
    assert axes("seed=3,1", "input.rate_hz=range(10,30,5)", "stdp.A_plus=choice(0.1,0.2)") == {
        "seed": (3, 1),
        "input.rate_hz": (10, 15, 20, 25),
        "stdp.A_plus": (0.1, 0.2),
    }
    assert list(axes("stdp.A_plus=1,0.5", "seed=1,2")) == ["stdp.A_plus", "seed"]
    assert axes("seed=sort(3,1,2)") == {"seed": (1, 2, 3)}
    assert axes("input.process='poisson','notebook'") == {"input.process": ("poisson", "notebook")}


def test_a_range_counts_in_decimal():
    """0.1 three times is 0.3, and the end of a range is never in it by a rounding error."""
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
        ("stdp.A_plus=interval(0,1)", r"interval\(0,1\): must be a list, range"),
        ("+experiment=demo,seeds", "one experiment at a time"),
        ("record=final,history", "record=final,history: .*axis"),
        ("run.n_jobs=1,2", "run.n_jobs=1,2: unknown axis"),
        ("name=a,b", "name=a,b: unknown axis"),
        ("stdp=notebook,unheard", "^stdp=unheard: must be notebook or song_abbott_2001"),
        ("stdp=notebook,notebook", "^stdp=notebook: repeated"),
        ("stdp=1,2", "^stdp=1: must be the name of a file in conf/stdp"),
    ],
)
def test_a_wrong_axis_is_refused(argument, message):
    """Axes that cannot be are refused with the key and the reason."""
    with pytest.raises(RequestError, match=message):
        grid([argument])


def test_an_experiments_axes_give_way_to_the_command_line():
    """An argument replaces the experiment's axis of its key, in place, or fixes it."""
    params = ["input.rate_hz=10,20", "seed=range(3)"]
    assert axes(params=params) == {"input.rate_hz": (10, 20), "seed": (0, 1, 2)}
    replaced = axes("seed=7,8", "stdp.A_plus=0.1,0.2", "input.rate_hz=5,6", params=params)
    assert list(replaced) == ["input.rate_hz", "seed", "stdp.A_plus"]
    assert replaced["seed"] == (7, 8)
    fixed = grid(["input.rate_hz=33"], params)
    assert [axis.key for axis in fixed.axes] == ["seed"]
    assert fixed.base.input.rate_hz == 33


def test_an_experiments_axis_may_be_a_list_or_one_value():
    """In a file, a YAML list and a single value are axes too."""
    assert axes(params=["seed=[4,5]"]) == {"seed": (4, 5)}
    assert axes(params=["seed=4"]) == {"seed": (4,)}


def test_a_group_is_swept_by_its_choices():
    """Each choice sets its section, and what the command line fixes lies over all of them."""
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
    """500 points of two choices cost three compositions: one without and one a choice."""
    composed_overrides = []

    def compose_again(overrides):
        composed_overrides.append(overrides)
        return composed(overrides)

    parser = OverridesParser.create()
    arguments = parser.parse_overrides(["stdp=notebook,song_abbott_2001", "seed=range(250)"])
    assert len(grid_of(composed([]), [], arguments, compose_again).points) == 500
    assert composed_overrides == [[], ["stdp=notebook"], ["stdp=song_abbott_2001"]]


def test_what_refers_to_a_swept_key_follows_it():
    """`${stdp.tau_plus}` is laid over with the axis, not frozen at the base."""
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


def test_axes_from_python_are_the_same():
    """Numbers, ranges and a group's choices make the axes that the command line makes."""
    assert axis_of("seed", range(3)).values == (0, 1, 2)
    song = axis_of("stdp", ["song_abbott_2001"])
    assert song.settings[0]["stdp.A_plus"] == 0.005
    with pytest.raises(RequestError, match="^stdp=unheard: must be"):
        axis_of("stdp", ["unheard"])


def test_a_choice_sets_its_own_section_only(configure):
    """Sweeping a group from Python leaves the rest of the given configuration alone."""
    base = configure("simulation.duration=123", "neuron.tau_m=11")
    (point,) = Grid(base, [axis_of("stdp", ["song_abbott_2001"])]).points
    assert point.stdp.ltd_ratio == 1.05
    assert (point.simulation, point.neuron) == (base.simulation, base.neuron)


def test_run_settings_default_to_conf():
    """`run` takes its values from conf/run/local.yaml, replaced by what is given."""
    assert default_run().backend == "loky"
    assert default_run(backend="sequential", n_jobs=3).n_workers == 1
    with pytest.raises(RequestError, match=r"^run\.n_job=1: unknown key; did you mean run\.n_jobs"):
        default_run(n_job=1)
    with pytest.raises(RequestError, match=r"^run\.n_jobs=0: number of workers must be >= 1"):
        default_run(n_jobs=0)
    with pytest.raises(RequestError, match=r"^run\.backend=dask: .* loky or threading or seq"):
        default_run(backend="dask")
