"""Errors that a command reports in one line with exit code 2."""

from __future__ import annotations


class LoadError(ValueError):
    """The path holds no readable results. The message is one line."""


class ConditionError(ValueError):
    """An invalid condition or option. The message is one line: key, value, what is allowed."""
