"""HTML: elements with escaped text, tables, and a self-contained page."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from analysis.reading.values import printable

#: Elements that have no end tag.
_VOID = ("img", "meta")

#: The browser neither runs scripts nor loads other files, even if markup were injected.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

#: Widths of columns that stay [rem]: of a bold character, of the padding, and of all together.
_FIXED_CHARACTER, _FIXED_PADDING, _MAX_FIXED = 0.6, 0.9, 28

#: Longer headings [characters] have a wider column, so that they take fewer lines.
_LONG_HEADING = 40

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --warn: #d55e00; --good: #009e73; }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 0 auto; padding: 1rem; }
h1, h2, h3, h4, p, li, figcaption { overflow-wrap: anywhere; }
h1 { margin: 0.5rem 0 0; line-height: 1.2; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
h3 { margin-bottom: 0.3rem; }
nav ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; }
nav.kinds > ul { display: block; columns: 24rem; column-gap: 2rem; }
nav.kinds > ul > li { break-inside: avoid; padding-bottom: 0.4rem; font-size: 0.9rem; }
nav.kinds ul ul { display: block; padding-left: 1rem; }
section.box { border-left: 0.4rem solid var(--good); padding: 0.1rem 1rem;
  background: var(--soft); }
section.warn { border-color: var(--warn); }
section.box h2 { margin-top: 0.6rem; border: 0; }
section.box ul { columns: 24rem; margin-top: -0.5rem; }
pre { margin: 0.5rem 0; padding: 0.5rem 0.8rem; background: var(--soft); white-space: pre-wrap;
  overflow-wrap: anywhere; }
code { font: 0.9em/1.4 ui-monospace, monospace; }
.scroll { overflow: auto; max-height: 80vh; margin: 0.5rem 0; }
table { border-collapse: separate; border-spacing: 0; font-size: 0.85rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.6rem 0.25rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); min-width: 4.5rem; }
thead th { vertical-align: bottom; position: sticky; top: 0; background: Canvas; z-index: 1; }
.fixed { position: sticky; background: Canvas; overflow-wrap: anywhere; }
thead th.fixed { z-index: 2; }
tbody th { white-space: nowrap; }
td { min-width: 5rem; }
#numbers td:not(.number, .fixed) { min-width: 7.5rem; }
td:last-child > code { display: inline-block; min-width: 15rem; }
th.number, td.number { text-align: right; white-space: nowrap; min-width: 0; }
th.number { white-space: normal; min-width: 5rem; }
th.number.long { min-width: 11rem; }
th.fixed, td.fixed { white-space: normal; }
mark { padding: 0 0.3rem; border-radius: 0.2rem; font-size: 0.85em; color: inherit;
  background: #56b4e955; white-space: nowrap; }
.columns { columns: 22rem; column-gap: 2rem; }
.columns > div { break-inside: avoid; padding-bottom: 1rem; }
.columns h3 { margin-top: 0; }
.columns table { width: 100%; }
.figures { display: flex; flex-wrap: wrap; gap: 1rem 2rem; }
figure { flex: 1 1 26rem; min-width: 0; margin: 0; break-inside: avoid; }
figure.wide, p.wide { flex-basis: 100%; }
figure h4 { margin: 0 0 0.3rem; }
figure pre { font-size: 0.85rem; }
figure img { display: block; max-width: 100%; height: auto; padding: 0.5rem; background: white; }
.quiet { opacity: 0.75; }
@media (max-width: 40rem) { .fixed { left: auto !important; } }
@media print {
  body { max-width: none; font-size: 10pt; padding: 0; }
  .scroll { overflow: visible; max-height: none; }
  .fixed, thead th { position: static; }
  nav { display: none; }
}
"""


class Markup(str):
    """HTML in which all text has been escaped."""

    __slots__ = ()


