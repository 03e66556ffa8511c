"""The page of `stdp explore`: choices, and what the chosen combination looks like."""

from __future__ import annotations

import functools
import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import xarray as xr
from bokeh.document import Document
from bokeh.models import Button, Column, CustomJS, CustomJSTickFormatter, Row, Select, Slider

from analysis.reading.errors import LoadError
from analysis.report.quality import QualityWarning
from stdp.browser.combination import Combination, combination, courses
from stdp.browser.layout import paragraphs, table_of_numbers, text, use_template
from stdp.browser.newest import NewestFirst
from stdp.browser.panels import CoursePanels, HistogramPanel
from stdp.explore.experiment import AxisChoice, Experiment
from stdp.explore.plane import Plane, measures_of, plane
from stdp.explore.plane_panel import PlanePanel
from stdp.explore.shared import SharedExperiment

#: How often the file is looked at [ms].
_WATCH = 2000

#: The choice of all seeds.
_ALL_SEEDS = "all"

_HINT = (
    "Click to choose. All runs are shown, also those that have not settled; of the chosen ones it "
    "is said whether they have."
)

_NO_HISTORY = (
    "Weights and output rate in time are not recorded; record=history or "
    "record.weight_interval=1000 records them."
)

#: No second axis: a line.
_NO_AXIS = "(none)"


@dataclass(frozen=True)
class Chosen:
    """What a session shows.

    Attributes
    ----------
    values : mapping of str to int
        Number of the value of each axis.
    seed : int or None
        Number of one seed; None for all.
    measure : str
        What the map shows.
    across : tuple of str
        Axes of the map.
    """

    values: Mapping[str, int]
    seed: int | None = None
    measure: str = ""
    across: tuple[str, ...] = field(default=())

    @property
    def of_plane(self) -> tuple[Any, ...]:
        """What the map depends on."""
        others = tuple((k, v) for k, v in self.values.items() if k not in self.across)
        return others, self.seed, self.measure, self.across


@dataclass(frozen=True)
class Point:
    """What is shown of a combination at once: numbers, histogram, warnings."""

    chosen: Chosen
    shown: Combination
    warnings: tuple[QualityWarning, ...]


#: Results of the work behind the page.
Result = Point | Plane | dict[str, xr.DataArray] | str


def make_page(shared: SharedExperiment, doc: Document) -> None:
    """Fill the document of a session with the page of an experiment.

    Parameters
    ----------
    shared : SharedExperiment
        The experiment.
    doc : Document
        The document.
    """
    try:
        experiment = shared.enter()
    except LoadError as error:  # it was damaged after the command began
        doc.add_root(text("problem", paragraphs([str(error)], "problem")))
    else:
        doc.on_session_destroyed(lambda context: shared.leave(experiment))
        ExplorePage(experiment, doc)


