"""The page of `stdp lab`: controls, and what the latest simulation gave."""

from __future__ import annotations

import functools
import html
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bokeh.document import Document
from bokeh.models import Column, Select

from pipeline.composition.compose import CONF
from pipeline.model.errors import RequestError
from stdp.browser.layout import paragraphs, table_of_numbers, text, use_template
from stdp.browser.newest import NewestFirst
from stdp.browser.panels import CoursePanels, HistogramPanel, WindowPanel
from stdp.lab.controls import (
    SEED,
    Control,
    default_sets,
    is_choosing,
    resolved_value,
    section_controls,
    seed_control,
    shown_sections,
)
from stdp.lab.field import Field
from stdp.lab.settings import Settings
from stdp.lab.simulation import Moves, Outcome, Refused, Simulated, Traces
from stdp.lab.trace_panels import TracePanels

#: Open sections that stand in the first column, above the closed ones, and all that are open.
_FIRST_COLUMN, _OPEN = ("stdp", SEED), ("stdp", SEED, "input", "simulation")

_KEPT = "The picture is that of the last valid values."


@dataclass(frozen=True)
class Heading:
    """A section on the page: the name of its root, its title, and whether it is open."""

    name: str
    title: str
    is_open: bool


def make_page(settings: Settings, doc: Document) -> None:
    """Fill the document of a session with the lab.

    Parameters
    ----------
    settings : Settings
        Those to begin with.
    doc : Document
        The document.
    """
    try:
        LabPage(settings, doc)
    except RequestError as error:  # a file was changed after the command began
        doc.add_root(text("problem", paragraphs([str(error)], "problem")))


