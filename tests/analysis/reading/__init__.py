"""Tests of `analysis/reading`."""
