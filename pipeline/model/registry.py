"""Registries of plasticity rules and input processes: a module each, or a class of the user's own.

A class that a user registers is made anew from its source text. The text is what a point's key
holds as a hash, what an experiment keeps, and what another process gets; nothing is pickled by
reference to the user's module.
"""

from __future__ import annotations
import __future__

import dataclasses
import hashlib
import importlib
import inspect
import linecache
import pkgutil
import sys
import textwrap
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Self, cast

from pipeline.model.errors import RequestError
from pipeline.model.quantity import REQUIRED, Quantity, Section, written


class Registry:
    """The variants of one section by name: those of a package, and those registered.

    Parameters
    ----------
    key : str
        The configuration key that names the variant, such as `stdp.rule`.
    package : str
        The package that holds a module for each built-in variant.
    vocabulary : callable
        Returns the names that the source of a registered class may use, beside Python's own.
    """

    def __init__(self, key: str, package: str, vocabulary: Callable[[], Mapping[str, Any]]) -> None:
        self.key = key
        self._package = package
        self._vocabulary = vocabulary
        self._classes: dict[str, type[Variant]] = {}
        self._built_in_loaded = False

    def classes(self) -> dict[str, type[Variant]]:
        """Return the variants by name, the built-in ones first, in the order of their names."""
        if not self._built_in_loaded:
            self._built_in_loaded = True
            self._classes = {cls.name: cls for cls in self._built_in()} | self._classes
        return self._classes

    def named(self, name: Any) -> type[Variant]:
        """Return the variant of a name.

        Raises
        ------
        RequestError
            If there is none.
        """
        found = self.classes().get(name) if isinstance(name, str) else None
        if found is None:
            allowed = " or ".join(self.classes())
            raise RequestError(f"{written(self.key, name)}: must be {allowed}")
        return found

    def register(self, cls: type[Variant]) -> type[Variant]:
        """Register a user's own class; return the class made from its source text.

        Raises
        ------
        RequestError
            If the source cannot be read or does not stand alone, the name is that of a built-in
            variant, or a field contradicts the same field of another variant.
        """
        try:
            source = textwrap.dedent(inspect.getsource(cls))
        except (OSError, TypeError) as error:
            raise RequestError(
                f"{cls.__name__}: the source of a registered class must be readable, as in a file "
                f"or a notebook cell ({error})"
            ) from error
        return self.register_source(source)

    def register_source(self, source: str) -> type[Variant]:
        """Register the class that a source text defines; the text is executed.

        Raises
        ------
        RequestError
            As `register`.
        """
        cls = self._made_from(source)
        earlier = self.classes().get(cls.name)
        if earlier is not None and not earlier.source:
            raise RequestError(
                f"{written(self.key, cls.name)}: is the name of a built-in one; choose another"
            )
        if earlier is not None and earlier.source == source:
            return earlier
        self._refuse_contradiction(cls)
        self._classes[cls.name] = cls
        return cls

    def unregister(self, name: str) -> None:
        """Forget a registered class."""
        if self._classes[name].source:
            del self._classes[name]

    def _built_in(self) -> Iterator[type[Variant]]:
        package = importlib.import_module(self._package)
        for found in pkgutil.iter_modules(package.__path__):
            module = importlib.import_module(f"{self._package}.{found.name}")
            yield from _variants_in(module)

    def _made_from(self, source: str) -> type[Variant]:
        """Return the class that a source text defines, in a module of its own."""
        module = types.ModuleType(f"{_GIVEN}_{content_hash(source)}")
        vars(module).update(self._vocabulary(), register=lambda cls: cls)
        sys.modules[module.__name__] = module  # dataclasses looks annotations up there
        file = f"<{self.key} {content_hash(source)}>"
        linecache.cache[file] = len(source), None, source.splitlines(True), file  # for tracebacks
        flags = __future__.annotations.compiler_flag
        try:
            # What is registered is the user's own code, in the user's own process.
            exec(compile(source, file, "exec", flags, dont_inherit=True), vars(module))
            (cls,) = _variants_in(module)
            cls.source = source
            cls.check()
        except RequestError:
            raise
        except Exception as error:
            raise RequestError(
                f"{self.key}: the source of a registered class must stand alone, with the names "
                f"{', '.join(sorted(self._vocabulary()))} ({type(error).__name__}: {error})"
            ) from error
        return cls

    def _refuse_contradiction(self, cls: type[Variant]) -> None:
        """Refuse a field that another variant declares with another unit, kind or neutral value."""
        for other in self.classes().values():
            mine, theirs = cls.quantities(), other.quantities()
            for name in mine.keys() & theirs.keys() if other.name != cls.name else ():
                if _essence(mine[name]) != _essence(theirs[name]):
                    raise RequestError(
                        f"{cls.key(name)}: must have the unit, kind and neutral value that it has "
                        f"in {other.name}; choose another name for the field"
                    )


