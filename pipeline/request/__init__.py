"""What is asked for: composed configurations, axes, and the grid of points."""
