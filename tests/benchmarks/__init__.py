"""How fast, how small: `python -m tests.benchmarks`, all of it measured side by side in one go."""
