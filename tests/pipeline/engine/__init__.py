"""Tests of `pipeline/engine`."""
