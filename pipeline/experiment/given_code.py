"""Rules and processes whose source an experiment holds: run only where that is allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.model.errors import RequestError
from pipeline.model.quantity import written
from pipeline.model.registry import REGISTRIES
from pipeline.storage.own_sources import changed_files
from pipeline.storage.provenance import RunRecord
from pipeline.system.output import say


def register_given(
    sources: Mapping[str, Mapping[str, str]], runs: Sequence[RunRecord], run_given_code: bool
) -> None:
    """Register the rules and processes whose source an experiment holds, if that is allowed.

    Parameters
    ----------
    sources : mapping
        Source texts by key and by name.
    runs : sequence of dict
        The runs of the experiment, with the files of the user's own as they were.
    run_given_code : bool
        Whether it is allowed.

    Raises
    ------
    RequestError
        If it is not allowed, and one of them is not registered.
    """
    for key, named in sources.items():
        for name, source in named.items():
            known = REGISTRIES[key].classes().get(name)
            if known and known.source == source:
                continue
            if not run_given_code:
                raise RequestError(
                    f"{written(key, name)}: was made with source code that the file "
                    "holds; read it in given/, then add --run-given-code to run it"
                )
            if REGISTRIES[key].class_of(source, name).name != name:
                raise RequestError(f"{written(key, name)}: the source has another name")
            REGISTRIES[key].register_source(source, name)
            own_files = {p: text for run in runs for p, text in run.get("own_files", {}).items()}
            for path, how in changed_files(key, name, source, own_files):
                say(f"{written(key, name)}: {path} has changed since{how}; the kept source is run")
