"""Run a command and print its exit code, wall time and peak memory: `python launch.py WORD ...`.

It is a separate small process, because the peak memory of a child includes that of its parent at
the time of the fork.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time


def main() -> None:
    """Run the arguments as a command; its standard output is discarded."""
    started = time.perf_counter()
    process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    unit = 1 if sys.platform == "darwin" else 1024
    code = os.waitstatus_to_exitcode(status)
    print(json.dumps({"code": code, "seconds": seconds, "peak": used.ru_maxrss * unit}))


if __name__ == "__main__":
    main()
