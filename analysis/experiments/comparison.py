"""Compare two experiments: configuration, provenance, results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from analysis.experiments.matching import NOT_COMPARED, ONLY_IN, Side, compare, done, matched
from analysis.experiments.text_table import table, terminal_width
from analysis.reading.dataset import open_results
from analysis.reading.metadata import Metadata, Setting, flat, read_metadata, results_file
from analysis.reading.output import say
from analysis.reading.runs import packages_of
from analysis.reading.samples import SAMPLE
from analysis.reading.values import canonical, counted, span, written

#: Global attributes that are no provenance, or are compared entry by entry.
_NOT_PROVENANCE = (
    *("configuration", "parameters", "rules", "processes"),
    *("runs", "id", "packages", "own_files", "sample_generator"),
)

#: Attributes that describe the classes that a key names, such as plasticity rules, by this key.
_CLASSES = {"stdp.rule": "rules", "input.process": "processes"}

#: Width where there is no terminal: values are long, and are read, in a file or a pager too.
_WIDTH = 100

_NONE = "-"

#: Name, value in A, value in B.
Row = tuple[str, str, str]


def show_difference(path_a: Path, path_b: Path) -> bool:
    """Print the differences between two experiments; return whether they are equal.

    They are equal if configuration and results are; provenance may differ.

    Raises
    ------
    LoadError
        If either has no readable results.
    """
    experiments = [read_metadata(results_file(path)) for path in (path_a, path_b)]
    configuration = configuration_rows(*experiments)
    with open_results(path_a) as dataset_a, open_results(path_b) as dataset_b:
        heading, rows, same_results = results_rows(
            Side(path_a, experiments[0], dataset_a), Side(path_b, experiments[1], dataset_b)
        )
    width = terminal_width(_WIDTH)
    say(f"A  {path_a}\nB  {path_b}")
    for title, differences in (
        ("configuration", configuration),
        ("provenance", provenance_rows(*experiments)),
    ):
        say(f"\n{_block(title, differences, width)}")
    say(f"\nresults: {heading}")
    if rows:
        say(table([(f"  {name}", difference) for name, difference in rows], width))
    return same_results and not configuration


def configuration_rows(a: Metadata, b: Metadata) -> list[Row]:
    """Return the keys whose settings differ: constants, axes, and what groups' choices set.

    Followed by the rules and processes of the same name whose source texts differ.
    """
    rows = []
    for key in dict.fromkeys([*a.settings, *b.settings]):
        here, there = a.settings.get(key), b.settings.get(key)
        if here is None or there is None:
            only, other = (here, a) if here is not None else (there, b)
            # An earlier version has no entry of what is null, or at its neutral value.
            neutral = other.described.get(key, {}).get("neutral")
            differ = only is None or any(
                value is not None and value != neutral for value in only.values.values()
            )
        else:
            differ = not _same(key, here, there)
        if differ:
            rows.append((key, _described(key, here, there), _described(key, there, here)))
    return rows + _source_rows(a, b)


def provenance_rows(a: Metadata, b: Metadata) -> list[Row]:
    """Return the entries of provenance that differ; package versions and own files one by one."""
    entries_a, entries_b = _provenance(a), _provenance(b)
    return [
        (name, entries_a.get(name, _NONE), entries_b.get(name, _NONE))
        for name in dict.fromkeys([*entries_a, *entries_b])
        if entries_a.get(name) != entries_b.get(name)
    ]


def results_rows(a: Side, b: Side) -> tuple[str, list[tuple[str, str]], bool]:
    """Compare all variables at the points that both experiments have and that are done in both.

    Parameters
    ----------
    a, b : Side
        Two experiments; their datasets have `status` (...), dimensionless, along all swept axes,
        and variables of any unit.

    Returns
    -------
    str
        The numbers of points that were compared, and that were not.
    list of (str, str)
        The name of each variable, and how it differs, or "same".
    bool
        Whether both have the same points and equal results, in the variables of both.
    """
    match = matched(a, b)
    done_a, done_b = done(a, match.a), done(b, match.b)
    both = (done_a & done_b).nonzero()[0]
    counts = [
        f"{counted(len(both), 'point')} compared",
        f"{match.only_a:,} only in A",
        f"{match.only_b:,} only in B",
    ]
    for which, is_done in (("A", done_a), ("B", done_b)):
        if not is_done.all():
            counts.append(f"{(~is_done).sum():,} not done in {which}")
    names = dict.fromkeys([*a.dataset.data_vars, *b.dataset.data_vars])
    shared = match._replace(a=[match.a[i] for i in both], b=[match.b[i] for i in both])
    differences = {
        str(name): compare(a, b, shared, str(name))
        for name in names
        if name not in NOT_COMPARED and len(both) and not _is_parameter(str(name), a, b)
    }
    same_points = not match.only_a and not match.only_b and bool((done_a == done_b).all())
    rows = [(name, difference or "same") for name, difference in differences.items()]
    unlike = [text for text in differences.values() if text and not text.startswith(ONLY_IN)]
    return ", ".join(counts), rows, same_points and not unlike


def _source_rows(a: Metadata, b: Metadata) -> list[Row]:
    """Return the hashes of source texts, of rules and processes of the user's own, that differ."""
    rows = []
    for key, attribute in _CLASSES.items():
        here, there = (json.loads(one.attributes.get(attribute, "{}")) for one in (a, b))
        for name in here.keys() & there.keys():
            source_a, source_b = (one[name].get("source", "") for one in (here, there))
            if source_a != source_b:
                rows.append((f"{key}={name}", _source(source_a), _source(source_b)))
    return sorted(rows)


