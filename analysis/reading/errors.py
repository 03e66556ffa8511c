"""Errors that a command reports in one line with exit code 2."""

from __future__ import annotations


class LoadError(ValueError):
    """There is no readable result where one was asked for. The message is one line."""


class ConditionError(ValueError):
    """A condition or option that is not allowed; one line: key, value, what is allowed."""
