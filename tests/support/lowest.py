"""Print the lowest declared version of every dependency of the package, as pip's constraints."""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def lowest_versions() -> list[str]:
    """Return `name==version` of each dependency that applies to this version of Python."""
    declared = map(Requirement, tomllib.loads(PROJECT.read_text())["project"]["dependencies"])
    return [
        f"{requirement.name}=={specifier.version}"
        for requirement in declared
        if requirement.marker is None or requirement.marker.evaluate()
        for specifier in requirement.specifier
        if specifier.operator == ">="
    ]


if __name__ == "__main__":
    print(*lowest_versions(), sep="\n")
