"""Contract between the packages: what `analysis` assumes of a file and directory of `pipeline`."""
