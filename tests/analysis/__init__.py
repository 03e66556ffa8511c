"""Tests of the analysis, folder by folder."""
