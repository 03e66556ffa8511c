"""Requests: composed configurations, axes, the grid of points, run settings."""
