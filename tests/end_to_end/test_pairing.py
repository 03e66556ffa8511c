"""Pairing protocols by command: swept, resumed, reproduced, drawn; refusals leave nothing."""

from pathlib import Path

import numpy as np
import pytest

from analysis import open_results, pairing_change
from analysis.__main__ import main as analyse
from pipeline.reproduce import main as reproduce

pytestmark = pytest.mark.long

PAIRED = ("input=pairing_protocol", "synapse.w_init=0.5", "name=paired")


def test_a_protocol_is_swept_resumed_reproduced_and_drawn(command, capsys):
    """Over rules, time differences and frequencies; finished points are not run again."""
    rules = "stdp=notebook,song_abbott_2001"
    first = command("-m", *PAIRED, rules, "input.post_minus_pre=-10,10")
    assert (first.code, first.out.split(" in ")[0]) == (0, "4 points")
    swept = ("input.post_minus_pre=-10,0,10", "input.rate_hz=10,20,40")
    ended = command("-m", *PAIRED, rules, *swept)
    assert ended.code == 0
    assert "18 points" in ended.out and "4 finished before" in ended.out
    with open_results("outputs/paired") as dataset:
        assert (dataset["status"] == 0).all()
        assert (dataset["spike_count"] == 60).all()
        change = pairing_change(dataset)
        assert (change.sel(rate_hz=10, post_minus_pre=10) > 0.1).all()
        assert (change.sel(rate_hz=10, post_minus_pre=-10) < -0.1).all()
        assert dataset["post_minus_pre"].attrs["units"] == "ms"
    capsys.readouterr()
    assert reproduce(["outputs/paired", "--points", "18"]) == 0
    assert capsys.readouterr().out.endswith("18 of 18 points are the same bit for bit\n")
    assert analyse(["outputs/paired", "--figure", "pairing"]) in (0, None)
    assert len([*Path("outputs/paired/figures").glob("pairing_*.png")]) == 4


def test_both_engines_by_command_give_one_file(command):
    """The reference and the compiled engine, with history and spike times."""
    files = []
    for engine in ("compiled", "reference"):
        words = [*PAIRED[:2], "record=history", "simulation.duration=6000", f"name={engine}"]
        swept = ["-m", "input.post_minus_pre=-10,10", f"run.engine={engine}"]
        assert command(*swept, *words).code == 0
        with open_results(f"outputs/{engine}") as dataset:
            files.append(dataset.load())
    np.testing.assert_array_equal(files[0]["spike_time"], files[1]["spike_time"])
    np.testing.assert_allclose(files[0]["mean_weight"], files[1]["mean_weight"], atol=1e-10)
    assert files[0]["spike_time"].shape == (2, 60)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["simulation.duration=5000"], "simulation.duration=5000.0: must be >= 5913 ms with "),
        (["input.post_minus_pre=0.5"], "input.post_minus_pre=0.5: must be a multiple of"),
        (["input.n_pairs=0"], "input.n_pairs=0: number of pairs must be a whole number >= 1"),
        (["input.rate_hz=0"], "input.rate_hz=0: frequency of the pairs must be a finite number"),
        (["simulation.until=settled"], "simulation.until=settled: must be duration with input."),
        (["-m", "input.rate_hz=10,0.1"], "simulation.duration=120000.0: must be >= 590013 ms with"),
        (["-m", "input.post_minus_pre=1,.5"], "input.post_minus_pre=0.5: must be a multiple of"),
    ],
)  # fmt: skip
def test_a_wrong_protocol_is_one_line_and_exit_code_2(command, words, said):
    """Nothing is written, and a dry run refuses the same."""
    for more in ([], ["dry_run=true"]):
        ended = command(*words, *PAIRED, *more)
        assert ended.code == 2
        assert ended.err.startswith(f"error: {said}")
        assert len(ended.err.splitlines()) == 1
        assert not Path("outputs").exists()


def test_a_longer_run_of_a_finished_protocol_changes_nothing(command):
    """It goes on from the end of the shorter one, whose weights it keeps."""
    words = [*PAIRED, "record.weight_interval=1000"]
    assert command(*words, "simulation.duration=6000").code == 0
    with open_results("outputs/paired") as dataset:
        weight = float(dataset["mean_weight"])
    ended = command(*words, "simulation.duration=20000")
    assert ended.code == 0
    assert "1 went on from an earlier end" in ended.out
    with open_results("outputs/paired") as dataset:
        assert float(dataset["mean_weight"]) == weight != 0.5
        assert dataset["spike_count"] == 60
