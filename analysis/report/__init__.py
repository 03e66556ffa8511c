"""HTML report of one experiment."""
