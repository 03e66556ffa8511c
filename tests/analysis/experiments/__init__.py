"""Tests of `analysis/experiments`."""
