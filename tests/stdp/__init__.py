"""Tests of the command `stdp`."""
