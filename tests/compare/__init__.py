"""Comparison of this project with other simulators (`make compare`)."""
