"""The report: one page with all figures of an experiment, its numbers, its doubts, its origin."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

from analysis.figures.registry import FIGURES, FigureSpec
from analysis.measures.measured import MeasuredDataset
from analysis.plots import style
from analysis.reading.dataset import reading
from analysis.reading.errors import LoadError
from analysis.reading.metadata import Metadata, read_metadata, results_file
from analysis.report import markup
from analysis.report.configuration import axis_rows, configuration_rows
from analysis.report.embed import anchor, picture, remarks
from analysis.report.markup import Markup, element, section
from analysis.report.provenance import (
    conditions_of_runs,
    n_points_made,
    package_versions,
    recorded_commands,
    run_words,
    runs_of,
)
from analysis.report.quality import cautions
from analysis.report.summary import MOST_CELLS, summary

REPORT = "report.html"


@dataclass(frozen=True)
class Source:
    """What a report is written of.

    Attributes
    ----------
    experiment : path
        As it was given, and so stands in the commands.
    metadata : Metadata
        Of the whole file.
    study : MeasuredDataset
        The points that are reported.
    where : sequence of str
        The conditions that chose them.
    """

    experiment: Path
    metadata: Metadata
    study: MeasuredDataset
    where: Sequence[str]

    @property
    def folder(self) -> Path:
        """Where the results lie, and the report will."""
        return results_file(self.experiment).parent

    def command(self, program: str, *words: str, at: bool = False) -> str:
        """Return a command line about these points."""
        chosen = [word for condition in self.where for word in ("--where", condition)]
        if at and self.study.at is not None:
            chosen += ["--at", f"{self.study.at:g}"]
        return shlex.join(["python", "-m", program, str(self.experiment), *words, *chosen])


def write_report(experiment: Path, where: Sequence[str] = (), at: float | None = None) -> Path:
    """Write `report.html` beside the results of an experiment; return its path.

    Parameters
    ----------
    experiment : path
        The directory, or its `results.nc`.
    where : sequence of str
        `KEY=VALUE`: only the points at these values.
    at : float, optional
        The moment [ms] at which weights in time are shown.

    Raises
    ------
    LoadError
        If there is no experiment, or its directory cannot be written.
    ConditionError
        If no point is at these values.
    """
    mpl.use("Agg")
    file = results_file(experiment)
    metadata, path = read_metadata(file), file.with_name(REPORT)
    if not os.access(path.parent, os.W_OK):  # told before all is drawn, not after
        raise LoadError(f"{path}: cannot be written (its directory is read-only)")
    with reading(experiment) as dataset, style.paper():
        study = MeasuredDataset.of(dataset, where, at)
        page = _page(Source(experiment, metadata, study, where))
    _write(path, page)
    return path


def _write(path: Path, page: str) -> None:
    """Write a file that appears whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(page)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise LoadError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _page(source: Source) -> str:
    title = _title(source)
    parts = {
        "warnings": ("Warnings", _warnings(source)),
        "axes": ("Axes", _axes(source)),
        "configuration": ("Configuration", _configuration(source)),
        "figures": ("Figures", _figures(source)),
        "numbers": ("Numbers", _numbers(source)),
        "provenance": ("Provenance", _provenance(source)),
        "reproduce": ("Make it again", _commands(source)),
    }
    contents = markup.bullets([markup.link(name, words) for name, (words, _) in parts.items()])
    return markup.page(
        title,
        element("metadata", element("h1", title), *_subtitle(source)),
        element("nav", contents, aria_label="Contents"),
        *(part for _, part in parts.values()),
    )


def _title(source: Source) -> str:
    """Return the experiment's name: its path below `outputs`, as `name=STUDY/ONE` gave it."""
    folder = source.folder.resolve()
    *_, name = str(folder).rpartition(f"{os.sep}outputs{os.sep}")
    return name if not name.startswith(os.sep) else folder.name


def _subtitle(source: Source) -> Iterator[Markup]:
    dataset, created = source.study.dataset, source.metadata.created
    status = dataset["status"]
    counts = [f"{status.size:,} point{'s' if status.size != 1 else ''}"] + [
        f"{int((status == flag).sum()):,} {words}"
        for flag, words in enumerate(("done", "failed", "missing"))
        if (status == flag).any()
    ]
    when = f"{created:%Y-%m-%d %H:%M} UTC. " if created else ""
    yield element("p", dataset.attrs.get("title", ""), class_="quiet")
    yield element("p", f"{when}{counts[0]}: {', '.join(counts[1:])}.")
    if source.study.part:
        yield element("p", f"Only the points at {source.study.part}.")


