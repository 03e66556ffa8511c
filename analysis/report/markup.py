"""HTML: elements whose words are escaped, tables, and a page that needs no other file."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from analysis.reading.values import printable

#: Elements that have no end tag.
_VOID = ("img", "meta")

#: A page is read, never run: whatever slipped in could neither run nor load anything.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --warn: #d55e00; --good: #009e73; }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 0 auto; padding: 1rem; }
h1, h2, h3, p, li, figcaption { overflow-wrap: anywhere; }
h1 { margin: 0.5rem 0 0; line-height: 1.2; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
h3 { margin-bottom: 0.3rem; }
nav ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; }
section.box { border-left: 0.4rem solid var(--good); padding: 0.1rem 1rem;
  background: var(--soft); }
section.warn { border-color: var(--warn); }
section.box h2 { margin-top: 0.6rem; border: 0; }
section.box ul { columns: 24rem; margin-top: -0.5rem; }
pre { margin: 0.5rem 0; padding: 0.5rem 0.8rem; background: var(--soft); white-space: pre-wrap;
  overflow-wrap: anywhere; }
code { font: 0.9em/1.4 ui-monospace, monospace; }
.scroll { overflow-x: auto; margin: 0.5rem 0; }
table { border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.6rem 0.25rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); min-width: 4.5rem; }
thead th { vertical-align: bottom; }
tbody th { white-space: nowrap; }
td { min-width: 5rem; }
td:last-child > code { display: inline-block; min-width: 15rem; }
th.number, td.number { text-align: right; white-space: nowrap; min-width: 0; }
th.number { white-space: normal; min-width: 5rem; }
mark { padding: 0 0.3rem; border-radius: 0.2rem; font-size: 0.85em; color: inherit;
  background: #56b4e955; white-space: nowrap; }
.columns { columns: 22rem; column-gap: 2rem; }
.columns > div { break-inside: avoid; padding-bottom: 1rem; }
.columns h3 { margin-top: 0; }
.columns table { width: 100%; }
.figures { display: flex; flex-wrap: wrap; gap: 1rem 2rem; }
figure { flex: 1 1 26rem; min-width: 0; margin: 0; break-inside: avoid; }
figure.wide, p.wide { flex-basis: 100%; }
figure h3 { margin-top: 1rem; }
figure pre { font-size: 0.85rem; }
figure img { display: block; max-width: 100%; height: auto; padding: 0.5rem; background: white; }
.quiet { opacity: 0.75; }
@media print {
  body { max-width: none; font-size: 10pt; padding: 0; }
  .scroll { overflow: visible; }
  nav { display: none; }
}
"""


class Markup(str):
    """HTML: all in it that is not meant as markup has been escaped."""

    __slots__ = ()


def element(tag: str, *content: Any, **attributes: Any) -> Markup:
    """Return an element; content that is no `Markup` is words, and escaped.

    Parameters
    ----------
    tag : str
        Such as `p`.
    *content : Markup or any
        What is in it, one after the other.
    **attributes
        Such as `href`; `class_` is `class`.
    """
    named = "".join(
        f' {name.removesuffix("_").replace("_", "-")}="{escaped(value)}"'
        for name, value in attributes.items()
        if value != ""
    )
    end = "" if tag in _VOID else f"{joined(*content)}</{tag}>"
    return Markup(f"<{tag}{named}>{end}")


def joined(*content: Any) -> Markup:
    """Return elements and words one after the other."""
    return Markup("".join(escaped(part) for part in content))


def escaped(content: Any) -> Markup:
    """Return words as HTML, and `Markup` as it is.

    What cannot be seen, or turns the words around it, is written as its number: a command that is
    copied from the page is the one that was read there.
    """
    if isinstance(content, Markup):
        return content
    return Markup(html.escape(printable(str(content), allowed="\n\xa0")))


def section(name: str, title: str, *content: Any, class_: str = "") -> Markup:
    """Return a part of the page under a heading that can be linked to."""
    return element("section", element("h2", title), *content, id=name, class_=class_)


def bullets(items: Sequence[Any]) -> Markup:
    """Return a list."""
    return element("ul", *(element("li", item) for item in items))


def link(name: str, words: str) -> Markup:
    """Return a link to the element of some id on this page."""
    return element("a", words, href=f"#{name}")


def commands(*lines: str) -> Markup:
    """Return command lines, one below the other, to be copied."""
    return element("pre", element("code", "\n".join(lines)))


def table(
    rows: Sequence[Sequence[Any]], heading: Sequence[Any] = (), numbers: Sequence[int] = ()
) -> Markup:
    """Return a table that scrolls by itself where it is wider than the page.

    Parameters
    ----------
    rows : sequence of sequence
        Cells; the first of each row is its heading.
    heading : sequence
        Of the columns.
    numbers : sequence of int
        The columns of numbers, which are flush right.
    """

    def row(cells: Sequence[Any], first: str, others: str) -> Markup:
        return element(
            "tr",
            *(
                element(
                    others if i else first,
                    cell,
                    scope=""
                    if (others if i else first) == "td"
                    else "col"
                    if others == "th"
                    else "row",
                    class_="number" if i in numbers else "",
                )
                for i, cell in enumerate(cells)
            ),
        )

    head = element("thead", row(heading, "th", "th")) if heading else Markup()
    body = element("tbody", *(row(cells, "th", "td") for cells in rows))
    return element("div", element("table", head, body), class_="scroll", tabindex=0)


def page(title: str, *content: Any) -> str:
    """Return a whole page, its style in it."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Markup(_STYLE)),
    )
    body = element("body", element("main", *content))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"
