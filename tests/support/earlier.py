"""Lets today's tests run on commit bab1837, whose modules lay flat: its own under today's names.

To be copied as `sitecustomize.py` into a scratch copy of that commit with today's tests:

    git clone . OLD && git -C OLD checkout bab1837 && rm -r OLD/tests && cp -r tests OLD/
    cp tests/support/earlier.py OLD/sitecustomize.py
    cd OLD && PYTHONPATH=$PWD python -m pytest -p no:cacheprovider tests/end_to_end/...

Python then reads it in every process of that copy. A name that bab1837 did not have becomes a
function that fails with `NOT_THERE`: as an ImportError, such a failure of a test is no proof.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

#: What a name says that was not there.
NOT_THERE = "bab1837 has no such name"

#: Today's modules, and those that had their content. Other modules of today have no names at all.
MODULES = {
    "pipeline.cli": "pipeline.application",
    "pipeline.engine.compiled": "pipeline.compiled",
    "pipeline.engine.cost": "pipeline.estimate",
    "pipeline.engine.simulate": "pipeline.simulation",
    "pipeline.execution.backends": "pipeline.runner",
    "pipeline.execution.batch": "pipeline.batches",
    "pipeline.execution.cancel": "pipeline.interruption",
    "pipeline.execution.pool": "pipeline.runner",
    "pipeline.experiment.dry_run": "pipeline.planning",
    "pipeline.experiment.run": "pipeline.experiment",
    "pipeline.model.errors": "pipeline.quantities",
    "pipeline.model.inputs": "pipeline.inputs",
    "pipeline.model.parameters": "pipeline.parameters",
    "pipeline.model.plasticity": "pipeline.plasticity",
    "pipeline.model.quantity": "pipeline.quantities",
    "pipeline.model.reference": "pipeline.reference",
    "pipeline.model.variables": "pipeline.variables",
    "pipeline.composition.compose": "pipeline.compose",
    "pipeline.request.grid": "pipeline.grid",
    "pipeline.request.overrides": "pipeline.axes",
    "pipeline.storage.arrays": "pipeline.gather",
    "pipeline.storage.directory": "pipeline.store",
    "pipeline.storage.state": "pipeline.ledger",
    "pipeline.system.atomic_files": "pipeline.files",
    "pipeline.system.object_code": "pipeline.machine_code",
    "pipeline.system.signals": "pipeline.interruption",
    "analysis.figures.registry": "analysis.catalogue",
    "analysis.measures.measured": "analysis.study",
    "analysis.measures.settling": "analysis.settling",
    "analysis.plots.style": "analysis.style",
    "analysis.reading.dataset": "analysis.load",
    "analysis.reading.metadata": "analysis.header",
    "analysis.reading.select": "analysis.selection",
}

#: Today's packages, of which bab1837 had the last three as modules.
PACKAGES = (
    *(f"pipeline.{name}" for name in ("engine", "execution", "model", "request", "storage")),
    "pipeline.composition",
    *("pipeline.model.rules", "pipeline.model.processes", "pipeline.system"),
    *("analysis.experiments", "analysis.figures", "analysis.plots"),
    *("analysis.reading", "analysis.measures", "analysis.report", "pipeline.experiment"),
)

#: Where `analysis`, which named nothing itself, had what is public today.
PUBLIC = tuple(
    f"analysis.{name}"
    for name in ("load", "drawing", "measures", "spike_trains", "traces", "windows", "seeds")
) + ("analysis.settling", "analysis.equilibrium")


class Earlier(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules of today's names, and lets those of earlier names be packages."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Return where a module is found, None if it is none of ours."""
        found = importlib.machinery.PathFinder.find_spec(name, path)
        if found is None:
            below = name.rpartition(".")[0] in PACKAGES
            if name in PACKAGES or name in MODULES or below:
                return importlib.machinery.ModuleSpec(name, self, is_package=name in PACKAGES)
        elif name == "analysis" or name in PACKAGES:
            execute = found.loader.exec_module  # type: ignore[union-attr]

            def then_change(module: ModuleType) -> None:
                execute(module)
                module.__path__ = getattr(module, "__path__", [])
                module.__getattr__ = public if name == "analysis" else names_of(name)

            found.loader.exec_module = then_change  # type: ignore[union-attr, method-assign]
            return found
        return None

    def create_module(self, spec: Any) -> ModuleType:
        """Return the earlier module itself, so that what a test replaces in it has its effect."""
        earlier = MODULES.get(spec.name)
        module = importlib.import_module(earlier) if earlier else ModuleType(spec.name)
        module.__getattr__ = names_of(spec.name)  # type: ignore[method-assign]
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: it was executed under its own name, or is empty."""


def public(name: str) -> Any:
    """Return a public function of today's `analysis`."""
    for module in map(importlib.import_module, PUBLIC):
        if name in vars(module):
            return vars(module)[name]
    raise AttributeError(name)


def names_of(module: str) -> Callable[[str], Any]:
    """Return what finds a name that a module does not have: a module below it, or a failure."""

    def find(name: str) -> Any:
        below = f"{module}.{name}"
        if below in MODULES or below in PACKAGES:
            return importlib.import_module(below)
        if name.startswith("__"):
            raise AttributeError(name)

        def fail(*arguments: object, **more: object) -> None:
            raise NotImplementedError(f"{name}: {NOT_THERE}")

        return fail

    return find


if __name__ == "sitecustomize":
    sys.meta_path.insert(0, Earlier())
