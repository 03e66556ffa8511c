"""Source text of one class in a Python file: the class and what it refers to, nothing else.

The file is parsed and not run. Other classes, commands and tests in it thus neither run nor change
the hash of the text, which is in the keys of points.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import linecache
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.model.errors import RequestError

#: What a file may import. Else a worker or another machine might lack it, or the text that is kept
#: would not be all of the code.
IMPORTS = (
    "__future__",
    "collections",
    "dataclasses",
    "functools",
    "itertools",
    "math",
    "numpy",
    "typing",
    "pipeline",
    "pipeline.model",
)

#: Of these modules the submodules too.
_WITH_SUBMODULES = ("collections", "numpy", "pipeline.model")

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IMPORTS = (ast.Import, ast.ImportFrom)


@dataclass(frozen=True)
class ClassText:
    """A class and what it refers to.

    Attributes
    ----------
    name : str
        The name of the class.
    text : str
        The source text.
    lines : tuple of int
        For each line of the text, its number in the file.
    """

    name: str
    text: str
    lines: tuple[int, ...]


@dataclass(frozen=True)
class _Part:
    """Statements at the top of a file that share lines, mostly a single one.

    Attributes
    ----------
    statements : tuple of ast.stmt
        The statements.
    after : int
        The last line of what precedes; comments between belong to this part.
    """

    statements: tuple[ast.stmt, ...]
    after: int

    @property
    def last(self) -> int:
        """The number of its last line."""
        return max(node.end_lineno or 0 for node in self.statements)

    @property
    def is_definition(self) -> bool:
        """Whether it only binds names: a class, a function, imports, an assignment of names."""
        return all(
            isinstance(node, (*_DEFINITIONS, *_IMPORTS))
            or (isinstance(node, ast.Assign) and all(map(_is_plain_target, node.targets)))
            or (isinstance(node, ast.AnnAssign) and _is_plain_target(node.target))
            for node in self.statements
        )

    def bound(self, with_imports: bool = True) -> set[str]:
        """Return the names that it binds."""
        nodes = [node for node in self.statements if with_imports or not isinstance(node, _IMPORTS)]
        return {name for node in nodes for name in _bound_in(node)}

    def used(self) -> set[str]:
        """Return the names that it refers to."""
        return {
            found.id
            for node in self.statements
            for found in _walk_without_registering(node)
            if isinstance(found, ast.Name)
        }


def classes_in(source: str, base: type) -> list[str]:
    """Return the names of the classes in a file that are derived from a base, in their order.

    Raises
    ------
    RequestError
        If it is no Python.
    """
    return _classes_in(_parsed(source), base)


def class_text(source: str, base: type, name: str | None = None) -> ClassText:
    """Return the source text of a class.

    Parameters
    ----------
    source : str
        The content of a file.
    base : type
        What the class is derived from, such as `Rule`.
    name : str, optional
        The name of the class; may be left out if there is one.

    Raises
    ------
    RequestError
        If the file is no Python, has no such class, or imports what it may not.
    """
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    tree = _parsed(source)
    chosen = _chosen(_classes_in(tree, base), base, name)
    kept = _needed(list(_parts(tree.body)), chosen)
    for part in kept:
        for node in part.statements:
            _refuse_imports(node)
    return _assembled(source.split("\n"), kept, chosen)


def fields_in(source: str, base: type) -> list[str]:
    """Return the names that classes derived from a base assign by `quantity`, for completion."""
    tree = _parsed(source)
    names = _classes_in(tree, base)
    found: list[str] = []
    for cls in tree.body:
        for node in cls.body if isinstance(cls, ast.ClassDef) and cls.name in names else ():
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", 0)]
            call = getattr(node, "value", None)
            if isinstance(call, ast.Call) and _last_name(call.func) == "quantity":
                found += [target.id for target in targets if isinstance(target, ast.Name)]
    return list(dict.fromkeys(found))


def source_of(cls: type) -> str | None:
    """Return the source of a class without the decorator that registers it; None if unknown.

    The file or notebook cell is that of one of its functions: the module of a notebook has none.
    """
    functions = [getattr(value, "__func__", value) for value in vars(cls).values()]
    for function in filter(inspect.isfunction, functions):
        lines = linecache.getlines(function.__code__.co_filename)
        try:
            tree = ast.parse("".join(lines))
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name == cls.__name__ and node.end_lineno:
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                if first <= function.__code__.co_firstlineno <= node.end_lineno:
                    own = {d.lineno for d in node.decorator_list if is_registering(d)}
                    kept = [n for n in range(first, node.end_lineno + 1) if n not in own]
                    return textwrap.dedent("".join(lines[n - 1] for n in kept))
    return None


def is_registering(decorator: ast.expr) -> bool:
    """Whether a decorator or a called function is `register` or `pipeline.register`."""
    return _last_name(decorator) == "register"


def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError as error:
        raise RequestError(f"line {error.lineno or 1}: must be Python ({error.msg})") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise RequestError(f"must be Python ({error})") from error


def _classes_in(tree: ast.Module, base: type) -> list[str]:
    known = {base.__name__}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pipeline"):
            known |= _imported(node, base)
    found: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and {_last_name(one) for one in node.bases} & known:
            known.add(node.name)
            found.append(node.name)
    return found


def _imported(node: ast.ImportFrom, base: type) -> set[str]:
    """Return the names by which an import of this package binds classes derived from a base."""
    names = set()
    for alias in node.names:
        try:
            value = getattr(importlib.import_module(node.module or ""), alias.name)
        except (ImportError, AttributeError):
            continue
        if isinstance(value, type) and issubclass(value, base):
            names.add(alias.asname or alias.name)
    return names


def _chosen(names: Sequence[str], base: type, name: str | None) -> str:
    """Return the name of the class that is asked for."""
    if not names:
        raise RequestError(f"must define a class derived from {base.__name__}")
    open_ones = [one for one in names if not one.startswith("_")]
    if name is None and len(open_ones) == 1:
        return open_ones[0]
    if name is None or name not in names:
        choices = " or ".join(f":{one}" for one in open_ones or names)
        raise RequestError(f"must name one of its classes derived from {base.__name__}: {choices}")
    return name


def _parts(body: Sequence[ast.stmt]) -> Iterator[_Part]:
    """Yield the statements of a module, those that share a line together."""
    last = 0
    for statements in _grouped(body):
        yield _Part(tuple(statements), last)
        last = max(node.end_lineno or 0 for node in statements)


def _grouped(body: Sequence[ast.stmt]) -> Iterator[list[ast.stmt]]:
    group: list[ast.stmt] = []
    for node in body:
        if group and node.lineno > max(one.end_lineno or 0 for one in group):
            yield group
            group = []
        group.append(node)
    if group:
        yield group


def _needed(parts: Sequence[_Part], chosen: str) -> list[_Part]:
    """Return the class, the definitions that it refers to, and the statements that change these."""
    usable = [part for part in parts if not any(map(_is_of_a_script, part.statements))]
    kept = [part for part in usable if {chosen, "*"} & part.bound()]  # of `import *`, too
    while True:
        used = set(itertools.chain.from_iterable(part.used() for part in kept))
        own = {name for part in kept for name in part.bound(with_imports=False)}
        more = [
            part
            for part in usable
            if part not in kept
            and (part.bound() & used or not (part.is_definition or part.used().isdisjoint(own)))
        ]
        if not more:
            return [part for part in usable if part in kept]
        kept += more


def _is_of_a_script(node: ast.stmt) -> bool:
    """Whether a statement is `if __name__ == ...:`, or a call of `register`."""
    if isinstance(node, ast.If):
        return any(isinstance(n, ast.Name) and n.id == "__name__" for n in ast.walk(node.test))
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and is_registering(call.func)


def _refuse_imports(statement: ast.stmt) -> None:
    for node in ast.walk(statement):
        if not isinstance(node, _IMPORTS):
            continue
        written = ast.unparse(node)
        if any(alias.name == "*" for alias in node.names):
            raise RequestError(f"line {node.lineno}: {written}: must name what it imports")
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        else:
            modules = ["." * node.level + (node.module or "")]
        if not all(map(_is_allowed, modules)):
            raise RequestError(
                f"line {node.lineno}: {written}: must be an import of {', '.join(IMPORTS)}; the "
                "file is kept with the results, and must work without others"
            )


def _is_allowed(module: str) -> bool:
    return module in IMPORTS or any(module.startswith(f"{one}.") for one in _WITH_SUBMODULES)


def _assembled(lines: Sequence[str], parts: Sequence[_Part], name: str) -> ClassText:
    """Return the lines of some parts, without decorators that register a class."""
    numbers: list[int] = []
    for part in parts:
        dropped = {
            decorator.lineno
            for node in part.statements
            for decorator in getattr(node, "decorator_list", ())
            if is_registering(decorator)
        }
        numbers += [n for n in range(part.after + 1, part.last + 1) if n not in dropped]
    while numbers and not lines[numbers[0] - 1].strip():
        del numbers[0]
    text = "".join(f"{lines[n - 1]}\n" for n in numbers)
    return ClassText(name, text, tuple(numbers))


def _walk_without_registering(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and all below, but for decorators that register a class."""
    yield node
    dropped = [one for one in getattr(node, "decorator_list", ()) if is_registering(one)]
    for child in ast.iter_child_nodes(node):
        if child not in dropped:
            yield from _walk_without_registering(child)


def _bound_in(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, _DEFINITIONS):
        yield node.name
    elif isinstance(node, _IMPORTS):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
    else:
        for found in ast.walk(node):
            if isinstance(found, ast.Name) and isinstance(found.ctx, ast.Store):
                yield found.id
            elif isinstance(found, ast.stmt) and found is not node:
                yield from _bound_in(found) if isinstance(found, (*_DEFINITIONS, *_IMPORTS)) else ()


def _is_plain_target(node: ast.expr) -> bool:
    """Whether an assignment to it binds names, and changes nothing that has one."""
    if isinstance(node, ast.Tuple | ast.List):
        return all(map(_is_plain_target, node.elts))
    return isinstance(node, ast.Name)


def _last_name(node: ast.expr) -> str:
    """Return `c` of `a.b.c`, and of a call `a.b.c(...)`; "" of what has no name."""
    if isinstance(node, ast.Call):
        return _last_name(node.func)
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
