"""`pipeline.simulator`: arrays of parameters in, arrays of outputs out, row by row."""

import logging
import pickle

import numpy as np
import pytest

import pipeline

NAMES = ("stdp.A_plus", "stdp.ltd_ratio", "stdp.tau_minus")


@pytest.fixture(scope="module")
def configuration():
    """A second at 20 Hz, as short as gives output spikes."""
    return pipeline.configure("simulation.duration=1000", "input.rate_hz=20")


@pytest.fixture(scope="module")
def parameters():
    """Six rows within bounds."""
    return np.random.default_rng(0).uniform([0.002, 1.0, 10.0], [0.01, 1.2, 30.0], (6, 3))


def of_each(configuration, names, rows, seeds):
    """Return the dataset of `pipeline.simulate` for each row."""
    values = [dict(zip(names, row, strict=True)) for row in rows]
    seeded = [one | {"seed": int(seed)} for one, seed in zip(values, seeds, strict=True)]
    return [pipeline.simulate(configuration.replaced(one)) for one in seeded]


@pytest.mark.parametrize("backend", ["threading", "sequential", "loky"])
def test_rows_are_those_of_simulate_bit_for_bit(configuration, parameters, backend):
    """Numbers, vectors, bins and functions are those of `pipeline.simulate`, row by row."""
    outputs = ["output_rate", "weight", "spike_count", "late_isi_cv"]
    how = {"backend": backend, "n_jobs": 2, "batch_size": 2}
    simulate = pipeline.simulator(configuration, NAMES, outputs, **how)
    found = simulate(parameters)
    seeds = (simulate.first_seed + np.arange(6)) % 2**32
    expected = of_each(configuration, NAMES, parameters, seeds)
    for row, one in zip(found, expected, strict=True):
        vectors = [np.atleast_1d(one[name].values).astype(float) for name in outputs]
        assert np.array_equal(row, np.concatenate(vectors), equal_nan=True)
    assert found.dtype == np.float64
    assert found.shape == (6, len(simulate.labels)) == (6, 303)
    assert simulate.labels[:2] == ("output_rate", "weight[0]")


def test_the_same_calls_give_the_same_and_no_row_repeats_a_seed(configuration):
    """Rows of all calls are counted: equal parameters have other seeds, equal calls equal ones."""
    one, other = (pipeline.simulator(configuration, "stdp.A_plus", "weight") for _ in range(2))
    rows = np.full((3, 1), 0.005)
    first, second = one(rows), one(rows)
    assert len(np.unique(np.vstack([first, second]), axis=0)) == 6
    assert np.array_equal(np.vstack([first, second]), other(np.vstack([rows, rows])))
    assert one.n_rows == 6
    unlike = pipeline.simulator(configuration, "stdp.A_plus", "weight", seed=1)
    assert not np.array_equal(unlike(rows), first)


def test_explicit_seeds_are_used_and_not_counted(configuration):
    """`seeds` is one for each row, or one of all rows; rows that follow are as if it was not."""
    simulate = pipeline.simulator(configuration, "stdp.A_plus", "weight")
    rows = [[0.004], [0.004]]
    same = simulate(rows, seeds=3)
    assert np.array_equal(same[0], same[1])
    assert np.array_equal(simulate(rows, seeds=[3, 4])[0], same[0])
    assert np.array_equal(simulate(rows, seeds=np.array([3.0, 3.0])), same)
    assert not np.array_equal(*simulate(rows, seeds=[3, 4]))
    (one,) = of_each(configuration, ["stdp.A_plus"], [[0.004]], [3])
    assert np.array_equal(one["weight"].values, same[0])
    assert simulate.n_rows == 0


def test_a_seed_beyond_the_last_is_the_first(configuration):
    """The seeds of rows go round at 2**32."""
    simulate = pipeline.simulator(configuration, "stdp.A_plus", "output_rate")
    simulate.first_seed = 2**32 - 1
    assert [point.seed for point in simulate.configurations([[0.004], [0.004]])] == [2**32 - 1, 0]


def test_configurations_are_those_of_the_next_call(configuration, parameters):
    """They give the numbers of the call that follows, and count no rows."""
    simulate = pipeline.simulator(configuration, NAMES, "mean_weight")
    points = simulate.configurations(parameters)
    means = [float(pipeline.simulate(point)["mean_weight"]) for point in points]
    assert np.array_equal(simulate(parameters), means)


