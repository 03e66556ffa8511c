"""Flag variables of the CF conventions: whole numbers with meanings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def meanings_of_flags(attributes: Mapping[str, Any]) -> dict[int, str]:
    """Return what each value of a flag variable means, in words (CF-1.11, section 3.5).

    Parameters
    ----------
    attributes : mapping
        Of the variable.

    Raises
    ------
    KeyError
        If one of the attributes `flag_values` and `flag_meanings` is missing.
    """
    values = np.atleast_1d(attributes["flag_values"]).tolist()
    meanings = [word.replace("_", " ") for word in attributes["flag_meanings"].split()]
    return dict(zip(values, meanings, strict=True))
