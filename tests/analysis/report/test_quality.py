"""Data-quality warnings in the report."""

import netCDF4
import numpy as np

from tests.support.report import change_runs, report_of


def test_failed_silent_and_unsettled_points_are_listed(page):
    """Each by its values, failed ones with the reason; weights are judged over all seeds."""
    text = " ".join(page.texts["warnings"].split())
    reason = "ArithmeticError: no <b>luck</b>"
    assert (
        f"Failed: 2 of 6 points. rate_hz = 0 Hz, seed = 3: {reason} "
        f"rate_hz = 60 Hz, seed = 3: {reason} "
        "Silent, the neuron never fired and no weight increased: 1 of 2 parameter combinations. "
        "rate_hz = 0 Hz "
        "Not settled, longer runs or more seeds are needed: 1 of 2 parameter combinations. "
        "rate_hz = 60 Hz "
        "Settled are those of which, over 16 times the run, the output rate will change by less "
        "than 20 % (or 0.2 Hz), "
    ) in text


def test_missing_points_are_listed_and_a_missing_history_is_reported(keep, one_figure):
    """Ten missing points by their values, and how many more; the history once."""
    folder = keep("grown", {"input.rate_hz": [30], "seed": range(6)})
    keep("grown", {"input.rate_hz": [20, 50, 60], "seed": [0]})
    _, page = report_of(folder)
    text = " ".join(page.texts["warnings"].split())
    assert "Missing, not run yet or not requested: 15 of 24 points. rate_hz = " in text
    assert "and 5 more" in text
    assert text.count("rate_hz = ") == 10
    assert (
        text.count("Weight history not recorded (record=history): equilibrium cannot be assessed.")
        == 1
    )


def test_a_settled_run_of_committed_code_has_no_warnings(keep, one_figure):
    """The box says so, and which problems were looked for."""
    folder = keep(
        "calm", {}, "simulation.duration=1000", "simulation.dt=0.1", "record.weight_interval=50"
    )
    change_runs(folder, {"git_dirty": "false"})
    with netCDF4.Dataset(folder / "results.nc", "a") as file:
        weights = np.tile(np.linspace(0, 1, 40), (20, 1))
        file["weight_history"][:] = np.random.default_rng(1).permuted(weights, axis=1)
        file["rate_history"][:] = 2000.0  # so that there is enough plasticity in a second
    _, page = report_of(folder)
    assert "None: all points are done, fire and have settled" in page.texts["warnings"]
    (box,) = [attributes for attributes in page.all("section") if attributes["id"] == "warnings"]
    assert box["class"] == "box"


def test_a_report_of_failed_points_alone_gives_their_reasons(keep, fail_for_seed):
    """Without a finished point there are reasons and no figures; without the table, no reasons."""
    fail_for_seed(7, ArithmeticError("no convergence"))
    folder = keep("failed", {"seed": [7]})
    _, page = report_of(folder)
    assert "No point is done" in page.texts["warnings"]
    assert "seed = 7: ArithmeticError: no convergence" in page.texts["warnings"]
    assert not page.all("img")
    (folder / "failures.csv").write_text("what,is\nthis,table\n")
    _, page = report_of(folder)
    assert "seed = 7: no reason in failures.csv" in page.texts["warnings"]


def test_uncommitted_changes_and_several_commits_are_reported(keep, one_figure):
    """By run, unless it made none of the points shown; with commit and points of each run."""
    folder = keep("twice", {"seed": [1, 2]})
    clean = {"git_commit": "a" * 40, "git_dirty": "false", "command": "first command"}
    changed = {"git_commit": "b" * 40, "git_dirty": "true", "packages": {"numpy": "9.9"}}
    change_runs(folder, clean, changed)
    with netCDF4.Dataset(folder / "results.nc", "a") as file:
        file["made_by"][:] = [0, 1]
    _, page = report_of(folder)
    text = " ".join(page.texts["warnings"].split())
    assert (
        f"which are kept in provenance.json. run 2, on top of {'b' * 10} Made by 2 commits" in text
    )
    first, second = page.row("provenance", "1"), page.row("provenance", "2")
    assert [first[i] for i in (1, 4, 5, 6)] == ["1", "a" * 10, "clean", "first command"]
    assert [second[i] for i in (1, 4, 5)] == ["1", "b" * 10, "changed"]
    assert f"numpy {np.__version__}; 9.9" in page.row("provenance", "packages")[0]
    _, page = report_of(folder, "--where", "seed=1")
    assert "Made by" not in page.texts["warnings"]  # run 2 did not make this point


def test_a_coarse_step_for_what_is_itself_an_axis(keep, one_figure):
    """Along the rise of a threshold, and a number of inhibitory synapses that is 0 at some."""
    rise = ("neuron.theta_plus=1", "neuron.tau_theta=5", "simulation.duration=100")
    _, page = report_of(keep("rise", {"neuron.theta_plus": [1, 2]}, *rise))
    assert "time constant of the membrane and the synapses and the threshold" in " ".join(
        page.texts["warnings"].split()
    )
    none = ("simulation.dt=0.2", "simulation.duration=100", "inhibition.tau_in=5")
    _, page = report_of(keep("number", {"inhibition.n_synapses": [0, 10]}, *none))
    assert "time constant of" not in page.texts["warnings"]
