"""Tests of what the lab simulates and moves."""