def test_a_single_row_is_a_vector(configuration):
    """Parameters of one dimension give outputs of one dimension; no rows give none."""
    simulate = pipeline.simulator(configuration, NAMES, ["output_rate", "weight_histogram"])
    assert simulate([0.005, 1.05, 20]).shape == (21,)
    assert simulate(np.empty((0, 3))).shape == (0, 21)


@pytest.mark.parametrize("output", ["output_rate", lambda variables: variables["mean_weight"]])
def test_one_number_that_is_not_in_a_list_has_no_dimension(configuration, output):
    """A single output gives a vector, as SALib wants it; in a list it is a column."""
    rows = [[0.005], [0.006]]
    simulate, listed = (
        pipeline.simulator(configuration, "stdp.A_plus", one) for one in (output, [output])
    )
    assert simulate(rows, seeds=1).shape == (2,)
    assert simulate([0.005], seeds=1).shape == ()
    assert listed(rows, seeds=1).shape == (2, 1)
    assert np.array_equal(listed(rows, seeds=1)[:, 0], simulate(rows, seeds=1))
    vector = pipeline.simulator(configuration, "stdp.A_plus", "weight_histogram")
    assert vector(rows).shape == (2, 20)


def test_functions_get_the_variables_of_a_point_without_filling(configuration):
    """Where points differ in spikes and synapses, a function sees each as a run of it alone."""
    recording = pipeline.configure(
        "simulation.duration=1000", "input.rate_hz=20", "record.spike_times=true"
    )

    def summary(variables):
        return [
            variables["weight"].size,
            variables["spike_time"].size,
            variables["spike_time"].sum(),
        ]

    names, rows = ("input.n_synapses", "synapse.w_init"), [[100, 0.5], [300, 0.8], [300, 1.0]]
    how = {"batch_size": 3, "n_jobs": 1}  # in one batch they are filled up
    simulate = pipeline.simulator(recording, names, [summary, "spike_count"], **how)
    found = simulate(rows)
    assert len(set(found[:, 1])) == 3 and (found[:, 1] == found[:, 3]).all()
    assert found[:, 0].tolist() == [100, 300, 300]
    points = simulate.configurations(rows, [(simulate.first_seed + i) % 2**32 for i in range(3)])
    sums = [pipeline.simulate(point)["spike_time"].values.sum() for point in points]
    assert found[:, 2].tolist() == sums
    assert simulate.labels == ("summary[0]", "summary[1]", "summary[2]", "spike_count")


def test_a_row_that_fails_is_nan_and_the_others_are_kept(configuration, caplog):
    """A simulation that exceeds its time is a row of NaN; one warning has number and reason."""
    long = configuration.replaced({"simulation.duration": 1000})
    names = ["simulation.duration"]
    simulate = pipeline.simulator(long, names, ["output_rate", "weight_histogram"], timeout=0.05)
    with caplog.at_level(logging.WARNING, "pipeline"):
        found = simulate([[1000], [2e8]])
    assert np.isfinite(found[0]).all() and np.isnan(found[1]).all()
    (record,) = caplog.records
    assert "1 of 2 rows are NaN; the first, row 1: TimeoutError: took longer" in record.message


def test_fail_fast_raises(configuration):
    """With `fail_fast` the first simulation that fails ends the call."""
    names = ["simulation.duration"]
    simulate = pipeline.simulator(configuration, names, "output_rate", timeout=0.05, fail_fast=True)
    with pytest.raises(RuntimeError, match="row 0 failed: TimeoutError"):
        simulate([[2e8]])


def test_if_all_fail_the_length_of_a_function_is_not_known(configuration):
    """Without a finished simulation there is no number of columns."""
    names = ["simulation.duration"]
    simulate = pipeline.simulator(configuration, names, len, timeout=0.05)
    with pytest.raises(RuntimeError, match="how many numbers a function returns is not known"):
        simulate([[2e8]])


def test_rows_out_of_bounds_are_refused_before_anything_runs_or_nan(configuration, caplog):
    """By default the whole call is refused; with `invalid="nan"` the row alone."""
    rows = [[0.005], [7], [np.nan], [0.005]]
    with pytest.raises(pipeline.RequestError, match=r"^stdp.A_plus=7\.0: .* <= 1 \(row 1\)$"):
        pipeline.simulator(configuration, "stdp.A_plus", "weight")(rows)
    simulate = pipeline.simulator(configuration, "stdp.A_plus", "weight", invalid="nan")
    with caplog.at_level(logging.WARNING, "pipeline"):
        found = simulate(rows)
    assert np.isnan(found).all(axis=1).tolist() == [False, True, True, False]
    assert "2 of 4 rows are NaN; the first, row 1: stdp.A_plus=7.0: LTP" in caplog.text
    (last,) = of_each(
        configuration, ["stdp.A_plus"], [[0.005]], [(simulate.first_seed + 3) % 2**32]
    )
    assert np.array_equal(found[3], last["weight"].values)


