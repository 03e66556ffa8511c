"""The recipes of CONTRIBUTING.md work as printed, in a copy of the packages."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
RECIPES = (ROOT / "CONTRIBUTING.md").read_text().split("\n## ")[1:]
PACKAGES = ("pipeline", "analysis", "conf", "hydra_plugins")


def blocks(recipe, language):
    """Return the code blocks of a recipe."""
    return re.findall(rf"^```{language}\n(.*?)^```$", recipe, re.MULTILINE | re.DOTALL)


@pytest.fixture
def copy(tmp_path):
    """Copy the packages."""
    ignored = shutil.ignore_patterns("gallery", "*.pyc", "*.nbc")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    return tmp_path


def put(block, copy):
    """Write a code block where its first line says; return whether it does."""
    first, _, code = block.partition("\n")
    if made := re.fullmatch(r"# (\w+/\S+\.(?:py|yaml))", first):
        (copy / made[1]).parent.mkdir(exist_ok=True)
        (copy / made[1]).write_text(code)
    elif made := re.fullmatch(r"# append to (\S+)", first):
        with (copy / made[1]).open("a") as file:
            file.write(f"\n\n{code}")
    elif made := re.fullmatch(r'# insert into (\S+) after "(.+)"', first):
        text = (copy / made[1]).read_text()
        assert text.count(f"{made[2]}\n") == 1
        (copy / made[1]).write_text(text.replace(f"{made[2]}\n", f"{made[2]}\n{code}"))
    return bool(made)


@pytest.mark.parametrize(
    "recipe", [r for r in RECIPES if blocks(r, "bash")], ids=lambda r: r.partition("\n")[0]
)
def test_a_recipe_works_as_printed(recipe, copy):
    """Its files are put in place and its commands run: every point is done, every figure drawn."""
    written = [put(block, copy) for block in [*blocks(recipe, "python"), *blocks(recipe, "yaml")]]
    assert sum(written) >= 1
    environment = os.environ | {"PYTHONPATH": str(copy)}
    for block in blocks(recipe, "bash"):
        for line in block.splitlines():
            words = [sys.executable, *shlex.split(line)[1:]]
            done = subprocess.run(
                words, cwd=copy, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, (line, done.stdout, done.stderr)
            assert "WARNING" not in done.stderr, done.stderr
    assert list((copy / "outputs").glob("*/results.nc"))


def test_every_extension_point_has_a_recipe():
    """Parameter, rule, process, backend, kind of axis, measure and figure."""
    titles = [recipe.partition("\n")[0] for recipe in RECIPES]
    assert titles[:6] == [
        "A plasticity rule", "An input process", "A parameter", "A backend", "A kind of axis",
        "A measure and a figure",
    ]  # fmt: skip
    assert sum(bool(blocks(recipe, "bash")) for recipe in RECIPES) == 5
