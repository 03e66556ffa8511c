"""Other simulators, each in an environment of its own, through scripts in separate processes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]

#: The scripts.
SCRIPTS = _ROOT / "tests" / "benchmarks" / "peers"

#: Time limit of a script [s].
_PATIENCE = 1800


class AbsentError(Exception):
    """A program is not installed or failed; the message is the reason."""


def interpreter(name: str) -> Path:
    """Return the Python interpreter of a simulator, `brian2` or `nest`.

    Raises
    ------
    AbsentError
        If it is not installed.
    """
    variable = f"{name.upper()}_PYTHON"
    python = Path(os.environ.get(variable) or _ROOT / f".venv-{name}" / "bin" / "python")
    if not python.exists():
        raise AbsentError(f"not installed: `make peers`, or set {variable}")
    return python


def answer(command: Sequence[str | Path]) -> dict[str, Any]:
    """Run a script once and return the JSON object on the last line of its output.

    Raises
    ------
    AbsentError
        If it fails; the message has the last line of its errors.
    """
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    try:
        ended = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=_PATIENCE, env=environment
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AbsentError(f"failed: {type(error).__name__}") from None
    if ended.returncode:
        last_words = (ended.stderr.strip().splitlines() or ["no message"])[-1]
        raise AbsentError(f"failed: {last_words[:200]}")
    return json.loads(ended.stdout.strip().splitlines()[-1])
