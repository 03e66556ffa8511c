"""Comparison of two experiments: configuration, provenance, results."""

import contextlib
import json
import re
import shutil
import zlib

import netCDF4
import numpy as np
import pytest

import pipeline
from analysis.__main__ import main
from tests.conftest import SMALL


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
        found = {}
        for block in blocks:
            heading, *rows = (re.split(r"  +", line.strip()) for line in block.splitlines())
            found[heading[0].partition(":")[0]] = {row[0]: row[1:] for row in rows} or heading[0]
            if heading[0].startswith("results"):
                found["points"] = heading[0].partition(": ")[2]
        return code, found

    return run


def change(experiment, name, index, value):
    """Change one value of a variable."""
    with netCDF4.Dataset(experiment / "results.nc", "a") as file:
        file[name][index] = value


def test_an_experiment_equals_its_repetition(keep, diff):
    """Run twice: equal bit for bit apart from wall times; only provenance may differ."""
    axes = {"input.rate_hz": [30, 60], "seed": [1, 2]}
    first, second = keep("first", axes), keep("second", axes)
    code, found = diff(first, second / "results.nc")
    assert code == 0
    assert found["configuration"] == "configuration: same"
    # Within one second, and at one speed, provenance does not differ either.
    same = found["provenance"] == "provenance: same"
    assert same or set(found["provenance"]) <= {"created", "seconds"}
    assert found["points"] == "4 points compared, 0 only in A, 0 only in B"
    assert found["results"] == dict.fromkeys(
        (
            *("weight", "output_rate", "spike_count", "isi_cv", "mean_weight"),
            *("late_output_rate", "late_isi_cv", "late_fano_factor"),
            *("euler_overshoot", "effective_ltd_ratio", "discrete_ltd_ratio"),
        ),
        ["same"],
    )


def test_the_order_of_axes_and_values_does_not_matter(keep, diff):
    """Points are matched by their coordinates."""
    first = keep("first", {"input.rate_hz": [30, 60, 50], "input.process": ["poisson", "notebook"]})
    axes = {"input.process": ["notebook", "poisson"], "input.rate_hz": [60, 50, 30]}
    code, found = diff(first, keep("second", axes))
    assert code == 0
    assert found["points"].startswith("6 points compared, 0 only")


def test_every_value_that_differs_is_counted(keep, diff):
    """With the largest difference; NaN equals NaN, and the sign of zero is a difference."""
    first = keep("first", {"seed": [1, 2, 3]})
    second = shutil.copytree(first, first.parent / "second")
    for index, more in (((0, 5), 0.25), ((2, 7), 0.5)):
        change(first, "weight", index, 0.25)
        change(second, "weight", index, 0.25 + more)
    change(second, "mean_weight", 1, np.nan)
    change(second, "spike_count", 2, 1_000_000)
    for experiment in (first, second):
        change(experiment, "isi_cv", 0, np.nan)
    change(first, "output_rate", 0, 0.0)
    change(second, "output_rate", 0, -0.0)
    code, found = diff(first, second)
    assert code == 1
    assert found["results"]["weight"] == ["2 of 120 values differ, by at most 0.5"]
    assert found["results"]["mean_weight"] == ["1 of 3 values differ, 1 of them NaN in one"]
    assert re.match(r"1 of 3 values differ, by at most 1e\+06", found["results"]["spike_count"][0])
    assert found["results"]["isi_cv"] == ["same"]
    assert found["results"]["output_rate"] == ["1 of 3 values differ, by at most 0"]


def test_constants_and_axes_that_differ_are_shown(keep, diff):
    """Fixed in one and swept in the other: matched where the axis has that value."""
    first = keep("first", {"stdp.A_plus": [0.004, 0.008], "seed": range(4)}, "neuron.tau_m=12")
    second = keep("second", {"seed": [2, 3, 4]}, "stdp.A_plus=0.008")
    code, found = diff(first, second)
    assert code == 1
    assert found["configuration"] == {
        "stdp.A_plus": ["axis 0.004,0.008", "0.008"],
        "seed": ["axis 0..3 (4), only here 0,1", "axis 2,3,4, only here 4"],
        "neuron.tau_m": ["12", "10"],
    }
    assert found["points"] == "2 points compared, 6 only in A, 1 only in B"
    assert re.match(r"80 of 80 values differ, by at most 0\.\d+$", found["results"]["weight"][0])


