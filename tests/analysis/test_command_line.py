"""The command line of the analysis: its three forms, and how fast and quietly they work."""

import subprocess
import sys
from pathlib import Path

import pytest

import analysis
import pipeline
from analysis.__main__ import main


def test_the_help_tells_all_three_forms(capsys):
    """Figures, list, diff."""
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    told = capsys.readouterr().out
    for form in ("analysis [-h] EXPERIMENT", "analysis list [-h] [ROOT]", "analysis diff [-h] A B"):
        assert form in told


def test_a_directory_may_be_called_list(configure, tmp_path, monkeypatch):
    """Given as `./list` it is drawn as any other."""
    pipeline.sweep(configure(), {"seed": [1, 2]}, tmp_path / "list", backend="sequential")
    monkeypatch.chdir(tmp_path)
    assert main(["./list"]) == 0
    assert (tmp_path / "list" / "figures" / "window.png").is_file()


def test_a_list_imports_neither_xarray_nor_matplotlib():
    """They take longer than a list of a hundred experiments."""
    code = "import analysis.__main__, sys; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(analysis.__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"xarray", "pandas", "matplotlib"} & set(done.stdout.split())


def test_who_stops_reading_gets_no_traceback(tmp_path):
    """As `head` does."""
    code = "import sys; from analysis.__main__ import main; sys.exit(main(sys.argv[1:]))"
    listing = subprocess.Popen(
        [sys.executable, "-c", code, "list", str(tmp_path)],
        cwd=Path(analysis.__file__).parent.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    listing.stdout.close()
    assert listing.stderr.read() == b""
    listing.stderr.close()
    assert listing.wait() == 0
