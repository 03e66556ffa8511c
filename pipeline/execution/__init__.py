"""Execution of points: batches, workers, cancellation."""
