"""Arguments of `python -m pipeline.reproduce` and `python -m pipeline.merge`."""

from __future__ import annotations

import argparse
from typing import NoReturn

from pipeline.model.errors import RequestError


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """Raise `RequestError` in place of exiting."""
        raise RequestError(f"{message}; see {self.prog} --help")

    def add_run_given_code(self, whose: str) -> None:
        """Add the option that allows to run what `whose` names."""
        self.add_argument(
            "--run-given-code",
            action="store_true",
            help=f"run the source code of {whose}; read it first (given/*.py)",
        )