def test_the_same_points_give_the_same_bits_whatever_else_was_swept(keep, diff):
    """An axis, a group, one value: where the parameters agree, so do the results."""
    swept = keep("swept", {"stdp": ["notebook", "song_abbott_2001"], "seed": [1, 2]})
    fixed = keep("fixed", {"seed": [2]}, "stdp=song_abbott_2001")
    code, found = diff(swept, fixed)
    assert code == 1
    assert found["configuration"]["stdp"] == ["axis notebook,song_abbott_2001", "-"]
    assert found["configuration"]["stdp.A_plus"] == ["0.008,0.005 along stdp", "0.005"]
    assert "stdp.tau_plus" not in found["configuration"]  # 20 ms in both choices
    assert found["points"] == "1 point compared, 3 only in A, 0 only in B"
    assert {words[0] for words in found["results"].values()} == {"same"}


def test_null_is_matched_as_the_number_that_it_stands_for(keep, diff):
    """A_minus null is ltd_ratio A_plus, 0.0088: the point of that value on the other axis."""
    follows = keep("follows", {"seed": [1]}, "stdp.A_plus=0.008", "stdp.ltd_ratio=1.1")
    swept = keep("swept", {"stdp.A_minus": [0.0088, 0.01]}, "seed=1")
    code, found = diff(follows, swept)
    assert code == 1
    assert found["configuration"]["stdp.A_minus"] == ["null", "axis 0.0088,0.01"]
    assert found["points"] == "1 point compared, 0 only in A, 1 only in B"
    assert found["results"]["weight"] == ["same"]


def test_other_sizes_are_shown(keep, diff):
    """Numbers of synapses, swept or not, of samples and of spikes; what is in one file only."""
    few = keep("few", {"seed": [1]}, "input.n_synapses=20")
    history = ("input.n_synapses=30", "record=history")
    many = keep("many", {"seed": [1]}, *history, "record.weight_interval=250")
    code, found = diff(few, many)
    assert code == 1
    assert found["results"]["weight"][0].endswith("(synapse has 20 in A, 30 in B)")
    assert found["results"]["spike_time"] == ["only in B"]
    code, found = diff(few, keep("both", {"input.n_synapses": [20, 30]}, "seed=1"))
    assert found["points"] == "1 point compared, 0 only in A, 1 only in B"
    assert found["results"]["weight"] == ["same"]  # a file fills up the shorter with NaN
    fine = keep("fine", {"seed": [1]}, *history, "record.weight_interval=100", "input.rate_hz=60")
    found = diff(many, fine)[1]["results"]
    assert found["weight_history"] == [
        "not comparable: sample_time is 250,500 in A, 100..500 (5) in B"
    ]
    assert re.search(r"\(spike has \d+ in A, \d+ in B\)", found["spike_time"][0])


def test_times_of_earlier_versions_are_matched(keep, diff):
    """They were not rounded: 3 * 0.3 ms there is the sample at 0.9 ms here."""
    new, old = (
        keep(name, {"seed": [1]}, "simulation.dt=0.3", "simulation.duration=9", "record=history",
             "record.weight_interval=0.3")
        for name in ("new", "old")
    )  # fmt: skip
    with netCDF4.Dataset(old / "results.nc", "a") as file:
        times = 0.3 * np.arange(1, 31)
        assert (file["sample_time"][:] != times).any()
        file["sample_time"][:] = times
    found = diff(new, old)[1]["results"]
    assert found["weight_history"] == found["rate_history"] == ["same"]


def test_other_number_types_are_shown(keep, diff):
    """float64 weights differ from float32 ones by rounding."""
    single = keep("single", {"seed": [1]})
    double = keep("double", {"seed": [1]}, "record.dtype=float64")
    code, found = diff(single, double)
    assert code == 1
    assert found["results"]["weight"][0].endswith("e-08 (float32 in A, float64 in B)")
    assert found["results"]["mean_weight"] == ["same"]


