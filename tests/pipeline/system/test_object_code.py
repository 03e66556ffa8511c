"""The cache of object code: stored, verified, and recompiled if invalid."""

import ctypes
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from numba import cfunc, float64

from pipeline.system import object_code

ROOT = Path(__file__).parents[3]


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A folder for the object code, and temporary ones as the user's cache and for the rest."""
    monkeypatch.setattr(object_code, "USERS_CACHE", tmp_path / "users")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path / "package"


class Compiler:
    """Compiles a function that multiplies, and counts how often."""

    def __init__(self, factor):
        self.factor = factor
        self.count = 0

    def __call__(self):
        """Return the module and the function's name."""
        self.count += 1
        factor = self.factor
        function = cfunc(float64(float64), error_model="numpy")(lambda x: factor * x)
        return function.inspect_llvm(), function.native_name


def call(address, value):
    """Call a function of one number."""
    return ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(address)(value)


def test_compiled_code_is_cached(source):
    """The second call links the cached code."""
    compiler = Compiler(2.0)
    assert call(object_code.address("twice", source, ["2 * x"], compiler), 21.0) == 42.0
    assert call(object_code.address("twice", source, ["2 * x"], compiler), 4.0) == 8.0
    assert compiler.count == 1


def test_changed_sources_are_compiled_again(source):
    """Cached code depends on all source texts, and on the boundaries between them."""
    for factor, texts in enumerate((["x", "one"], ["x", "two"], ["xt", "wo"])):
        address = object_code.address("twice", source, texts, Compiler(float(factor)))
        assert call(address, 1.0) == factor


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b[:-7],
        lambda b: b"",
        lambda b: b[:-1] + b"x",
        lambda b: b.replace(b"cfunc", b"cfank"),
        lambda b: b"{}" + b,
    ],
)
def test_damaged_code_is_not_linked(source, damage):
    """A file that is truncated, empty or changed in one byte is compiled again."""
    object_code.address("twice", source, ["2 * x"], Compiler(2.0))
    (kept,) = source.iterdir()
    kept.write_bytes(damage(kept.read_bytes()))
    compiler = Compiler(2.0)
    assert call(object_code.address("twice", source, ["2 * x"], compiler), 1.0) == 2.0
    assert compiler.count == 1


def test_the_users_cache_is_used_if_the_installation_is_read_only(source, caplog):
    """Else a private temporary folder; if none is writable, code is not cached."""
    source.write_text("in the way")
    object_code.address("twice", source, ["2 * x"], Compiler(2.0))
    assert len(list((source.parent / "users").iterdir())) == 1
    compiler = Compiler(2.0)
    object_code.address("twice", source, ["2 * x"], compiler)
    assert compiler.count == 0
    for file in (source.parent / "users").iterdir():
        file.unlink()
    (source.parent / "users").rmdir()
    (source.parent / "users").write_text("in the way")
    object_code.address("twice", source, ["2 * x"], compiler)
    object_code.address("twice", source, ["2 * x"], compiler)
    assert compiler.count == 1
    (private,) = (source.parent / "temporary").iterdir()
    assert private.stat().st_mode & 0o777 == 0o700
    assert caplog.text == ""
    shutil.rmtree(private)
    private.write_text("in the way")
    assert call(object_code.address("twice", source, ["2 * x"], compiler), 1.0) == 2.0
    assert "cannot be written: the next process compiles again" in caplog.text


@pytest.mark.parametrize("trap", ["others may write", "link"])
def test_code_in_a_temporary_folder_of_others_is_not_run(source, trap):
    """A folder that others can write in, or a link that they have made, is not used."""
    for path in (source, source.parent / "users"):
        path.write_text("in the way")
    object_code.address("twice", source, ["2 * x"], Compiler(2.0))
    (private,) = (source.parent / "temporary").iterdir()
    if trap == "link":
        private.rename(source.parent / "elsewhere")
        private.symlink_to(source.parent / "elsewhere")
    else:
        private.chmod(0o777)
    compiler = Compiler(2.0)
    object_code.address("twice", source, ["2 * x"], compiler)
    assert compiler.count == 1


def test_a_process_without_a_home_can_import_the_cache():
    """A user without a home directory, as in some containers, can import the engine."""
    code = (
        "import os, pwd; os.environ.pop('HOME', None); pwd.getpwuid = {}.__getitem__;"
        "import pipeline.system.object_code"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
