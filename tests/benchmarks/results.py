"""`RESULTS.md`: one section for each benchmark, all measured with one version on one machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.system.atomic_files import replacing
from tests.benchmarks.table import Row, rows_of

_TITLE = "# Results of `make bench`"


@dataclass(frozen=True)
class Results:
    """The results of several benchmarks.

    Attributes
    ----------
    circumstances : str
        Version, machine and packages: one line.
    sections : dict of str
        Text of each section without its heading, by the name of the benchmark.
    """

    circumstances: str
    sections: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> Results:
        """Read a file; its circumstances are empty if it is of an earlier form."""
        head, *sections = path.read_text().split("\n## ")
        versions = (line for line in head.splitlines() if line.startswith("Version "))
        circumstances = next(versions, "")
        parts = (section.partition("\n") for section in sections)
        return cls(circumstances, {name.strip("`"): text.strip() for name, _, text in parts})

    @classmethod
    def of_version(cls, path: Path, circumstances: str) -> Results:
        """Read a file; none of its sections if it has other circumstances or does not exist."""
        found = cls.read(path) if path.exists() else cls("", {})
        return found if found.circumstances == circumstances else cls(circumstances, {})

    def rows(self, name: str) -> list[Row]:
        """Return the rows of a section, none if it is missing."""
        return rows_of(self.sections.get(name, ""))

    def with_section(self, name: str, text: str) -> Results:
        """Return the results with a section added or replaced."""
        return Results(self.circumstances, self.sections | {name: text.strip()})

    def missing(self, names: list[str]) -> list[str]:
        """Return those of the names that have no section."""
        return [name for name in names if name not in self.sections]

    def text(self, names: list[str], how: str) -> str:
        """Return the file with the sections in the order of `names`, and how they are measured."""
        parts = [_TITLE, self.circumstances]
        if missing := self.missing(names):
            parts.append(f"Not measured with this version: {', '.join(missing)}.")
        parts.append(how)
        parts += [
            f"## `{name}`\n\n{self.sections[name]}" for name in names if name in self.sections
        ]
        return "\n\n".join(parts) + "\n"

    def write(self, path: Path, names: list[str], how: str) -> None:
        """Write the file."""
        with replacing(path) as temporary:
            temporary.write_text(self.text(names, how))