def element(tag: str, *content: Any, **attributes: Any) -> Markup:
    """Return an element; content other than `Markup` is escaped.

    Parameters
    ----------
    tag : str
        Such as `p`.
    *content : Markup or any
        Its content, in order.
    **attributes
        Such as `href`; `class_` is written `class`, and empty ones are left out.
    """
    named = "".join(
        f' {name.removesuffix("_").replace("_", "-")}="{escaped(value)}"'
        for name, value in attributes.items()
        if value != ""
    )
    end = "" if tag in _VOID else f"{joined(*content)}</{tag}>"
    return Markup(f"<{tag}{named}>{end}")


def joined(*content: Any) -> Markup:
    """Concatenate elements and text."""
    return Markup("".join(escaped(part) for part in content))


def escaped(content: Any) -> Markup:
    """Return text as HTML, and `Markup` unchanged.

    Characters that are invisible or change the direction of text are written as escapes: a command
    copied from the page is the one that is displayed.
    """
    if isinstance(content, Markup):
        return content
    return Markup(html.escape(printable(str(content), allowed="\n\xa0")))


def section(name: str, title: str, *content: Any, class_: str = "") -> Markup:
    """Return a section with a heading and an id for links."""
    return element("section", element("h2", title), *content, id=name, class_=class_)


def bullets(items: Sequence[Any]) -> Markup:
    """Return a bullet list."""
    return element("ul", *(element("li", item) for item in items))


def link(name: str, text: str) -> Markup:
    """Return a link to the element with this id."""
    return element("a", text, href=f"#{name}")


def commands(*lines: str) -> Markup:
    """Return command lines as preformatted text."""
    return element("pre", element("code", "\n".join(lines)))


def table(
    rows: Sequence[Sequence[Any]],
    heading: Sequence[Any] = (),
    numbers: Sequence[int] = (),
    fixed: int = 0,
) -> Markup:
    """Return a table in a box that scrolls where it is larger than the page; its heading stays.

    Parameters
    ----------
    rows : sequence of sequence
        Cells; the first of each row is its heading.
    heading : sequence
        Headings of the columns.
    numbers : sequence of int
        Indices of numeric columns, which are aligned right.
    fixed : int
        How many of the first columns stay when the others scroll, if there is room for them.
    """
    styles = _styles_of_fixed([heading, *rows], fixed) if fixed else []

    def cell(content: Any, column: int, scope: str) -> Markup:
        is_fixed = column < len(styles)
        classes = {
            "number": column in numbers,
            "long": scope == "col" and len(str(content)) > _LONG_HEADING,
            "fixed": is_fixed,
        }
        return element(
            "th" if scope else "td",
            content,
            scope=scope,
            class_=" ".join(name for name, has_it in classes.items() if has_it),
            style=styles[column] if is_fixed else "",
        )

    columns = (cell(content, i, "col") for i, content in enumerate(heading))
    head = element("thead", element("tr", *columns)) if heading else Markup()
    lines = (
        element("tr", *(cell(content, i, "" if i else "row") for i, content in enumerate(row)))
        for row in rows
    )
    body = element("tbody", *lines)
    return element("div", element("table", head, body), class_="scroll", tabindex=0)


def _styles_of_fixed(rows: Sequence[Sequence[Any]], fixed: int) -> list[str]:
    """Return width and distance from the left edge of the first columns, as far as they fit.

    A column that stays where it is needs to know the widths of those before it: of each, the
    longest word of its heading or its longest cell.
    """
    styles: list[str] = []
    left = 0.0
    heading, *others = rows
    for column in range(fixed):
        words = str(heading[column]).split() if heading else []
        longest = max(map(len, [*words, *(str(row[column]) for row in others)]), default=0)
        width = round(_FIXED_PADDING + _FIXED_CHARACTER * longest, 2)
        if left + width > _MAX_FIXED:
            break
        styles.append(f"left: {left:.2f}rem; min-width: {width}rem; max-width: {width}rem")
        left += width
    return styles


def page(title: str, *content: Any) -> str:
    """Return a complete page with its style sheet."""
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