def _source(text: str) -> str:
    return f"source {source_hash(text)}" if text else "built in"


def source_hash(source: str) -> str:
    """Return the hash by which the pipeline names a source text, as in the folder `given/`."""
    return hashlib.blake2b(source.encode(), digest_size=16).hexdigest()


def _is_parameter(name: str, *sides: Side) -> bool:
    """Return whether a variable holds a parameter, which the configuration is compared by."""
    return any("config_key" in side.dataset[name].attrs for side in sides if name in side.dataset)


def _same(key: str, a: Setting, b: Setting) -> bool:
    """Return whether two settings agree.

    Axes of the key itself agree if they have the same values; values along the axis of another key
    agree if they are equal wherever both axes have the same value. Of samples of which the other
    has none, the values themselves are compared: the numbers of samples tell nothing.
    """
    if a.along != b.along:
        return False
    if a.along == key:
        return a.values.keys() == b.values.keys()
    common = a.values.keys() & b.values.keys()
    if a.along == SAMPLE and not common:
        return {*map(canonical, a.values.values())} == {*map(canonical, b.values.values())}
    return all(canonical(a.values[at]) == canonical(b.values[at]) for at in common)


def _described(key: str, here: Setting | None, there: Setting | None) -> str:
    """Describe a setting of one experiment, with the values of an axis that the other lacks."""
    if here is None:
        return _NONE
    values = list(here.values.values())
    if here.along == key == SAMPLE:
        return _number_of_samples(here, there)
    if here.along != key:
        return span(values) + (f" along {here.along}" if here.along else "")
    text = f"axis {span(values)}"
    if there is not None and there.along == key:
        alone = [value for at, value in here.values.items() if at not in there.values]
        return f"{text}, only here {span(alone)}" if alone else text
    return text


def _number_of_samples(here: Setting, there: Setting | None) -> str:
    """Return how many samples there are, and how many of them the other experiment lacks."""
    n_alone = len(here.values.keys() - there.values.keys()) if there else 0
    alone = f", {n_alone:,} of them only here" if n_alone else ""
    return counted(len(here.values), "sample") + alone


def _provenance(metadata: Metadata) -> dict[str, str]:
    """Return the provenance of all runs; differing values are joined as in the file."""
    in_runs = [name for run in metadata.runs for name in run if name != "seconds"]
    names = dict.fromkeys([*metadata.attributes, *in_runs])
    entries = {
        name: "; ".join(metadata.said(name)) if name in in_runs else str(metadata.attributes[name])
        for name in names
        if name not in _NOT_PROVENANCE
    }
    versions: dict[str, list[str]] = {}
    for run in metadata.runs or [metadata.attributes]:
        for package, version in packages_of(run).items():
            versions.setdefault(f"packages.{package}", []).append(str(version))
    # By group and choice: a project may have moved. What files set is in the configuration.
    files: dict[str, list[str]] = {}
    for path, text in metadata.own_files.items():
        name = "/".join(Path(path).parts[-2:])
        files.setdefault(f"own_files.{name}", []).append(f"content {source_hash(text)[:12]}")
    drawn: dict[str, list[str]] = {}
    for run in metadata.runs:
        for name, value in flat({"sample_generator": run.get("sample_generator", {})}).items():
            drawn.setdefault(name, []).append(written(value))
    several = versions | files | drawn
    return entries | {name: "; ".join(dict.fromkeys(values)) for name, values in several.items()}


def _block(title: str, rows: Sequence[Row], width: int) -> str:
    if not rows:
        return f"{title}: same"
    return table(
        [(title, "A", "B"), *((f"  {name}", a, b) for name, a, b in rows)], width, folded=2
    )
