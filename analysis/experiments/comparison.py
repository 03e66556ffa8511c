"""What differs between two experiments: configuration, provenance, results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.experiments.matching import NO_RESULTS, Side, compare, done, matched
from analysis.experiments.text_table import table, terminal_width
from analysis.reading.dataset import open_results
from analysis.reading.metadata import Metadata, packages_of, read_metadata, results_file
from analysis.reading.values import canonical, span

#: Attributes of the file that are told of elsewhere.
_NOT_PROVENANCE = ("configuration", "runs", "id", "packages")

_NONE = "-"

#: What is compared, what A has of it, what B has.
Row = tuple[str, str, str]


def show_difference(path_a: Path, path_b: Path) -> bool:
    """Print what differs between two experiments; return whether they are the same.

    They are if configuration and results are; who made them, when and how may differ.

    Raises
    ------
    LoadError
        If either is no experiment with readable results.
    """
    experiments = [read_metadata(results_file(path)) for path in (path_a, path_b)]
    configuration = configuration_rows(*experiments)
    with open_results(path_a) as dataset_a, open_results(path_b) as dataset_b:
        heading, verdicts, same_results = results_rows(
            Side(path_a, experiments[0], dataset_a), Side(path_b, experiments[1], dataset_b)
        )
    width = terminal_width()
    print(f"A  {path_a}\nB  {path_b}")
    for title, rows in (
        ("configuration", configuration),
        ("provenance", provenance_rows(*experiments)),
    ):
        print(f"\n{_block(title, rows, width)}")
    print(f"\nresults: {heading}")
    if verdicts:
        print(table([(f"  {name}", told) for name, told in verdicts], width))
    return same_results and not configuration


@dataclass(frozen=True)
class _Setting:
    """What a key is set to: one value, or several along an axis, by the values of that axis."""

    along: str
    values: Mapping[Any, Any]

    def same_as(self, other: _Setting, own: bool) -> bool:
        """Whether two are; along one axis of another key, where both have the axis's value."""
        if self.along != other.along:
            return False
        if own:
            return self.values.keys() == other.values.keys()
        return all(
            canonical(self.values[at]) == canonical(other.values[at])
            for at in self.values.keys() & other.values.keys()
        )


def configuration_rows(a: Metadata, b: Metadata) -> list[Row]:
    """Return the constants and axes that differ, by key."""
    settings_a, settings_b = _settings(a), _settings(b)
    rows = []
    for key in dict.fromkeys([*settings_a, *settings_b]):
        here, there = settings_a.get(key), settings_b.get(key)
        if here is None or there is None or not here.same_as(there, key == here.along):
            rows.append((key, _told(key, here, there), _told(key, there, here)))
    return rows


def provenance_rows(a: Metadata, b: Metadata) -> list[Row]:
    """Return what made two files where it differs, packages one by one."""
    said_a, said_b = _provenance(a), _provenance(b)
    return [
        (name, said_a.get(name, _NONE), said_b.get(name, _NONE))
        for name in dict.fromkeys([*said_a, *said_b])
        if said_a.get(name) != said_b.get(name)
    ]


def results_rows(a: Side, b: Side) -> tuple[str, list[tuple[str, str]], bool]:
    """Compare all results at the points that both have and that are done in both.

    Returns
    -------
    str
        How many points that are, and how many are not.
    list of (str, str)
        Each variable, and how it differs.
    bool
        Whether nothing does.
    """
    match = matched(a, b)
    done_a, done_b = done(a, match.a), done(b, match.b)
    both = (done_a & done_b).nonzero()[0]
    words = [
        f"{len(both):,} point{'' if len(both) == 1 else 's'} compared",
        f"{match.only_a:,} only in A",
        f"{match.only_b:,} only in B",
    ]
    for which, is_done in (("A", done_a), ("B", done_b)):
        if not is_done.all():
            words.append(f"{(~is_done).sum():,} not done in {which}")
    names = dict.fromkeys([*a.dataset.data_vars, *b.dataset.data_vars])
    shared = match._replace(a=[match.a[i] for i in both], b=[match.b[i] for i in both])
    told = {
        str(name): compare(a, b, shared, str(name))
        for name in names
        if name not in NO_RESULTS and len(both)
    }
    same_points = not match.only_a and not match.only_b and bool((done_a == done_b).all())
    verdicts = [(name, how or "same") for name, how in told.items()]
    return ", ".join(words), verdicts, same_points and not any(told.values())


def _settings(metadata: Metadata) -> dict[str, _Setting]:
    """Return what every key is set to; an axis of its own lies over the choices of a group."""
    settings = {
        axis.key: _Setting(axis.key, {canonical(value): value for value in axis.values})
        for axis in metadata.axes
    }
    for axis in metadata.axes:
        for key in axis.settings[0] if axis.settings else ():
            chosen = [choice[key] for choice in axis.settings]
            by_value = dict(zip(map(canonical, axis.values), chosen, strict=True))
            same = len(set(map(canonical, chosen))) == 1  # by all choices, as if it were constant
            setting = _constant(chosen[0]) if same else _Setting(axis.key, by_value)
            settings.setdefault(key, setting)
    return settings | {key: _constant(value) for key, value in metadata.constants.items()}


def _constant(value: Any) -> _Setting:
    return _Setting("", {"": value})


def _told(key: str, here: _Setting | None, there: _Setting | None) -> str:
    """Return in words what a key is set to here, and which values of an axis are only here."""
    if here is None:
        return _NONE
    values = list(here.values.values())
    if here.along != key:
        return span(values) + (f" along {here.along}" if here.along else "")
    text = f"axis {span(values)}"
    if there is not None and there.along == key:
        alone = [value for at, value in here.values.items() if at not in there.values]
        return f"{text}, only here {span(alone)}" if alone else text
    return text


def _provenance(metadata: Metadata) -> dict[str, str]:
    """Return what is said of all runs, what they say differently joined as in the file."""
    in_runs = [name for run in metadata.runs for name in run if name != "seconds"]
    names = dict.fromkeys([*metadata.attributes, *in_runs])
    said = {
        name: "; ".join(metadata.said(name)) if name in in_runs else str(metadata.attributes[name])
        for name in names
        if name not in _NOT_PROVENANCE
    }
    versions: dict[str, list[str]] = {}
    for made in metadata.runs or [metadata.attributes]:
        for package, version in packages_of(made).items():
            versions.setdefault(f"packages.{package}", []).append(str(version))
    return said | {name: "; ".join(dict.fromkeys(told)) for name, told in versions.items()}


def _block(title: str, rows: Sequence[Row], width: int) -> str:
    if not rows:
        return f"{title}: same"
    return table(
        [(title, "A", "B"), *((f"  {name}", a, b) for name, a, b in rows)], width, folded=2
    )
