"""Conventions of the code base and its documentation, as tests."""
