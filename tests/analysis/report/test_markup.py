"""Escaping of text in the report."""

import html
import json
import re

import netCDF4
import pytest

from analysis.report.markup import element, table
from tests.support.report import change_runs, report_of

HOSTILE = (
    '"><script>alert(1)</script><img src="http://evil.example/a.png" onerror=alert(2)> & \u202e'
)


def test_text_of_a_file_is_never_markup(keep, one_figure):
    """Values, reasons and commands that contain HTML are displayed as text."""
    folder = keep("hostile", {"seed": [1, 2]})
    change_runs(folder, {"command": HOSTILE, "git_commit": HOSTILE, "host": HOSTILE})
    with netCDF4.Dataset(folder / "results.nc", "a") as file:
        configuration = json.loads(file.configuration)
        key = HOSTILE.replace(".", "")  # a dot would begin another section
        configuration[key] = {key: HOSTILE}
        file.configuration = json.dumps(configuration)
        file.title = HOSTILE
        file["status"][1] = 1
        file["seed"].setncatts({"long_name": HOSTILE, "units": HOSTILE, "config_key": "seed"})
    (folder / "failures.csv").write_text(f'seed,reason\n2,"{HOSTILE.replace(chr(34), chr(39))}"\n')
    _, page = report_of(folder)
    assert not page.all("script")
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert {image["src"][:5] for image in page.all("img")} == {"data:"}
    key, shown = (text.replace("\u202e", r"\u202e") for text in (key, HOSTILE))
    assert page.row("configuration", key) == [shown, ""]
    for section in ("warnings", "axes", "provenance", "reproduce", ""):
        assert "<script>alert(1)</script>" in page.texts[section], section


@pytest.mark.parametrize("text", ["a \"b\" <c> & 'd'", "\x00\x1b[2J", "\ud800", "two\nlines"])
def test_escaped_text_is_displayed_unchanged(text):
    """In content and attributes; characters that cannot be printed are displayed as escapes."""
    made = element("p", text, title=text)
    made.encode()
    shown = text if text.replace("\n", "").isprintable() else ascii(text)[1:-1]
    assert html.unescape(made) == f'<p title="{shown}">{shown}</p>'


def test_first_columns_stay_where_the_ones_before_them_end():
    """Each is as wide as its longest word or cell; those that would not fit scroll."""
    rows = [["12.5", "a name", "x" * 80], ["7", "b", "y"]]
    page = table(rows, ["Rate (Hz)", "Set", "Text"], numbers=[0], fixed=3)
    styles = re.findall(r'style="left: (.*?)rem; min-width: (.*?)rem; max-width: (.*?)rem"', page)
    assert len(styles) == 2 * 3  # two columns in heading and rows, the third is too wide
    (first, width, most), (second, *_) = styles[:2]
    assert float(first) == 0
    assert width == most
    assert float(second) == float(width) > 4 * 0.5  # four characters of a small font
    assert "fixed" not in table(rows, ["Rate (Hz)", "Set", "Text"])
