"""Errors of Hydra, in one line that names the key."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from hydra.errors import MissingConfigException, OverrideParseException

from pipeline.composition.choices import choices_of, not_a_choice
from pipeline.composition.known_keys import ADDED, known_keys
from pipeline.composition.own_files import (
    overridden_below,
    unreadable_file,
    where_own_choices_are,
)
from pipeline.composition.sweep_functions import FORMS, SWEEPING
from pipeline.composition.sweep_settings import SweepSettings, not_whole
from pipeline.model.errors import RequestError
from pipeline.model.parameters import SECTIONS
from pipeline.model.quantity import unknown_key, written

#: Texts that Hydra's grammar parses as values of another type.
_NOT_A_NAME = ("null", "true", "false")


def request_error(error: Exception, overrides: Sequence[str], conf: Path) -> RequestError:
    """Return an error of Hydra as one line that names the key, if it can be found.

    Parameters
    ----------
    error : Exception
        What Hydra raised.
    overrides : sequence of str
        Those of the command line.
    conf : Path
        The folder that Hydra reads first.
    """
    if isinstance(error, RequestError):
        return error
    if isinstance(error, FileNotFoundError) and error.filename is None:  # of os.getcwd
        return RequestError("the current directory was removed; change to one that exists")
    if isinstance(error, UnicodeDecodeError) and unreadable_file(error):
        return RequestError(f"{unreadable_file(error)}: must be text in UTF-8 ({error.reason})")
    if isinstance(error, MissingConfigException) and error.options:
        group, _, choice = str(error.missing_cfg_file).rpartition("/")
        if group == "hydra/launcher":
            return RequestError(
                f"{written(group, choice)}: is not installed; run.n_jobs= and run.backend= set the "
                "workers; only hydra/sweeper=basic uses a launcher"
            )
        known = " or ".join(error.options)
        hint = where_own_choices_are(group, choice, error.options, conf)
        return RequestError(f"{written(group, choice)}: must be {known}{hint}")
    if isinstance(error, MissingConfigException) and str(error.missing_cfg_file)[:5] == "size/":
        _, size, name = str(error.missing_cfg_file).split("/", 2)
        sizes = sorted(choices_of("size", [conf]))
        known = ", ".join(one.partition("/")[2] for one in sizes if one.startswith(f"{size}/"))
        have = f"experiments with this size are {known}" if known else "sizes are quick"
        return RequestError(f"size={size}: +experiment={name} has none; {have}")
    if isinstance(error, OverrideParseException):
        if isinstance(error.__cause__, RequestError):  # of a function of the grammar
            return RequestError(f"{error.override}: {error.__cause__}")
        for name, form in FORMS.items():
            if f"{name}(" in str(error.override):
                return RequestError(f"{error.override}: {name} must be {form}")
        return RequestError(
            f"{error.override}: must be key=value, key=v1,v2 or key=range(a,b); values with "
            "other characters than letters, digits and /-_. must be quoted"
        )
    for text in overrides:
        key, _, value = text.partition("=")
        key = key.lstrip("+~").partition("@")[0]
        if key not in known_keys() and not key.startswith(("hydra", "-")):
            return unknown_key(key, value, known_keys())
        if key == SweepSettings.section:
            return not_whole(value)
        if re.search(rf"\[.*\b({'|'.join(SWEEPING)})\(", value):
            return RequestError(f"{text}: must stand without brackets")
        if key in (*SECTIONS, "run") and (not value[:1].isalpha() or value in _NOT_A_NAME):
            return not_a_choice(key, value)
        if value.lower() == "null" and "override must be a string" in str(error):
            return not_a_choice(key, value)
        if key in ADDED and not text.startswith("+"):
            return RequestError(f"{text}: must be written with a plus, +{text}")
    text = one_line(error)
    if found := overridden_below(text):
        return found
    if "add --multirun" in text:  # Hydra's advice, which is none for Python and for --cfg
        text = f"{' '.join(overrides)}: must be single values; sweep keys with pipeline.sweep, or "
        text += "by the command without --cfg"
    return RequestError(text)


def one_line(error: Exception) -> str:
    """Return the message of an error of Hydra or OmegaConf on one line, without addresses."""
    lines = [
        part for part in str(error).splitlines() if "https://" not in part and part.strip(" ^")
    ]
    return " ".join(" ".join(lines).split())