def test_points_that_are_not_done_are_counted_and_left_out(keep, diff):
    """A difference if in one experiment only, none if in both."""
    first = keep("first", {"seed": [1, 2, 3]})
    second = keep("second", {"seed": [1, 2, 3]})
    change(second, "status", 1, 2)
    change(second, "weight", 1, np.nan)
    code, found = diff(first, second)
    assert code == 1
    assert found["points"] == "2 points compared, 0 only in A, 0 only in B, 1 not done in B"
    assert found["results"]["weight"] == ["same"]
    change(first, "status", 1, 1)
    code, found = diff(first, second)
    assert code == 0
    assert found["points"].endswith("1 not done in A, 1 not done in B")


def test_experiments_without_a_common_point_differ(keep, diff):
    """No point is compared; also if one has a key that the other lacks."""
    first = keep("first", {"seed": [1, 2]})
    code, found = diff(first, keep("second", {"seed": [3]}))
    assert code == 1
    assert found["points"] == "0 points compared, 2 only in A, 1 only in B"
    other = keep("other", {"seed": [1]})
    with netCDF4.Dataset(other / "results.nc", "a") as file:
        file["seed"].config_key = "input.colour"
    code, found = diff(first, other)
    assert code == 1
    assert found["configuration"]["input.colour"] == ["-", "axis 1"]
    assert found["points"] == "0 points compared, 2 only in A, 1 only in B"


def test_provenance_is_shown_and_is_no_difference(keep, diff):
    """Values that differ between runs are joined; packages are compared one by one."""
    first, second = keep("first", {"seed": [1]}), keep("second", {"seed": [1]})
    runs = [
        {"id": "1", "engine": "compiled", "git_commit": "a", "packages": {"numpy": "2", "old": 1}},
        {"id": "2", "engine": "reference", "git_commit": "a", "packages": {"numpy": "3"}},
    ]
    for experiment, made in ((first, runs), (second, runs[:1])):
        with netCDF4.Dataset(experiment / "results.nc", "a") as file:
            file.runs = json.dumps(made)
            file.host = experiment.name
    code, found = diff(first, second)
    assert code == 0
    assert found["provenance"]["engine"] == ["compiled; reference", "compiled"]
    assert found["provenance"]["packages.numpy"] == ["2; 3", "2"]
    assert found["provenance"]["host"] == ["first", "second"]
    assert not {"git_commit", "packages.old", "id"} & found["provenance"].keys()


def test_files_of_the_user_are_compared_by_their_content(keep, diff):
    """One by one and briefly, wherever their folder is."""
    first, second = keep("first", {"seed": [1]}), keep("second", {"seed": [1]})
    for experiment, text in ((first, "A_plus: 0.005\n"), (second, "A_plus: 0.006\n")):
        folder = f"/home/{experiment.name}/conf"
        own = {f"{folder}/stdp/mine.yaml": text, f"{folder}/experiment/plan.yaml": "study: a\n"}
        with netCDF4.Dataset(experiment / "results.nc", "a") as file:
            file.runs = json.dumps([{"id": "1", "own_files": own}])
    _, found = diff(first, second)
    named = {name for name in found["provenance"] if name.startswith("own_files")}
    assert named == {"own_files.stdp/mine.yaml"}
    content_a, content_b = found["provenance"]["own_files.stdp/mine.yaml"]
    assert re.fullmatch("content [0-9a-f]{12}", content_a)
    assert re.fullmatch("content [0-9a-f]{12}", content_b)
    assert content_a != content_b


def test_files_without_provenance_are_compared(keep, diff):
    """A dash for entries that one file lacks."""
    first, second = keep("first", {"seed": [1]}), keep("second", {"seed": [1]})
    with netCDF4.Dataset(second / "results.nc", "a") as file:
        for name in ("runs", "packages", "git_commit"):
            file.delncattr(name)
    code, found = diff(first, second)
    assert code == 0
    assert found["provenance"]["git_commit"][1] == "-"
    assert found["provenance"]["packages.numpy"] == [np.__version__, "-"]


def test_what_is_no_experiment_is_one_line_and_exit_code_2(keep, diff, tmp_path):
    """Absent, without results.nc, damaged in its header or behind it."""
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
    start = content.find(b"\x78\x01")
    while start >= 0:
        with contextlib.suppress(zlib.error):
            zlib.decompressobj().decompress(content[start:])
            yield start
        start = content.find(b"\x78\x01", start + 1)