class ExplorePage:
    """A session of `stdp explore`."""

    def __init__(self, experiment: Experiment, doc: Document) -> None:
        self._experiment, self._doc = experiment, doc
        axes = experiment.axes
        numeric = [axis for axis in axes if axis.is_numeric and len(axis.texts) > 1]
        across = tuple(axis.name for axis in (numeric or axes)[:2])
        self._chosen = Chosen(experiment.first, None, measures_of(experiment)[0], across)
        self._drawn_plane: tuple[Any, ...] | None = None
        self._syncing = False
        self._panel, self._histogram, self._courses = (
            PlanePanel(self._choose), HistogramPanel(), CoursePanels()
        )  # fmt: skip
        self._widgets = {axis.name: self._widget(axis) for axis in axes}
        self._contents = {axis.name: text(f"sets_{axis.name}") for axis in axes if axis.sets}
        self._say_contents()
        self._numbers, self._remarks = text("numbers"), text("remarks")
        self._replaced = self._reload_button()
        self._worker = NewestFirst(
            self._work,
            lambda result: doc.add_next_tick_callback(functools.partial(self._show, result)),
        )
        doc.add_periodic_callback(self._watch, _WATCH)
        doc.on_session_destroyed(lambda context: self._worker.stop())
        self._lay_out()
        self._worker.submit(self._chosen)

    def _lay_out(self) -> None:
        experiment, doc = self._experiment, self._doc
        heading = paragraphs([experiment.points])
        widgets: list[Any] = []
        for name, widget in self._widgets.items():
            widgets += [widget, self._contents[name]] if name in self._contents else [widget]
        widgets += self._seed_widget()
        roots: list[Any] = [
            Column(
                self._replaced, text("points", heading), name="heading", sizing_mode="stretch_width"
            ),
            Column(*widgets, name="choices", sizing_mode="stretch_width"),
            self._numbers,
            self._remarks,
        ]
        if experiment.axes:
            roots.append(
                Column(
                    self._plane_menus(),
                    self._panel.figure,
                    text("hint", paragraphs([_HINT], "soft")),
                    name="plane",
                    sizing_mode="stretch_width",
                )
            )
        panels = {"histogram": self._histogram.figure}
        if experiment.has_history:
            panels |= {"weights": self._courses.weights, "rate": self._courses.rate}
        else:
            roots.append(text("no_history", paragraphs([_NO_HISTORY], "soft")))
        for name, panel in panels.items():
            panel.name = name
            roots.append(panel)
        for root in roots:
            doc.add_root(root)
        name = html.escape(str(experiment.path))
        template = Path(__file__).with_name("explore.html")
        use_template(doc, template, f"{experiment.path.name} - stdp explore", subject=name,
                     has_plane=bool(experiment.axes),
                     has_history=experiment.has_history)  # fmt: skip

    def _widget(self, axis: AxisChoice) -> Slider | Select:
        """Return what chooses a value: a slider over numbers, a menu of names.

        That of samples, of which there may be a million, has no text of each.
        """
        number = self._chosen.values[axis.name]
        if axis.is_numeric and len(axis.texts) > 1:
            form: Any = "0"
            if axis.is_ordered:
                form = CustomJSTickFormatter(
                    args={"texts": list(axis.texts)}, code="return texts[Math.round(tick)]"
                )
            widget = Slider(
                start=0, end=len(axis.texts) - 1, step=1, value=number, title=axis.title,
                name=f"axis_{axis.name}", sizing_mode="stretch_width", format=form,
            )  # fmt: skip
        else:
            options = [(str(i), name) for i, name in enumerate(axis.texts)]
            widget = Select(title=axis.title, options=options, value=str(number),
                            name=f"axis_{axis.name}", sizing_mode="stretch_width")  # fmt: skip
        widget.on_change("value", lambda _, __, new: self._choose({axis.name: int(new)}))
        return widget

    def _seed_widget(self) -> list[Select]:
        seeds = self._experiment.seeds
        if seeds is None:
            return []
        n = len(seeds.texts)
        options = [(_ALL_SEEDS, f"all {n}, pooled" if n > 1 else "all")]
        options += [(str(i), name) for i, name in enumerate(seeds.texts)]
        menu = Select(title=seeds.title, options=options, value=_ALL_SEEDS, name="seed",
                      sizing_mode="stretch_width")  # fmt: skip

        def choose(_: str, __: str, new: str) -> None:
            self._request(replace(self._chosen, seed=None if new == _ALL_SEEDS else int(new)))

        menu.on_change("value", choose)
        return [menu]

    def _plane_menus(self) -> Row:
        """Return the menus of measure and axes of the map."""
        axes = [(axis.name, axis.title) for axis in self._experiment.axes]
        names = [*self._chosen.across, _NO_AXIS][:2]
        title, measures = "Map of" if len(axes) > 1 else "Line of", measures_of(self._experiment)
        measure = Select(title=title, options=measures, value=self._chosen.measure, name="measure",
                         width=180)  # fmt: skip
        x = Select(title="Across", options=axes, value=names[0], name="x", width=180)
        y = Select(title="Up", options=[*axes, (_NO_AXIS, _NO_AXIS)], value=names[1], name="y",
                   width=180)  # fmt: skip

        def choose(_: str, __: str, new: str) -> None:
            across = tuple(dict.fromkeys(one for one in (x.value, y.value) if one != _NO_AXIS))
            self._request(replace(self._chosen, measure=measure.value, across=across))

        for menu in (measure, x, y):
            menu.on_change("value", choose)
        menus = [measure, x, y] if len(axes) > 1 else [measure]
        return Row(*menus, sizing_mode="stretch_width", styles={"flex-wrap": "wrap"})

    def _reload_button(self) -> Button:
        button = Button(label="The results were replaced: reload", button_type="warning",
                        visible=False, name="reload", sizing_mode="stretch_width")  # fmt: skip
        button.js_on_event("button_click", CustomJS(code="window.location.reload()"))
        return button

    def _choose(self, values: Mapping[str, int]) -> None:
        """Choose values of some axes; the widgets follow."""
        if self._syncing:
            return
        chosen = replace(self._chosen, values={**self._chosen.values, **values})
        self._syncing = True
        for name, number in values.items():
            widget = self._widgets[name]
            widget.value = number if isinstance(widget, Slider) else str(number)
        self._syncing = False
        self._request(chosen)

    def _request(self, chosen: Chosen) -> None:
        if chosen == self._chosen:
            return
        self._chosen = chosen
        self._say_contents()
        self._worker.submit(chosen)

    def _say_contents(self) -> None:
        """Write what the chosen sample sets."""
        for axis in self._experiment.axes:
            if axis.sets:
                content = axis.content(self._chosen.values[axis.name])
                self._contents[axis.name].text = paragraphs([content], "soft")

    def _work(self, chosen: Chosen) -> Iterator[Result]:
        """Yield what is shown, the quickest first; an error in reading as text."""
        try:
            part = self._experiment.at(chosen.values, chosen.seed)
            shown = combination(part)
            yield Point(chosen, shown, tuple(self._experiment.warnings(part)))
            if self._experiment.has_history:
                yield courses(part)
            if chosen.across and chosen.of_plane != self._drawn_plane:
                axes = self._axes(chosen.across)
                found = plane(self._experiment, chosen.measure, axes, chosen.values, chosen.seed)
                self._drawn_plane = chosen.of_plane
                yield found
        except (RuntimeError, OSError, LoadError) as error:
            yield f"{error}; reload the page"

    def _axes(self, names: tuple[str, ...]) -> tuple[AxisChoice, ...]:
        by_name = {axis.name: axis for axis in self._experiment.axes}
        return tuple(by_name[name] for name in names)

    def _show(self, result: Result) -> None:
        """Draw a result."""
        if isinstance(result, str):
            self._remarks.text = paragraphs([result], "problem")
        elif isinstance(result, Plane):
            self._panel.show(result, self._axes(self._chosen.across))
            self._panel.mark(self._chosen.values)
        elif isinstance(result, Point):
            self._histogram.show(result.shown)
            self._numbers.text = table_of_numbers(result.shown)
            self._remarks.text = _remarks(result)
            self._panel.mark(result.chosen.values)
        else:
            self._courses.show(result)

    def _watch(self) -> None:
        self._replaced.visible = self._experiment.is_replaced()


def _remarks(point: Point) -> str:
    """Return the answer about settling, the theory and the warnings, in HTML."""
    state = point.shown.state
    lines = [state[:1].upper() + state[1:], point.shown.histogram.note]
    warned = [one.paragraph for one in point.warnings]
    return paragraphs(lines) + paragraphs(warned, "soft")
