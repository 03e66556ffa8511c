"""Interruptions that arrive at a bad moment."""

import signal
import subprocess
import sys

import pytest

from pipeline.system.signals import interrupts_deferred


def test_an_interruption_within_the_block_is_handled_after_it():
    """It is not lost, as it would be if it were ignored there."""
    reached = []

    def interrupted_within():
        with interrupts_deferred():
            signal.raise_signal(signal.SIGINT)
            reached.append("end of the block")

    with pytest.raises(KeyboardInterrupt):
        interrupted_within()
    assert reached == ["end of the block"]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_a_process_that_starts_in_the_block_is_not_interrupted():
    """It inherits the blocked signal: the parent alone handles Ctrl-C."""
    code = "import signal; signal.raise_signal(signal.SIGINT); print('goes on')"
    with interrupts_deferred():
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
    assert (done.returncode, done.stdout) == (0, "goes on\n")
