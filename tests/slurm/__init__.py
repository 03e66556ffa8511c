"""Slurm, started for these tests; `make test-slurm` installs it."""
