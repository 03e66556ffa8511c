"""Table of all parameters, with their units, for `python -m pipeline --help`."""

from __future__ import annotations

from omegaconf import OmegaConf

from pipeline.model.parameters import all_quantities
from pipeline.request.run_settings import RunSettings

#: Name of the resolver by which `conf/config.yaml` inserts the table.
_RESOLVER = "table_of_parameters"


def declare_help() -> None:
    """Register the resolver of the table with OmegaConf."""
    OmegaConf.register_new_resolver(_RESOLVER, _template, replace=True)


def table_of_parameters() -> str:
    """Return one line per key of the configuration: key, unit, meaning."""
    settings = {RunSettings.key(name): one for name, one in RunSettings.quantities().items()}
    rows = [
        (key, declared.units, declared.long_name)
        for key, declared in (all_quantities() | settings).items()
    ]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "\n".join(
        f"{key:{widths[0]}}  {units:{widths[1]}}  {meaning}" for key, units, meaning in rows
    )


def _template() -> str:
    """Return the table as Hydra takes it, in which a dollar sign would begin a placeholder."""
    return table_of_parameters().replace("$", "$$")
