"""Hydra's `-m` syntax to the pipeline: a thin adapter, found by Hydra through its folder's name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, RunMode, TaskFunction
from omegaconf import DictConfig

# `params` are the axes of an experiment: key -> values, in the grammar of the command line.
ConfigStore.instance().store(
    group="hydra/sweeper",
    name="pipeline",
    node={"_target_": "hydra_plugins.pipeline_sweeper.PipelineSweeper", "params": {}},
    provider="pipeline",
)


class PipelineSweeper(Sweeper):
    """Runs all points of a command line in one process tree; composes nothing per point."""

    def __init__(self, params: dict[str, Any]) -> None:
        self.params = params

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Keep what Hydra hands over."""
        self.hydra_context = hydra_context
        self.config = config

    def sweep(self, arguments: Sequence[str]) -> None:
        """Expand the overrides into a grid and run it."""
        from pipeline.command import run_and_report
        from pipeline.request.compose import request_error
        from pipeline.request.overrides import grid_of_overrides
        from pipeline.storage.directory import directory_path

        loader = self.hydra_context.config_loader
        parser = OverridesParser.create(config_loader=loader)

        def compose_again(overrides: list[str]) -> DictConfig:
            name = self.config.hydra.job.config_name
            try:
                return loader.load_configuration(name, overrides, run_mode=RunMode.RUN)
            except Exception as error:  # Hydra refuses with exceptions of every kind
                raise request_error(error, overrides) from error

        params = [f"{key}={values}" for key, values in self.params.items()]
        try:
            parsed = parser.parse_overrides(params), parser.parse_overrides(list(arguments))
        except HydraException as error:
            raise request_error(error, params) from error
        grid = grid_of_overrides(self.config, *parsed, compose_again)
        path = directory_path(self.config.outputs, self.config.name)
        run_and_report(grid, self.config, path)
