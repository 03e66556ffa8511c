"""Measures of a dataset: weights, spike trains, stationarity, theory."""
