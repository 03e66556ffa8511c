"""Registries of plasticity rules and input processes: built-in modules and registered classes.

A registered class is rebuilt from its source text. The hash of the text is part of a point's key;
the text is stored with the experiment and sent to worker processes. Nothing is pickled by reference
to the user's module.
"""

from __future__ import annotations
import __future__

import dataclasses
import hashlib
import importlib
import inspect
import linecache
import pkgutil
import re
import sys
import threading
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Self, SupportsIndex, cast

from pipeline.model.class_text import source_of
from pipeline.model.errors import RequestError
from pipeline.model.own_class import complete, refuse_incomplete, say_whether_covered
from pipeline.model.quantity import REQUIRED, Quantity, Section, unknown_key, written

_REGISTERING = threading.RLock()

_NAME = re.compile(r"[A-Za-z]\w{0,59}", re.ASCII)
#: Words that Hydra's grammar takes for other values.
_NO_NAMES = ("null", "true", "false", "inf", "nan")


class Registry:
    """The variants of a section by name: modules of a package, and registered classes.

    Parameters
    ----------
    key : str
        The configuration key that names the variant, such as `stdp.rule`.
    package : str
        The package with a module for each built-in variant.
    vocabulary : callable
        Returns the names that the source of a registered class may use, beside Python's built-ins.
    """

    def __init__(self, key: str, package: str, vocabulary: Callable[[], Mapping[str, Any]]) -> None:
        self.key = key
        self.package = package
        self._vocabulary = vocabulary
        self._classes: dict[str, type[Variant]] = {}
        self._modules: dict[str, list[type[Variant]]] = {}
        self._made: dict[tuple[str, str | None], type[Variant]] = {}
        self._built_in_loaded = False

    def classes(self) -> dict[str, type[Variant]]:
        """Return the variants by name, built-in ones first, in alphabetical order."""
        with _REGISTERING:
            if not self._built_in_loaded:
                for cls in self._built_in():
                    cls.check()
                    self._refuse_contradiction(cls)
                    if cls.name in self._classes:
                        raise RequestError(f"{written(self.key, cls.name)}: two files define it")
                    self._classes = self._classes | {cls.name: cls}
                self._built_in_loaded = True
        return self._classes

    def base(self) -> type[Variant]:
        """Return the class that all variants are derived from, such as `Rule`."""
        return next(iter(self.classes().values())).registry_base()

    def named(self, name: Any) -> type[Variant]:
        """Return the variant of a name.

        Raises
        ------
        RequestError
            If no variant has that name.
        """
        found = self.classes().get(name) if isinstance(name, str) else None
        if found is None:
            allowed = " or ".join(self.classes())
            raise RequestError(
                f"{written(self.key, name)}: must be {allowed}, or a class in a Python file, "
                f"{self.key}=FILE.py:CLASS"
            )
        return found

    def register(self, cls: type[Variant]) -> type[Variant]:
        """Register a user-defined class; return the class rebuilt from its source text.

        Raises
        ------
        RequestError
            If the source cannot be read or is not self-contained, the name is that of a built-in
            variant, or a field contradicts the same field of another variant.
        """
        source = source_of(cls)
        if source is None:
            raise RequestError(
                f"{cls.__name__}: the source of a registered class must be readable, as in a file "
                "or a notebook cell"
            )
        return self.register_source(source)

    def register_source(self, source: str, name: str | None = None) -> type[Variant]:
        """Execute a source text and register the class that it defines.

        Parameters
        ----------
        source, name : str
            As of `class_of`.

        Raises
        ------
        RequestError
            As `register`.
        """
        with _REGISTERING:
            cls = self.class_of(source, name)
            earlier = self.classes().get(cls.name)
            if earlier is not None and not earlier.source:
                raise RequestError(
                    f"{written(self.key, cls.name)}: is the name of a built-in variant; "
                    "choose another"
                )
            self._refuse_contradiction(cls)
            self._classes = self._classes | {cls.name: cls}  # others may be reading the old one
            return cls

    def class_of(self, source: str, name: str | None = None) -> type[Variant]:
        """Return the class that a source text defines, registered or not; made once.

        Parameters
        ----------
        source : str
            The text.
        name : str, optional
            Name of the class in the text, or of the variant that it is; needed if it has several.

        Raises
        ------
        RequestError
            As `register`.
        """
        with _REGISTERING:  # threads may unpickle one class at the same time
            if (source, name) not in self._made:
                self._made[source, name] = self._made_from(source, name)
            return self._made[source, name]

    def unregister(self, name: str) -> None:
        """Remove a registered class; built-in variants stay."""
        if self._classes[name].source:
            self._classes = {n: cls for n, cls in self._classes.items() if n != name}

    def _built_in(self) -> Iterator[type[Variant]]:
        package = importlib.import_module(self.package)
        for found in pkgutil.iter_modules(package.__path__):
            module = importlib.import_module(f"{self.package}.{found.name}")
            yield from (cls for cls in _variants_in(module) if "name" in vars(cls))

    def _made_from(self, source: str, name: str | None) -> type[Variant]:
        """Execute a source text, once; return a class that it defines, validated."""
        try:
            if source not in self._modules:
                self._modules[source] = self._executed(source)
            every = self._modules[source]
            found = [one for one in every if name in (None, one.__name__, one.name)]
            if len(found) != 1:
                raise RequestError(f"{self.key}: {len(found)} classes in the source have that name")
            cls = found[0]
            refuse_incomplete(cls)
            cls.check()
            say_whether_covered(cls)
        except ValueError as error:
            if isinstance(error, RequestError):
                raise
            raise RequestError(
                f"{self.key}: the functions of a registered class must work on arrays; write "
                f"branches with where ({error})"
            ) from error
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # also SystemExit: it is somebody's source
            raise RequestError(
                f"{self.key}: the source of a registered class must be self-contained, with the "
                f"names {', '.join(self.names_provided())} ({type(error).__name__}: {error})"
            ) from error
        return cls

    def _executed(self, source: str) -> list[type[Variant]]:
        """Execute a source text in a new module; return the classes that it defines."""
        module = types.ModuleType(f"{_GIVEN}_{content_hash(source)}")
        vars(module).update(self._vocabulary())
        sys.modules[module.__name__] = module  # dataclasses looks annotations up there
        file = self.file_name(source)
        linecache.cache[file] = len(source), None, source.splitlines(True), file  # for tracebacks
        flags = __future__.annotations.compiler_flag
        # This is the user's own code, executed in the user's process.
        exec(compile(source, file, "exec", flags, dont_inherit=True), vars(module))
        found = _variants_in(module)
        for cls in found:
            complete(cls)
            cls.source = source
        return found

    def names_provided(self) -> list[str]:
        """Return the names that a source text may use without importing them."""
        return sorted(self._vocabulary())

    def file_name(self, source: str) -> str:
        """Return the name of a source text in tracebacks."""
        return f"<{self.key} {content_hash(source)}>"

    def _refuse_contradiction(self, cls: type[Variant]) -> None:
        """Refuse a field that another variant declares with another unit, kind or neutral value."""
        for other in self._classes.values():
            mine, theirs = cls.quantities(), other.quantities()
            for name in mine.keys() & theirs.keys() if other.name != cls.name else ():
                if _essence(mine[name]) != _essence(theirs[name]):
                    raise RequestError(
                        f"{cls.key(name)}: must have the unit, kind and neutral value that it has "
                        f"in {other.name}; choose another name for the field"
                    )


