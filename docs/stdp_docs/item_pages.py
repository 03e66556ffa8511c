"""Pages generated from the code: one for each rule, process, figure, public name and experiment.

What is written on them stands in docstrings and, for experiments, in the comment of the file.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

import analysis
import pipeline
from analysis.figures.registry import FIGURES, FigureSpec
from pipeline.composition.choices import choices_of
from pipeline.composition.help_text import description
from pipeline.model.inputs import PROCESSES
from pipeline.model.plasticity import RULES, Rule
from pipeline.model.registry import Registry, Variant
from stdp_docs.experiments import Experiment, experiments
from stdp_docs.markdown import code, docstring, references, table
from stdp_docs.paper_figures import PAPER_FIGURES, picture
from stdp_docs.places import CONF
from stdp_docs.requirements import needs_of_figures

#: Packages with public names.
PACKAGES = {"pipeline": pipeline, "analysis": analysis}


def pages() -> dict[str, str]:
    """Return the text of every page by its path in the sources of the site."""
    return {
        **{f"reference/rules/{name}.md": _rule(cls) for name, cls in RULES.classes().items()},
        **{
            f"reference/inputs/{name}.md": _process(cls)
            for name, cls in PROCESSES.classes().items()
        },
        **{f"reference/figures/{name}.md": _figure(spec) for name, spec in FIGURES.items()},
        **{f"papers/{one.name}.md": _experiment(one) for one in experiments()},
        **{
            f"reference/python/{package}.{name}.md": _public_name(package, name)
            for package, module in PACKAGES.items()
            for name in module.__all__
        },
    }


def _rule(cls: type[Variant]) -> str:
    assert issubclass(cls, Rule)
    traces = [
        [
            code(name),
            trace.side,
            code(cls.key(trace.tau)),
            "sets it to 1" if trace.sets else "adds 1",
            f"{trace.read} its jump",
        ]
        for name, trace in cls.traces.items()
    ]
    heading = ["trace", "of spikes", "time constant", "a spike", "read, in the step of its spike"]
    covered = f"No: {cls.theory_gap}." if cls.theory_gap else "Yes."
    parts = [
        f"# Rule `{cls.name}`",
        _about(cls),
        f"- At an output spike, the weight of each synapse becomes {_result(cls.potentiate)}.\n"
        f"- At an input spike, the weight of its synapse becomes {_result(cls.depress)}.\n\n"
        "Both engines clip it to [0, 1].",
        "## Traces",
        table(heading, traces),
        "## Keys",
        _fields(cls),
        "## Parameter sets",
        _choices(RULES, cls),
        "<!-- pictures -->",
        "## Equilibrium theory",
        f"Covered by the [theory](../../explanation/theory.md): {covered}",
        _source(cls),
    ]
    return _page(parts)


def _result(function: Callable[..., object]) -> str:
    """Return what a function says that it returns."""
    return docstring(function).removeprefix("Return ").rstrip(".")


def _process(cls: type[Variant]) -> str:
    gap = getattr(cls, "theory_gap", "")
    constant = "constant in time" if cls.stationary else "not constant in time"
    covered = f"does not cover it: {gap}" if gap else "covers it"
    parts = [
        f"# Input process `{cls.name}`",
        _about(cls),
        f"Its statistics are {constant}. The [theory](../../explanation/theory.md) {covered}.",
        "## Keys",
        _fields(cls),
        "## Parameter sets",
        _choices(PROCESSES, cls),
        "<!-- pictures -->",
        _source(cls),
    ]
    return _page(parts)


def _about(cls: type[Variant]) -> str:
    cited = references(cls)
    of_file = "" if cls.source else docstring(inspect.getmodule(cls))
    return _page([of_file, docstring(cls), f"## References\n\n{cited}" if cited else ""])


def _fields(cls: type[Variant]) -> str:
    keyed = {cls.key(name): quantity for name, quantity in cls.quantities().items()}
    rows = [[code(key), *description(key, quantity)] for key, quantity in keyed.items()]
    return table(["key", "unit", "allowed", "meaning"], rows)


def _choices(registry: Registry, cls: type[Variant]) -> str:
    group = registry.key.partition(".")[0]
    rows = [[code(f"{group}={one}"), about] for one, about in parameter_sets(group, cls).items()]
    return table(["choice", "is"], rows) if rows else "None."


def parameter_sets(group: str, cls: type[Variant]) -> dict[str, str]:
    """Return the choices of a group that have a rule or process, and what each is."""
    return {
        one: about
        for one, about in choices_of(group, [CONF]).items()
        if getattr(pipeline.configure(f"{group}={one}"), group).name == cls.name
    }


def _source(cls: type[Variant]) -> str:
    module = inspect.getmodule(cls)
    assert module is not None
    source = cls.source or inspect.getsource(module)
    return f"## Source\n\n`{cls.__module__}`:\n\n```python\n{source}\n```"


def _figure(spec: FigureSpec) -> str:
    needs = needs_of_figures()[spec.name]
    at = " `--at MS` chooses the time that is shown." if spec.of_a_moment else ""
    parts = [
        f"# Figure `{spec.name}`",
        f"{spec.shows}. {_described(spec)}",
        f"Requires {needs}." if needs else "Every file supports it.",
        f"```sh\nstdp figures outputs/NAME --figure {spec.name}\n```",
        "From Python, `analysis.show(dataset, " + f'"{spec.name}")` returns its figures.{at}',
        f"<!-- example: {spec.name} -->",
    ]
    return _page(parts)


def _described(spec: FigureSpec) -> str:
    """Return what the function that draws it says, without its first word."""
    first, _, more = docstring(spec.draw).partition("\n\n")
    drawn = first.removeprefix("Yield ")
    return f"{drawn[:1].upper()}{drawn[1:]}" + (f"\n\n{more}" if more else "")


def _public_name(package: str, name: str) -> str:
    value = getattr(PACKAGES[package], name)
    directive = "autofunction"
    if inspect.isclass(value):
        directive = "autoexception" if issubclass(value, Exception) else "autoclass"
    members = "\n   :members:" if directive == "autoclass" else ""
    return (
        f"# `{package}.{name}`\n\n"
        f"```{{eval-rst}}\n.. {directive}:: {package}.{name}{members}\n```\n"
    )


def summaries(package: str) -> str:
    """Return a table of the public names of a package, with the first line of each."""
    module = PACKAGES[package]
    rows = [
        [
            f"[{code(f'{package}.{name}')}](python/{package}.{name}.md)",
            docstring(getattr(module, name)).partition("\n\n")[0].replace("\n", " "),
        ]
        for name in module.__all__
    ]
    return table(["name", "is"], rows)


def _experiment(one: Experiment) -> str:
    axes = [[code(key), code(values)] for key, values in one.axes.items()]
    parts = [
        f"# `{one.name}`",
        one.about,
        f"```sh\nstdp run +experiment={one.name} name={one.name}\n"
        f"stdp report outputs/{one.name}\n```",
        _beside_the_paper(one.name),
        "## Axes",
        table(["key", "values"], axes),
        f"## `conf/experiment/{one.name}.yaml`",
        f"```yaml\n{one.text}```",
    ]
    return _page(parts)


def _beside_the_paper(experiment: str) -> str:
    """Return the figure that stands beside the paper's, and its command; "" for other ones."""
    figure = PAPER_FIGURES.get(experiment)
    if figure is None:
        return ""
    return (
        f"## Figure\n\nBeside the original's {figure.of_paper}. The same file has "
        "[others](../reference/figures.md).\n\n"
        f"```sh\n{figure.command(experiment)}\n```\n\n"
        f"![{figure.of_paper}](../gallery/{picture(experiment).name})"
    )


def _page(parts: list[str]) -> str:
    return "\n\n".join(filter(None, parts)) + "\n"
