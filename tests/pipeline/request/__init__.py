"""Tests of `pipeline/request`."""
