"""Tables and lists generated from the code, in place of marks `<!-- generated: NAME -->`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pipeline
from analysis.figures.registry import FIGURES
from pipeline.composition.choices import choices_of, groups_in
from pipeline.composition.compose import default_run_settings
from pipeline.composition.help_text import described_keys
from pipeline.model.inputs import PROCESSES
from pipeline.model.parameters import by_key
from pipeline.model.plasticity import RULES
from pipeline.model.registry import Registry
from pipeline.model.variables import VARIABLES, recorded
from stdp.__main__ import SUBCOMMANDS
from stdp_docs.experiments import experiments
from stdp_docs.item_pages import summaries
from stdp_docs.markdown import code, docstring, table
from stdp_docs.places import CONF
from stdp_docs.requirements import needs_of_figures


def _keys() -> str:
    """Return every key by section: value by default, unit, allowed values, meaning."""
    defaults = by_key(pipeline.configure().to_mapping())
    defaults |= by_key({"run": default_run_settings().to_mapping()})
    sections: dict[str, list[list[str]]] = {}
    for key, (unit, allowed, meaning) in described_keys().items():
        default = _written(defaults[key]) if key in defaults else ""
        row = [code(key), code(default), unit, allowed, meaning]
        sections.setdefault(key.rpartition(".")[0], []).append(row)
    heading = ["key", "by default", "unit", "allowed", "meaning"]
    parts = [
        f"### {code(section) or 'Without a section'}\n\n{table(heading, rows)}"
        for section, rows in sections.items()
    ]
    return "\n\n".join(parts)


def _written(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _choices() -> str:
    """Return the choices of every group, with the first sentence of each file."""
    parts = []
    for group in groups_in([CONF]):
        if group != "experiment":
            choices = choices_of(group, [CONF]).items()
            rows = [[code(f"{group}={one}"), about] for one, about in choices]
            parts.append(f"### Choices of {code(group)}\n\n{table(['choice', 'is'], rows)}")
    return "\n\n".join(parts)


def _variables() -> str:
    """Return the variables of a point: dimensions, unit, meaning, and with which recording."""
    choices = [f"record={choice}" for choice in choices_of("record", [CONF])]
    records = {choice: recorded(pipeline.configure(choice)) for choice in choices}
    until = "simulation.until=settled"
    until_settled = recorded(pipeline.configure(until))
    rows = []
    for name, variable in VARIABLES.items():
        dims = ", ".join(["...", *variable.dims])
        within = [f"`{choice}`" for choice, names in records.items() if name in names]
        meaning = "; ".join(filter(None, [variable.long_name, variable.comment]))
        if not within and name in until_settled:
            within = [f"`{until}`"]
        when = "always" if len(within) == len(records) else ", ".join(within)
        rows.append([code(f"{name} ({dims})"), variable.units, meaning, when])
    return table(["variable", "unit", "meaning", "recorded"], rows)


def _figures() -> str:
    """Return every figure: what it shows and what it needs."""
    needs = needs_of_figures()
    rows = [
        [f"[{code(name)}](figures/{name}.md)", spec.shows, needs[name]]
        for name, spec in FIGURES.items()
    ]
    return table(["`--figure`", "shows", "requires"], rows)


def _variants(registry: Registry, folder: str) -> str:
    rows = [
        [f"[{code(name)}]({folder}/{name}.md)", docstring(cls).partition("\n\n")[0]]
        for name, cls in registry.classes().items()
    ]
    return table([code(registry.key), "is"], rows)


def _subcommands() -> str:
    rows = [[code(f"stdp {name}"), one.summary] for name, one in SUBCOMMANDS.items()]
    return table(["command", "does"], rows)


#: Subcommands whose help is a page of its own: that of Hydra, with all keys.
_LONG_HELP = ("run",)


def _help() -> str:
    """Return what each subcommand answers to `--help`."""
    names = [name for name in SUBCOMMANDS if name not in _LONG_HELP]
    with ThreadPoolExecutor(2) as threads:
        texts = dict(zip(names, threads.map(help_of, names), strict=True))
    parts = [f"### `stdp {name}`\n\n```text\n{text}\n```" for name, text in texts.items()]
    return "\n\n".join(parts)


def help_of(name: str) -> str:
    """Return what a subcommand answers to `--help`, 80 columns wide."""
    start = "import sys; sys.argv[0] = 'stdp'; from stdp.__main__ import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", start, name, "--help"],
        env=os.environ | {"COLUMNS": "80", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def _experiments(of_papers: bool) -> str:
    rows = [
        [f"[{code(one.name)}](papers/{one.name}.md)", one.about.partition(". ")[0].rstrip(".")]
        for one in experiments()
        if one.is_of_a_paper == of_papers and not one.later_name
    ]
    return table(["`+experiment=`", "is"], rows)


#: What replaces `<!-- generated: NAME -->`, by name.
BLOCKS: dict[str, Callable[[], str]] = {
    "keys": _keys,
    "choices": _choices,
    "variables": _variables,
    "figures": _figures,
    "rules": lambda: _variants(RULES, "rules"),
    "inputs": lambda: _variants(PROCESSES, "inputs"),
    "pipeline": lambda: summaries("pipeline"),
    "analysis": lambda: summaries("analysis"),
    "subcommands": _subcommands,
    "help": _help,
    "experiments of papers": lambda: _experiments(True),
    "other experiments": lambda: _experiments(False),
}
