"""Functions of the override grammar that have several values; `request.grammar` defines ours."""

from __future__ import annotations

#: How the functions are written that are added to those of Hydra, or replace them.
FORMS = {
    "interval": "interval(a,b) or interval(a,b,log)",
    "logspace": "logspace(a,b,n), n whole",
    "linspace": "linspace(a,b,n), n whole",
}

#: All functions that have several values, which a list cannot hold.
SWEEPING = (*FORMS, "range", "choice")
