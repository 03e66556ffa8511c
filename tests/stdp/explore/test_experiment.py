"""An experiment behind a page: choices, lazily read points, numbers as in the report."""

import numpy as np
import pytest

import pipeline
from analysis.measures.equilibrium import expected_histogram
from analysis.measures.measured import MeasuredDataset
from analysis.measures.stationarity import SETTLED
from analysis.measures.weights import weight_histogram
from analysis.reading.errors import LoadError
from analysis.report.summary import by_combination
from stdp.browser.combination import combination, courses
from stdp.explore.experiment import Experiment
from stdp.explore.shared import SharedExperiment
from tests.conftest import SMALL

#: Numbers of the values 50 Hz and 10 ms, in rising order.
AT = {"rate_hz": 2, "tau_plus": 0}


def test_axes_have_the_values_units_and_names_of_the_file(experiment):
    """Numbers in rising order, as 0, 40, 50, 60 Hz of 60, 0, 40, 50; seeds apart."""
    rate, tau = experiment.axes
    assert (rate.title, rate.label) == ("Input rate", "Input rate (Hz)")
    assert rate.texts == ("0 Hz", "40 Hz", "50 Hz", "60 Hz")
    assert tau.texts == ("10 ms", "15 ms", "20 ms")
    assert experiment.seeds.texts == ("4", "5", "6")
    part = experiment.at(AT).dataset
    assert (part["rate_hz"].item(), part["tau_plus"].item()) == (50, 10)
    assert experiment.at(AT, 1).dataset["seed"].item() == 5


def test_samples_are_told_by_what_they_set(tmp_path):
    """Their numbers are not in the order of anything; names and units are those of the file."""
    samples = {"stdp": ["notebook", "multiplicative"], "input.rate_hz": [60, 50]}
    configuration = pipeline.configure(*SMALL)
    axes = {"stdp.tau_plus": [10, 15]}
    pipeline.sweep(configuration, axes, tmp_path / "x", samples=samples, backend="sequential")
    experiment = Experiment(tmp_path / "x")
    by_name = {axis.name: axis for axis in experiment.axes}
    assert [by_name["sample"].content(number) for number in (0, 1)] == [
        "STDP rule notebook, Input rate 60 Hz",
        "STDP rule multiplicative, Input rate 50 Hz",
    ]
    assert by_name["sample"].texts == ("0", "1")
    assert (by_name["tau_plus"].texts, by_name["tau_plus"].content(0)) == (("10 ms", "15 ms"), "")
    assert [by_name[name].is_ordered for name in ("sample", "tau_plus")] == [False, True]
    experiment.close()


def test_the_first_combination_fires(keep):
    """It is the one nearest to the middle that does, or where none does, in the middle."""
    for name, rates, first in (("one", [0, 0.1, 0.2, 60, 50], 3), ("none", [0, 0.1, 0.2], 1)):
        experiment = Experiment(keep(name, {"input.rate_hz": rates}))
        assert experiment.first == {"rate_hz": first}
        experiment.close()


def test_numbers_are_those_of_the_report(experiment, dataset):
    """Rate with interval and the other measures of every combination, seeds and answer."""
    heading, rows = by_combination(MeasuredDataset.of(dataset))
    orders = [axis.order for axis in experiment.axes]
    ranks = [{position: rank for rank, position in enumerate(order)} for order in orders]
    shape = [len(order) for order in orders]
    for row, index in zip(rows, np.ndindex(*shape), strict=True):
        chosen = {
            axis.name: rank[i] for axis, rank, i in zip(experiment.axes, ranks, index, strict=True)
        }
        shown = combination(experiment.at(chosen))
        of_report = dict(zip(heading, row, strict=True))
        rate = next(one for one in shown.numbers if "firing rate" in one.label)
        assert rate.interval == of_report["95 % interval of the mean"]
        assert rate.interval != "–"
        found = {one.label: one.mean for one in shown.numbers}
        assert found == {label: of_report[label] for label in found}
        assert (shown.seeds, shown.answer) == (of_report["Seeds done"], of_report["Settled"])


