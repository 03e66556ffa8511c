"""Tests of what the pages of `stdp explore` show."""
