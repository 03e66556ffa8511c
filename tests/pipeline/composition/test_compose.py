"""Composing configurations and run settings."""

import pytest

import pipeline
from pipeline.composition.compose import default_run_settings
from pipeline.model.errors import RequestError


def test_configure_takes_overrides_groups_and_experiments():
    """`configure` takes the overrides of the command line."""
    configuration = pipeline.configure("+experiment=demo", "stdp.A_plus=0.01", "input=notebook")
    assert configuration.stdp.A_plus == 0.01
    assert configuration.input.process == "notebook"
    assert configuration.simulation.duration == 2000


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("stdp.A_pluss=1", r"^stdp\.A_pluss=1: unknown key; did you mean stdp\.A_plus\?"),
        ("+stdp.x=1", r"^stdp\.x=1: unknown key"),
        (
            "stdp=unheard",
            r"^stdp=unheard: must be .*notebook or .*song_abbott_2001 or .*; one of",
        ),
        ("+experiment=unheard", r"^experiment=unheard: must be .*input_rates"),
        ("seed=range(", r"^seed=range\(: must be key=value"),
        ("stdp.tau_plus=abc", r"^stdp\.tau_plus='abc': LTP time constant must be"),
        ("~stdp.tau_plus", r"^stdp\.tau_plus: missing"),
        ("stdp.tau_plus=???", r"(?i)missing.*stdp\.tau_plus"),
        ("stdp.tau_plus=${stdp.nothing}", r"stdp\.nothing"),
        ("seed=1,2", r"^seed=1,2: must be single values; sweep keys with pipeline\.sweep"),
        ("stdp=null", r"^stdp=null: must be the name of a file in conf/stdp"),
        ("run.n_jobs=2", r"^run\.n_jobs=2: must be a parameter of the model; run settings"),
        ("name=mine", r"^name=mine: must be a parameter of the model"),
    ],
)
def test_a_wrong_override_is_one_line(override, message):
    """Every error of Hydra becomes one line that names the key."""
    with pytest.raises(RequestError, match=message) as refused:
        pipeline.configure(override)
    assert "\n" not in str(refused.value)


def test_run_settings_default_to_conf():
    """`run` takes its values from conf/run/local.yaml, replaced by what is given."""
    assert default_run_settings().backend == "threading"
    assert default_run_settings(backend="sequential", n_jobs=3).n_jobs == 3
    with pytest.raises(RequestError, match=r"^run\.n_job=1: unknown key; did you mean run\.n_jobs"):
        default_run_settings(n_job=1)
    with pytest.raises(RequestError, match=r"^run\.n_jobs=0: number of workers must be >= 1"):
        default_run_settings(n_jobs=0)
    with pytest.raises(
        RequestError, match=r"^run\.backend=ray: .* loky or threading or sequential or dask"
    ):
        default_run_settings(backend="ray")
