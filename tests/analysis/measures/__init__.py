"""Tests of `analysis/measures`."""