#: Module name of a registered class, before the hash of its source text.
_GIVEN = "pipeline.model.given"


def _essence(quantity: Quantity) -> tuple[Any, ...]:
    return quantity.units, quantity.kind, quantity.neutral, quantity.per_group


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
    """Base of the sections that have variants, which may have additional fields."""

    registry: ClassVar[Registry]
    #: The value of the field that chooses the variant.
    name: ClassVar[str]
    #: The field that chooses the variant, such as `rule`.
    chosen_by: ClassVar[str]
    #: The source text of a registered class; empty for a built-in one.
    source: ClassVar[str] = ""
    #: Fields of all variants that have no effect in this one, where they must be null.
    unused: ClassVar[tuple[str, ...]] = ()
    #: Whether the statistics of what it describes are constant in time.
    stationary: ClassVar[bool] = True

    @classmethod
    def variant(cls, mapping: Mapping[str, Any]) -> type[Self]:
        """Return the variant that a mapping of plain values chooses.

        Raises
        ------
        RequestError
            If no variant has its name.
        """
        if not isinstance(mapping, Mapping):
            raise RequestError(f"{written(cls.section, mapping)}: must be a section of values")
        name = mapping.get(cls.chosen_by, cls.quantities()[cls.chosen_by].neutral)
        if name is REQUIRED:
            raise RequestError(f"{cls.key(cls.chosen_by)}: missing; it needs a value")
        return cast("type[Self]", cls.registry.named(name))

    @classmethod
    def choosing_keys(cls) -> set[str]:
        """Return the key of the field that chooses the variant."""
        return {cls.key(cls.chosen_by)}

    @classmethod
    def variants(cls) -> list[type[Section]]:
        """Return all variants."""
        return list(cls.registry.classes().values())

    @classmethod
    def unknown_field(cls, name: str, value: Any) -> RequestError:
        """Return the error for a field that the variant does not have, but maybe others."""
        having = [n for n, other in cls.registry.classes().items() if name in other.quantities()]
        if not having:
            return super().unknown_field(name, value)
        why = f"a field of {', '.join(having)}, not of {written(cls.registry.key, cls.name)}"
        return unknown_key(cls.key(name), value, map(cls.key, cls.quantities()), why)

    @classmethod
    def missing_field(cls, name: str) -> RequestError:
        """Return the error for a field without a value, which a parameter set may have."""
        return RequestError(
            f"{super().missing_field(name)} for {written(cls.registry.key, cls.name)}, typed or of "
            f"a parameter set ({cls.section}=? lists them)"
        )

    @classmethod
    def source_text(cls) -> str:
        """Return the text that the class is written in: its own, or the modules of its classes."""
        bases = [base for base in cls.__mro__ if issubclass(base, cls.registry_base())]
        modules = dict.fromkeys(base.__module__ for base in bases[:-1])
        return cls.source or "\0".join(inspect.getsource(sys.modules[name]) for name in modules)

    @classmethod
    def check(cls) -> None:
        """Validate the class when it is registered.

        Raises
        ------
        RequestError
            If its name is no word of a command line, or a field has the name of an attribute.
        """
        name = cls.name
        if not (isinstance(name, str) and _NAME.fullmatch(name)) or name in _NO_NAMES:
            raise RequestError(
                f"{written(cls.registry.key, name)}: a name must be up to 60 letters, digits and "
                "underscores (ASCII), beginning with a letter"
            )
        base = cls.registry_base()
        for field in cls.quantities().keys() - base.quantities().keys():
            if hasattr(base, field):
                raise RequestError(f"{cls.key(field)}: is taken; choose another name for the field")

    @classmethod
    def registry_base(cls) -> type[Variant]:
        """Return the base class of all variants of its section."""
        return next(base for base in reversed(cls.__mro__) if "registry" in vars(base))

    def is_registered(self) -> bool:
        """Whether its class is the one that its name stands for now."""
        return self.registry.classes().get(self.name) is type(self)

    def key_values(self) -> dict[str, Any]:
        """Return the values that determine results, with the source's hash if registered."""
        own = super().key_values()
        return own | {"source": content_hash(self.source)} if self.source else own

    def complete(self) -> None:
        """Set the field that chooses the variant to its name."""
        vars(self)[self.chosen_by] = self.name

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        """Pickle an instance of a registered class with its source text."""
        if not self.source:
            return super().__reduce_ex__(protocol)
        return _restored, (type(self).registry.key, self.source, self.to_mapping())


def register(cls: type[Variant]) -> type[Variant]:
    """Register a user-defined plasticity rule or input process under its name.

    Parameters
    ----------
    cls : type
        A frozen dataclass derived from `Rule` or `InputProcess` with self-contained source: beside
        Python's built-ins it uses only the names that `pipeline.model.plasticity` and
        `pipeline.model.inputs` provide for rules and processes.

    Returns
    -------
    type
        The class rebuilt from the source text, which the engines use.

    Raises
    ------
    RequestError
        If the source cannot be read or is not self-contained, the name is that of a built-in
        variant, or a field contradicts the same field of another variant.
    """
    return cls.registry.register(cls)


#: Every registry by its key.
REGISTRIES: dict[str, Registry] = {}


def _restored(key: str, source: str, values: Mapping[str, Any]) -> Variant:
    registry = REGISTRIES[key]
    chosen_by = key.rpartition(".")[2]
    return registry.class_of(source, values[chosen_by])(**values)


def content_hash(text: str) -> str:
    """Return the hash of a source text, as in points' keys and file names in `given/`."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
