"""Tests of the pipeline, folder by folder."""
