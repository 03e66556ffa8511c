"""Plot functions: arrays in, matplotlib figures out."""