def test_runs_until_they_have_settled_have_their_duration(keep):
    """And standard errors, without intervals over seeds; whether they have settled is said."""
    overrides = ("simulation.until=settled", "simulation.duration=16000", "settle.minimum=16000")
    experiment = Experiment(
        keep("until", {"input.rate_hz": [0, 60], "seed": [1, 2, 3]}, *overrides)
    )
    shown = combination(experiment.at({"rate_hz": 1}))
    by_label = {one.label: one for one in shown.numbers}
    assert by_label["Simulated time of the run (s)"].mean == "16"
    assert by_label["Simulated time of the run (s)"].interval == ""
    errors = [one for label, one in by_label.items() if label.startswith("Standard error")]
    assert errors
    assert not any(one.interval for one in errors)
    assert by_label["Output firing rate, last half of the run (Hz)"].interval
    assert shown.answer != combination(experiment.at({"rate_hz": 0})).answer
    experiment.close()


def test_one_seed_is_that_run(experiment, dataset):
    """Its histogram is not pooled, and there is no interval."""
    alone = dataset.sel(rate_hz=50, tau_plus=10, seed=4)
    shown = combination(experiment.at(AT, 0))
    np.testing.assert_array_equal(shown.histogram.share, weight_histogram(alone))
    pooled = weight_histogram(dataset.sel(rate_hz=50, tau_plus=10))
    np.testing.assert_array_equal(combination(experiment.at(AT)).histogram.share, pooled)
    assert not any(one.interval for one in shown.numbers)


def test_no_theory_is_drawn_of_what_has_not_settled():
    """The histogram is pale; of settled weights it has the theory of the figures."""
    run = pipeline.simulate(pipeline.configure("record=history"))
    shown = combination(MeasuredDataset.of(run))
    assert shown.answer.startswith("not settled")
    assert not shown.histogram.is_settled
    assert np.isnan(shown.histogram.expected).all()
    measured = MeasuredDataset.of(run)
    answer = measured.settling["settled"].copy(data=np.array(SETTLED))
    vars(measured).update(settling=measured.settling.assign(settled=answer))
    shown = combination(measured)
    expected = expected_histogram(run, answer)["share"]
    assert np.isfinite(expected).all()
    np.testing.assert_array_equal(shown.histogram.expected, expected)
    assert shown.histogram.is_settled
    assert shown.histogram.note.startswith("Dashed: theory")


def test_courses_are_means_over_seeds(experiment, dataset):
    """In s, the weights from the initial one on."""
    found = courses(experiment.at(AT))
    here = dataset.sel(rate_hz=50, tau_plus=10)
    np.testing.assert_allclose(found["rate"], here["rate_history"].mean("seed"))
    assert found["mean"]["sample_time"].values[[0, -1]].tolist() == [0, 1]
    assert found["mean"].values[0] == pytest.approx(7 / 12)


def test_only_the_chosen_points_are_read(experiment):
    """Weights and histories of all others stay in the file."""
    combination(experiment.at(AT))
    courses(experiment.at(AT))
    for name in ("weight", "weight_history", "rate_history"):
        assert not experiment.measured.dataset[name].variable._in_memory


def test_a_silent_combination_is_said_to_be(experiment):
    """In the answer and in the warnings of the report."""
    part = experiment.at(AT | {"rate_hz": 0})
    assert combination(part).answer == "silent"
    assert any(one.text.startswith("Silent") for one in experiment.warnings(part))


def test_failed_and_missing_points_are_said(keep, fail_for_seed, tmp_path):
    """Counts of the file; of the combination that it is not done, and the reason."""
    fail_for_seed(3, ArithmeticError("no luck"))
    keep("part", {"input.rate_hz": [40], "seed": [1, 3]})
    keep("part", {"input.rate_hz": [60], "seed": [1]})
    experiment = Experiment(tmp_path / "part")
    assert experiment.points == "4 points: 2 done, 1 failed, 1 missing"
    part = experiment.at({"rate_hz": 0}, 1)
    assert combination(part).answer == "not done"
    assert combination(part).numbers == ()
    warned = [one.text + " ".join(one.about) for one in experiment.warnings(part)]
    assert any("no luck" in text for text in warned)
    assert combination(experiment.at({"rate_hz": 1})).seeds == "1 of 2"
    experiment.close()


