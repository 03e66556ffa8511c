"""Machine code for input processes that are written in numpy, installed in the model.

The model has the same functions on arrays, which are used until then: processes on top of them are
about as fast as one that the kernel draws itself.
"""

from __future__ import annotations

import ctypes
import functools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.engine.constants import address
from pipeline.model import streams, superposition, thinning
from pipeline.model.inputs import Cells
from pipeline.system import object_code
from pipeline.system.locks import shared_lock

_PACKAGE = Path(__file__).parents[1]

#: The source files of the kernels.
_SOURCES = (
    *("engine/draw_kernels.py", "engine/drawing.py"),
    *("model/streams.py", "model/thinning.py", "model/variates.py"),
)

_LOADING = shared_lock()

_INTEGER, _WORD, _ADDRESS = ctypes.c_int64, ctypes.c_uint64, ctypes.c_void_p


def use_compiled_draws() -> None:
    """Let processes draw in machine code; each kernel is loaded when it is first called.

    Raises
    ------
    ImportError
        If one is not compiled yet and numba cannot be imported.
    """
    streams.use_compiled(_fill)
    superposition.use_compiled(_find)
    thinning.use_compiled(redrawn=_thin_redrawn, sinusoidal=_thin_sinusoidal)


def _fill(variates: NDArray[np.float64], counter: int, increment: int) -> None:
    draw = _loaded("exponentials", _ADDRESS, _INTEGER, _WORD, _WORD)
    draw(address(variates), variates.size, counter, increment)


def _find(
    lookup: superposition.CellLookup, positions: NDArray[np.float64], step: int, last: int
) -> Cells:
    find = _loaded(
        *("cells", _ADDRESS, _ADDRESS, _INTEGER, _ADDRESS, _ADDRESS, _INTEGER),
        *(_ADDRESS, _INTEGER, _ADDRESS, ctypes.c_double),
    )
    sizes = np.array([step, last, lookup.n_steps, lookup.n_synapses])
    cells = np.empty(positions.size, dtype=np.int64)
    n_events = find(
        *(address(positions), address(cells), positions.size),
        *(address(lookup.floats), address(lookup.synapses), lookup.floats.shape[1]),
        *(address(lookup.parts), lookup.parts.size - 1, address(sizes), lookup.largest),
    )
    return cells[:n_events]


def _thin_redrawn(
    rates: thinning.RedrawnRates,
    cells: Cells,
    n_before: int,
    interval: int,
    shared: NDArray[np.float64],
    counts: NDArray[np.int64],
) -> Cells:
    thin = _loaded(
        *("redrawn", _ADDRESS, _ADDRESS, _INTEGER, _ADDRESS, _ADDRESS, _INTEGER),
        *(_ADDRESS, _ADDRESS, ctypes.c_double, ctypes.c_double),
    )
    cells, kept = np.ascontiguousarray(cells), np.empty(cells.size, dtype=np.int64)
    words, floats = _thinning_memory(
        *rates.rates, *_from(rates.choices, n_before), rates.n_synapses, interval
    )
    n_kept = thin(
        *(address(cells), address(kept), cells.size, address(shared), address(counts), shared.size),
        *(address(words), address(floats), rates.own, rates.highest),
    )
    return kept[:n_kept]


def _thin_sinusoidal(rates: thinning.SinusoidalRates, cells: Cells, n_before: int) -> Cells:
    thin = _loaded(
        *("sinusoidal", _ADDRESS, _ADDRESS, _INTEGER, _ADDRESS, _ADDRESS),
        *(_ADDRESS, _ADDRESS, ctypes.c_double, ctypes.c_double),
    )
    cells, kept = np.ascontiguousarray(cells), np.empty(cells.size, dtype=np.int64)
    words, floats = _thinning_memory(*_from(rates.choices, n_before), rates.shifts.size)
    n_kept = thin(
        *(address(cells), address(kept), cells.size, address(rates.shifts), address(rates.depths)),
        *(address(words), address(floats), rates.per_step, rates.highest),
    )
    return kept[:n_kept]


def _from(stream: streams.Stream, first: int) -> streams.Stream:
    """Return the stream from a word on."""
    return stream._replace(start=(stream.start + first * stream.increment) % 2**64)


def _thinning_memory(*words: int) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
    """Return the words that a kernel takes, and the memory that it needs."""
    memory = np.empty(len(words) + thinning.BLOCK, dtype=np.uint64)
    memory[: len(words)] = words
    return memory, np.empty(3 * thinning.BLOCK)


def _loaded(name: str, *arguments: Any) -> Callable[..., int]:
    """Return a kernel, which is loaded once in each process."""
    with _LOADING:  # one thread loads, the others wait
        return _linked(name, arguments)


@functools.cache
def _linked(name: str, arguments: tuple[Any, ...]) -> Callable[..., int]:
    def compile_kernel() -> tuple[str, str]:
        from pipeline.engine import draw_kernels  # slow to import

        logging.getLogger("pipeline.engine").info("compiling the drawing of input: %s", name)
        return draw_kernels.compiled(name)

    sources = [(_PACKAGE / file).read_text() for file in _SOURCES]
    at = object_code.address(f"draw_{name}", cache_folder(), sources, compile_kernel)
    return ctypes.CFUNCTYPE(_INTEGER, *arguments)(at)


def cache_folder() -> Path:
    """Return the folder of the object code: beside the source in a checkout, else the user's.

    An installation belongs to its installer, who removes only what it has put there.
    """
    is_installed = (_PACKAGE / "conf").is_dir()
    return object_code.USERS_CACHE if is_installed else Path(__file__).parent / "__pycache__"
