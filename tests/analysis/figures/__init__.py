"""Tests of `analysis/figures`."""
