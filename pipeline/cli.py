"""Command line: `python -m pipeline [-m] [+experiment=NAME] [key=value ...]`."""

from __future__ import annotations

import gc
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import hydra
from hydra._internal.utils import get_args
from omegaconf import DictConfig

from pipeline.arguments import arranged
from pipeline.command import SOME_FAILED, WRONG_REQUEST, run_and_report
from pipeline.composition.compose import (
    CONF,
    declare_neutral_values,
    parameters_of,
    sweep_settings_of,
)
from pipeline.composition.help_text import QUESTION, answer, declare_help
from pipeline.composition.hydra_errors import request_error
from pipeline.composition.hydra_loader import composed_once
from pipeline.composition.own_files import own_files, refuse_hidden, refuse_misread_files
from pipeline.composition.own_models import classes_of
from pipeline.composition.parameter_sets import Origin
from pipeline.model.errors import RequestError
from pipeline.request.grammar import use_for_hydras_sweepers
from pipeline.request.grid import Grid
from pipeline.request.overrides import refuse_replaced
from pipeline.system.output import closed_pipes_ignored, complain, say
from pipeline.system.signals import INTERRUPTED

#: Logger whose INFO messages are shown: it reports that the kernel is being compiled.
_ENGINE_LOG = "pipeline.engine"

#: Process of the command line, and whether one of the jobs that Hydra ran in it failed.
_jobs: dict[str, int | bool] = {"process": 0, "failed": False}


class JobFailedError(Exception):
    """A job of Hydra's own launchers has failed points; the job has reported them."""


@hydra.main(config_path=str(CONF), config_name="config", version_base="1.3")
def run_one(config: DictConfig) -> None:
    """Run one configuration, as a job of Hydra's own launchers (`hydra/sweeper=basic`)."""
    from hydra.core.hydra_config import HydraConfig

    settings = cast("DictConfig", HydraConfig.instance().cfg)
    refuse_hidden(settings, CONF)
    refuse_misread_files(settings)
    job = HydraConfig.get()
    own = own_files(settings, CONF)
    sweep_settings_of(config).refuse_without_sweeper()
    grid = Grid(parameters_of(config, Origin.of(settings, CONF)), own_files=own)
    refuse_replaced(grid, job.overrides.task)
    try:
        run_and_report(grid, config, Path(job.runtime.output_dir), made_by_hydra=True)
    except SystemExit as ended:  # would end Hydra's launcher, and with it the jobs that follow
        if ended.code != SOME_FAILED:
            raise
        if os.getpid() != _jobs["process"]:
            raise JobFailedError from None
        _jobs["failed"] = True


def main() -> None:
    """Run the command line; report an invalid request in one line and exit with code 2."""
    # Start-up allocates many long-lived objects: collections cost time and free nothing.
    gc.set_threshold(100_000, 50, 50)
    _log_to_stderr()
    use_for_hydras_sweepers()
    wants_traceback = os.environ.get("HYDRA_FULL_ERROR") == "1"
    # Makes Hydra raise errors, which are then reported here.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    declare_neutral_values()
    declare_help()
    _jobs.update(process=os.getpid(), failed=False)
    try:
        asked = [word.removesuffix(QUESTION) for word in sys.argv[1:] if word.endswith(QUESTION)]
        if asked:
            _answer(asked)
            return
        if {"--help", "-h"} & {*sys.argv[1:]}:
            classes_of(sys.argv[1:])  # whose fields are in its table
        sys.argv[1:] = arranged(sys.argv[1:])
        with closed_pipes_ignored(), composed_once():
            run_one()
    except JobFailedError:
        sys.exit(SOME_FAILED)
    except Exception as error:
        if wants_traceback or not (isinstance(error, RequestError) or _while_composing(error)):
            raise
        if not isinstance(error, RequestError):
            error = request_error(error, _overrides(), CONF)
        complain(" ".join(["error:", *str(error).split()]))  # on one line
        sys.exit(WRONG_REQUEST)
    except KeyboardInterrupt:  # between the jobs of Hydra's own sweeper
        complain("Interrupted")
        sys.exit(INTERRUPTED)
    if _jobs["failed"]:
        sys.exit(SOME_FAILED)


def _answer(keys: Sequence[str]) -> None:
    """Print what may follow each of some keys."""
    words = [word for word in sys.argv[1:] if not word.endswith(QUESTION)]
    own = get_args(arranged(words)).config_dir
    if own and not Path(own).is_dir():
        raise RequestError(f"--config-dir {own}: must be a folder that exists")
    folders = [CONF, *([Path(own)] if own else [])]
    classes = classes_of(words)
    say("\n\n".join(answer(key, folders, classes) for key in keys))


def _overrides() -> list[str]:
    """Return the overrides of the command line, without Hydra's options and their values."""
    return get_args(sys.argv[1:]).overrides


def _log_to_stderr() -> None:
    """Show warnings and errors, and INFO messages of the engine."""
    handler = logging.StreamHandler()
    handler.addFilter(
        lambda record: record.levelno >= logging.WARNING or record.name == _ENGINE_LOG
    )
    logging.basicConfig(format="%(levelname)s: %(message)s", handlers=[handler])
    logging.getLogger(_ENGINE_LOG).setLevel(logging.INFO)


def _while_composing(error: Exception) -> bool:
    """Whether Hydra raised an error of any type before it called the pipeline."""
    frames = traceback.walk_tb(error.__traceback__)
    # Extension modules have frames without a name, those of Cython for one.
    modules = {frame.f_globals.get("__name__", "") for frame, _ in frames}
    modules -= {__name__, composed_once.__module__}  # through which Hydra is called
    return not any(name.startswith(("hydra_plugins.", "pipeline.")) for name in modules)
