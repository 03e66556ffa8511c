"""Errors that a command reports in one line with exit code 2."""

from __future__ import annotations

#: Stands for the value of a key in messages that are about the key alone.
NO_VALUE = type("NoValue", (), {"__repr__": lambda self: "NO_VALUE"})()


class RequestError(ValueError):
    """A request that cannot be run. The message is one line: key, value and what is allowed."""
