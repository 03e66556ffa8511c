"""`python -m pipeline`; handles signals before the imports, which take most of a second."""

from __future__ import annotations

from pipeline.system.output import prepare_streams
from pipeline.system.signals import exit_on_interrupts, ignore_interrupts

if __name__ == "__main__":
    exit_on_interrupts()
    prepare_streams()
    from pipeline.cli import main

    try:
        main()
    finally:
        ignore_interrupts()  # Python's shutdown would print a traceback
