"""Errors of the command."""


class CommandError(Exception):
    """Invalid request of a subcommand of this package, as one line."""
