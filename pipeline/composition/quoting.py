"""Quotation marks around values of overrides that are text, as Hydra's grammar needs them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipeline.model.quantity import override_text

#: A value of these characters alone, or a number, is quoted where it stands for text. Of other
#: alphabets all are: in decomposed text, as of macOS, an umlaut is a letter and a mark.
_PLAIN_TEXT = re.compile(r"(?:[\w ~/\-+.%@:=#&!;^]|[^\x00-\x7f])+")


def texts_quoted(overrides: Iterable[str], keys: Iterable[str]) -> list[str]:
    """Return overrides in which the values of some keys are text, as they are typed.

    Hydra's grammar parses `name=1e3` as a number and `name=true` as a truth value, and refuses
    `name=größe`. What it parses as text in the same way is returned as it is, and so are lists,
    references, quoted text and null.

    Parameters
    ----------
    overrides : iterable of str
        In the form of the command line.
    keys : iterable of str
        Keys of text, and groups, whose choices are named by text.
    """
    keys = set(keys)
    return [
        _quoted(text) if text.lstrip("+").partition("=")[0] in keys else text for text in overrides
    ]


def _quoted(override: str) -> str:
    """Quote the text of an override, or each of several texts between commas, where needed."""
    key, equals, value = override.partition("=")
    texts = [text.strip() for text in value.split(",")] if "," in value else [value]
    if not equals or not all(map(is_plain, texts)) or not any(map(_needs_quotes, texts)):
        return override
    quoted = (override_text("", text)[1:] if _needs_quotes(text) else text for text in texts)
    return f"{key}={','.join(quoted)}"


def is_plain(value: str) -> bool:
    """Whether a value is a text without quotation marks and signs of the grammar."""
    return bool(_PLAIN_TEXT.fullmatch(value)) and value.lower() != "null"


def _needs_quotes(value: str) -> bool:
    """Whether Hydra refuses a text or does not take it as it is."""
    return not value.isascii() or _is_retyped(value) or bool(set(value) & set(" ~=#&!;^"))


def _is_retyped(value: str) -> bool:
    """Whether Hydra parses a text as a number or truth value."""
    try:
        float(value)
    except ValueError:
        return value.lower() in ("true", "false")
    return True
