"""Benchmarks of run time and memory: `python -m tests.benchmarks`."""
