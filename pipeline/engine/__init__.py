"""Simulation engines: integrate one configuration and return its recorded variables."""
