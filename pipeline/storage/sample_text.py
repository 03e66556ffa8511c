"""Columns of many samples in `configuration.yaml`: texts of lists, which are read much faster."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from pipeline.request.samples import SAMPLE
from pipeline.request.spec import Request

#: Most values of a column that are a list of YAML, one on each line.
_MOST_LISTED = 1000


def columns_as_text(request: Request) -> dict[str, Any]:
    """Return a request with each long column of its samples as the text of a list (JSON)."""
    return _with_columns(request, lambda v: json.dumps(v) if len(v) > _MOST_LISTED else v)


def columns_as_lists(request: Request) -> dict[str, Any]:
    """Return a request with columns of samples as lists, the inverse of `columns_as_text`."""
    return _with_columns(request, lambda v: json.loads(v) if isinstance(v, str) else v)


def _with_columns(request: Request, form: Callable[[Any], Any]) -> dict[str, Any]:
    axes = request.get("axes")
    samples = axes.get(SAMPLE) if isinstance(axes, Mapping) else None
    if not isinstance(axes, Mapping) or not isinstance(samples, Mapping):
        return dict(request)
    columns = {key: form(values) for key, values in samples["columns"].items()}
    return {**request, "axes": {**axes, SAMPLE: {**samples, "columns": columns}}}
