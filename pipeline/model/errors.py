"""Errors that a command reports in one line with exit code 2."""

from __future__ import annotations


class RequestError(ValueError):
    """A request that cannot be run. The message is one line: key, value and what is allowed."""