def test_numbers_of_other_libraries_are_taken():
    """32 bits are the decimals that they stand for; columns of a DataFrame are found by name."""
    pandas = pytest.importorskip("pandas", reason="needs pandas for a DataFrame")
    short = pipeline.configure("simulation.duration=100")
    simulate = pipeline.simulator(short, ["stdp.A_plus", "stdp.ltd_ratio"], "weight")
    single = np.array([[0.003, 1.1]], np.float32)
    (point,) = simulate.configurations(single)
    assert (point.stdp.A_plus, point.stdp.ltd_ratio) == (0.003, 1.1)
    frame = pandas.DataFrame({"stdp.ltd_ratio": [1.1], "stdp.A_plus": [0.003]})
    assert simulate.configurations(frame) == [point]
    with pytest.raises(pipeline.RequestError, match="^parameters: the table has no column stdp.l"):
        simulate.configurations(frame.rename(columns={"stdp.ltd_ratio": "ltd_ratio"}))
    unnamed = r"^parameters: the table has the columns ratio, A; .* stdp\.A_plus, stdp\.ltd_ratio$"
    with pytest.raises(pipeline.RequestError, match=unnamed):
        simulate.configurations(pandas.DataFrame({"ratio": [1.1], "A": [0.003]}))
    assert simulate.configurations(pandas.DataFrame([[0.003, 1.1]])) == [point]


@pytest.mark.parametrize(
    ("names", "outputs", "more", "message"),
    [
        (
            "stdp.A_plu",
            "weight",
            {},
            r"^stdp\.A_plu: unknown key; did you mean",
        ),
        ([], "weight", {}, "^names=.*: must be keys, at least one$"),
        ("seed", "weight", {}, "^names=seed: must be given by the argument seeds"),
        ("stdp.pairing", "weight", {}, r"^names=stdp\.pairing: must be a key with a number"),
        ("record.weight_interval", "weight", {}, "^names=record.weight_interval: must be a key"),
        ("stdp", "weight", {}, r"^stdp: must be chosen with pipeline.configure$"),
        ("run.n_jobs", "weight", {}, r"^run\.n_jobs: must be an argument of"),
        (["stdp.A_plus"] * 2, "weight", {}, r"^names=stdp\.A_plus: given twice"),
        (
            ["stdp.effective_ltd_ratio", "stdp.A_minus"],
            "weight",
            {},
            r"^stdp\.A_minus: must not be given together with stdp\.effective_ltd_ratio, which",
        ),
        ("stdp.A_plus", "output_rat", {}, "^outputs=output_rat: must be a variable of every"),
        ("stdp.A_plus", "wall_time", {}, "^outputs=wall_time: must be a variable of every"),
        ("stdp.A_plus", "weight_history", {}, "^outputs=weight_history: must be a variable"),
        ("input.n_synapses", "weight", {}, "^outputs=weight: must be a variable of every"),
        ("stdp.A_plus", [], {}, r"^outputs=\[\]: must be names of variables"),
        ("stdp.A_plus", 3, {}, "^outputs=3: must be names of variables"),
        ("stdp.A_plus", "weight", {"n_bins": 0}, "^n_bins=0: must be a whole number >= 1$"),
        ("stdp.A_plus", "weight", {"invalid": "skip"}, "^invalid=skip: must be raise or nan$"),
        ("stdp.A_plus", "weight", {"seed": -1}, "^seed=-1: random seed must be"),
        ("stdp.A_plus", "weight", {"backend": "gpu"}, "^run.backend=gpu: backend must be"),
        ("stdp.A_plus", "weight", {"workers": 2}, "^run.workers=2: unknown key"),
        ("stdp.A_plus", "weight", {"shard": "1/2"}, "^shard=1/2: needs a directory"),
        (3, "weight", {}, "^names=3: must be a list of keys$"),
        ([["stdp.A_plus"]], "weight", {}, r"^names=\['?stdp.A_plus'?\]: must be a key, such as"),
        ("stdp.A_plus", [["weight"]], {}, r"^outputs=\['?weight'?\]: must be a variable of every"),
    ],
)
def test_a_wrong_simulator_is_refused_in_one_line(configuration, names, outputs, more, message):
    """The line names what was asked for, and what is allowed."""
    with pytest.raises(pipeline.RequestError, match=message) as caught:
        pipeline.simulator(configuration, names, outputs, **more)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("parameters", "seeds", "message"),
    [
        ([[0.005, 1.0]], None, r"^parameters of shape \(1, 2\): must be numbers of shape \(n, 1\)"),
        ([], None, r"^parameters of shape \(0,\): must be numbers"),
        (0.005, None, r"^parameters of shape \(\): must be numbers"),
        ([["a"]], None, "^parameters of type <U1: must be numbers"),
        ([[True]], None, "^parameters of type bool: must be numbers"),
        ([[0.1], [0.1, 1]], None, "^parameters: must be numbers of shape .* inhomogeneous"),
        ([[np.nan]], None, r"^stdp\.A_plus=nan: .* must be a finite number .* \(row 0\)$"),
        ([[0.1], [None]], None, r"^stdp\.A_plus=null: .* \(row 1\)$"),
        ([[0.1], [0.1]], [1, 2, 3], r"^seeds of shape \(3,\): must be \(\) or \(2,\), one"),
        ([[0.1]], [1, [2]], r"^seeds of unlike lengths: must be \(\) or \(1,\), one a row$"),
        ([[0.1]], 1.5, "^seeds=1.5: random seed must be a whole number"),
        ([[0.1]], [2**32], "^seeds=4294967296: random seed must be"),
    ],
)
def test_a_wrong_array_is_refused_in_one_line(configuration, parameters, seeds, message):
    """The line names row, key and value, or the shape, and what is allowed; nothing is counted."""
    simulate = pipeline.simulator(configuration, ["stdp.A_plus"], "weight")
    with pytest.raises(pipeline.RequestError, match=message) as caught:
        simulate(parameters, seeds)
    assert "\n" not in str(caught.value)
    assert simulate.n_rows == 0


