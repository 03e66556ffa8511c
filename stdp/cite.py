"""`stdp cite`: BibTeX entries of this software and of the papers of its model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from stdp.options import Parser

#: Within the package where it is installed, beside it in a checkout.
_FILES = (
    Path(__file__).with_name("CITATION.cff"),
    Path(__file__).parents[1] / "CITATION.cff",
)


def main(arguments: Sequence[str]) -> int:
    """Print the entries; return the exit code."""
    parser = Parser(
        prog="stdp cite",
        description="Print BibTeX entries of this software and of the papers of its model.",
    )
    parser.parse_args(arguments)
    print("\n\n".join(entries()))
    return 0


def entries() -> list[str]:
    """Return the BibTeX entries of the software and of the references of its citation file."""
    file = next(filter(Path.is_file, _FILES))
    cited: Mapping[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    software = {
        "title": f"{{{cited['title']}}}",
        "author": _authors(cited["authors"]),
        "version": str(cited["version"]),
        "license": str(cited["license"]),
    }
    return [
        _entry("software", "stdp_pipeline", software),
        *(_entry("article", _name(one), _article(one)) for one in cited.get("references", ())),
    ]


def _article(one: Mapping[str, Any]) -> dict[str, str]:
    last = f"--{one['end']}" if "end" in one else ""
    fields = {
        "title": f"{{{one['title']}}}",
        "author": _authors(one["authors"]),
        "journal": one.get("journal", ""),
        "volume": str(one.get("volume", "")),
        "pages": f"{one['start']}{last}" if "start" in one else "",
        "year": str(one["year"]),
        "doi": one.get("doi", ""),
    }
    return {name: value for name, value in fields.items() if value}


def _authors(authors: Sequence[Mapping[str, str]]) -> str:
    """Return authors as BibTeX has them; a group is in braces, so that it is not divided."""
    return " and ".join(
        f"{{{one['name']}}}" if "name" in one else f"{one['family-names']}, {one['given-names']}"
        for one in authors
    )


def _name(one: Mapping[str, Any]) -> str:
    family = one["authors"][0].get("family-names", "anonymous")
    return f"{family.lower().replace(' ', '_')}_{one['year']}"


def _entry(kind: str, name: str, fields: Mapping[str, str]) -> str:
    lines = [f"  {field} = {{{value}}}," for field, value in fields.items()]
    return "\n".join([f"@{kind}{{{name},", *lines, "}"])
