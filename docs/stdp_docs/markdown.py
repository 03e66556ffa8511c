"""Text in Markdown: tables, cells, paragraphs of docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; cells are Markdown."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def code(text: str) -> str:
    """Return text set as code, nothing for an empty one."""
    return f"`{text}`" if text else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def docstring(of: object) -> str:
    """Return a docstring of its own without sections such as Parameters: its paragraphs.

    Raises
    ------
    ValueError
        If it has none, or inherits it.
    """
    text = inspect.cleandoc(of.__doc__ or "")
    name = getattr(of, "__qualname__", of)
    if not text or text.startswith(f"{name}("):  # that of a dataclass without one
        raise ValueError(f"{name}: must have a docstring, which is its page")
    return re.split(r"^\w[\w ]*\n-{3,}$", text, maxsplit=1, flags=re.MULTILINE)[0].strip()


def references(of: object) -> str:
    """Return the section References of a docstring, nothing if there is none."""
    text = inspect.cleandoc(of.__doc__ or "")
    found = re.search(r"^References\n-+\n(.*?)(?=^\w.*\n-+$|\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""
