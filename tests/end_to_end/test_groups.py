"""Processes with groups by command: swept, resumed, extended, reproduced, drawn; refusals."""

from pathlib import Path

import numpy as np
import pytest

from analysis import open_results
from analysis.__main__ import main as analyse
from pipeline.reproduce import main as reproduce

pytestmark = pytest.mark.long

LISTS = "input.group_sizes=[100,50],[50]"


def test_groups_are_swept_resumed_extended_and_reproduced(command, capsys):
    """Points with a list on their axis are found again; the file has text, numbers and groups."""
    words = ("-m", "input=correlated", "seed=range(2)", "record=history", "name=lists")
    first = command(*words, "input.group_sizes=[50],[100]", "simulation.duration=2000")
    assert (first.code, first.out.split(" in ")[0]) == (0, "4 points")
    more = command(*words, LISTS, "simulation.duration=2000")
    assert "4 points" in more.out and "2 finished before, in the file 6 points: 6 done" in more.out
    longer = command(*words, LISTS, "simulation.duration=3000")
    assert "4 went on from an earlier end" in longer.out
    again = command(*words, LISTS, "simulation.duration=3000", "input.group_correlations=0.1,0.3")
    assert "4 finished before" in again.out
    with open_results("outputs/lists") as dataset:
        assert dataset["group_sizes"].values.tolist() == ["[50]", "[100]", "[100,50]"]
        numbers = dataset["group_sizes_by_group"]
        assert numbers.dims == ("group_sizes", "group_number")
        np.testing.assert_array_equal(numbers, [[50, np.nan], [100, np.nan], [100, 50]])
        group = dataset["group"].sel(group_sizes="[100,50]")
        assert group.dims == ("synapse",)
        assert np.bincount(group).tolist() == [100, 50, 150]
        assert dataset["synapse_rate"].dims == ("synapse",)
    capsys.readouterr()
    assert reproduce(["outputs/lists", "--points", "20"]) == 0
    assert "8 of 8 points are the same bit for bit" in capsys.readouterr().out
    assert reproduce(["outputs/lists", "--where", "group_sizes=[100, 50]"]) == 0
    shown = capsys.readouterr().out
    assert "group_sizes=[100,50]" in shown and "group_sizes=[50]" not in shown


def test_lists_are_shown_by_list_diff_figures_and_report(command, capsys):
    """As they are typed; `--where` takes them with spaces, too."""
    words = ("input=groups", "simulation.duration=3000", "record=history")
    assert command(*words, "input.group_sizes=[200,100]", "name=fixed").code == 0
    assert command("-m", *words, "input.group_sizes=[150,150],[200,100]", "name=two").code == 0
    analyse(["list", "outputs", "--where", "input.group_sizes=[200, 100]"])
    shown = capsys.readouterr().out
    assert "group_sizes [150,150],[200,100]" in shown and "fixed" in shown
    analyse(["list", "outputs", "--where", "input.group_sizes=[150,150]"])
    assert "fixed" not in capsys.readouterr().out
    assert analyse(["diff", "outputs/fixed", "outputs/two"]) == 1
    text = capsys.readouterr().out
    assert "[200,100]  axis [150,150],[200,100]" in text
    assert "1 point compared" in text and "by_group" not in text
    assert "differ" not in text
    condition = ["--where", "group_sizes=[200,100]"]
    assert analyse(["outputs/two", "--figure", "groups", *condition]) in (0, None)
    assert [*Path("outputs/two/figures").glob("groups_*.png")]
    assert analyse(["outputs/two", "--report"]) in (0, None)
    report = Path("outputs/two/report.html").read_text()
    assert "[150,150], [200,100]" in report
    assert "[10,20]" in report  # the constant rates


def test_a_single_run_with_groups_has_its_figures(command, capsys):
    """All that do not need a swept axis; the mean weight by group does."""
    assert command("input=groups", "simulation.duration=2000", "name=single").code == 0
    assert analyse(["outputs/single"]) in (0, None)
    drawn = {file.stem for file in Path("outputs/single/figures").glob("*.png")}
    assert "weights_by_group" in drawn
    assert not any(name.startswith("mean_weight_by_group") for name in drawn)
    assert analyse(["outputs/single", "--figure", "mean_weight_by_group"]) == 2
    assert "mean_weight_by_group needs a swept axis" in capsys.readouterr().err


