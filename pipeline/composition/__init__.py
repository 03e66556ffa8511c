"""Composition of one configuration: from `conf/`, overrides and files, validated."""
