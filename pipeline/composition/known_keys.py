"""Keys that a command line or a file may set."""

from __future__ import annotations

from pipeline.composition.run_settings import RunSettings
from pipeline.composition.sweep_settings import SweepSettings
from pipeline.model.parameters import SECTIONS, all_quantities
from pipeline.model.quantity import Quantity

#: Keys of `conf/config.yaml` that are not parameters of the model; those of text.
TEXTS = ("study", "name", "outputs")
GENERAL = (*TEXTS, "dry_run")

#: Groups that are added to the defaults, with a plus.
ADDED = ("experiment", "size")


def known_keys() -> tuple[str, ...]:
    """Return every key that a command line may set, except Hydra's own."""
    return (*all_quantities(), *settings(), *GENERAL, *SECTIONS, "run", "sweep", *ADDED)


def settings() -> dict[str, Quantity]:
    """Return the quantity of every key of the sections `run` and `sweep`."""
    return {
        section.key(name): quantity
        for section in (RunSettings, SweepSettings)
        for name, quantity in section.quantities().items()
    }


def text_keys() -> list[str]:
    """Return every key whose value is text: those of text, and groups, whose choices have names."""
    texts = [key for key, quantity in all_quantities().items() if quantity.kind is str]
    texts += [key for key, quantity in settings().items() if quantity.kind is str]
    return [*texts, *TEXTS, *SECTIONS, "run", *ADDED]
