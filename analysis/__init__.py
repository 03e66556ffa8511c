"""From `results.nc` to figures. Reads the file alone and knows nothing of the pipeline."""
