"""Hydra sweeper that passes overrides to the pipeline; Hydra finds it by the folder's name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.errors import HydraException
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, RunMode, TaskFunction
from omegaconf import DictConfig

# `params` holds the axes of an experiment: values by key, in the grammar of the command line.
ConfigStore.instance().store(
    group="hydra/sweeper",
    name="pipeline",
    node={"_target_": "hydra_plugins.pipeline_sweeper.PipelineSweeper", "params": {}},
    provider="pipeline",
)


class PipelineSweeper(Sweeper):
    """Runs all points of a command line in one pool of workers, without composing each point.

    Parameters
    ----------
    params : dict
        Axes of the experiment: values by key, in the grammar of the command line.
    """

    def __init__(self, params: dict[str, Any]) -> None:
        self.params = params

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Store the loader and the config; called by Hydra."""
        self._loader = hydra_context.config_loader
        self._config = config

    def sweep(self, arguments: Sequence[str]) -> None:
        """Run the grid of the experiment's axes and the command line; called by Hydra.

        Raises
        ------
        RequestError
            If the request is not allowed.
        """
        from pipeline.command import run_and_report
        from pipeline.composition.compose import CONF, refuse_retyped
        from pipeline.composition.hydra_errors import request_error
        from pipeline.composition.hydra_settings import refuse_without_effect
        from pipeline.request.grammar import parser
        from pipeline.request.overrides import grid_of_overrides
        from pipeline.storage.paths import directory_path

        parse = parser(self._loader).parse_overrides

        def compose_again(overrides: list[str]) -> DictConfig:
            name = self._config.hydra.job.config_name
            try:
                return self._loader.load_configuration(name, overrides, run_mode=RunMode.RUN)
            except Exception as error:  # Hydra raises errors of many types
                raise request_error(error, overrides, CONF) from error

        params = [f"{key}={values}" for key, values in self.params.items()]
        try:
            parsed = parse(params), parse(list(arguments))
        except HydraException as error:
            raise request_error(error, params, CONF) from error
        grid = grid_of_overrides(self._config, *parsed, compose_again)
        refuse_retyped(self._config)
        refuse_without_effect(self._config)
        path = directory_path(self._config.outputs, self._config.name, self._config.study)
        run_and_report(grid, self._config, path)
