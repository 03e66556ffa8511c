"""Campaigns against a directory: kills, damage, full disks, wrong requests; see `__main__`.

Each is a function of a number of trials and a random generator; it raises where anything is not as
promised, and returns what it tried, by name, with counts. The tests run few trials of each.
"""
