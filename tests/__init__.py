"""Tests of `pipeline` and `analysis` in their folders, conventions, end-to-end runs, benchmarks."""
