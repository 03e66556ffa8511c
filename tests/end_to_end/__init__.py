"""End-to-end tests: command line, notebooks, fault injection."""