#: What the module of a class made from a source text is called, before its hash.
_GIVEN = "pipeline.model.given"


def _essence(quantity: Quantity) -> tuple[Any, ...]:
    return quantity.units, quantity.kind, quantity.neutral


def _variants_in(module: types.ModuleType) -> list[type[Variant]]:
    """Return the variants that a module defines, not those that it imports."""
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Variant)
        and value.__module__ == module.__name__
    ]


@dataclasses.dataclass(frozen=True)
class Variant(Section):
    """Base of the sections that have variants with fields of their own."""

    registry: ClassVar[Registry]
    #: The value of the field that chooses the variant.
    name: ClassVar[str]
    #: The field that chooses the variant, such as `rule`.
    chosen_by: ClassVar[str]
    #: The source text of a class that a user has registered; empty for a built-in one.
    source: ClassVar[str] = ""
    #: Whether the statistics of what it describes do not change in the course of a run.
    stationary: ClassVar[bool] = True

    @classmethod
    def variant(cls, mapping: Mapping[str, Any]) -> type[Self]:
        """Return the variant that a mapping of plain values chooses.

        Raises
        ------
        RequestError
            If there is none of its name.
        """
        if not isinstance(mapping, Mapping):
            raise RequestError(f"{written(cls.section, mapping)}: must be a section of values")
        name = mapping.get(cls.chosen_by, cls.quantities()[cls.chosen_by].neutral)
        if name is REQUIRED:
            raise RequestError(f"{cls.key(cls.chosen_by)}: missing; it needs a value")
        return cast("type[Self]", cls.registry.named(name))

    @classmethod
    def variants(cls) -> list[type[Section]]:
        """Return all variants."""
        return list(cls.registry.classes().values())

    @classmethod
    def source_text(cls) -> str:
        """Return the text that the class is written in: its own, or its module's."""
        return cls.source or inspect.getsource(sys.modules[cls.__module__])

    @classmethod
    def check(cls) -> None:
        """Raise an error unless the class is fit to be used."""

    def key_values(self) -> dict[str, Any]:
        """Return what decides results; of a registered class its source text belongs to it."""
        own = super().key_values()
        return own | ({"source": content_hash(self.source)} if self.source else {})

    def __post_init__(self) -> None:
        vars(self)[self.chosen_by] = self.name
        super().__post_init__()

    def __reduce__(self) -> Any:
        """Pickle a registered class by its source text; a built-in one by its name."""
        values = self.to_mapping()
        return (_restored, (type(self).registry.key, self.source, self.name, values))


def register(cls: type[Variant]) -> type[Variant]:
    """Register a plasticity rule or an input process of one's own, under its name.

    Parameters
    ----------
    cls : type
        A frozen dataclass derived from `Rule` or `InputProcess`, whose source stands alone: beside
        Python's own it uses only the names that `pipeline.model.plasticity` and
        `pipeline.model.inputs` offer to rules and processes.

    Returns
    -------
    type
        The class made from the source text, which is what runs.

    Raises
    ------
    RequestError
        If the source cannot be read or does not stand alone, the name is that of a built-in one, or
        a field contradicts the same field of another one.
    """
    return cls.registry.register(cls)


#: Every registry by its key.
REGISTRIES: dict[str, Registry] = {}


def _restored(key: str, source: str, name: str, values: Mapping[str, Any]) -> Variant:
    registry = REGISTRIES[key]
    cls = registry.register_source(source) if source else registry.named(name)
    return cls(**values)


def content_hash(text: str) -> str:
    """Return the hash of a source text, as it stands in keys and names files in `given/`."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
