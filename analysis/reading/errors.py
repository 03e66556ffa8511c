"""Errors that a command reports in one line, with exit code 2 unless they say another."""

from __future__ import annotations


class LoadError(ValueError):
    """The path holds no readable results. The message is one line."""


class WriteError(LoadError):
    """Some files could not be written, all others were: exit code 1. The message is one line."""


class ParameterError(LoadError, KeyError):
    """The results have no parameter of a name. The message is one line."""

    __str__ = LoadError.__str__  # that of KeyError would put the message in quotes


class ConditionError(ValueError):
    """An invalid condition or option. The message is one line: key, value, what is allowed."""
