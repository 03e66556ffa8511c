"""`python -m pipeline`: Ctrl-C is answered before the imports, which take most of a second."""

from __future__ import annotations

from pipeline.system.signals import ignore_interrupts, leave_at_interrupts

if __name__ == "__main__":
    leave_at_interrupts()
    from pipeline.cli import main

    try:
        main()
    finally:
        ignore_interrupts()  # Python would answer them in its own way while it ends
