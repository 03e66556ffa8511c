"""Tests of `pipeline/system`."""
