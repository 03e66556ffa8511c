"""Fault-injection campaigns: kills, damaged files, full disks, invalid requests; see `__main__`.

Each campaign is a function of the number of trials and a random generator. It raises an
AssertionError at the first violation of a guarantee, and returns the counts of its trials by kind.
The tests run a few trials of each.
"""
