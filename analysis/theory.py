"""What the equations say without a simulation."""

from __future__ import annotations

import numpy as np
import xarray as xr

from analysis.load import parameter


def stdp_window(dataset: xr.Dataset, n_points: int = 400) -> xr.DataArray:
    """Weight change per pair of spikes, for the parameters of a file.

    Song, Miller & Abbott 2000: A_plus exp(t / tau_plus) for t = t_pre - t_post <= 0, and
    -A_minus exp(-t / tau_minus) for t > 0.

    Returns
    -------
    DataArray, (..., time_difference)
        The swept axes that shape the window, then t over five of the longest time constants on
        either side; both signs of t = 0 are in it, as the window jumps there.
    """
    names = ("A_plus", "A_minus", "tau_plus", "tau_minus")
    A_plus, A_minus, tau_plus, tau_minus = (parameter(dataset, f"stdp.{name}") for name in names)
    reach = 5 * max(float(tau_plus.max()), float(tau_minus.max()))
    before = np.linspace(-reach, 0, n_points // 2)
    after = -before[::-1]
    attributes = {"long_name": r"time difference $t_\mathrm{pre} - t_\mathrm{post}$", "units": "ms"}
    t_ltp = xr.DataArray(before, dims="time_difference")
    t_ltd = xr.DataArray(after, dims="time_difference")
    halves = [A_plus * np.exp(t_ltp / tau_plus), -A_minus * np.exp(-t_ltd / tau_minus)]
    window = xr.concat(xr.broadcast(*halves, exclude=["time_difference"]), "time_difference")
    times = ("time_difference", np.concatenate([before, after]), attributes)
    window.attrs = {"long_name": "weight change per pair of spikes"}
    return window.assign_coords(time_difference=times)
