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
