"""`stdp lab`: simulations in a browser while their parameters are moved."""
