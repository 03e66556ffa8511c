"""Tests through the command line, the notebooks and campaigns."""
