"""Tests of `pipeline/model`."""
