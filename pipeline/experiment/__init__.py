"""Experiments: public Python API, the steps of a sweep, dry run, tracking."""
