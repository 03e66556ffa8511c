"""The table of results, and the description of the machine and the versions above it."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import math
import os
import platform
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_HEADINGS = (
    "benchmark",
    "compared with",
    "this project",
    "other",
    "ratio",
    "results: this project; other",
)

_ROOT = Path(__file__).parents[2]

_ENGINE_PACKAGES = ("numpy", "numba", "joblib", "hydra-core", "xarray")


@dataclass(frozen=True)
class Row:
    """One row of the table, as text.

    Attributes
    ----------
    what, against : str
        What is measured, and what it is compared with.
    ours, other, ratio : str
        The two numbers, and the other's over this project's.
    check : str
        The results of both, or how the row was measured.
    """

    what: str
    against: str = "-"
    ours: str = "-"
    other: str = "-"
    ratio: str = "-"
    check: str = "-"

    def line(self) -> str:
        """Return the row in markdown."""
        cells = dataclasses.astuple(self)
        return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"

    @classmethod
    def read(cls, line: str) -> Row:
        """Return the row of a line."""
        return cls(*line.removeprefix("| ").removesuffix(" |").split(" | "))


def markdown(rows: Iterable[Row]) -> str:
    """Return the table."""
    rule = "|" + "---|" * len(_HEADINGS)
    return "\n".join(["| " + " | ".join(_HEADINGS) + " |", rule, *(row.line() for row in rows)])


def rows_of(text: str) -> list[Row]:
    """Return the rows of a table, without its headings, in a text."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [Row.read(line) for line in lines[1:]]


def circumstances() -> str:
    """Return the machine and the versions of what is measured in one line."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _ENGINE_PACKAGES)
    return (
        f"Version {_version()} (checksum of the sources) of this project; {_processor()}, "
        f"{os.cpu_count()} cores, {_memory_gb():.0f} GB, {platform.system()}; "
        f"Python {platform.python_version()}, {versions}."
    )


def _version() -> str:
    """Return the first digits of the checksum of all source files, with those of the peers.

    It does not change when results or documents are committed.
    """
    checksum = hashlib.sha256()
    for folder in ("conf", "hydra_plugins", "pipeline", "analysis", "tests/benchmarks/peers"):
        for file in sorted((_ROOT / folder).rglob("*")):
            if file.suffix in (".py", ".yaml", ".c"):
                checksum.update(f"{file.relative_to(_ROOT)}\0".encode() + file.read_bytes())
    return checksum.hexdigest()[:12]


def _processor() -> str:
    """Return the processor's name, with family and model number where they are known."""
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


def other_processes_seconds() -> float:
    """Return the processor time of all other processes since the system started [s].

    The time of children that are still running is included; nan where `/proc/stat` does not exist.
    """
    try:
        ticks = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    except OSError:
        return math.nan
    user, nice, system, _, _, interrupts, soft_interrupts = map(int, ticks[:7])
    busy = user + nice + system + interrupts + soft_interrupts
    return busy / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])


def time_text(seconds: float) -> str:
    """Return a time with three significant digits, in ms, s, min or h."""
    for limit, factor, unit in ((0.1, 1e3, "ms"), (300, 1, "s"), (3 * 3600, 1 / 60, "min")):
        if seconds < limit:
            return f"{_three_digits(seconds * factor)} {unit}"
    return f"{_three_digits(seconds / 3600)} h"


def size_text(n_bytes: float) -> str:
    """Return a size in MB."""
    return f"{n_bytes / 1e6:,.0f} MB"


def ratio_text(ratio: float) -> str:
    """Return a ratio as text."""
    return f"{ratio:.2f}x" if ratio < 10 else f"{ratio:,.0f}x"


def _three_digits(number: float) -> str:
    decimals = 3 if number < 1 else 2 if number < 10 else 1 if number < 100 else 0
    return f"{number:,.{decimals}f}"
