"""The operating system: atomic file writes, signals, the cache of object code, the host."""
