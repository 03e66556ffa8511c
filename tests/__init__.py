"""One file per room, and the house rules as tests."""
