"""The command `stdp` as a process of its own, as a user starts it."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT, Ended

#: Starts the console script's function under the name that the script has.
_SCRIPT = "import sys; sys.argv[0] = 'stdp'; from stdp.__main__ import main; sys.exit(main())"


@pytest.fixture
def stdp(tmp_path):
    """Run `stdp` in a temporary folder; return exit code and output."""

    def run(*arguments: str, stdout: int = subprocess.PIPE) -> Ended:
        done = subprocess.run(
            [sys.executable, "-c", _SCRIPT, *map(str, arguments)],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    return run