def test_damage_within_the_data_is_reported(keep, diff):
    """The header of the file can be read, its weights cannot."""
    one = keep("one", {"seed": range(50)}, "input.n_synapses=100", "simulation.duration=20")
    damaged = one.parent / "damaged.nc"
    content = (one / "results.nc").read_bytes()
    for start in compressed(content):  # the library may hang on damage anywhere else
        damaged.write_bytes(content[: start + 2] + bytes(8) + content[start + 10 :])
        code, found = diff(one, damaged)
        if code == 2 and "its weight cannot be read" in found:
            break
    assert code == 2
    assert found.startswith(f"error: {damaged}: its weight cannot be read")
    assert found.count("\n") == 1


def test_flags_are_compared_in_words(keep, diff):
    """Why runs ended is no number: the most frequent changes, by their meanings."""
    until = ("simulation.until=settled", "simulation.duration=64000")
    axes = {"input.rate_hz": [0, 40, 50]}
    a = keep("a", axes, *until)
    b = keep("b", axes, *until, "stdp.A_plus=0", "stdp.A_minus=0")
    code, found = diff(a, b)
    assert code == 1
    changes = "2 of 3 values differ: 2 not settled in A, frozen in B"
    assert found["results"]["settled"] == [changes]


def test_samples_that_are_all_others_are_told_by_their_values(diff, configure, tmp_path):
    """Their numbers tell nothing; where some are the same, the numbers of the others do."""
    rows = {"a": ([20, 30], [0.01, 0.02]), "b": ([25, 35], [0.01, 0.02]), "c": ([20], [0.01])}
    for name, (rates, amplitudes) in rows.items():
        samples = {"input.rate_hz": rates, "stdp.A_plus": amplitudes}
        pipeline.sweep(configure(), {}, tmp_path / name, samples=samples, backend="sequential")
    _, found = diff(tmp_path / "a", tmp_path / "b")
    assert found["configuration"]["input.rate_hz"] == ["20,30 along sample", "25,35 along sample"]
    assert "stdp.A_plus" not in found["configuration"]
    _, found = diff(tmp_path / "a", tmp_path / "c")
    assert [key for key in found["configuration"] if key != "configuration"] == ["sample"]


def test_keys_that_follow_samples_are_compared(diff, command, tmp_path):
    """By `${...}`, as keys that are sampled themselves, not as if one side had none."""
    words = ("stdp.tau_plus=10,20", "neuron.tau_m=10,20", "sweep.zip=[stdp.tau_plus,neuron.tau_m]")
    command(*SMALL, "-m", *words, "name=zip")
    samples = {"stdp.tau_plus": [10, 20]}
    tied = pipeline.configure(*SMALL, "neuron.tau_m=${stdp.tau_plus}")
    pipeline.sweep(tied, {}, "outputs/tied", samples=samples, backend="sequential")
    _, found = diff("outputs/zip", "outputs/tied")
    assert [key for key in found["configuration"] if key != "configuration"] == ["sample"]
    assert found["points"].startswith("2 points compared, 0 only in A, 0 only in B")


def test_of_samples_lines_fit_a_terminal_of_100_columns(command, monkeypatch, capsys):
    """Also in a pipe or a file; what has drawn them is compared entry by entry."""
    monkeypatch.delenv("COLUMNS", raising=False)
    drawn = ("input.rate_hz=interval(10,40)", "stdp.A_plus=interval(0.001,0.1,log)")
    for name, more in (("a", "sweep.seed=1"), ("b", "sweep.seed=2")):
        command(
            *SMALL, "-m", *drawn, "sweep.samples=8", "sweep.method=random", more, f"name={name}"
        )
    command(*SMALL, "-m", *drawn, "sweep.samples=9", "sweep.method=random", more, "name=b")
    assert main(["diff", "outputs/a", "outputs/b"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 100
    shown = [line.split() for line in lines]
    assert ["sample_generator.seed", "1", "2"] in shown
    assert ["sample_generator.samples", "8", "8;", "9"] in shown
    assert not any(line[:1] == ["sample_generator"] for line in shown)
    ours = "sample  8 samples, 8 of them only here  9 samples, 9 of them only here"
    assert ours.split() in shown