def test_processes_are_swept_with_their_own_fields(command, capsys):
    """Choices of the group `input` have unlike fields; synapses of others are in no group."""
    every = "input=poisson,correlated,groups,log_normal"
    assert command("-m", every, "simulation.duration=1000", "seed=1,2", "name=all").code == 0
    with open_results("outputs/all") as dataset:
        assert (dataset["status"] == 0).all()
        assert (dataset["group"].sel(input="poisson") == -1).all()
        assert set(dataset["group"].sel(input="groups").values.tolist()) == {0, 1}
        rates = dataset["synapse_rate"]
        assert (rates.sel(input="poisson") == 15).all()
        assert len(np.unique(rates.sel(input="log_normal"))) == 600
        assert rates.attrs["units"] == "Hz"
    assert reproduce(["outputs/all", "--points", "8"]) == 0


def test_a_process_alone_is_an_axis(command):
    """What no yaml lists has its neutral value: no groups, no correlation."""
    words = ("input.process=poisson,groups,correlated", "simulation.duration=500", "name=all")
    assert command("-m", *words).code == 0


def test_both_sweepers_agree_on_lists(command):
    """One job per point has the points of the sweep."""
    words = ("-m", "input=groups", "input.group_rates_hz=30,[20,40]", "simulation.duration=2000")
    assert command(*words, "name=own").code == 0
    assert command(*words, "name=basic", "hydra/sweeper=basic").code == 0
    with open_results("outputs/own") as own:
        assert own["group_rates_hz"].values.tolist() == ["30", "[20,40]"]
        for i in range(2):
            with open_results(f"outputs/basic/{i}") as one:
                point = own.isel(group_rates_hz=i)
                np.testing.assert_array_equal(one["weight"], point["weight"])
                assert int(one["spike_count"]) == int(point["spike_count"]) > 0


def test_demo_3_by_one_command(command):
    """Identical trains win: their weights are at the maximum and the others fall."""
    assert command("-m", "+experiment=notebook_demo_3", "name=demo").code == 0
    with open_results("outputs/demo") as dataset:
        weight = dataset["weight"].groupby("group").mean()
        assert (weight.sel(group=0) > 0.99).all()
        assert (weight.sel(group=1) < 0.5).all()
        assert abs(float(dataset["output_rate"].mean()) - 10) < 1  # one spike for each of theirs


def test_correlated_input_settles(command):
    """The process is stationary, so that a run may end when it has settled."""
    words = ("input=correlated", "synapse.w_init=1", "stdp=multiplicative", "name=settled")
    ended = command(*words, "simulation.until=settled", "simulation.duration=1e7")
    assert ended.code == 0
    with open_results("outputs/settled") as dataset:
        assert int(dataset["settled"]) == 0
        assert float(dataset["run_duration"]) < 1e7


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["input=groups", "input.group_sizes=[250,100]"], "input.group_sizes=[250,100]: must add"),
        (["input=groups", "input.group_sizes=[]"], "input.group_sizes=[]: number of synapses of"),
        (["input=groups", "input.group_sizes=[[1,2]]"], "input.group_sizes=[[1, 2]]: number of"),
        (["input=groups", "input.group_rates_hz=[1,nan]"], "input.group_rates_hz=[1,nan]: input"),
        (["input=groups", "input.group_rates_hz=[1,a]"], "input.group_rates_hz=[1, 'a']: input"),
        (["input=groups", "input.group_rates_hz=[1,2,3]"], "input.group_rates_hz=[1,2,3]: must be"),
        (["input=groups", "input.group_rates_hz=[1,2000]"], "input.group_rates_hz=[1,2000]: with"),
        (["input=correlated", "input.group_correlations=-1"], "input.group_correlations=-1: corr"),
        (["input=correlated", "input.group_correlations=[1,0]"], "input.group_correlations=[1,0]"),
        (["input.rate_hz=[10,20]"], "input.rate_hz=[10,20]: input rate must be a finite number"),
        (["input.group_sizes=[10]"], "input.group_sizes=[10]: a field of corr"),
        (["-m", "input=groups", "input.group_sizes=[1],[1]"], "input.group_sizes=[1]: repeated"),
        (["-m", "input=groups", "input.group_sizes=[1,2],[300,1]"], "input.group_sizes=[300,1]: "),
    ],
)  # fmt: skip
def test_a_wrong_list_is_one_line_and_exit_code_2(command, words, said):
    """Nothing is written, and a dry run refuses the same."""
    for more in ([], ["dry_run=true"]):
        ended = command(*words, "name=wrong", *more)
        assert ended.code == 2
        assert ended.err.startswith(f"error: {said}")
        assert len(ended.err.splitlines()) == 1
        assert not Path("outputs").exists()
