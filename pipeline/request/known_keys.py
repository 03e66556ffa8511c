"""Keys that a command line or a file may set."""

from __future__ import annotations

from pipeline.model.parameters import SECTIONS, all_quantities
from pipeline.request.run_settings import RunSettings

#: Keys of `conf/config.yaml` that are not parameters of the model; those of text.
TEXTS = ("study", "name", "outputs")
GENERAL = (*TEXTS, "dry_run")

#: Groups that are added to the defaults, with a plus.
ADDED = ("experiment", "size")


def known_keys() -> tuple[str, ...]:
    """Return every key that a command line may set, except Hydra's own."""
    run = [RunSettings.key(name) for name in RunSettings.quantities()]
    return (*all_quantities(), *run, *GENERAL, *SECTIONS, "run", *ADDED)


def text_keys() -> list[str]:
    """Return every key whose value is text: those of text, and groups, whose choices have names."""
    texts = [key for key, quantity in all_quantities().items() if quantity.kind is str]
    run = RunSettings.quantities().items()
    texts += [RunSettings.key(name) for name, quantity in run if quantity.kind is str]
    return [*texts, *TEXTS, *SECTIONS, "run", *ADDED]
