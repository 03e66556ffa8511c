"""The rules of the house: one-way imports, one name per parameter, functions that fit a screen."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.parameters import SECTIONS, all_quantities
from pipeline.variables import DIMENSIONS, VARIABLES

ROOT = Path(__file__).parent.parent
CODE = [
    file
    for room in ("pipeline", "analysis", "hydra_plugins")
    for file in (ROOT / room).glob("*.py")
]

#: From top to bottom; a room imports only from those below it.
FLOORS = {
    "pipeline": [
        "__main__",
        "application",
        "reproduce",
        "command",
        "experiment",
        "planning",
        "tracking",
        "axes",
        "compose",
        "ledger",
        "store",
        "provenance",
        "results",
        "request",
        "failures",
        "gather",
        "labelled",
        "runner",
        "batches",
        "interruption",
        "simulation",
        "variables",
        "grid",
        "compiled",
        "estimate",
        "kernel",
        "law",
        "machine_code",
        "reference",
        "inputs",
        "plasticity",
        "files",
        "parameters",
        "quantities",
    ],
    "analysis": [
        "__main__",
        "report",
        "pictures",
        "drawing",
        "catalogue",
        "single_runs",
        "studies",
        "slices",
        "cautions",
        "summary",
        "study",
        "selection",
        "runs",
        "maps",
        "curves",
        "distributions",
        "windows",
        "panels",
        "traces",
        "equilibrium",
        "theory",
        "settling",
        "measures",
        "spike_trains",
        "seeds",
        "pieces",
        "style",
        "difference",
        "matching",
        "parameters",
        "places",
        "markup",
        "origin",
        "load",
        "listing",
        "table",
        "search",
        "conditions",
        "header",
        "values",
    ],
}


def imports(file):
    """Yield every module that a file imports, lazily or not."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("package", FLOORS)
def test_arrows_go_one_way(package):
    """A room imports only rooms that stand below it, and each room has its floor."""
    floors = FLOORS[package]
    rooms = {file.stem for file in (ROOT / package).glob("*.py")} - {"__init__"}
    assert rooms == set(floors)
    for room in floors:
        for module in imports(ROOT / package / f"{room}.py"):
            other = module.removeprefix(f"{package}.").partition(".")[0]
            if module.startswith(f"{package}.") and other in floors:
                assert floors.index(room) < floors.index(other), f"{room} imports {other}"


def test_analysis_knows_nothing_of_the_pipeline():
    """The file is the contract: neither package imports the other."""
    for file in (ROOT / "analysis").glob("*.py"):
        assert not [module for module in imports(file) if module.split(".")[0] == "pipeline"]
    for file in [*(ROOT / "pipeline").glob("*.py"), *(ROOT / "hydra_plugins").glob("*.py")]:
        assert not [module for module in imports(file) if module.split(".")[0] == "analysis"]


def test_workers_import_neither_xarray_nor_hydra():
    """What a worker process needs starts fast: numpy and joblib, nothing heavier."""
    code = "import pipeline.runner, sys; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not {"xarray", "pandas", "hydra", "omegaconf", "netCDF4"} & set(done.stdout.split())


def test_a_name_means_one_thing():
    """The last words of keys differ from each other and from the file's own names."""
    leaves = [key.rpartition(".")[2] for key in all_quantities()]
    assert len(leaves) == len(set(leaves))
    assert not set(leaves) & (set(VARIABLES) | DIMENSIONS | set(SECTIONS))


def test_functions_fit_a_screen_and_files_a_concept():
    """No function over 60 lines, no file over 400."""
    for file in CODE:
        assert len(file.read_text().splitlines()) <= 400, file
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                length = body[-1].end_lineno - body[0].lineno + 1 if body else 0
                assert length <= 60, f"{file.name}: {node.name} has {length} lines"


def test_no_test_is_skipped_in_silence():
    """A test that skips says why: there is no bare skip in any form."""
    for file in (ROOT / "tests").glob("test_*.py"):
        if file.name == Path(__file__).name:
            continue
        for found in re.findall(
            r"(?:mark\.skip\w*|pytest\.skip|importorskip)(.*)", file.read_text()
        ):
            assert "reason=" in found, file
