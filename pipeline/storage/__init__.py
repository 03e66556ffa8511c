"""What is known: results in memory and on disk, and the experiment directory."""
