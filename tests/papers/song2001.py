"""Song & Abbott 2001, figure 1: input without correlation, and with it in one group or two."""

from __future__ import annotations

import numpy as np
import xarray as xr

from tests.papers.finding import Change, Finding, Paper
from tests.papers.measures import at, group, spread, strong_share

_CITATION = "Song & Abbott 2001, Neuron 32:339"
_STATED = "Song & Abbott 2001, in words; the bound is ours"
_EQUAL, _SLOW = "song_abbott_2001", "song_abbott_2001_slow_ltd"
_UNCORRELATED = Change("the correlation removed", ("input.group_rate_correlations=0",))


def _of_rule(dataset: xr.Dataset, choice: str) -> xr.Dataset:
    return at(dataset, stdp=choice)


def _check_uncorrelated(dataset: xr.Dataset) -> None:
    """Weights part: half of them become strong, and few stay in between."""
    assert (abs(strong_share(dataset) - 0.5) < 0.1).all()
    assert (spread(dataset) > 0.3).all()


def _difference(dataset: xr.Dataset) -> xr.DataArray:
    """Return the mean weight of the second group less that of the first, (..., seed)."""
    return group(dataset, 1) - group(dataset, 0)


def _check_one_group(dataset: xr.Dataset) -> None:
    """The correlated group becomes stronger than the other."""
    assert (_difference(dataset) > 0.25).all()


def _check_two_groups(dataset: xr.Dataset) -> None:
    """One of two correlated groups wins, another one with another seed."""
    difference = _difference(dataset)
    assert (abs(difference) > 0.25).all()
    assert 0 < _share_of_the_second(dataset).mean() < 1


def _share_of_the_second(dataset: xr.Dataset) -> xr.DataArray:
    """Return 1 where the second group has won, else 0, (seed)."""
    return (_difference(dataset) > 0).astype(float)


def _at_time(dataset: xr.Dataset, choice: str, time: float) -> xr.DataArray:
    """Return the difference of the groups at a correlation time [ms], (seed)."""
    return _difference(at(_of_rule(dataset, choice), correlation_time=time))


def _check_correlation_time(dataset: xr.Dataset) -> None:
    """The difference falls with the correlation time, later where LTD is slow."""
    assert (_at_time(dataset, _EQUAL, 20) > _at_time(dataset, _EQUAL, 500) + 0.2).all()
    assert (_at_time(dataset, _SLOW, 500) > _at_time(dataset, _EQUAL, 500) + 0.2).all()


def _time_row(choice: str, time: float, published: str, cause: str = "") -> Finding:
    name = "tau_minus = tau_plus" if choice == _EQUAL else "tau_minus = 5 tau_plus"
    return Finding(
        "figure 1E" if choice == _EQUAL else "figure 1F",
        f"correlated less other weights, {name}, correlation time {time:,.0f} ms",
        published,
        _STATED,
        lambda dataset: _at_time(dataset, choice, time),
        cause,
    )


def _winner(dataset: xr.Dataset) -> xr.DataArray:
    return np.maximum(group(dataset, 0), group(dataset, 1))


def _loser(dataset: xr.Dataset) -> xr.DataArray:
    return np.minimum(group(dataset, 0), group(dataset, 1))


PAPERS = (
    Paper(
        "song2001_uncorrelated",
        _CITATION,
        tuple(
            Finding(
                "figure 1B",
                f"share of weights above 0.5, {name}",
                "0.5",
                "Song & Abbott 2001: about 50 %",
                lambda dataset, choice=choice: strong_share(_of_rule(dataset, choice)),
            )
            for choice, name in (
                (_EQUAL, "tau_minus = tau_plus"),
                (_SLOW, "tau_minus = 5 tau_plus"),
            )
        ),
        _check_uncorrelated,
        (Change("LTD proportional to the weight", ("stdp=van_rossum",)),),
    ),
    Paper(
        "song2001_one_group",
        _CITATION,
        (
            Finding(
                "figure 1C",
                "mean weight of the correlated inputs",
                "> 0.5",
                _STATED,
                lambda dataset: group(dataset, 1),
            ),
            Finding(
                "figure 1C",
                "mean weight of the others",
                "< 0.2",
                _STATED,
                lambda dataset: group(dataset, 0),
            ),
        ),
        _check_one_group,
        (_UNCORRELATED, Change("no plasticity", ("stdp.A_plus=0",))),
    ),
    Paper(
        "song2001_two_groups",
        _CITATION,
        (
            Finding("figure 1D", "mean weight of the group that wins", "> 0.8", _STATED, _winner),
            Finding("figure 1D", "mean weight of the group that loses", "< 0.2", _STATED, _loser),
            Finding(
                "figure 1D",
                "share of seeds in which the second group wins",
                "0.5",
                "Song & Abbott 2001: which one is random",
                _share_of_the_second,
            ),
        ),
        _check_two_groups,
        (_UNCORRELATED,),
    ),
    Paper(
        "song2001_correlation_time",
        _CITATION,
        (
            _time_row(_EQUAL, 20, "> 0.5"),
            _time_row(_EQUAL, 100, "> 0.1"),
            _time_row(_EQUAL, 500, "< 0.1"),
            _time_row(_SLOW, 20, "> 0.5"),
            _time_row(_SLOW, 1000, "> 0.1"),
            _time_row(_SLOW, 5000, "< 0.1"),
        ),
        _check_correlation_time,
        (_UNCORRELATED, Change("equally fast LTD", ("stdp=song_abbott_2001",))),
    ),
)
