"""Code conventions: one-way imports, one name per parameter, limits on functions and files."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.model.parameters import SECTIONS, all_quantities, short_name
from pipeline.model.variables import DIMENSIONS, VARIABLES

ROOT = Path(__file__).parents[2]
PACKAGES = ("pipeline", "analysis", "hydra_plugins", "stdp")

#: What each folder may import from other folders of its package. The modules beside the folders
#: (`cli`, `command`, `__main__`, ...) may import all of them and are imported by none.
ARROWS = {
    "pipeline": {
        "model": (),
        "system": (),
        "engine": ("model", "system"),
        "composition": ("model", "system"),
        "request": ("composition", "model", "system"),
        "execution": ("engine", "request", "composition", "model", "system"),
        "storage": ("execution", "request", "composition", "model", "system"),
        "experiment": (
            *("storage", "execution", "engine", "request", "composition"),
            *("model", "system"),
        ),
    },
    "analysis": {
        "reading": (),
        "measures": ("reading",),
        "plots": ("reading",),
        "figures": ("measures", "plots", "reading"),
        "report": ("figures", "measures", "plots", "reading"),
        "experiments": ("reading",),
    },
    "stdp": {
        # Modules beside the folders, which import none of them.
        "browser": ("errors", "options"),
        "explore": ("browser", "errors", "options"),
        "lab": ("browser", "errors", "options"),
    },
}


def sources(*packages):
    """Return the Python files of packages; fail if a package has none."""
    found = {package: sorted((ROOT / package).rglob("*.py")) for package in packages}
    assert all(found.values()), found
    return [file for files in found.values() for file in files]


def imports(file):
    """Yield every module that a file imports, at its top or inside functions."""
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


def test_the_table_of_arrows_is_acyclic():
    """No folder imports itself through others."""
    for arrows in ARROWS.values():
        left = dict(arrows)
        while left:
            free = [folder for folder, below in left.items() if not set(below) & set(left)]
            assert free, left
            for folder in free:
                del left[folder]


def test_analysis_and_pipeline_do_not_import_each_other():
    """The file is the only interface between the two packages, but for one function.

    Whether a run has settled is decided by one function, of numpy alone, in both.
    """
    for file in sources("analysis"):
        assert not [module for module in imports(file) if module.split(".")[0] == "pipeline"]
    criterion = "analysis.measures.stationarity"
    for file in sources("pipeline", "hydra_plugins"):
        found = [module for module in imports(file) if module.split(".")[0] == "analysis"]
        if file == ROOT / "pipeline" / "engine" / "until.py":
            assert criterion in found
            found = [m for m in found if not m.startswith(criterion) and m != "analysis.measures"]
        assert not found, file
    own = [
        m for m in imports(ROOT / "analysis/measures/stationarity.py") if m.startswith("analysis")
    ]
    assert not own


def test_the_command_is_imported_by_none():
    """`stdp` imports `pipeline` and `analysis`, and neither of them needs it."""
    for file in sources("pipeline", "analysis", "hydra_plugins"):
        assert not [module for module in imports(file) if module.split(".")[0] == "stdp"], file
    of_command = {module.split(".")[0] for file in sources("stdp") for module in imports(file)}
    assert {"pipeline", "analysis"} <= of_command


def test_workers_import_neither_xarray_nor_hydra():
    """Worker processes import numpy and joblib, but no package that is slow to import."""
    code = "import pipeline.execution.pool, sys; print(*{n.split('.')[0] for n in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not {"xarray", "pandas", "hydra", "omegaconf", "netCDF4"} & set(done.stdout.split())


def test_short_names_are_unique():
    """Names of dimensions differ from each other, and from variables and sections."""
    short_names = [short_name(key) for key in all_quantities()]
    assert len(short_names) == len(set(short_names))
    assert not set(short_names) & (set(VARIABLES) | DIMENSIONS | set(SECTIONS))


def test_functions_and_files_are_short():
    """No function over 60 lines, no file over 400."""
    for file in sources(*PACKAGES, "docs/stdp_docs"):
        assert len(file.read_text().splitlines()) <= 400, file
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                length = body[-1].end_lineno - body[0].lineno + 1 if body else 0
                assert length <= 60, f"{file.name}: {node.name} has {length} lines"


def test_every_skipped_test_has_a_reason():
    """There is no skip without `reason=` in any form."""
    for file in sources("tests"):
        if file.name == Path(__file__).name:
            continue
        for found in re.findall(
            r"(?:mark\.skip\w*|pytest\.skip|importorskip)(.*)", file.read_text()
        ):
            assert "reason=" in found, file