class LabPage:
    """A session of `stdp lab`."""

    def __init__(self, settings: Settings, doc: Document) -> None:
        self._settings, self._doc = settings, doc
        self._folders = [CONF, *([settings.conf] if settings.conf else [])]
        self._fields: dict[str, Field] = {}
        self._columns = {name: Column(name=name, sizing_mode="stretch_width")
                         for name in (*shown_sections(), SEED)}  # fmt: skip
        self._histogram, self._window = HistogramPanel(), WindowPanel()
        self._courses, self._traces = CoursePanels(), TracePanels()
        names = ("problem", "numbers", "remarks", "commands")
        self._problem, self._numbers, self._remarks, self._commands = map(text, names)
        self._complaining: list[Field] = []
        self._worker = NewestFirst(
            Moves().outcomes,
            lambda outcome: doc.add_next_tick_callback(functools.partial(self._show, outcome)),
        )
        doc.on_session_destroyed(lambda context: self._worker.stop())
        titles = {name: self._make_controls(name) for name in shown_sections()}
        self._columns[SEED].children = [self._field(seed_control()).layout]
        self._show_values(None)
        self._lay_out(titles | {SEED: "Randomness"})
        self._worker.submit(settings)

    def _lay_out(self, titles: dict[str, str]) -> None:
        doc = self._doc
        panels = {
            "histogram": self._histogram.figure,
            "window": self._window.figure,
            "weights": self._courses.weights,
            "rate": self._courses.rate,
            "potential": self._traces.potential,
            "conductance": self._traces.conductance,
        }
        for name, drawn in panels.items():
            drawn.name = name
        texts = (self._problem, self._numbers, self._remarks, self._commands)
        for root in (*self._columns.values(), *panels.values(), *texts):
            doc.add_root(root)
        headings = [Heading(name, title, name in _OPEN) for name, title in titles.items()]
        headings.sort(key=lambda heading: not heading.is_open)
        first = [one for one in headings if one.name in _FIRST_COLUMN or not one.is_open]
        columns = [first, [heading for heading in headings if heading not in first]]
        use_template(doc, Path(__file__).with_name("lab.html"), "STDP lab", columns=columns)

    def _make_controls(self, name: str) -> str:
        """Make the controls of a section anew; return its title."""
        variant = self._settings.variants()[name]
        section = section_controls(name, variant, self._folders)
        self._fields = {
            key: field for key, field in self._fields.items() if not key.startswith(f"{name}.")
        }
        made = [self._field(control).layout for control in section.controls]
        self._columns[name].children = [*self._set_menu(name, dict(section.sets)), *made]
        return section.title

    def _field(self, control: Control) -> Field:
        field = Field(control, self._typed)
        self._fields[control.key] = field
        return field

    def _set_menu(self, group: str, sets: dict[str, str]) -> list[Any]:
        """Return the menu of the parameter sets of a group, and a line about the chosen one."""
        if not sets:
            return []
        settings = self._settings
        # Other overrides, such as an experiment, may choose sets as well.
        default = "" if settings.others else default_sets().get(group, "")
        chosen = settings.sets.get(group, "")
        chosen = "" if chosen == default else chosen
        first = f"{default} (default)" if default else "as chosen by the command"
        options = [("", first), *((name, name) for name in sets if name != default)]
        menu = Select(title="Parameter set", options=options, value=chosen, name=f"set_{group}",
                      sizing_mode="stretch_width")  # fmt: skip
        menu.on_change(
            "value", lambda _, __, new: self._change(self._settings.with_set(group, new))
        )
        about = sets.get(chosen or default, "")
        return [menu, text(f"about_{group}", paragraphs([about], "soft"), margin=(0, 5, 4, 5))]

    def _typed(self, key: str, value: str) -> None:
        self._change(self._settings.with_typed(key, value))

    def _change(self, settings: Settings) -> None:
        """Ask for other settings; where other fields belong to them, the controls are made anew."""
        if settings == self._settings:
            return
        before, self._settings = self._settings, settings
        try:
            for name in shown_sections():
                if _chosen(settings, name) != _chosen(before, name):
                    self._make_controls(name)
                    self._show_values(None)
            settings.configuration()  # what is refused does not overtake what is valid
        except RequestError as error:
            self._refuse(Refused(settings, str(error)))
            return
        self._worker.submit(settings)

    def _show_values(self, shown: Simulated | None) -> None:
        """Show the values of a simulation, or before the first those of the parameter sets."""
        parameters = self._settings.parameters() if shown is None else {}
        for key, field in self._fields.items():
            section, _, name = key.rpartition(".")
            typed = self._settings.typed.get(key)
            if shown is not None and not self._is_of(shown, key, section):
                continue
            if shown is None:
                values = parameters[section] if section else parameters
                value = resolved = values.get(name)
                if value is None and name not in values:
                    typed = typed or ""  # it needs a value
            else:
                owner = getattr(shown.configuration, section) if section else shown.configuration
                value, resolved = getattr(owner, name), resolved_value(owner, name)
            field.show(value, resolved, typed)

    def _is_of(self, shown: Simulated, key: str, section: str) -> bool:
        """Whether a simulation has the present value of a field: no newer move has changed it."""
        now, then = self._settings, shown.settings
        same = now.typed.get(key) == then.typed.get(key)
        return same and (not section or _chosen(now, section) == _chosen(then, section))

    def _show(self, outcome: Outcome) -> None:
        """Draw what a simulation gave."""
        if isinstance(outcome, Refused):
            self._refuse(outcome)
        elif isinstance(outcome, Simulated):
            self._show_simulated(outcome)
        elif isinstance(outcome, Traces):
            self._traces.show(outcome.recorded)
        else:
            self._courses.show(outcome)

    def _show_simulated(self, shown: Simulated) -> None:
        self._histogram.show(shown.shown)
        self._window.show(shown.window)
        self._numbers.text = table_of_numbers(shown.shown)
        self._remarks.text = _remarks(shown)
        self._commands.text = _commands(shown)
        self._show_values(shown)
        if shown.settings == self._settings:
            self._complain({}, "")

    def _refuse(self, refused: Refused) -> None:
        if refused.settings == self._settings:
            # The message is about one value, and others may be wrong as well.
            wrong = refused.settings.wrong_values() | {refused.key: refused.message}
            self._complain(wrong, refused.message)

    def _complain(self, wrong: dict[str, str], message: str) -> None:
        """Show what is wrong above the picture, and by key beside the fields; "" if nothing is."""
        for field in self._complaining:
            field.complain("")
        self._complaining = [self._fields[key] for key in wrong if key in self._fields]
        for field in self._complaining:
            field.complain(wrong[field.control.key])
        problem = paragraphs([message], "problem") + paragraphs([_KEPT], "soft")
        self._problem.text = problem if message else ""


def _chosen(settings: Settings, name: str) -> tuple[str | None, dict[str, str]]:
    """Return what decides which fields a section has: parameter set, and rule or process."""
    typed = {
        key: value
        for key, value in settings.typed.items()
        if key.startswith(f"{name}.") and is_choosing(key)
    }
    return settings.sets.get(name), typed


def _remarks(shown: Simulated) -> str:
    """Return the time, the answer about settling, the theory and the warnings, in HTML."""
    answer = shown.shown.answer
    simulated = shown.configuration.simulation.duration / 1000
    lines = [
        f"{simulated:,g} s simulated in {1000 * shown.seconds:.3g} ms",
        answer[:1].upper() + answer[1:],
        shown.shown.histogram.note,
    ]
    return paragraphs(lines) + paragraphs(shown.warnings, "soft")


def _commands(shown: Simulated) -> str:
    """Return the command and the Python that run the same simulation, in HTML."""
    command = shown.command or "none: the rule or process is registered from Python"
    rows = (("Command", command), ("Python", shown.call))
    cells = (
        f"<tr><td>{name}</td><td><code>{html.escape(code)}</code></td></tr>" for name, code in rows
    )
    return f"<table>{''.join(cells)}</table>"
