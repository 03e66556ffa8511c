"""On-disk cache of the kernel's object code.

numba takes half a second to import and seconds to compile. That is done once per machine and
kernel: the object code is written to a file, and later processes only link it, with LLVM
alone.
"""

from __future__ import annotations

import ctypes
import dataclasses
import hashlib
import json
import logging
import os
import stat
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import llvmlite
import llvmlite.binding as llvm

from pipeline.system.atomic_files import checksum, replacing

log = logging.getLogger("pipeline")

#: The user's cache folder: of an installed package, and where a checkout is not writable.
USERS_CACHE = Path(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),  # noqa: PTH111 - Path's raises where there is no home
    "stdp-pipeline",
)

#: Functions that LLVM substitutes for its own instructions, and that a module does not declare.
_CALLED_BY_LLVM = ("exp", "log1p", "fma", "memcpy", "memset", "memmove")

#: References that keep the linked code in memory.
_linked: list[llvm.ExecutionEngine] = []


def address(
    name: str,
    folder: Path,
    sources: Sequence[str],
    compile_sources: Callable[[], tuple[str, str]],
) -> int:
    """Return the address of a function, compiled now or by an earlier process.

    Parameters
    ----------
    name : str
        Name of the file with the object code, before its fingerprint.
    folder : Path
        Folder of the file; where it is not writable the user's cache folder is used, and where that
        is not either, a private one for temporary files.
    sources : sequence of str
        The source texts of the function. Cached code is used only if they, the processor and the
        version of LLVM are the same.
    compile_sources : callable
        Returns the function's LLVM module as text, and its name in that module.

    Raises
    ------
    OSError
        If the code calls a function that this process does not provide.
    """
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    file = f"{name}.{_fingerprint(sources)}.o"
    paths = [folder / file, USERS_CACHE / file]
    temporary = _temporary_cache()
    code = next(filter(None, map(_read, [*paths, temporary / file] if temporary else paths)), None)
    if code is None:
        code = _compiled(*compile_sources())
        if not _keep(code, paths):
            temporary = _temporary_cache(create=True)
            paths += [temporary / file] if temporary else []
            if temporary and _keep(code, paths[-1:]):
                return _link(code)
            log.warning("%s cannot be written: the next process compiles again", paths[-1])
    return _link(code)


def _temporary_cache(create: bool = False) -> Path | None:
    """Return this user's folder for temporary files, None if it is not there or not private.

    Others may write where it lies, and what is in it is run: it is used only if it belongs to this
    user and nobody else can write in it.
    """
    folder = Path(tempfile.gettempdir(), f"stdp-pipeline-{os.getuid()}")
    try:
        if create:
            folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    private = stat.S_ISDIR(found.st_mode) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return folder if private and found.st_uid == os.getuid() else None


def _fingerprint(sources: Sequence[str]) -> str:
    processor = f"{llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}"
    text = f"{llvmlite.__version__} {llvm.get_process_triple()} {processor}"
    content = "\0".join([*sources, Path(__file__).read_text(), text])
    return hashlib.blake2b(content.encode(), digest_size=12).hexdigest()


@dataclasses.dataclass(frozen=True)
class _Code:
    """An object file, the name of its function, and the external names that it calls."""

    machine: bytes
    function: str
    needs: list[str]


def _compiled(module: str, function: str) -> _Code:
    parsed = llvm.parse_assembly(module)
    symbols = [*parsed.functions, *parsed.global_variables]
    needs = [s.name for s in symbols if s.is_declaration and not s.name.startswith("llvm.")]
    return _Code(_target().emit_object(parsed), function, needs)


def _target() -> llvm.TargetMachine:
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        jit=True,
    )


def _link(code: _Code) -> int:
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target())
    for name in (*code.needs, *_CALLED_BY_LLVM):
        if llvm.address_of_symbol(name) is None:
            llvm.add_symbol(name, _stand_in(name))
    engine.add_object_file(llvm.ObjectFileRef.from_data(code.machine))
    engine.finalize_object()
    _linked.append(engine)
    return engine.get_function_address(code.function)


def _stand_in(name: str) -> int:
    """Return the address of `abort`, for a helper of numba that this process does not provide.

    The helpers report exceptions; the kernel raises none, so that they are never called.

    Raises
    ------
    OSError
        If the name is not one of these helpers.
    """
    if not name.startswith(("numba_", "NRT_")):
        raise OSError(f"the engine needs {name}, which this Python does not provide")
    return ctypes.cast(ctypes.pythonapi.abort, ctypes.c_void_p).value or 0


def _keep(code: _Code, paths: Sequence[Path]) -> bool:
    """Write code, preceded by its checksum, to the first writable path; return whether one is."""
    content = _bytes_of(code)
    for path in paths:
        try:
            with replacing(path) as temporary:
                temporary.write_bytes(checksum(content).encode() + b"\n" + content)
        except OSError:
            continue
        return True
    return False


def _read(file: Path) -> _Code | None:
    """Return the code of a file, None if there is no file or its checksum does not match."""
    try:
        digest, _, content = file.read_bytes().partition(b"\n")
    except OSError:
        return None
    if digest != checksum(content).encode():
        return None
    names, _, machine = content.partition(b"\n")
    return _Code(machine, **json.loads(names))


def _bytes_of(code: _Code) -> bytes:
    names = {"function": code.function, "needs": code.needs}
    return json.dumps(names).encode() + b"\n" + code.machine
