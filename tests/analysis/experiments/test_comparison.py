"""What differs between two experiments, and what counts as a difference."""

import contextlib
import json
import re
import shutil
import zlib

import netCDF4
import numpy as np
import pytest

from analysis.__main__ import main


@pytest.fixture
def diff(capsys, monkeypatch):
    """Compare two experiments; return the exit code and the rows of the three blocks, by name."""
    monkeypatch.setenv("COLUMNS", "1000")

    def run(a, b):
        capsys.readouterr()
        code = main(["diff", str(a), str(b)])
        captured = capsys.readouterr()
        if code == 2:
            return code, captured.err
        paths, *blocks = captured.out.strip().split("\n\n")
        assert paths == f"A  {a}\nB  {b}"
        told = {}
        for block in blocks:
            heading, *rows = (re.split(r"  +", line.strip()) for line in block.splitlines())
            told[heading[0].partition(":")[0]] = {row[0]: row[1:] for row in rows} or heading[0]
            if heading[0].startswith("results"):
                told["points"] = heading[0].partition(": ")[2]
        return code, told

    return run


def change(experiment, name, place, value):
    """Change one value of a variable."""
    with netCDF4.Dataset(experiment / "results.nc", "a") as file:
        file[name][place] = value


def test_an_experiment_is_the_same_as_its_twin(keep, diff):
    """Run twice: the same to the bit, wall times left out; only who made it when may differ."""
    axes = {"input.rate_hz": [30, 60], "seed": [1, 2]}
    first, second = keep("first", axes), keep("second", axes)
    code, told = diff(first, second / "results.nc")
    assert code == 0
    assert told["configuration"] == "configuration: same"
    assert set(told["provenance"]) <= {"created", "seconds"}
    assert told["points"] == "4 points compared, 0 only in A, 0 only in B"
    assert told["results"] == dict.fromkeys(
        ("weight", "output_rate", "spike_count", "isi_cv", "mean_weight", "effective_ltd_ratio"),
        ["same"],
    )


def test_the_order_of_axes_and_values_does_not_matter(keep, diff):
    """Points are matched by their coordinates."""
    first = keep("first", {"input.rate_hz": [30, 60, 50], "input.process": ["poisson", "notebook"]})
    axes = {"input.process": ["notebook", "poisson"], "input.rate_hz": [60, 50, 30]}
    code, told = diff(first, keep("second", axes))
    assert code == 0
    assert told["points"].startswith("6 points compared, 0 only")


def test_every_value_that_differs_is_counted(keep, diff):
    """With the largest difference; NaN equals NaN, and a sign of zero is a difference."""
    first = keep("first", {"seed": [1, 2, 3]})
    second = shutil.copytree(first, first.parent / "second")
    for place, more in (((0, 5), 0.25), ((2, 7), 0.5)):
        change(first, "weight", place, 0.25)
        change(second, "weight", place, 0.25 + more)
    change(second, "mean_weight", 1, np.nan)
    change(second, "spike_count", 2, 1_000_000)
    for experiment in (first, second):
        change(experiment, "isi_cv", 0, np.nan)
    change(first, "output_rate", 0, 0.0)
    change(second, "output_rate", 0, -0.0)
    code, told = diff(first, second)
    assert code == 1
    assert told["results"]["weight"] == ["2 of 120 values differ, by at most 0.5"]
    assert told["results"]["mean_weight"] == ["1 of 3 values differ, 1 of them NaN in one"]
    assert re.match(r"1 of 3 values differ, by at most 1e\+06", told["results"]["spike_count"][0])
    assert told["results"]["isi_cv"] == ["same"]
    assert told["results"]["output_rate"] == ["1 of 3 values differ, by at most 0"]


def test_constants_and_axes_that_differ_are_told(keep, diff):
    """Fixed in one and swept in the other: matched where the axis has that value."""
    first = keep("first", {"stdp.A_plus": [0.004, 0.008], "seed": range(4)}, "neuron.tau_m=12")
    second = keep("second", {"seed": [2, 3, 4]}, "stdp.A_plus=0.008")
    code, told = diff(first, second)
    assert code == 1
    assert told["configuration"] == {
        "stdp.A_plus": ["axis 0.004,0.008", "0.008"],
        "seed": ["axis 0..3 (4), only here 0,1", "axis 2,3,4, only here 4"],
        "neuron.tau_m": ["12", "10"],
    }
    assert told["points"] == "2 points compared, 6 only in A, 1 only in B"
    assert "values differ" in told["results"]["weight"][0]