def test_values_that_are_not_allowed_together_are_refused(configuration):
    """Each row is a valid configuration; whole numbers are whole."""
    step = pipeline.simulator(configuration, ["simulation.dt"], "output_rate")
    with pytest.raises(pipeline.RequestError, match=r"time step must be < .* \(row 0\)$"):
        step([[50]])
    number = pipeline.simulator(configuration, ["input.n_synapses"], "output_rate")
    with pytest.raises(pipeline.RequestError, match=r"n_synapses=10\.5: .* \(row 0\)$"):
        number([[10.5]])


@pytest.mark.parametrize("returned", ["text", [[1]], []])
def test_a_function_must_return_numbers(configuration, returned):
    """Text, a matrix or nothing is refused with the name of the function."""

    def wrong(variables):
        return returned

    simulate = pipeline.simulator(configuration, "stdp.A_plus", wrong)
    with pytest.raises(pipeline.RequestError, match="^outputs=wrong: must return a number, or a"):
        simulate([[0.005]])


def test_a_function_must_return_as_many_numbers_each_time(configuration):
    """Rows of different lengths are no matrix."""
    outputs, alone = (lambda one: one["weight"]), {"backend": "sequential"}  # rows in their order
    simulate = pipeline.simulator(configuration, "input.n_synapses", outputs, **alone)
    with pytest.raises(pipeline.RequestError, match="as many numbers at each point; 200 after 100"):
        simulate([[100], [200]])


def test_a_simulator_stays_in_its_process(configuration):
    """It counts seeds: a copy in another process would repeat them, and is refused."""
    simulate = pipeline.simulator(configuration, "stdp.A_plus", "weight")
    with pytest.raises(pipeline.RequestError, match="^simulator: must stay in its process"):
        pickle.dumps(simulate)


def test_rows_may_need_unlike_kernels(configuration):
    """Where a column switches a feature of the model on, each row runs with its own."""
    simulate = pipeline.simulator(configuration, ["neuron.theta_plus"], "spike_count")
    found = simulate([[0], [1]], seeds=0)
    expected = [
        int(
            pipeline.simulate(configuration.replaced({"neuron.theta_plus": value, "seed": 0}))[
                "spike_count"
            ]
        )
        for value in (0, 1)
    ]
    assert found.tolist() == expected and found[0] > found[1]
