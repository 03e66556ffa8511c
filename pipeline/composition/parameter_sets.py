"""Parameter sets, such as `stdp=notebook`, where another rule or process than theirs is chosen.

A set lists the fields of its own rule. Where `stdp.rule=` chooses another one, that rule takes the
values of the fields that it has too; the others are of the rule that was replaced. Where no set was
asked for, its values are those of the notebook, and a default of the rule goes before them.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

from pipeline.composition.file_state import FileState, file_state
from pipeline.composition.own_files import own_files
from pipeline.composition.own_models import names_of
from pipeline.model.parameters import SECTIONS, neutral_mapping
from pipeline.model.quantity import REQUIRED, overrides_by_key
from pipeline.model.registry import Variant

#: What stands in a file with a path of another one.
_PATHS = (".py", ".npz", ".npy", ".nc", ".csv", "w_from")


@dataclass(frozen=True)
class ParameterSet:
    """The files of one choice of a group.

    Attributes
    ----------
    contents : tuple of mapping
        What each file lists, that of the choice before those that it includes.
    is_asked : bool
        Whether the choice was asked for, or is that of `conf/config.yaml`.
    """

    contents: tuple[Mapping[str, Any], ...] = ()
    is_asked: bool = False

    def lists(self, name: str, value: Any) -> bool:
        """Whether a file gives a field a value, or a reference to others."""
        found = [content[name] for content in self.contents if name in content]
        return any(one == value or "${" in str(one) for one in found)

    def variant(self, section: type[Variant]) -> Any:
        """Return what the set names as its rule or process."""
        found = [one[section.chosen_by] for one in self.contents if section.chosen_by in one]
        return found[0] if found else section.neutral_values().get(section.chosen_by)


@dataclass(frozen=True)
class Origin:
    """Where the values of a composed config are from.

    Attributes
    ----------
    typed : frozenset of str
        The keys of its overrides.
    sets : mapping of str to ParameterSet
        By section; of sections with variants only.
    folders : tuple of Path
        Folders of the user's files that decided it, where paths in them are looked up.
    """

    typed: frozenset[str] = frozenset()
    sets: Mapping[str, ParameterSet] = field(default_factory=dict)
    folders: tuple[Path, ...] = ()

    @classmethod
    def of(cls, config: DictConfig, conf: Path) -> Origin:
        """Return the origin of a composed config; it is not known without Hydra's own section.

        Parameters
        ----------
        config : DictConfig
            The config.
        conf : Path
            The folder that Hydra reads first.
        """
        if OmegaConf.select(config, "hydra.runtime") is None:
            return cls()
        texts: Any = OmegaConf.to_container(config.hydra.overrides.task, resolve=False)
        typed = frozenset(overrides_by_key(texts))
        choices, usual = config.hydra.runtime.choices, default_choices(conf)
        folders = [
            Path(source.path)
            for source in config.hydra.runtime.config_sources
            if source.schema == "file"
        ]
        sets = {
            name: ParameterSet(
                tuple(_contents(folders, f"{name}/{choices[name]}")),
                name in typed or choices[name] != usual.get(name),
            )
            for name in variant_sections()
            if choices.get(name)
        }
        own = [
            Path(path).parent
            for path, text in own_files(config, conf).items()
            if any(word in text for word in _PATHS)
        ]
        return cls(typed, sets, tuple(dict.fromkeys(own)))

    @classmethod
    def of_values(cls, nested: Mapping[str, Any], typed: frozenset[str]) -> Origin:
        """Return the origin of values that were not composed, such as from Python."""
        sets = {name: ParameterSet((nested[name],), is_asked=True) for name in variant_sections()}
        return cls(typed, sets)

    def is_own(self, section: type[Variant], values: Mapping[str, Any]) -> bool:
        """Whether the rule or process of a section, as composed, is that of its parameter set."""
        parameter_set = self.sets.get(section.section, ParameterSet())
        return values.get(section.chosen_by) == parameter_set.variant(section)


def variant_sections() -> dict[str, type[Variant]]:
    """Return the sections of which there are several classes, by name."""
    return {name: cls for name, cls in SECTIONS.items() if issubclass(cls, Variant)}


def default_choices(conf: Path) -> dict[str, str]:
    """Return the choice of each section that `config.yaml` in a folder makes."""
    file = conf / "config.yaml"
    return _default_choices(str(file), file_state(str(file)))


@functools.lru_cache(maxsize=8)
def _default_choices(file: str, state: FileState) -> dict[str, str]:
    listed = OmegaConf.load(file).defaults
    chosen = [entry for entry in listed if isinstance(entry, Mapping | DictConfig)]
    return {
        str(group): str(entry[group]) for entry in chosen for group in entry if group in SECTIONS
    }


def in_variants(nested: Mapping[str, Any], origin: Origin) -> dict[str, Any]:
    """Return composed values, nested, for the rule and the process that they choose.

    Raises
    ------
    RequestError
        If there is none of that name, or no file.
    """
    made = dict(nested)
    for name, section in variant_sections().items():
        values = nested.get(name)
        if not isinstance(values, Mapping):
            continue
        key, chosen = section.key(section.chosen_by), values.get(section.chosen_by)
        folders = () if key in origin.typed else origin.folders
        named = {**values, section.chosen_by: names_of(key, [chosen], folders)[0]}
        variant = section.variant(named)
        made[name] = fitted(variant, named, origin, origin.is_own(section, values))
    return made


def for_variant(
    section: str, name: str, raw: Mapping[str, Any], now: Mapping[str, Any], origin: Origin
) -> dict[str, Any]:
    """Return the values of a section with another rule or process than it was composed with.

    Parameters
    ----------
    section, name : str
        The section, and the name of the rule or process.
    raw, now : mapping
        All values, nested, as composed, and those that `in_variants` has made of them.
    origin : Origin
        Where they are from.

    Raises
    ------
    RequestError
        If there is none of that name.
    """
    cls = variant_sections()[section]
    variant = cls.variant({cls.chosen_by: name})
    is_own = now[section][cls.chosen_by] == name and origin.is_own(cls, raw[section])
    return fitted(variant, raw[section], origin, is_own)


def fitted(
    variant: type[Variant], values: Mapping[str, Any], origin: Origin, is_own: bool
) -> dict[str, Any]:
    """Return the values of a section for one of its variants.

    Parameters
    ----------
    variant : type
        The rule or process.
    values : mapping
        Values by field, as composed: those of other variants among them.
    origin : Origin
        Where they are from.
    is_own : bool
        Whether the parameter set is one of this variant, and not of one that is replaced.

    Returns
    -------
    dict
        Of the fields that it has, with its defaults; and those without effect that were asked for,
        which are left to be refused.
    """
    parameter_set = origin.sets.get(variant.section, ParameterSet())
    fields, defaults = variant.quantities(), variant.default_values()
    neutral = neutral_mapping()[variant.section]
    kept = {}
    for name, value in values.items():
        is_typed = variant.key(name) in origin.typed
        of_other = not (is_own or is_typed) and parameter_set.lists(name, value)
        if name in fields:
            is_usual = name in defaults and not parameter_set.is_asked
            has_no_effect = of_other and (is_usual or name in variant.unused)
        else:
            has_no_effect = of_other or value == neutral.get(name, REQUIRED)
        if not has_no_effect:
            kept[name] = value
    chosen = {variant.chosen_by: variant.name}
    return defaults | kept | chosen


def _contents(folders: list[Path], name: str) -> Iterator[Mapping[str, Any]]:
    """Yield the content of a file that Hydra reads first in some folders, and of those included."""
    paths = (folder / f"{name}.yaml" for folder in folders)
    file = next(filter(Path.is_file, paths), None)
    content = _content(str(file), file_state(str(file))) if file else {}
    yield content
    for entry in content.get("defaults") or ():
        if isinstance(entry, str) and entry != "_self_":
            included, folder = entry.partition("@")[0], name.rpartition("/")[0]
            path = included[1:] if included.startswith("/") else f"{folder}/{included}"
            yield from _contents(folders, path)


@functools.lru_cache(maxsize=256)
def _content(file: str, state: FileState) -> Mapping[str, Any]:
    try:
        content: Any = OmegaConf.to_container(OmegaConf.load(file), resolve=False)
    except (OSError, ValueError, yaml.YAMLError):
        return {}  # Hydra reads it too, and says what is wrong
    return content if isinstance(content, dict) else {}
