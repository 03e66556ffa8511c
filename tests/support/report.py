"""Write a report and read what is in it."""

import contextlib
import io
import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import netCDF4

from analysis.__main__ import main


@dataclass
class Page(HTMLParser):
    """A parsed page: its elements, its text and table rows by section."""

    text: str
    title: str = ""
    tags: list = field(default_factory=list)
    texts: dict = field(default_factory=dict)
    rows: dict = field(default_factory=dict)

    def __post_init__(self):
        super().__init__()
        self._open, self._section = [], ""
        self.feed(self.text)
        assert not self._open, self._open

    def handle_starttag(self, tag, attrs):  # noqa: D102
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self._open.append(tag)
        if tag == "section":
            self._section = dict(attrs)["id"]
        if tag == "tr":
            self.rows.setdefault(self._section, []).append([])
        if tag in ("td", "th"):
            self.rows[self._section][-1].append("")

    def handle_endtag(self, tag):  # noqa: D102
        assert self._open.pop() == tag

    def handle_data(self, data):  # noqa: D102
        if self._open[-1:] == ["title"]:
            self.title += data
        self.texts[self._section] = f"{self.texts.get(self._section, '')} {data}"
        if {"td", "th"} & set(self._open):
            self.rows[self._section][-1][-1] += data

    def all(self, name):
        """Return the attributes of all elements of one tag."""
        return [attributes for tag, attributes in self.tags if tag == name]

    def row(self, section, first):
        """Return the cells of the one row of a section with this first cell, without it."""
        (row,) = [row for row in self.rows[section] if row[0] == first]
        return row[1:]


def report_of(*arguments):
    """Write a report with the command line; return its path as printed, and the parsed page."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main([*map(str, arguments), "--report"]) == 0
    path = Path(out.getvalue().strip())
    return path, Page(path.read_text(encoding="utf-8"))


def change_runs(folder, *changes):
    """Replace the runs recorded in a file by one per change; `made_by` of points is unchanged."""
    with netCDF4.Dataset(folder / "results.nc", "a") as file:
        (run,) = json.loads(file.runs)
        file.runs = json.dumps([run | change for change in changes])
