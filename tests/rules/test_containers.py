"""The recipes of containers: what they copy is here, and both do the same."""

import re
import tomllib

from stdp.__main__ import SUBCOMMANDS
from tests.rules.test_house import ROOT

FOLDER = ROOT / "docs" / "containers"

#: What the wheel is built from, beside its packages.
BUILT_FROM = {"pyproject.toml", "README.md", "LICENSE", "CITATION.cff", "conf"}

DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text())


def unfolded(file):
    """Return the lines of a recipe without comments, those that are continued as one."""
    text = re.sub(r"\s*\\\n\s*", " ", file.read_text())
    return [line.strip() for line in text.splitlines() if line.strip() and line[0] != "#"]


def sections():
    """Return the lines of the recipe for Apptainer by section."""
    found, name = {"": []}, ""
    for line in unfolded(FOLDER / "stdp.def"):
        if line.startswith("%"):
            name = line
        elif not line.startswith("#"):
            found.setdefault(name, []).append(line)
    return found


def commands(*lines):
    """Return the commands of lines of a shell, without those that only set variables."""
    parts = [part for line in lines for part in line.split(" && ")]
    return [part for part in parts if not part.startswith(("ENV ", "export "))]


def of_docker():
    """Return the commands that build the image for Docker."""
    lines = unfolded(FOLDER / "Dockerfile")
    return commands(*(line.removeprefix("RUN ") for line in lines if line.startswith("RUN ")))


def copied():
    """Return what .dockerignore lets through."""
    lines = unfolded(ROOT / ".dockerignore")
    return {line.removeprefix("!") for line in lines if line.startswith("!")}


def test_both_copy_what_the_package_is_built_from():
    """It exists, and nothing else is copied: no repository, environment or results."""
    packages = DECLARED["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    files = [line.split() for line in sections()["%files"]]
    assert {source for source, _ in files} == copied() == BUILT_FROM | {*packages}
    assert all(to == f"/opt/source/{source}" for source, to in files)
    assert [name for name in copied() if not (ROOT / name).exists()] == []
    assert unfolded(ROOT / ".dockerignore")[0] == "*"


def test_both_run_the_same_commands():
    """In an image of the same name."""
    assert sorted(of_docker()) == sorted(commands(*sections()["%post"]))
    (base,) = [line for line in unfolded(FOLDER / "Dockerfile") if line.startswith("FROM ")]
    assert base.removeprefix("FROM ") == sections()[""][1].removeprefix("From: ")


def test_they_install_declared_extras_and_run_subcommands():
    """And the same choices of groups as there are."""
    (install,) = [line for line in of_docker() if line.startswith("pip install")]
    extras = re.search(r"\[([\w,]+)\]", install)[1].split(",")
    assert set(extras) <= set(DECLARED["project"]["optional-dependencies"])
    runs = [line.split() for line in of_docker() if line.startswith("stdp ")]
    assert runs and {words[1] for words in runs} <= set(SUBCOMMANDS)
    named = [word for words in runs for word in words if word.startswith("input=")]
    inputs = named[0].removeprefix("input=").split(",")
    assert [name for name in inputs if not (ROOT / f"conf/input/{name}.yaml").is_file()] == []
