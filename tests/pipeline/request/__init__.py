"""Tests of `pipeline/sweep`."""
