"""The HTML report of one experiment."""
