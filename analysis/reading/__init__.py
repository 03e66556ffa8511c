"""Read `results.nc`: metadata, dataset, selection of points."""
