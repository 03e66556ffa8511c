"""The command line of the analysis: usage, errors, imports."""

import subprocess
import sys
from pathlib import Path

import pytest

import analysis
import pipeline
from analysis.__main__ import main


def test_the_help_has_the_usage_of_all_three_commands(capsys):
    """Figures, list, diff."""
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    text = capsys.readouterr().out
    for usage in (
        "analysis [-h] EXPERIMENT",
        "analysis list [-h] [ROOT]",
        "analysis diff [-h] A B",
    ):
        assert usage in text


def test_invalid_and_unused_options_are_one_line_and_exit_code_2(capsys):
    """The message names the option; nothing is read, so that no experiment is needed."""
    for arguments, message in (
        (["x", "--format", "gif"], "argument --format: invalid choice: 'gif'"),
        (["x", "--list", "--report"], "--report: has no effect with --list; remove one of them"),
        (["x", "--list", "--at", "0"], "--at: has no effect with --list; remove one of them"),
        (["x", "--report", "--format", "pdf"], "--format: has no effect with --report; remove"),
        (["diff", "x"], "the following arguments are required: B; see python -m analysis diff"),
    ):
        assert main(arguments) == 2
        error = capsys.readouterr().err
        assert error.startswith(f"error: {message}")
        assert error.count("\n") == 1


def test_a_directory_may_be_called_list(configure, tmp_path, monkeypatch, capsys):
    """Given as `./list` its figures are drawn and their paths printed; nothing is listed."""
    pipeline.sweep(configure(), {"seed": [1, 2]}, tmp_path / "list", backend="sequential")
    monkeypatch.chdir(tmp_path)
    assert main(["./list", "--figure", "rule", "--figure", "weights"]) == 0
    files = sorted((tmp_path / "list" / "figures").glob("*.png"))
    assert [file.name for file in files] == ["rule.png", "weights.png"]
    assert sorted(capsys.readouterr().out.splitlines()) == [
        "list/figures/rule.png",
        "list/figures/weights.png",
    ]
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)


def test_listing_imports_neither_xarray_nor_matplotlib(keep, tmp_path):
    """Reading the metadata of an experiment needs netCDF4; the others take longer to import."""
    keep("one", {"seed": [1, 2]})
    code = (
        "import sys; from analysis.__main__ import main; main(sys.argv[1:]);"
        "print(*{name.split('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "list", str(tmp_path)],
        cwd=Path(analysis.__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[1].startswith("one ")
    imported = set(done.stderr.split())
    assert "netCDF4" in imported
    assert not {"xarray", "pandas", "matplotlib"} & imported


def test_a_closed_pipe_is_no_error(tmp_path):
    """The reader has closed the pipe, as `head` does."""
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
