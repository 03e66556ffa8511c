"""Storage: results in memory and on disk, the experiment directory, the state of a sweep."""
