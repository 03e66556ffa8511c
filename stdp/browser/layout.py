"""HTML of a page: its template, and texts and tables within it."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bokeh.document import Document
from bokeh.models import Div
from jinja2 import Environment, FileSystemLoader

from stdp.browser.combination import Combination

_BASE = Path(__file__).parent

#: Rules of the tables within a page, which those of the page itself do not reach.
_TABLE = """
table { border-collapse: collapse; width: 100%; font-size: 13px; }
td, th { padding: 2px 8px 2px 0; vertical-align: top; text-align: left; font-weight: normal; }
th { color: #666; font-size: 12px; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.problem { color: #a40000; }
.soft { color: #666; font-size: 12px; }
code { font-size: 12px; overflow-wrap: anywhere; white-space: pre-wrap; }
"""


def use_template(doc: Document, file: Path, title: str, **variables: Any) -> None:
    """Lay out a document by a template, which embeds its roots by their names.

    Parameters
    ----------
    doc : Document
        The document of a session.
    file : Path
        The template; it may extend `page.html` of this folder.
    title : str
        Title of the page.
    **variables
        Further variables of the template.
    """
    loader = FileSystemLoader([file.parent, _BASE])
    templates = Environment(loader=loader, autoescape=False)
    doc.template = templates.get_template(file.name)
    doc.title = title
    doc.template_variables.update(variables)


def text(name: str, content: str = "", **options: Any) -> Div:
    """Return a text of a page, in HTML."""
    settings: dict[str, Any] = {"sizing_mode": "stretch_width", "stylesheets": [_TABLE]}
    return Div(text=content, name=name, **(settings | options))


def table_of_numbers(shown: Combination) -> str:
    """Return the measures of a combination as a table in HTML."""
    has_intervals = any(one.interval for one in shown.numbers)
    heading = "<th></th><th class=number>mean</th><th class=number>95 % interval</th>"
    rows = [f"<tr>{heading}</tr>"] if has_intervals else []
    for one in shown.numbers:
        interval = f"<td class=number>{html.escape(one.interval)}</td>" if has_intervals else ""
        cells = f"<td>{html.escape(one.label)}</td><td class=number>{html.escape(one.mean)}</td>"
        rows.append(f"<tr>{cells}{interval}</tr>")
    seeds = f"<div class=soft>Seeds done: {html.escape(shown.seeds)}</div>" if shown.seeds else ""
    return f"<table>{''.join(rows)}</table>{seeds}"


def paragraphs(lines: Sequence[str], kind: str = "") -> str:
    """Return lines of text as paragraphs in HTML; those of the kind `problem` are red."""
    return "".join(f'<div class="{kind}">{html.escape(line)}</div>' for line in lines if line)