def _warnings(source: Source) -> Markup:
    found = cautions(source.study, source.metadata, source.folder)
    if not found:
        words = "None: all points are done, fire and have settled, made by one commit."
        return section("warnings", "Warnings", element("p", words), class_="box")
    items = [
        element(
            "div", element("p", element("strong", caution.words)), markup.bullets(caution.about)
        )
        if caution.about
        else element("p", element("strong", caution.words))
        for caution in found
    ]
    return section("warnings", "Warnings", *items, class_="box warn")


def _axes(source: Source) -> Markup:
    rows = axis_rows(source.study.dataset)
    if not rows:
        return section("axes", "Axes", element("p", "Nothing was swept."))
    heading = ("Axis", "Key", "Meaning", "Unit", "Number", "Values")
    return section("axes", "Axes", markup.table(rows, heading, numbers=[4]))


def _configuration(source: Source) -> Markup:
    tables = [
        element("div", element("h3", name), markup.table(rows))
        for name, rows in configuration_rows(source.study.dataset, source.metadata).items()
    ]
    return section("configuration", "Configuration", element("div", *tables, class_="columns"))


def _figures(source: Source) -> Markup:
    drawn = [figure for kind in FIGURES.values() for figure in _drawn(source, kind)]
    if not drawn:
        return section("figures", "Figures", element("p", "There is nothing to draw."))
    links = [markup.link(anchor(name), name) for name, _ in drawn if name]
    return section(
        "figures",
        "Figures",
        element("nav", markup.bullets(links), aria_label="Figures"),
        element("div", *(figure for _, figure in drawn), class_="figures"),
    )


def _drawn(source: Source, kind: FigureSpec) -> Iterator[tuple[str, Markup]]:
    """Yield name and figure of a kind that the study supports, and what was said meanwhile."""
    if not source.study.done.any() or kind.needs(source.study):
        return
    with remarks() as told:
        for drawn in kind.drawn(source.study):
            command = source.command("analysis", "--figure", kind.name, at=True)
            yield drawn.name, picture(drawn, command)
            plt.close(drawn.figure)
    for remark in told:
        yield "", element("p", f"{kind.name}: {remark}", class_="quiet wide")


def _numbers(source: Source) -> Markup:
    study = source.study
    if not study.done.any():
        return section("numbers", "Numbers", element("p", "There are none."))
    heading, rows = summary(study)
    many = study.done.size > MOST_CELLS
    words = f"Ranges over {study.done.size:,} cells" if many else "Each cell"
    pooled = f"{words}, seeds averaged." if study.has_seeds else f"{words}."
    settled = f" {study.settled_words}." if study.settled_words else ""
    n_words = 0 if many else len(study.swept)
    numbers = [1, 3, 5] if many else range(n_words, len(heading) - 1)
    return section(
        "numbers",
        "Numbers",
        element("p", f"{pooled}{settled}"),
        markup.table(rows, heading, numbers),
    )


def _provenance(source: Source) -> Markup:
    runs = runs_of(source.metadata)
    numbers = n_points_made(source.study.dataset, len(runs))
    rows = [
        [
            i + 1,
            run_words(run, "created").replace("T", " "),
            "" if n is None else f"{n:,}",
            run_words(run, "seconds"),
            run_words(run, "engine"),
            element("code", run_words(run, "git_commit")[:10]),
            {"true": "changed", "false": "clean"}.get(run_words(run, "git_dirty"), "unknown"),
            element("code", run_words(run, "command")),
        ]
        for i, (run, n) in enumerate(zip(runs, numbers, strict=True))
    ]
    heading = ("Run", "Begun", "Points", "Seconds", "Engine", "Commit", "Code", "Command")
    packages = [f"{name} {version}" for name, version in package_versions(source.metadata).items()]
    return section(
        "provenance",
        "Provenance",
        markup.table(rows, heading, numbers=[2, 3]),
        markup.table(conditions_of_runs(source.metadata)),
        element(
            "details",
            element("summary", f"All {len(packages)} packages"),
            element("p", ", ".join(packages)),
        ),
    )


def _commands(source: Source) -> Markup:
    commits = [word for word in source.metadata.said("git_commit") if word != "unknown"]
    checkout = [f"git checkout {shlex.quote(commits[-1])}"] if len(commits) == 1 else []
    return section(
        "reproduce",
        "Make it again",
        element(
            "p",
            "The commands that made these points. Into the same name they run only what is "
            "missing; another name makes all of it again.",
        ),
        markup.commands(*checkout, *recorded_commands(source.metadata)),
        element("p", "Run points again, from the file alone, and compare them to the bit:"),
        markup.commands(source.command("pipeline.reproduce")),
        element("p", "Write this page, draw its figures:"),
        markup.commands(
            source.command("analysis", "--report", at=True), source.command("analysis", at=True)
        ),
    )
