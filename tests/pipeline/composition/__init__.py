"""Tests of `pipeline/composition`."""
