"""Axes and configuration in the report."""

from tests.support.report import report_of


def test_axes_and_configuration_are_those_of_the_file(page):
    """Axes with key, unit and values; parameters by section, swept ones marked as such."""
    assert page.row("axes", "rate_hz") == ["input.rate_hz", "Input rate", "Hz", "2", "0, 60"]
    assert page.row("axes", "seed") == ["seed", "Random seed", "", "3", "1, 2, 3"]
    assert page.row("configuration", "n_synapses") == ["40", ""]
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
    assert page.row("configuration", "A_plus") == [values, "set by stdp"]
