"""Report of an experiment: figures, numbers, data-quality warnings and provenance on one page."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

from analysis.figures import titles
from analysis.figures.registry import FIGURES, FigureSpec
from analysis.measures.measured import MeasuredDataset
from analysis.measures.seeds import SEED
from analysis.plots import style
from analysis.reading.commands import command
from analysis.reading.dataset import parameter, reading
from analysis.reading.errors import LoadError
from analysis.reading.files import replacing
from analysis.reading.metadata import (
    DONE,
    FAILED,
    MISSING,
    RESULTS,
    Metadata,
    beside,
    read_metadata,
    results_file,
)
from analysis.reading.until import answers_of_runs
from analysis.reading.values import counted
from analysis.report import markup
from analysis.report.configuration import axis_rows, configuration_rows, seeds_text
from analysis.report.embed import Embedded, contents, embedded, group, log_messages
from analysis.report.markup import Markup, element, joined, section
from analysis.report.provenance import (
    conditions_of_runs,
    n_points_made,
    package_versions,
    recorded_commands,
    run_text,
    runs_of,
)
from analysis.report.quality import quality_warnings
from analysis.report.samples import samples_content
from analysis.report.summary import MAX_ROWS, summary

REPORT = "report.html"

#: Makes a section of the page from its content.
Part = Callable[..., Markup]


@dataclass(frozen=True)
class Source:
    """The input of a report.

    Attributes
    ----------
    experiment : path
        As given by the user, for the commands.
    metadata : Metadata
        Of the whole file.
    measured : MeasuredDataset
        The points that are reported.
    where : sequence of str
        The conditions that selected them.
    """

    experiment: Path
    metadata: Metadata
    measured: MeasuredDataset
    where: Sequence[str]

    @property
    def folder(self) -> Path:
        """The directory of the results and the report."""
        return results_file(self.experiment).parent

    def command(
        self, name: str, *arguments: str, at: bool = False, where: Sequence[str] = ()
    ) -> str:
        """Return a command line for these points, or for those that also meet further conditions.

        With `--at` if `at` is true and a time is set.
        """
        conditions = [*where, *self.where]  # the order of the figure's own name
        chosen = [argument for condition in conditions for argument in ("--where", condition)]
        if at and self.measured.at is not None:
            chosen += ["--at", f"{self.measured.at:g}"]
        if name == "figures" and self.measured.each_seed:
            chosen.append("--each-seed")
        return command(name, str(self.experiment), *arguments, *chosen)


def write_report(
    experiment: Path,
    where: Sequence[str] = (),
    at: float | None = None,
    each_seed: bool = False,
) -> Path:
    """Write `report.html` beside the results of an experiment; return its path.

    Parameters
    ----------
    experiment : path
        The experiment directory, or its `results.nc`.
    where : sequence of str
        `KEY=VALUE`: only the points at these values.
    at : float, optional
        Time at which weight histories and traces are shown [ms].
    each_seed : bool
        Whether figures along an axis have a dot for each seed.

    Raises
    ------
    LoadError
        If there are no results, or the directory cannot be written.
    ConditionError
        If there are no points at these values, or no run lasts until `at`.
    """
    mpl.use("Agg")
    file = results_file(experiment)
    metadata, path = read_metadata(file), beside(file, REPORT)
    if not os.access(path.parent, os.W_OK):  # reported before drawing, which takes long
        raise LoadError(f"{path}: cannot be written (its directory is read-only)")
    with reading(experiment) as dataset, style.paper():
        measured = MeasuredDataset.of(dataset, where, at, each_seed)
        page = _page(Source(experiment, metadata, measured, where))
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def _page(source: Source) -> str:
    title = _title(source)
    parts = {
        name: build(source, partial(section, name, text)) for name, (text, build) in _PARTS.items()
    }
    links = [markup.link(name, _PARTS[name][0]) for name, part in parts.items() if part]
    return markup.page(
        title,
        element("header", element("h1", title), *_subtitle(source)),
        element("nav", markup.bullets(links), aria_label="Contents"),
        *parts.values(),
    )


def _title(source: Source) -> str:
    """Return the name of the experiment: its path below `outputs`, as in `name=STUDY/ONE`.

    Of a file with a name of its own, that name.
    """
    file = results_file(source.experiment)
    if file.name != RESULTS:
        return file.stem
    folder = source.folder.resolve()
    *_, name = str(folder).rpartition(f"{os.sep}outputs{os.sep}")
    return name if not name.startswith(os.sep) else folder.name


def _subtitle(source: Source) -> Iterator[Markup]:
    dataset, created = source.measured.dataset, source.metadata.created
    status = dataset["status"]
    n_points = counted(status.size, "point")
    counts = [
        f"{int((status == flag).sum()):,} {text}"
        for flag, text in ((DONE, "done"), (FAILED, "failed"), (MISSING, "missing"))
        if (status == flag).any()
    ]
    when = f"{created:%Y-%m-%d %H:%M} UTC. " if created else ""
    yield element("p", dataset.attrs.get("title", ""), class_="quiet")
    shard = f" (shard {dataset.attrs['shard']})" if "shard" in dataset.attrs else ""
    yield element("p", f"{when}{n_points}{_product(source.measured)}: {', '.join(counts)}{shard}.")
    if source.measured.until_settled:
        yield element("p", _until_settled(source.measured))
    if source.measured.part:
        yield element("p", f"Only the points at {source.measured.part}.")


def _until_settled(measured: MeasuredDataset) -> str:
    """Return when runs were looked at, and why they ended."""
    dataset = measured.dataset
    answers = answers_of_runs(dataset)
    done = dataset["status"].values == DONE
    ended = "" if answers is None else titles.settled_answers(answers.values[done])
    first, limit = (
        f"{float(one.max()) / 1000:,g} s"
        for one in (parameter(dataset, "settle.minimum"), parameter(dataset, "simulation.duration"))
    )
    text = (
        f"Each run went on until it had settled, at most for {limit}; it was looked at whenever "
        f"its length had doubled, from {first} on."
    )
    return f"{text} Runs: {ended[:1].lower()}{ended[1:]}." if ended else text


def _product(measured: MeasuredDataset) -> str:
    """Return how points are made of parameter combinations and seeds; "" without swept seeds.

    A point is one run: one parameter combination with one seed.
    """
    if not (measured.has_seeds and measured.swept):
        return ""
    n_seeds = measured.dataset.sizes[SEED]
    combinations = counted(measured.done.size, "parameter combination")
    return f" ({combinations}, {counted(n_seeds, 'seed')} each)"


def _warnings(source: Source, part: Part) -> Markup:
    found = quality_warnings(source.measured, source.metadata, source.folder)
    if not found:
        text = "None: all points are done, fire and have settled; the code of one commit made them."
        return part(element("p", text), class_="box")
    items = [
        joined(
            element("p", element("strong", warning.text)),
            markup.bullets(warning.about) if warning.about else "",
        )
        for warning in found
    ]
    return part(*items, class_="box warn")


def _axes(source: Source, part: Part) -> Markup:
    rows = axis_rows(source.measured.dataset)
    if not rows:
        return part(element("p", "Nothing was swept."))
    heading = ("Axis", "Key", "Meaning", "Unit", "Number", "Values")
    text = seeds_text(source.measured.dataset)
    return part(markup.table(rows, heading, numbers=[4]), *([element("p", text)] if text else []))


def _samples(source: Source, part: Part) -> Markup:
    """Return what was sampled and how; nothing without samples."""
    found = samples_content(source.measured.dataset, source.metadata)
    return part(*found) if found else Markup()


def _configuration(source: Source, part: Part) -> Markup:
    sections = configuration_rows(source.measured.dataset, source.metadata)
    tables = [
        element("div", element("h3", name), markup.table(rows)) for name, rows in sections.items()
    ]
    return part(element("div", *tables, class_="columns"))


def _figures(source: Source, part: Part) -> Markup:
    drawn = [(spec, *_drawn(source, spec)) for spec in FIGURES.values()]
    shown = [(spec, figures, messages) for spec, figures, messages in drawn if figures]
    if not shown:
        return part(element("p", "There is nothing to draw."))
    return part(
        contents([(spec, figures) for spec, figures, _ in shown]),
        *(group(spec, figures, messages) for spec, figures, messages in shown),
    )


def _drawn(source: Source, spec: FigureSpec) -> tuple[list[Embedded], list[str]]:
    """Return all figures of one kind that the dataset supports, and log messages."""
    if not source.measured.done.any() or spec.needs(source.measured):
        return [], []
    figures = []
    with log_messages() as messages:
        for drawn in spec.drawn(source.measured):
            typed = source.command(
                "figures", "--figure", spec.name, at=spec.of_a_moment, where=drawn.where
            )
            figures.append(embedded(spec, drawn, source.measured.dataset, typed))
            plt.close(drawn.figure)
    return figures, messages


def _numbers(source: Source, part: Part) -> Markup:
    measured = source.measured
    if not measured.done.any():
        return part(element("p", "There are none."))
    heading, rows = summary(measured)
    n_rows, n_names = measured.done.size, len(measured.swept)
    many = n_rows > MAX_ROWS
    text = f"Ranges over {n_rows:,} parameter combinations" if many else "Each point"
    if measured.has_seeds:
        text = f"{text if many else 'Each parameter combination'}, means over seeds"
    settled = titles.settled(measured)
    numbers = [1, 3, 5] if many else range(n_names, len(heading) - 1)
    return part(
        element("p", f"{text}. {settled}." if settled else f"{text}."),
        markup.table(rows, heading, numbers, fixed=1 if many else n_names),
        *_as_file(source),
    )


def _as_file(source: Source) -> Iterator[Markup]:
    """Yield how to get the whole table into a file, with spread and interval of each measure."""
    if not source.measured.swept:
        return
    experiment, conditions = (
        json.dumps(one, ensure_ascii=False) for one in (str(source.experiment), [*source.where])
    )
    where = f", {conditions}" if source.where else ""
    program = (
        f"from analysis import numbers, open_results; numbers(open_results({experiment}){where})"
        '.to_dataframe().to_csv("numbers.csv")'
    )
    seeds = source.measured.has_seeds and source.measured.dataset.sizes[SEED] > 1
    over_seeds = ", with standard deviation over seeds and 95 % interval of the mean of each"
    yield element(
        "p",
        f"All measures of every parameter combination{over_seeds if seeds else ''}, in a file:",
    )
    yield markup.commands(shlex.join(["python", "-c", program]))


def _provenance(source: Source, part: Part) -> Markup:
    runs = runs_of(source.metadata)
    numbers = n_points_made(source.measured.dataset, len(runs))
    rows = [
        [
            i + 1,
            run_text(run, "created").replace("T", " "),
            "" if n is None else f"{n:,}",
            run_text(run, "seconds") or ("killed" if "seconds" in run else ""),
            run_text(run, "engine"),
            element("code", run_text(run, "git_commit")[:10]),
            {"true": "changed", "false": "clean"}.get(run_text(run, "git_dirty"), "unknown"),
            element("code", run_text(run, "command")),
        ]
        for i, (run, n) in enumerate(zip(runs, numbers, strict=True))
    ]
    heading = ("Run", "Begun", "Points", "Seconds", "Engine", "Commit", "Code", "Command")
    packages = [f"{name} {version}" for name, version in package_versions(source.metadata).items()]
    return part(
        markup.table(rows, heading, numbers=[2, 3]),
        markup.table(conditions_of_runs(source.metadata)),
        *(
            element("details", element("summary", f"Own file {path}"), markup.commands(text))
            for path, text in source.metadata.own_files.items()
        ),
        element(
            "details",
            element("summary", f"All {len(packages)} packages"),
            element("p", ", ".join(packages)),
        ),
    )


def _reproduce(source: Source, part: Part) -> Markup:
    commits = [commit for commit in source.metadata.said("git_commit") if commit != "unknown"]
    checkout = [f"git checkout {shlex.quote(commits[-1])}"] if len(commits) == 1 else []
    report, figures = (source.command("figures", *option, at=True) for option in (["--report"], []))
    return part(
        element(
            "p",
            "The commands that made these points. With the same name they run only what is "
            "missing; with another name they run everything again.",
        ),
        markup.commands(*checkout, *recorded_commands(source.metadata)),
        element("p", "Run points again, from the file alone, and compare them bit for bit:"),
        markup.commands(source.command("reproduce")),
        element("p", "Write this page, draw its figures:"),
        markup.commands(report, figures),
    )


_PARTS: dict[str, tuple[str, Callable[[Source, Part], Markup]]] = {
    "warnings": ("Warnings", _warnings),
    "axes": ("Axes", _axes),
    "samples": ("Samples", _samples),
    "configuration": ("Configuration", _configuration),
    "figures": ("Figures", _figures),
    "numbers": ("Numbers", _numbers),
    "provenance": ("Provenance", _provenance),
    "reproduce": ("Reproduce", _reproduce),
}
