"""Tests of `pipeline/execution`."""