def test_a_single_run_without_history_has_numbers_and_a_histogram(keep):
    """No axes, no seeds, no courses; whether it has settled is not known."""
    experiment = Experiment(keep("one", {}))
    assert (experiment.axes, experiment.seeds, experiment.first) == ((), None, {})
    part = experiment.at({})
    assert combination(part).answer == "not recorded"
    assert np.nansum(combination(part).histogram.share) == pytest.approx(1)
    assert courses(part) == {}
    experiment.close()


def test_a_replaced_file_is_noticed(keep):
    """As after a further sweep; the opened one stays readable."""
    path = keep("grown", {"input.rate_hz": [40]})
    experiment = Experiment(path)
    assert not experiment.is_replaced()
    keep("grown", {"input.rate_hz": [60]})
    assert experiment.is_replaced()
    assert combination(experiment.at({"rate_hz": 0})).numbers
    (path / "results.nc").unlink()
    assert not experiment.is_replaced()  # there is nothing to reload
    experiment.close()


def test_what_is_no_experiment_is_refused(tmp_path):
    """In one line, which names the path."""
    with pytest.raises(LoadError, match="none: must be an experiment directory"):
        Experiment(tmp_path / "none")


def test_sessions_share_one_opening_until_the_file_is_replaced(keep):
    """A file that is open must not be opened again; one that was replaced has new sessions."""
    path = keep("shared", {"input.rate_hz": [40]})
    shared = SharedExperiment(path)
    first, second = shared.enter(), shared.enter()
    assert first is second
    keep("shared", {"input.rate_hz": [60]})
    third = shared.enter()
    assert [axis.texts for axis in (first.axes[0], third.axes[0])] == [
        ("40 Hz",),
        ("40 Hz", "60 Hz"),
    ]
    shared.leave(first)
    assert combination(second.at({"rate_hz": 0})).numbers  # a session of it lasts
    shared.leave(second)
    with pytest.raises(LoadError, match="results.nc: was overwritten"):
        second.at({"rate_hz": 0})
    assert combination(shared.enter().at({"rate_hz": 1})).numbers


def test_a_file_that_is_overwritten_in_place_is_opened_anew(keep):
    """As by `cp`: the old opening is closed before."""
    one, other = (keep(name, {"input.rate_hz": rates}) for name, rates in
                  (("one", [40]), ("other", [40, 60])))  # fmt: skip
    shared = SharedExperiment(one)
    shared.enter()
    (one / "results.nc").write_bytes((other / "results.nc").read_bytes())
    assert len(shared.enter().axes[0].texts) == 2


def test_the_page_has_the_text_of_the_chosen_sample_alone(tmp_path):
    """There may be a million: the text of another one goes to the page when it is chosen."""
    pytest.importorskip("bokeh", reason="the extra lab is not installed")
    from bokeh.document import Document

    from stdp.explore.page import ExplorePage

    samples = {"input.rate_hz": [40.125, 50.25, 60.5], "stdp.ltd_ratio": [1, 1.1, 1.2]}
    pipeline.sweep(pipeline.configure(*SMALL), {}, tmp_path, samples=samples, backend="sequential")
    experiment, doc = Experiment(tmp_path), Document()
    page = ExplorePage(experiment, doc)
    (content,) = doc.select({"name": "sets_sample"})
    assert "Input rate 50.25 Hz" in content.text
    sent = doc.to_json_string() if hasattr(doc, "to_json_string") else str(doc.to_json())
    assert "40.125" not in sent
    assert "60.5 Hz" not in sent
    page._choose({"sample": 2})
    assert "Input rate 60.5 Hz, Ratio of LTD to LTP amplitude 1.2" in content.text
    page._worker.stop()
    experiment.close()
