"""`stdp explore`: the points of an experiment in a browser."""
