"""The size of an experiment: `+size=quick` chooses `size/quick/NAME` for `+experiment=NAME`."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.model.errors import RequestError

_EXPERIMENT, _SIZE = "+experiment=", "+size="


def with_size_of_experiment(overrides: Iterable[str]) -> list[str]:
    """Return overrides in which the size is that of the experiment, and stands after it.

    Hydra lets later choices override earlier ones, and a choice cannot depend on that of another
    group that is added on the command line.

    Parameters
    ----------
    overrides : iterable of str
        In the form of the command line; `+size=quick/NAME` stays as it is.

    Raises
    ------
    RequestError
        If there is a size without an experiment.
    """
    texts = list(overrides)
    sizes = [text for text in texts if text.startswith(_SIZE)]
    if not sizes:
        return texts
    names = [_value(text, _EXPERIMENT) for text in texts if text.startswith(_EXPERIMENT)]
    if not names:
        raise RequestError(f"{sizes[0][1:]}: must be used together with +experiment=NAME")
    chosen = (_value(text, _SIZE) for text in sizes)
    written = [_SIZE + (one if "/" in one else f"{one}/{names[-1]}") for one in chosen]
    return [*(text for text in texts if text not in sizes), *written]


def _value(override: str, key: str) -> str:
    return override.removeprefix(key).strip("'\"")
