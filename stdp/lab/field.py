"""One parameter on the page: slider and text, or a menu; its bounds, and what is wrong with it."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

from bokeh.models import Column, LayoutDOM, Row, Select, Slider, TextInput

from analysis.reading.values import written
from pipeline.model.parameters import short_name
from stdp.browser.layout import text
from stdp.lab.controls import Control, SliderScale

#: Width of the text of a number [pixel].
_WIDTH = 100


#: Of any slider, also of one that is drawn anew.
_GREY = ".noUi-connect { background: #C8C8C8 !important; }"


class Field:
    """The widgets of a parameter.

    Parameters
    ----------
    control : Control
        The parameter.
    typed : callable
        Takes the key and the text that was typed, or chosen by slider or menu.
    """

    def __init__(self, control: Control, typed: Callable[[str, str], None]) -> None:
        self.control = control
        self._typed = typed
        self._value: Any = None
        self._scale: SliderScale | None = None
        self._syncing = False
        self._problem = text(f"problem_{control.key}", visible=False, margin=(0, 5, 0, 5))
        self._hint = text(f"hint_{control.key}", margin=(4, 5, 0, 5))
        self._slider = Slider(start=0, end=1, value=0, step=1, show_value=False, tooltips=False,
                              name=f"slider_{control.key}", sizing_mode="stretch_width",
                              margin=(9, 8, 0, 8), stylesheets=[_GREY])  # fmt: skip
        self._text = TextInput(name=f"text_{control.key}", width=_WIDTH, margin=(0, 5, 0, 5))
        self._menu = Select(options=list(control.options), name=f"menu_{control.key}",
                            sizing_mode="stretch_width", margin=(0, 5, 0, 5))  # fmt: skip
        self._slider.on_change("value", self._slid)
        self._text.on_change("value", lambda _, __, new: self._entered(new))
        self._menu.on_change("value", lambda _, __, new: self._entered(new))
        self.layout = self._lay_out()

    def _lay_out(self) -> LayoutDOM:
        control = self.control
        if control.options:
            value: LayoutDOM = self._menu
        elif control.is_number:
            value = Row(self._slider, self._text, sizing_mode="stretch_width")
        else:
            self._text.update(sizing_mode="stretch_width", width=None)
            value = self._text
        self._describe(None)
        parts = (self._hint, value, self._problem)
        return Column(*parts, sizing_mode="stretch_width", margin=(0, 0, 5, 0))

    def _describe(self, derived: Any) -> None:
        """Write the label, the bounds, and the value that stands for null."""
        control = self.control
        bounds = "" if control.options else control.bounds
        if derived is not None:
            bounds += f"; now {written(derived)}"
        short = short_name(control.key)
        self._hint.text = (
            f"{html.escape(control.label)} <span class=soft>{html.escape(short)}"
            f"{': ' if bounds else ''}{html.escape(bounds)}</span>"
        )

    def show(self, value: Any, resolved: Any, typed: str | None = None) -> None:
        """Show a value.

        Parameters
        ----------
        value : number, str, bool or None
            The value.
        resolved : number, str, bool or None
            The same, in place of null what is derived from others.
        typed : str, optional
            How the user wrote it.
        """
        self._syncing = True
        content = written(value) if typed is None else typed
        self._text.value = content
        if content in self.control.options:
            self._menu.value = content
        self._place_slider(resolved)
        self._describe(resolved if value is None else None)
        self._syncing = False

    def _place_slider(self, value: Any) -> None:
        """Move the slider to a value; its range stays as long as it holds the value."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if self._scale is None or not is_number or not self._scale.covers(value):
            self._scale = self.control.scale(value)
            if self._scale is not None:
                self._slider.end = self._scale.n_steps
        self._slider.disabled = self._scale is None
        if self._scale is not None:
            step = self._scale.step(value)
            # While it is dragged, its position may be between two of rounded values.
            if self._scale.value(round(self._slider.value)) != value:
                self._slider.value = step

    def complain(self, message: str) -> None:
        """Show beside the parameter what is wrong with it; "" if nothing is."""
        self._problem.text = f'<div class="problem">{html.escape(message)}</div>'
        self._problem.visible = bool(message)

    def _slid(self, attribute: str, old: float, new: float) -> None:
        if self._syncing or self._scale is None:
            return
        entered = written(self._scale.value(round(new)))
        self._syncing = True
        self._text.value = entered
        self._syncing = False
        self._typed(self.control.key, entered)

    def _entered(self, new: str) -> None:
        if not self._syncing:
            self._typed(self.control.key, new)
