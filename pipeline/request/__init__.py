"""Requests of many points: axes, samples, the grid of points, their keys, unions of requests."""