def test_the_same_points_give_the_same_bits_whatever_else_was_swept(keep, diff):
    """An axis, a group, one value: where the parameters agree, so do the results."""
    swept = keep("swept", {"stdp": ["notebook", "song_abbott_2001"], "seed": [1, 2]})
    fixed = keep("fixed", {"seed": [2]}, "stdp=song_abbott_2001")
    code, told = diff(swept, fixed)
    assert code == 1
    assert told["configuration"]["stdp"] == ["axis notebook,song_abbott_2001", "-"]
    assert told["configuration"]["stdp.A_plus"] == ["0.008,0.005 along stdp", "0.005"]
    assert "stdp.tau_plus" not in told["configuration"]  # 20 ms in both choices
    assert told["points"] == "1 point compared, 3 only in A, 0 only in B"
    assert {words[0] for words in told["results"].values()} == {"same"}


def test_null_is_matched_as_the_number_that_it_stands_for(keep, diff):
    """A_minus null is ltd_ratio A_plus, 0.0088: the point of that value on the other's axis."""
    follows = keep("follows", {"seed": [1]}, "stdp.A_plus=0.008", "stdp.ltd_ratio=1.1")
    swept = keep("swept", {"stdp.A_minus": [0.0088, 0.01]}, "seed=1")
    code, told = diff(follows, swept)
    assert code == 1
    assert told["configuration"]["stdp.A_minus"] == ["null", "axis 0.0088,0.01"]
    assert told["points"] == "1 point compared, 0 only in A, 1 only in B"
    assert told["results"]["weight"] == ["same"]


def test_other_sizes_are_told(keep, diff):
    """Numbers of synapses, swept or not, of samples and of spikes; what is in one file only."""
    few = keep("few", {"seed": [1]}, "input.n_synapses=20")
    history = ("input.n_synapses=30", "record=history")
    many = keep("many", {"seed": [1]}, *history, "record.weight_interval=250")
    code, told = diff(few, many)
    assert code == 1
    assert told["results"]["weight"][0].endswith("(synapse has 20 in A, 30 in B)")
    assert told["results"]["spike_time"] == ["only in B"]
    code, told = diff(few, keep("both", {"input.n_synapses": [20, 30]}, "seed=1"))
    assert told["points"] == "1 point compared, 0 only in A, 1 only in B"
    assert told["results"]["weight"] == ["same"]  # a file fills up the shorter with NaN
    fine = keep("fine", {"seed": [1]}, *history, "record.weight_interval=100", "input.rate_hz=60")
    told = diff(many, fine)[1]["results"]
    assert told["weight_history"] == [
        "not comparable: sample_time is 250,500 in A, 100..500 (5) in B"
    ]
    assert re.search(r"\(spike has \d+ in A, \d+ in B\)", told["spike_time"][0])


def test_other_number_types_are_told(keep, diff):
    """Weights in full precision differ from those that were cut, if only a little."""
    single = keep("single", {"seed": [1]})
    double = keep("double", {"seed": [1]}, "record.dtype=float64")
    code, told = diff(single, double)
    assert code == 1
    assert told["results"]["weight"][0].endswith("e-08 (float32 in A, float64 in B)")
    assert told["results"]["mean_weight"] == ["same"]


def test_points_that_are_not_done_are_counted_and_left_out(keep, diff):
    """In one only, they are a difference; in both, they are none."""
    first = keep("first", {"seed": [1, 2, 3]})
    second = keep("second", {"seed": [1, 2, 3]})
    change(second, "status", 1, 2)
    change(second, "weight", 1, np.nan)
    code, told = diff(first, second)
    assert code == 1
    assert told["points"] == "2 points compared, 0 only in A, 0 only in B, 1 not done in B"
    assert told["results"]["weight"] == ["same"]
    change(first, "status", 1, 1)
    code, told = diff(first, second)
    assert code == 0
    assert told["points"].endswith("1 not done in A, 1 not done in B")


