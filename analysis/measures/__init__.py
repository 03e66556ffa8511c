"""Numbers computed from a dataset: weights, spike trains, stationarity, theory."""
