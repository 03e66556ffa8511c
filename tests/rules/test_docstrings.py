"""Public functions that take or return arrays state shape and unit of each in their docstring."""

import textwrap

import pytest

from tests.rules.docstrings import array_functions, problems, public_functions
from tests.rules.test_house import ROOT, sources

#: Compiled by numba: its functions take addresses and numbers, and Python never calls them.
COMPILED = {ROOT / "pipeline" / "engine" / "kernel.py"}


@pytest.mark.parametrize("package", ["pipeline", "analysis"])
def test_array_functions_state_shapes_and_units(package):
    """Parameters and Returns or Yields have a shape or dimensions and a unit for each array."""
    assert all(file.exists() for file in COMPILED)
    files = [file for file in sources(package, "hydra_plugins", "stdp") if file not in COMPILED]
    functions = array_functions(files, ROOT)
    assert len(functions) > 10
    found = [problem for function in functions for problem in problems(function)]
    assert not found, "\n".join([f"{len(found)} lacks:", *found])


GOOD = '''
def filtered(rate: NDArray, time: xr.DataArray | None = None, n: int = 1) -> NDArray[np.float64]:
    """Return a filtered rate.

    Parameters
    ----------
    rate : ArrayLike, (n_points, n_steps)
        Rates [Hz].
    time : DataArray, optional
        Times [ms], with dimension `time`.
    n : int
        Order.

    Returns
    -------
    ndarray, (n_points,)
        Rates [1/ms].
    """

def pair(dataset: xr.Dataset, then: Callable[[NDArray], NDArray]) -> tuple[NDArray, float]:
    """Return a pair.

    Parameters
    ----------
    dataset : Dataset
        An experiment.

    Returns
    -------
    w : ndarray, (...)
        Weights, dimensionless.
    mean : float
        Their mean.
    """

def chunks(text: str) -> Iterator[Cells]:
    """Yield chunks.

    Yields
    ------
    ndarray, (n,)
        Indices of cells.
    """

def many(rows: NDArray, times: xr.DataArray, *, one: ArrayLike) -> xr.DataArray:
    """Return many.

    Parameters
    ----------
    rows : ndarray, ([row], n_steps)
        Counts.
    times : DataArray, (spike)
        Times [ms].
    one : array_like, ()
        A rate [Hz].

    Returns
    -------
    DataArray, (*axes, time[, synapse])
        Index of the axis.
    """

class Rule:
    """A rule."""

    @property
    def table(self) -> NDArray:
        """Weights as fractions of g_max, (n_synapses,)."""

    def _hidden(self, w: NDArray) -> NDArray:
        """Return something."""

def _hidden(w: NDArray) -> NDArray:
    """Return something."""

def without(w: float) -> LabelledDataset:
    """Return something without arrays."""
'''


def lacks(source):
    """Return what the docstrings of a source lack."""
    functions = public_functions(textwrap.dedent(source), "file.py")
    return [problem for function in functions for problem in problems(function)]


def test_complete_docstrings_pass():
    """Shapes in parentheses or as text, units in brackets or as text, on every array."""
    assert lacks(GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "lack"),
    [
        (
            "rate : ArrayLike, (n_points, n_steps)",
            "rate : ArrayLike",
            "rate in Parameters has no shape",
        ),
        ("Rates [Hz].", "Rates in [0, 1].", "rate in Parameters has no unit"),
        ("rate : ArrayLike", "rates : ArrayLike", "Parameters has no rate"),
        ("dataset : Dataset", "data : Dataset", "Parameters has no dataset"),
        ("Times [ms], with dimension `time`", "Times [ms]", "time in Parameters has no shape"),
        ("Rates [1/ms].", "Rates.", "Returns has no unit"),
        ("ndarray, (n_points,)", "ndarray", "Returns has no shape"),
        ("w : ndarray, (...)", "w : ndarray", "Returns has no shape"),
        ("Weights, dimensionless.", "Weights.", "Returns has no unit"),
        ("Yields\n    ------", "Notes\n    -----", "no Returns or Yields"),
        ("Indices of cells.", "Cells.", "Yields has no unit"),
        ("g_max, (n_synapses,).", "g_max.", "no shape"),
        ("(n_points,)", "(see below)", "Returns has no shape"),
        ("(n_points,)\n        Rates [1/ms].", "([row], synapse)", "Returns has no unit"),
    ],
)
def test_every_gap_is_found(old, new, lack):
    """An incomplete docstring is reported with file, line and the missing item."""
    assert old in GOOD
    (found,) = lacks(GOOD.replace(old, new, 1))
    assert found.startswith("file.py:")
    assert found.endswith(f": {lack}")
