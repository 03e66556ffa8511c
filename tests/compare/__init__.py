"""This project against other simulators (`make compare`)."""
