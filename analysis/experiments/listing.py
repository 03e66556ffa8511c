"""The table of all experiments below a directory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from analysis.experiments.filters import Condition, conditions, since, values_of
from analysis.experiments.find import Experiment, experiments
from analysis.experiments.text_table import GLUE, table, terminal_width
from analysis.reading.errors import LoadError
from analysis.reading.metadata import RESULTS, Axis, Metadata
from analysis.reading.output import say
from analysis.reading.values import counted, span

OUTPUTS = Path("outputs")

_EARLIEST_DATE = datetime.min.replace(tzinfo=UTC)


def list_experiments(
    root: Path | None = None, where: Sequence[str] = (), begun_since: str | None = None
) -> None:
    """Print a table of the experiments below a directory, newest last.

    Parameters
    ----------
    root : path, optional
        The directory to search; `outputs` by default.
    where : sequence of str
        Conditions such as `stdp.A_plus=0.008`; only experiments that meet all of them.
    begun_since : str, optional
        A date or a duration before now; only experiments whose last run started then or later.

    Raises
    ------
    LoadError
        If the root is not a directory.
    ConditionError
        If a condition or date is invalid.
    """
    earliest = since(begun_since, datetime.now(UTC)) if begun_since is not None else None
    if root is not None and not root.is_dir():
        hint = "; each condition needs its own --where" if "=" in root.name else ""
        raise LoadError(f"{root}: must be a directory{hint}")
    root = root or OUTPUTS
    found = list(experiments(root)) if root.is_dir() else []
    if not found:
        say(f"no experiments below {root}")
        return
    readable = [experiment.metadata for experiment in found if experiment.metadata]
    required = conditions(where, readable)
    shown = [one for one in found if _meets(one, required, earliest)]
    if shown:
        shown.sort(key=lambda one: (one.when or _EARLIEST_DATE, one.name))
        say(experiment_table(shown, terminal_width()))
    else:
        wanted = _description(required, readable, earliest)
        say(f"none of {len(found)} experiments below {root} has {wanted}")
    n_unknown = sum(
        bool((required and not one.metadata) or (earliest and not one.when)) for one in found
    )
    if n_unknown:
        say(f"not shown: {n_unknown} without {RESULTS}, unreadable or undated")


def experiment_table(found: Sequence[Experiment], width: int) -> str:
    """Format experiments as a table, one row each."""
    points = [experiment.metadata.points if experiment.metadata else None for experiment in found]
    # Most sweeps are complete: failed and missing points have columns only where there are any.
    states = [
        (heading, state)
        for state, heading in enumerate(("done", "failed", "missing"))
        if state == 0 or any(number and number[state] for number in points)
    ]
    n_open = [one.metadata.n_not_settled if one.metadata else 0 for one in found]
    headings = [heading for heading, _ in states] + (["not settled"] if any(n_open) else [])
    rows = [["name", "last run", *headings, "commit", "took", "axes"]]
    for experiment, number, number_open in zip(found, points, n_open, strict=True):
        metadata = experiment.metadata
        rows.append(
            [
                experiment.name,
                f"{experiment.when.astimezone():%Y-%m-%d %H:%M}" if experiment.when else "",
                *(str(number[state]) if number else "" for _, state in states),
                *([str(number_open or "")] if any(n_open) else []),
                commit(metadata) if metadata else "",
                took(metadata) if metadata else "",
                "; ".join(filter(None, [experiment.note, axes(metadata) if metadata else ""])),
            ]
        )
    numbers = range(2, 2 + len(headings))
    return table(rows, width, right=[*numbers, 3 + len(headings)])


def axes(metadata: Metadata) -> str:
    """Format the axes: "rate_hz 10..40 (7); seed 0,1,2", "256 samples of A_plus,tau_plus"."""
    return "; ".join(_axis(axis).replace(" ", GLUE) for axis in metadata.axes)


def _axis(axis: Axis) -> str:
    if not axis.columns:
        return f"{axis.name} {span(axis.values)}"
    return f"{counted(len(axis.values), 'sample')} of {','.join(one.name for one in axis.columns)}"


def commit(metadata: Metadata) -> str:
    """Format the commit of the last run: `*` for uncommitted changes, `+1` for one other commit."""
    commits, dirty = metadata.said("git_commit"), metadata.said("git_dirty")
    if not commits:
        return ""
    # A file without the attribute `runs` has the values of all runs joined in one string.
    newest, is_dirty = (one[-1].rpartition("; ")[2] if one else "" for one in (commits, dirty))
    others = f"+{len(commits) - 1}" if len(commits) > 1 else ""
    return f"{newest[:7]}{'*' if is_dirty == 'true' else ''}{others}"


def took(metadata: Metadata) -> str:
    """Format the time of all runs: "> 1.2 s" if one was killed, which leaves no time of its end."""
    known = duration(metadata.seconds)
    if not any("seconds" in run and run["seconds"] is None for run in metadata.runs):
        return known
    return f"> {known}".replace(" ", GLUE) if metadata.seconds else "killed"


def duration(seconds: float | None) -> str:
    """Format a time to two digits in a suitable unit: "1.2 s", "25 s", "3 min", "2.1 h"."""
    if seconds is None:
        return ""
    for unit, size, limit in (("s", 1, 59.5), ("min", 60, 59.5), ("h", 3600, 47.5)):
        number = seconds / size
        if number < limit:
            return f"{number:.0f} {unit}" if number >= 9.95 else f"{number:.2g} {unit}"
    return f"{seconds / 86400:.3g} d"


def _meets(
    experiment: Experiment, required: Sequence[Condition], earliest: datetime | None
) -> bool:
    if earliest and not (experiment.when and experiment.when >= earliest):
        return False
    metadata = experiment.metadata
    return not required or (metadata is not None and all(one.holds(metadata) for one in required))


def _description(
    required: Sequence[Condition], experiments: Sequence[Metadata], earliest: datetime | None
) -> str:
    """Describe conditions that no experiment meets, with the values that there are."""
    parts = [
        f"{one} (values there: {span(values_of(one.key, experiments)) or 'none'})"
        for one in required
    ]
    if earliest:
        parts.append(f"a run since {earliest.astimezone():%Y-%m-%d %H:%M}")
    return " and ".join(parts)
