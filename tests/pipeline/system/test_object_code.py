"""The cache of object code: reused, checked, and compiled again where it is not valid."""

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest
from numba import cfunc, float64

from pipeline.system import object_code

ROOT = Path(__file__).parents[3]


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A source file, and a cache of the user in a temporary folder."""
    monkeypatch.setattr(object_code, "_USERS_CACHE", tmp_path / "users")
    file = tmp_path / "twice.py"
    file.write_text("2 * x")
    return file


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
    assert call(object_code.address([source], compiler), 21.0) == 42.0
    assert call(object_code.address([source], compiler), 4.0) == 8.0
    assert compiler.count == 1


def test_changed_sources_are_compiled_again(source):
    """The content of all source files is part of the cache's key."""
    beside = source.with_name("constants.py")
    beside.write_text("one")
    assert call(object_code.address([source, beside], Compiler(2.0)), 1.0) == 2.0
    beside.write_text("another")
    assert call(object_code.address([source, beside], Compiler(3.0)), 1.0) == 3.0


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
    """A file that is cut, empty or changed in one byte is compiled anew."""
    object_code.address([source], Compiler(2.0))
    (kept,) = (source.parent / "__pycache__").iterdir()
    kept.write_bytes(damage(kept.read_bytes()))
    compiler = Compiler(2.0)
    assert call(object_code.address([source], compiler), 1.0) == 2.0
    assert compiler.count == 1


def test_the_users_cache_is_used_where_the_installation_is_not_writable(source, caplog):
    """Without a writable package folder the user's cache is used; without either, none."""
    (source.parent / "__pycache__").write_text("in the way")
    object_code.address([source], Compiler(2.0))
    assert len(list((source.parent / "users").iterdir())) == 1
    compiler = Compiler(2.0)
    object_code.address([source], compiler)
    assert compiler.count == 0
    for file in (source.parent / "users").iterdir():
        file.unlink()
    (source.parent / "users").rmdir()
    (source.parent / "users").write_text("in the way")
    assert call(object_code.address([source], compiler), 1.0) == 2.0
    assert "cannot be written: the next process compiles again" in caplog.text


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
