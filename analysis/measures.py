"""Numbers from results: `Dataset` in, `DataArray` out, nothing drawn."""

from __future__ import annotations

import numpy as np
import xarray as xr

SEED = "seed"


def weight_histogram(dataset: xr.Dataset, n_bins: int = 20) -> xr.DataArray:
    """Share of synapses in equal bins of the final weight over [0, 1], seeds pooled.

    Returns
    -------
    DataArray, (..., weight_bin)
        The axes of the sweep without `seed`, then the bins at their centres; sums to 1 over the
        bins, NaN where no point is done.
    """
    weight = dataset["weight"]
    pooled = [dim for dim in weight.dims if dim in (SEED, "synapse")]
    kept = [dim for dim in weight.dims if dim not in pooled]
    edges = np.linspace(0, 1, n_bins + 1)
    shape = [weight.sizes[dim] for dim in kept]
    rows = weight.transpose(*kept, *pooled).values.reshape(int(np.prod(shape)), -1)
    counts = np.array([np.histogram(row[np.isfinite(row)], edges)[0] for row in rows])
    with np.errstate(invalid="ignore"):  # 0 / 0 where no point is done
        shares = counts / counts.sum(axis=1, keepdims=True)
    return xr.DataArray(
        shares.reshape(*shape, n_bins),
        dims=[*kept, "weight_bin"],
        coords={dim: weight[dim] for dim in kept}
        | {"weight_bin": ("weight_bin", (edges[:-1] + edges[1:]) / 2, weight.attrs)},
        name="share",
        attrs={"long_name": "share of synapses"},
    )


def mean_over_seeds(variable: xr.DataArray) -> xr.DataArray:
    """Mean over seeds, points that are not done left out; the variable itself without seeds."""
    if SEED not in variable.dims:
        return variable
    return variable.mean(SEED, keep_attrs=True)


def spread_over_seeds(variable: xr.DataArray) -> xr.DataArray:
    """Sample standard deviation over seeds; NaN below two of them."""
    if SEED not in variable.dims or variable.sizes[SEED] < 2:
        without = variable.isel({SEED: 0}, drop=True) if SEED in variable.dims else variable
        return xr.full_like(without, np.nan, dtype=float)
    return variable.std(SEED, ddof=1, keep_attrs=True)


def n_not_done(dataset: xr.Dataset) -> int:
    """Return the number of points that failed or are missing."""
    return int((dataset["status"] != 0).sum())


def silent(dataset: xr.Dataset) -> xr.DataArray:
    """Whether the neuron never fired, in all seeds that are done."""
    silent = dataset["spike_count"] == 0
    done = dataset["status"] == 0
    if SEED in silent.dims:
        return (silent | ~done).all(SEED) & done.any(SEED)
    return silent & done
