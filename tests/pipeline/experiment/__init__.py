"""Tests of `pipeline/experiment`."""
