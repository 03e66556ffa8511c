"""Records of runs, in the attribute `runs` of a file: when they began, with which packages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def packages_of(run: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the package versions of a run by name; the global attribute holds them as JSON.

    A name is as the package index writes it, `netcdf4`, whatever its version calls itself.
    """
    packages = run.get("packages")
    try:
        packages = json.loads(packages) if isinstance(packages, str) else packages
    except ValueError:
        return {}
    if not isinstance(packages, Mapping):
        return {}
    return {re.sub("[-_.]+", "-", name).lower(): version for name, version in packages.items()}


def created(run: Mapping[str, Any]) -> datetime | None:
    """Return the start of a run; None if it is not recorded or no valid date."""
    try:
        time = datetime.fromisoformat(str(run["created"]).rpartition("; ")[2])
    except (KeyError, ValueError):
        return None
    if not 1970 <= time.year <= 9000:  # conversion to local time fails at the calendar's ends
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
