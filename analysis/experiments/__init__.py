"""Several experiments: find, list and compare them."""
