"""One experiment from request to results: run, dry run, tracking."""
