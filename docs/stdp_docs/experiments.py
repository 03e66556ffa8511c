"""The experiments in `conf/experiment`: comments, axes and text of their files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from pipeline.composition.choices import NOT_ABOUT
from stdp_docs.places import CONF

#: A paper in a comment: a year, and a journal with volume and page.
_PAPER = re.compile(r"\b(?:19|20)\d\d, [A-Z][\w ]+ \d+:\w+")

#: The comment of a file that keeps an earlier name.
_EARLIER = re.compile(r"Earlier name of (\w+)\.")


@dataclass(frozen=True)
class Experiment:
    """A file in `conf/experiment`.

    Attributes
    ----------
    name : str
        As in `+experiment=NAME`.
    about : str
        The comment at its top, without the command.
    text : str
        The file.
    """

    name: str
    about: str
    text: str

    @classmethod
    def read(cls, file: Path) -> Experiment:
        """Read a file."""
        text = file.read_text(encoding="utf-8")
        comment = re.match(r"(?:#.*\n)*", text)
        lines = [line.lstrip("# ") for line in comment[0].splitlines()] if comment else []
        about = " ".join(line for line in lines if line and not line.startswith(NOT_ABOUT))
        name = file.relative_to(CONF / "experiment").with_suffix("").as_posix()
        return cls(name, about, text)

    @property
    def is_of_a_paper(self) -> bool:
        """Whether its comment names a paper by year, journal, volume and page."""
        return bool(_PAPER.search(self.about))

    @property
    def later_name(self) -> str:
        """The experiment of which this is an earlier name; "" for others."""
        found = _EARLIER.match(self.about)
        return found[1] if found else ""

    @property
    def axes(self) -> dict[str, str]:
        """The swept keys with their values as written."""
        if self.later_name:
            return Experiment.read(CONF / "experiment" / f"{self.later_name}.yaml").axes
        hydra = yaml.safe_load(self.text).get("hydra", {})
        return {key: str(value) for key, value in hydra["sweeper"]["params"].items()}


def experiments() -> list[Experiment]:
    """Return all experiments by name."""
    return [Experiment.read(file) for file in sorted((CONF / "experiment").rglob("*.yaml"))]
