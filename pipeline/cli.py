"""The command line: `python -m pipeline [-m] [+experiment=NAME] [key=value ...]`."""

from __future__ import annotations

import gc
import logging
import os
import sys
import traceback
from pathlib import Path

import hydra
from omegaconf import DictConfig

from pipeline.command import WRONG_REQUEST, run_and_report
from pipeline.model.errors import RequestError
from pipeline.request.compose import CONF, declare_neutral_values, physics_of, request_error
from pipeline.request.grid import Grid
from pipeline.system.signals import INTERRUPTED


@hydra.main(config_path=str(CONF), config_name="config", version_base="1.3")
def run_one(config: DictConfig) -> None:
    """Run one configuration: Hydra's own launchers come here (`hydra/sweeper=basic`)."""
    from hydra.core.hydra_config import HydraConfig

    path = Path(HydraConfig.get().runtime.output_dir)
    run_and_report(Grid(physics_of(config)), config, path)


def main() -> None:
    """Run the command line; a wrong request is one line and exit code 2."""
    # Imports and points make many objects, and no rubbish: looking for it takes time.
    gc.set_threshold(100_000, 50, 50)
    to_user = logging.StreamHandler()
    to_user.setLevel(logging.WARNING)
    logging.basicConfig(format="%(levelname)s: %(message)s", handlers=[to_user])
    # argparse takes -m only ahead of the overrides; a user may write it anywhere.
    sys.argv[1:] = sorted(sys.argv[1:], key=lambda word: word not in ("-m", "--multirun"))
    wants_traceback = os.environ.get("HYDRA_FULL_ERROR") == "1"
    # Hydra then passes errors on, and they are reported here instead.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    declare_neutral_values()
    try:
        run_one()
    except Exception as error:
        if wants_traceback or not (isinstance(error, RequestError) or _while_composing(error)):
            raise
        message = str(request_error(error, sys.argv[1:]))
        print("error:", *message.split(), file=sys.stderr)  # on one line, whatever was typed
        sys.exit(WRONG_REQUEST)
    except KeyboardInterrupt:  # between the jobs of Hydra's own sweeper
        print("interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)


def _while_composing(error: Exception) -> bool:
    """Whether Hydra raised before it handed over to the pipeline: it does so in many types."""
    frames = traceback.walk_tb(error.__traceback__)
    modules = {frame.f_globals["__name__"] for frame, _ in frames} - {__name__}
    return not any(name.startswith(("hydra_plugins.", "pipeline.")) for name in modules)
