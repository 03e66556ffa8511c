"""Words of the command line, in the order and grammar that Hydra requires."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from hydra._internal.utils import get_args_parser

from pipeline.composition.experiment_size import with_size_of_experiment
from pipeline.composition.known_keys import text_keys
from pipeline.composition.quoting import texts_quoted
from pipeline.composition.sweep_settings import NEEDS_OUR_SWEEPER
from pipeline.model.errors import RequestError
from pipeline.model.quantity import override_text
from pipeline.system.host import reproduce_command, started_as

#: Options of Hydra that have no effect here, and what has.
_WITHOUT_EFFECT = {
    "--config-name": "a file of settings is chosen as GROUP=NAME or +experiment=NAME",
    "--config-path": "--config-dir adds a folder of files",
}


def arranged(words: Sequence[str]) -> list[str]:
    """Return the words of a command line: options first, and text as text.

    Parameters
    ----------
    words : sequence of str
        Options and overrides in any order.

    Raises
    ------
    RequestError
        If an option is unknown, lacks its value or has no effect here.
    """
    parser = get_args_parser()
    actions = parser._option_string_actions
    options: list[str] = []
    overrides: list[str] = []
    given: set[str] = set()
    left = list(words)
    while left:
        word = left.pop(0)
        if not word.startswith("-") or word == "--":
            overrides += [word] if word != "--" else []
            continue
        name, has_value, value = word.partition("=")
        action = actions.get(name)
        if "--experimental-rerun".startswith(name) and name.startswith("--e"):
            raise RequestError(
                f"{word}: has no effect; {reproduce_command('DIRECTORY')} runs points again, "
                "and the command of a directory, in its results.nc, resumes it"
            )
        if action and action.nargs != 0 and action.dest in given:
            raise RequestError(f"{word}: is given twice; only one would have an effect")
        given |= {action.dest} if action else set()
        if action and action.dest == "config_dir" and has_value:  # where a shell leaves ~ as it is
            word = f"{name}={os.path.expanduser(value)}"  # noqa: PTH111 - Path's raises
        options.append(word)
        if not has_value and left and _takes(action, left[0]):
            options.append(left.pop(0))
    options = _complete(options)
    _refuse_wrong_options(parser, options)
    overrides = with_size_of_experiment(overrides)
    _refuse_samples_of_other_sweepers(overrides)
    return [*options, *_with_home(texts_quoted(overrides, text_keys()))]


def _refuse_samples_of_other_sweepers(overrides: Sequence[str]) -> None:
    """Refuse samples where Hydra's own sweeper would run each point by itself."""
    sweepers = [text for text in overrides if text.startswith("hydra/sweeper=")]
    if not sweepers or sweepers[-1] == "hydra/sweeper=pipeline":
        return
    for text in overrides:
        if text.startswith("sweep.") or "=interval(" in text:
            raise RequestError(f"{text}: {NEEDS_OUR_SWEEPER}")


def _refuse_wrong_options(parser: argparse.ArgumentParser, options: Sequence[str]) -> None:
    """Refuse in one line what Hydra's parser would refuse with its usage, or take in silence."""

    def refuse(message: str) -> NoReturn:
        raise RequestError(message)

    parser.exit_on_error = False
    parser.error = refuse  # type: ignore[method-assign] # ends the process, of ambiguous options
    try:
        given, unknown = parser.parse_known_args(options)
    except argparse.ArgumentError as error:
        raise RequestError(str(error)) from error
    if unknown:
        raise RequestError(f"{unknown[0]}: unknown option; see {started_as()} --help")
    for option, instead in _WITHOUT_EFFECT.items():
        if getattr(given, option.strip("-").replace("-", "_")) is not None:
            raise RequestError(f"{option}: has no effect; {instead}")
    if given.package is not None and not given.cfg:
        raise RequestError("--package: has no effect without --cfg")
    own = given.config_dir
    if own is not None and not (own and Path(own).is_dir()):
        shown = " ".join(filter(None, ["--config-dir", own]))
        raise RequestError(f"{shown}: must be a folder that exists")
    ways = {"--run": given.run, "--multirun": given.multirun, "--cfg": given.cfg}
    ways |= {"--info": given.info, "--shell-completion": given.shell_completion}
    chosen = [option for option, value in ways.items() if value]
    if len(chosen) > 1:
        raise RequestError(f"{' and '.join(chosen)}: must be one of them")


def _takes(action: argparse.Action | None, word: str) -> bool:
    """Whether an option takes the next word as its value."""
    if action is None or action.nargs == 0:
        return False
    return action.nargs is None or word in (action.choices or ())


def _complete(options: Sequence[str]) -> list[str]:
    """Return options, with the value of `--info`, which would take an override for it."""
    ends = (*options[1:], "-")
    return [
        "--info=all" if word in ("--info", "-i") and after.startswith("-") else word
        for word, after in zip(options, ends, strict=False)
    ]


def _with_home(overrides: Sequence[str]) -> list[str]:
    """Return overrides with the home directory in `outputs=~/...`, for Hydra's own sweepers too."""
    texts = []
    for text in overrides:
        key, _, value = text.partition("=")
        value = value.strip("'\"")
        if key == "outputs" and value.startswith("~"):
            # Without a home directory it stays, and is refused with the request.
            text = override_text(key, os.path.expanduser(value))  # noqa: PTH111, PLW2901
        texts.append(text)
    return texts
