"""A process that ends, as by SIGKILL, before a given change of the name of a file."""

import itertools
import multiprocessing
import os
from pathlib import Path


def killed_at(number, action):
    """Call `action` in a process that ends before it links, renames or removes for that time.

    Returns
    -------
    int
        9 if it was killed, 0 if it came to its end before that.
    """

    def child():
        counted = itertools.count(1)

        def counting(change):
            def counted_change(*arguments, **more):
                if next(counted) == number:
                    os._exit(9)
                return change(*arguments, **more)

            return counted_change

        os.link = counting(os.link)
        Path.replace, Path.unlink = counting(Path.replace), counting(Path.unlink)
        action()
        os._exit(0)

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join()
    return process.exitcode
