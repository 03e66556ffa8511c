"""Arguments of the subcommands of this package."""

from __future__ import annotations

import argparse
from typing import NoReturn

from stdp.errors import CommandError


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """Raise `CommandError` in place of exiting."""
        raise CommandError(f"{message}; see {self.prog} --help")
