"""Tests of `analysis/plots`."""
