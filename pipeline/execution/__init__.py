"""Running points: batches, workers and backends."""
