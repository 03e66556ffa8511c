"""Inputs whose rates change, by command: swept, resumed, reproduced, settled; refusals."""

from pathlib import Path

import numpy as np
import pytest

from analysis import open_results
from pipeline.reproduce import main as reproduce

pytestmark = pytest.mark.long

SHORT = "simulation.duration=2000"


def test_they_are_swept_resumed_and_reproduced(command, capsys):
    """Over choices of the group and over their own fields; the file has groups, rates, phases."""
    words = ("-m", "input=poisson,modulated,oscillating", "record=history", "name=all")
    assert command(*words, SHORT, "seed=1,2").code == 0
    longer = command(*words, "simulation.duration=3000", "seed=1,2")
    assert "6 went on from an earlier end" in longer.out
    with open_results("outputs/all") as dataset:
        assert (dataset["status"] == 0).all()
        assert set(dataset["group"].sel(input="modulated").values.tolist()) == {0, 1}
        phases = dataset["synapse_phase"]
        assert (phases.sel(input=["poisson", "modulated"]) == 0).all()
        np.testing.assert_allclose(phases.sel(input="oscillating"), np.arange(300) / 300)
        assert "cycles" in phases.attrs["long_name"]
        rates = dataset["synapse_rate"]
        assert (rates.sel(input="oscillating") == 15).all()
        assert 15 < float(rates.sel(input="modulated").max()) < 15.03
    assert reproduce(["outputs/all", "--points", "6"]) == 0
    own = ("-m", "input=modulated", "input.correlation_time=5,500", SHORT, "name=own")
    assert command(*own).code == 0
    more = command(*own, "input.rate_sd=0.2,0.4")
    assert "4 points" in more.out and "2 finished before" in more.out


@pytest.mark.parametrize("process", ["modulated", "oscillating"])
def test_they_run_until_they_have_settled(command, process):
    """Their statistics are constant over seconds, so that a run may end when it has settled."""
    words = (f"input={process}", "stdp=multiplicative", "name=settled", "input.n_synapses=160")
    words += ("input.rate_hz=40", "synapse.g_max=0.05")
    ended = command(*words, "simulation.until=settled", "simulation.duration=1e7")
    assert ended.code == 0
    with open_results("outputs/settled") as dataset:
        assert int(dataset["settled"]) == 0
        assert float(dataset["run_duration"]) < 1e7


def test_figure_1c_of_song_and_abbott(command):
    """Correlated inputs win: in 300 of the 1,000 s of the experiment they are far ahead.

    At the end their mean weight is .905 and that of the others .070, over the eight seeds.
    """
    assert command("-m", "+experiment=song_abbott_2001_1c", "simulation.duration=300000",
                   "seed=0,1", "name=one").code == 0  # fmt: skip
    with open_results("outputs/one") as dataset:
        weight = dataset["weight"].groupby("group").mean()
        assert (weight.sel(group=1) > 0.65).all()
        assert (weight.sel(group=0) < 0.35).all()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["input=modulated", "input.correlation_time=0"], "input.correlation_time=0: mean time"),
        (["input=modulated", "input.correlation_time=0.5"], "input.correlation_time=0.5: must be"),
        (["input=modulated", "input.rate_sd=nan"], "input.rate_sd=nan: standard deviation of"),
        (["input=modulated", "input.group_sizes=[200,200]"], "input.group_sizes=[200,200]: must"),
        (["input=oscillating", "input.frequency_hz=600"], "input.frequency_hz=600.0: must be <="),
        (["input=oscillating", "input.modulation=-1"], "input.modulation=-1: amplitude of input"),
        (["-m", "input=modulated", "input.rate_sd=0.1,3"], "input.rate_sd=3: standard deviation"),
        (
            ["input=modulated", "input.correlation_time=5000", "simulation.until=settled"],
            "simulation.until=settled: must be duration with input.correlation_time, a time scale",
        ),
        (
            ["input=oscillating", "input.frequency_hz=0.2", "simulation.until=settled"],
            "simulation.until=settled: must be duration with input.frequency_hz, a time scale of",
        ),
    ],
)
def test_what_does_not_fit_is_one_line_and_exit_code_2(command, words, said):
    """Nothing is written, and a dry run refuses the same."""
    for more in ([], ["dry_run=true"]):
        ended = command(*words, "name=wrong", *more)
        assert ended.code == 2
        assert ended.err.startswith(f"error: {said}")
        assert len(ended.err.splitlines()) == 1
        assert not Path("outputs").exists()
