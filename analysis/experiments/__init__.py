"""Find, list and compare experiments."""
