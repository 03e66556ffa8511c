"""The rules of the house: one-way imports, one name per parameter, functions that fit a screen."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.model.parameters import SECTIONS, all_quantities
from pipeline.model.variables import DIMENSIONS, VARIABLES

ROOT = Path(__file__).parents[2]
PACKAGES = ("pipeline", "analysis", "hydra_plugins")

#: What each folder may import from other folders of its package. The modules beside the folders
#: (`cli`, `command`, `__main__`, ...) may import all of them and are imported by none.
ARROWS = {
    "pipeline": {
        "model": (),
        "system": (),
        "engine": ("model", "system"),
        "request": ("model",),
        "execution": ("engine", "request", "model", "system"),
        "storage": ("execution", "request", "model", "system"),
        "experiment": ("storage", "execution", "engine", "request", "model", "system"),
    },
    "analysis": {
        "reading": (),
        "measures": ("reading",),
        "plots": ("reading",),
        "figures": ("measures", "plots", "reading"),
        "report": ("figures", "measures", "plots", "reading"),
        "experiments": ("reading",),
    },
}


def sources(*packages):
    """Return the Python files of packages; there must be some in each."""
    found = {package: sorted((ROOT / package).rglob("*.py")) for package in packages}
    assert all(found.values()), found
    return [file for files in found.values() for file in files]


def imports(file):
    """Yield every module that a file imports, lazily or not."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("package", ARROWS)
def test_arrows_between_folders_go_one_way(package):
    """A folder imports only the folders that its row names, and every folder has a row."""
    arrows = ARROWS[package]
    folders = {
        file.parent.name for file in sources(package) if file.parent.parent == ROOT / package
    }
    assert folders == set(arrows)
    for folder, allowed in arrows.items():
        files = [file for file in sources(package) if (ROOT / package / folder) in file.parents]
        assert len(files) > 1
        for module in {module for file in files for module in imports(file)}:
            if module.startswith(f"{package}."):
                other = module.split(".")[1]
                assert other in (folder, *allowed), f"{folder} imports {module}"


def test_the_table_of_arrows_has_no_circle():
    """Every row names only folders whose own row leads back to it by no way."""
    for arrows in ARROWS.values():
        left = dict(arrows)
        while left:
            free = [folder for folder, below in left.items() if not set(below) & set(left)]
            assert free, left
            for folder in free:
                del left[folder]


def test_analysis_knows_nothing_of_the_pipeline():
    """The file is the contract: neither package imports the other."""
    for file in sources("analysis"):
        assert not [module for module in imports(file) if module.split(".")[0] == "pipeline"]
    for file in sources("pipeline", "hydra_plugins"):
        assert not [module for module in imports(file) if module.split(".")[0] == "analysis"]


def test_workers_import_neither_xarray_nor_hydra():
    """What a worker process needs starts fast: numpy and joblib, nothing heavier."""
    code = "import pipeline.execution.pool, sys; print(*{n.split('.')[0] for n in sys.modules})"
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
    for file in sources(*PACKAGES):
        assert len(file.read_text().splitlines()) <= 400, file
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                length = body[-1].end_lineno - body[0].lineno + 1 if body else 0
                assert length <= 60, f"{file.name}: {node.name} has {length} lines"


def test_no_test_is_skipped_in_silence():
    """A test that skips says why: there is no bare skip in any form."""
    for file in sources("tests"):
        if file.name == Path(__file__).name:
            continue
        for found in re.findall(
            r"(?:mark\.skip\w*|pytest\.skip|importorskip)(.*)", file.read_text()
        ):
            assert "reason=" in found, file