def test_experiments_without_a_common_point_are_told_apart(keep, diff):
    """Nothing is compared; also where one knows a key that the other does not."""
    first = keep("first", {"seed": [1, 2]})
    code, told = diff(first, keep("second", {"seed": [3]}))
    assert code == 1
    assert told["points"] == "0 points compared, 2 only in A, 1 only in B"
    stranger = keep("stranger", {"seed": [1]})
    with netCDF4.Dataset(stranger / "results.nc", "a") as file:
        file["seed"].config_key = "input.colour"
    code, told = diff(first, stranger)
    assert code == 1
    assert told["configuration"]["input.colour"] == ["-", "axis 1"]
    assert told["points"] == "0 points compared, 2 only in A, 1 only in B"


def test_provenance_is_told_and_is_no_difference(keep, diff):
    """What several runs say differently is joined; packages are told one by one."""
    first, second = keep("first", {"seed": [1]}), keep("second", {"seed": [1]})
    runs = [
        {"id": "1", "engine": "compiled", "git_commit": "a", "packages": {"numpy": "2", "old": 1}},
        {"id": "2", "engine": "reference", "git_commit": "a", "packages": {"numpy": "3"}},
    ]
    for experiment, made in ((first, runs), (second, runs[:1])):
        with netCDF4.Dataset(experiment / "results.nc", "a") as file:
            file.runs = json.dumps(made)
            file.host = experiment.name
    code, told = diff(first, second)
    assert code == 0
    assert told["provenance"]["engine"] == ["compiled; reference", "compiled"]
    assert told["provenance"]["packages.numpy"] == ["2; 3", "2"]
    assert told["provenance"]["host"] == ["first", "second"]
    assert not {"git_commit", "packages.old", "id"} & told["provenance"].keys()


def test_files_without_provenance_are_compared(keep, diff):
    """What one does not say has a dash."""
    first, second = keep("first", {"seed": [1]}), keep("second", {"seed": [1]})
    with netCDF4.Dataset(second / "results.nc", "a") as file:
        for name in ("runs", "packages", "git_commit"):
            file.delncattr(name)
    code, told = diff(first, second)
    assert code == 0
    assert told["provenance"]["git_commit"][1] == "-"
    assert told["provenance"]["packages.numpy"] == [np.__version__, "-"]


def test_what_is_no_experiment_is_one_line_and_exit_code_2(keep, diff, tmp_path):
    """Not there, not gathered yet, damaged in its head or behind it."""
    one = keep("one", {"seed": range(50)}, "input.n_synapses=100", "simulation.duration=20")
    whole = (one / "results.nc").read_bytes()
    (tmp_path / "killed" / "points").mkdir(parents=True)
    for name, content in (("head.nc", b"no"), ("half.nc", whole[: len(whole) // 2])):
        (tmp_path / name).write_bytes(content)
    for path, message in (
        ("nowhere", "must be an experiment directory with a results.nc"),
        ("killed", "must be an experiment directory with a results.nc"),
        ("head.nc", "cannot be read as netCDF"),
        ("half.nc", "cannot be read as netCDF"),
    ):
        code, error = diff(one, tmp_path / path)
        assert code == 2
        assert error.startswith(f"error: {tmp_path / path}: {message}")
        assert error.count("\n") == 1


def compressed(content):
    """Yield where compressed data begin in a file."""
    place = content.find(b"\x78\x01")
    while place >= 0:
        with contextlib.suppress(zlib.error):
            zlib.decompressobj().decompress(content[place:])
            yield place
        place = content.find(b"\x78\x01", place + 1)


def test_damage_within_the_data_is_told(keep, diff):
    """The head of the file can be read, and its weights cannot."""
    one = keep("one", {"seed": range(50)}, "input.n_synapses=100", "simulation.duration=20")
    damaged = one.parent / "damaged.nc"
    content = (one / "results.nc").read_bytes()
    for place in compressed(content):  # the library may hang on damage anywhere else
        damaged.write_bytes(content[: place + 2] + bytes(8) + content[place + 10 :])
        code, told = diff(one, damaged)
        if code == 2 and "its weight cannot be read" in told:
            break
    assert code == 2
    assert told.startswith(f"error: {damaged}: its weight cannot be read")
    assert told.count("\n") == 1
