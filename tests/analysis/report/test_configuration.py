"""Axes and configuration in the report."""

import netCDF4

from tests.support.report import report_of


def test_axes_and_configuration_are_those_of_the_file(page):
    """Axes with key, unit and values; parameters by section, swept ones marked as such."""
    assert page.row("axes", "rate_hz") == ["input.rate_hz", "Input rate", "Hz", "2", "0, 60"]
    assert page.row("axes", "seed") == ["seed", "Random seed", "", "3", "1, 2, 3"]
    assert page.row("configuration", "n_synapses") == ["40", "Number of synapses"]
    assert page.row("configuration", "V_th") == ["-55 mV", "Spike threshold"]
    assert page.row("configuration", "duration") == ["1000 ms", "Simulated time"]
    assert page.row("configuration", "effective_ltd_ratio") == [
        "null: 1.1",
        "Effective LTD ratio",
    ]
    assert page.row("configuration", "A_minus") == ["null: 0.0088", "LTD amplitude"]
    assert page.row("configuration", "tau_minus") == ["null: 20 ms", "LTD time constant"]
    assert page.row("configuration", "rate_hz") == ["0, 60 Hz", "Input rate swept"]
    marked = [row[0] for row in page.rows["configuration"] if row[2].endswith("swept")]
    assert marked == ["rate_hz", "seed"]


def test_a_key_that_a_swept_group_sets_has_a_value_for_each_choice(keep, one_figure):
    """The group is a row, and a key that it sets lists the values by choice."""
    folder = keep("rules", {"stdp": ["notebook", "song_abbott_2001"]})
    _, page = report_of(folder)
    assert page.row("configuration", "stdp") == ["notebook, song_abbott_2001", "STDP rule swept"]
    values = "notebook: 0.008, song_abbott_2001: 0.005"
    assert page.row("configuration", "A_plus") == [values, "LTP amplitude set by stdp"]
    values = "notebook: 20 ms, song_abbott_2001: 20 ms"
    assert page.row("configuration", "tau_plus") == [values, "LTP time constant set by stdp"]
    values = "notebook: null, song_abbott_2001: null"
    assert page.row("configuration", "tau_minus") == [values, "LTD time constant set by stdp"]


def test_of_a_file_without_descriptions_the_units_of_its_axes_are_given(keep, one_figure):
    """Earlier versions of the pipeline wrote the units of axes and derived parameters only."""
    folder = keep("earlier", {"input.rate_hz": [30, 60]})
    with netCDF4.Dataset(folder / "results.nc", "a") as file:
        file.delncattr("parameters")
    _, page = report_of(folder)
    assert page.row("configuration", "rate_hz") == ["30, 60 Hz", "Input rate swept"]
    assert page.row("configuration", "tau_minus") == ["null: 20 ms", "LTD time constant"]
    assert page.row("configuration", "V_th") == ["-55", ""]


def test_shared_seeds_are_stated_where_several_combinations_share_them(keep, one_figure):
    """By default seeds are shared; with a policy of their own they are not; one point has none."""
    shared = "All parameter combinations share their seeds (input.seed_policy=shared): points with"
    own = "Each point has random numbers of its own (input.seed_policy=independent)."
    axes = {"input.rate_hz": [30, 60], "seed": [1, 2]}
    _, page = report_of(keep("shared", axes))
    assert shared in page.texts["axes"]
    assert own not in page.texts["axes"]
    _, page = report_of(keep("independent", axes, "input.seed_policy=independent"))
    assert own in page.texts["axes"]
    assert "share their seeds" not in page.texts["axes"]
    _, page = report_of(keep("one", {"seed": [1, 2]}))
    assert "share their seeds" not in page.texts["axes"]
    assert own not in page.texts["axes"]
    both = {"input.seed_policy": ["shared", "independent"], "input.rate_hz": [30, 60]}
    _, page = report_of(keep("both", both))
    assert (
        "All parameter combinations with input.seed_policy=shared share their seeds: points"
        in page.texts["axes"]
    )
