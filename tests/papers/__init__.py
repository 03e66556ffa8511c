"""Findings of papers: what was published, what is measured here, and what makes a test fail."""
