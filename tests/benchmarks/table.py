"""The one table of results, and the lines above it that say on what it was measured."""

from __future__ import annotations

import datetime
import importlib.metadata
import math
import os
import platform
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_HEADINGS = ("what", "against", "this project", "the other", "ratio", "ours; the other's")

_ENGINE_PACKAGES = ("numpy", "numba", "joblib", "hydra-core", "xarray")


@dataclass(frozen=True)
class Row:
    """One comparison, in words.

    Attributes
    ----------
    what, against : str
        What is measured, and who else does it.
    ours, other, ratio : str
        The two numbers, and how many times this project's goes into the other's.
    check : str
        What shows that both did the same work.
    """

    what: str
    against: str = "-"
    ours: str = "-"
    other: str = "-"
    ratio: str = "-"
    check: str = "-"

    def line(self) -> str:
        """Return the row in markdown."""
        cells = (self.what, self.against, self.ours, self.other, self.ratio, self.check)
        return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def markdown(rows: Iterable[Row]) -> str:
    """Return the table."""
    rule = "|" + "---|" * len(_HEADINGS)
    return "\n".join(["| " + " | ".join(_HEADINGS) + " |", rule, *(row.line() for row in rows)])


def circumstances() -> str:
    """Return a line on this machine, the versions and the date."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _ENGINE_PACKAGES)
    return (
        f"{datetime.date.today():%Y-%m-%d}; {_processor()}, {os.cpu_count()} cores, "
        f"{_memory_gb():.0f} GB, {platform.system()}; "
        f"Python {platform.python_version()}, {versions}."
    )


def _processor() -> str:
    """Return the processor's name, with family and model where that is all that tells it."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    found = dict(re.findall(r"^(model name|cpu family|model)\s*: (.+)$", text, re.MULTILINE))
    name = found.get("model name", platform.machine())
    if {"cpu family", "model"} <= found.keys():
        name += f" (family {found['cpu family']}, model {found['model']})"
    return name


def _memory_gb() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9


def bystanders_seconds() -> float:
    """Return the processor time that others than this command have taken since the start.

    It is off by what running children have taken so far; nan where the system does not tell.
    """
    try:
        ticks = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    except OSError:
        return math.nan
    user, nice, system, _, _, interrupts, soft_interrupts = map(int, ticks[:7])
    busy = user + nice + system + interrupts + soft_interrupts
    return busy / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])


def time_text(seconds: float) -> str:
    """Return a time with three digits, in the unit that suits it."""
    for limit, factor, unit in ((0.1, 1e3, "ms"), (300, 1, "s"), (3 * 3600, 1 / 60, "min")):
        if seconds < limit:
            return f"{_three_digits(seconds * factor)} {unit}"
    return f"{_three_digits(seconds / 3600)} h"


def size_text(n_bytes: float) -> str:
    """Return a size in MB."""
    return f"{n_bytes / 1e6:,.0f} MB"


def ratio_text(ratio: float) -> str:
    """Return how many times the one goes into the other."""
    return f"{ratio:.2f}x" if ratio < 10 else f"{ratio:,.0f}x"


def _three_digits(number: float) -> str:
    decimals = 3 if number < 1 else 2 if number < 10 else 1 if number < 100 else 0
    return f"{number:,.{decimals}f}"
