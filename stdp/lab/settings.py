"""The settings of a session of the lab: parameter sets, and values as they were typed."""

from __future__ import annotations

import copy
import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pipeline
from pipeline.composition.compose import composition
from pipeline.composition.known_keys import text_keys
from pipeline.composition.own_contents import Places, with_contents
from pipeline.composition.own_files import own_folder
from pipeline.composition.own_models import class_at, is_reference
from pipeline.composition.quoting import is_plain, texts_quoted
from pipeline.model.contents import HASHED
from pipeline.model.errors import RequestError
from pipeline.model.parameters import SECTIONS, Configuration, all_quantities, declarations
from pipeline.model.quantity import Section, override_text, overrides_by_key
from stdp.lab.controls import is_choosing, variant_of

_WORDS = {"null": None, "true": True, "false": False}


@dataclass(frozen=True)
class Settings:
    """What is asked of the lab.

    Attributes
    ----------
    others : tuple of str
        Overrides that are neither of the following, such as `+lab=mine`.
    sets : mapping of str to str
        Chosen parameter sets by group; groups without have the one of `conf/config.yaml`.
    typed : mapping of str to str
        Values by key, as they were typed.
    conf : Path or None
        The user's folder of configurations.
    files : mapping of (str, str) to str
        What names the class in a file, such as `rule.py:MyRule`, by the key and the name of the
        rule or process.
    """

    others: tuple[str, ...] = ()
    sets: Mapping[str, str] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)
    conf: Path | None = None
    files: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def from_overrides(cls, overrides: Iterable[str], conf: Path | None = None) -> Settings:
        """Return the settings that overrides of the command line ask for.

        Raises
        ------
        RequestError
            If a rule or process is in a file that cannot be used.
        """
        others: list[str] = []
        sets: dict[str, str] = {}
        typed: dict[str, str] = {}
        texts, files = _with_names(overrides)
        known = all_quantities()
        for text in texts:
            key, equals, value = text.partition("=")
            if equals and key in SECTIONS:
                sets[key] = value
            elif equals and key in known:
                typed[key] = value
            else:
                others.append(text)
        return cls(tuple(others), sets, typed, conf, files)

    def with_set(self, group: str, name: str) -> Settings:
        """Return the settings with another parameter set of a group, and its values as they are."""
        sets = {key: value for key, value in self.sets.items() if key != group}
        typed = {k: v for k, v in self.typed.items() if not k.startswith(f"{group}.")}
        return replace(self, sets=sets | ({group: name} if name else {}), typed=typed)

    def with_typed(self, key: str, text: str) -> Settings:
        """Return the settings with another value of a key; "" is that of the parameter set."""
        typed = {name: value for name, value in self.typed.items() if name != key}
        return replace(self, typed=typed | ({key: text} if text.strip() else {}))

    def parameters(self) -> dict[str, Any]:
        """Return the values of the parameter sets, nested and not validated, rules as chosen.

        Raises
        ------
        RequestError
            If a parameter set, a rule or the user's folder does not exist.
        """
        own = None if self.conf is None else own_folder(self.conf)
        composed = composition(texts_quoted(self._of_sets(), text_keys()), own)
        nested = copy.deepcopy(dict(composed.parameters))
        for key, text in self.typed.items():
            if is_choosing(key):
                section, _, name = key.partition(".")
                if nested[section].get(name) != text:
                    fields = variant_of(section, {name: text}).quantities()
                    values = composed.with_variant(section, text).items()
                    nested[section] = {field: value for field, value in values if field in fields}
        return nested

    def variants(self) -> dict[str, type[Section]]:
        """Return the class that holds the values of each section.

        Raises
        ------
        RequestError
            As `parameters`.
        """
        nested = self.parameters()
        return {name: variant_of(name, nested[name]) for name in SECTIONS}

    def configuration(self) -> Configuration:
        """Return the configuration that is asked for.

        Raises
        ------
        RequestError
            As `pipeline.configure`.
        """
        values = self.values()
        if any(is_choosing(key) for key in values):
            return self._from_parameters(values)
        try:
            base = pipeline.configure(*self._of_sets(), conf=self.conf)
        except RequestError:  # which values may mend
            base = None
        if base is not None and not base.references and not values.keys() & HASHED.keys():
            return base.replaced(values)
        return pipeline.configure(*self.overrides(), conf=self.conf)

    def _from_parameters(self, values: Mapping[str, Any]) -> Configuration:
        """Return the configuration with a rule or process in place of that of a parameter set."""
        nested = self.parameters()
        for key, value in values.items():
            section, _, name = key.rpartition(".")
            if not section:
                nested[name] = value
            elif is_choosing(key) or name in variant_of(section, nested[section]).quantities():
                nested[section][name] = value
            if key in HASHED:
                nested[section].pop(HASHED[key].rpartition(".")[2], None)
        made = Configuration.from_mapping(with_contents(nested, Places()))
        made.stdp.refuse_replaced(overrides_by_key(self.overrides()))
        return made

    def lacks_values(self) -> bool:
        """Whether a field of a chosen rule or process has no value yet: it is typed in the lab.

        Raises
        ------
        RequestError
            As `parameters`.
        """
        nested = self.parameters()
        return any(
            field not in nested[name]
            and field not in variant.neutral_values() | variant.default_values()
            and variant.key(field) not in self.typed
            for name, variant in self.variants().items()
            for field in variant.quantities()
        )

    def wrong_values(self) -> dict[str, str]:
        """Return why typed values are refused whatever the others are, by key."""
        wrong: dict[str, str] = {}
        for key, value in self.values().items():
            refusals = []
            for quantity in declarations(key):  # rules may have fields of the same name
                try:
                    quantity.admit(key, value)
                except RequestError as error:
                    refusals.append(str(error))
                else:
                    refusals.clear()
                    break
            wrong |= {key: refusals[0]} if refusals else {}
        return wrong

    def values(self) -> dict[str, Any]:
        """Return the typed values by key, as what the texts stand for."""
        return {key: meant(key, text) for key, text in self.typed.items()}

    def overrides(self) -> list[str]:
        """Return the settings as overrides of the command line."""
        values = self.values().items()
        named = ((key, self.files.get((key, str(value)), value)) for key, value in values)
        return [*self._of_sets(), *(_override(key, value) for key, value in named)]

    def command(self, further: Iterable[str] = ()) -> str:
        """Return the command that runs the same simulation, with further overrides."""
        own = [] if self.conf is None else ["--config-dir", str(self.conf)]
        return shlex.join(["stdp", "run", *own, *self.overrides(), *further])

    def call(self, further: Iterable[str] = ()) -> str:
        """Return the call that makes the same configuration in Python, with further overrides."""
        words = [json.dumps(text) for text in (*self.overrides(), *further)]
        if self.conf is not None:
            words.append(f"conf={json.dumps(str(self.conf))}")
        return f"pipeline.configure({', '.join(words)})"

    def _of_sets(self) -> list[str]:
        return [*self.others, *(f"{group}={name}" for group, name in self.sets.items())]


def meant(key: str, text: str) -> Any:
    """Return what a typed text stands for; where it is no value of the key, the text itself."""
    text = text.strip()
    if text != "null" and {quantity.kind for quantity in declarations(key)} == {str}:
        return text.strip("'\"")
    if text in _WORDS:
        return _WORDS[text]
    for kind in (int, float, json.loads):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _with_names(overrides: Iterable[str]) -> tuple[list[str], dict[tuple[str, str], str]]:
    """Return overrides with names in place of classes in files, and which file has which name."""
    texts, files = [], {}
    for text in overrides:
        key, _, value = text.partition("=")
        value = value.strip("'\"")
        if is_choosing(key) and is_reference(value):
            name = class_at(key, value).name
            files[key, name] = value
            texts.append(f"{key}={name}")
        else:
            texts.append(text)
    return texts, files


def _override(key: str, value: Any) -> str:
    """Return `key=value`, without quotation marks where a word needs none."""
    is_word = isinstance(value, str) and value.isidentifier() and value not in _WORDS
    is_file = is_reference(value) and is_plain(value)
    return f"{key}={value}" if is_word or is_file else override_text(key, value)
