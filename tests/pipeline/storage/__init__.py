"""Tests of `pipeline/storage`."""
