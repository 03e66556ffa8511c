"""A check of docstrings: shape and unit of every array that a public function takes or returns.

Private functions (with a leading underscore) and nested ones are excluded. A dataset as an argument
needs an entry under Parameters and no more: its variables have dimensions and units.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: Names in annotations that mean an array. `Dataset` alone would also match netCDF4's.
_ARRAY = re.compile(
    r"(?<![\w.])(?:np\.|npt\.)?(?:NDArray|ArrayLike|ndarray)\b"
    r"|(?<![\w.])(?:xr\.)?DataArray\b|(?<![\w.])xr\.Dataset\b"
    r"|(?<![\w.])(?:Cells|Columns)\b"
)

#: The same in the type of a docstring entry, where NumPy style writes `Dataset` without module.
_ARRAY_ENTRY = re.compile(r"\b(?:NDArray|ArrayLike|ndarray|array|DataArray|Dataset)\b")

#: `(n_synapses, n_steps)`, `([row], synapse)`, `(n,)`, `(...)`, `()`, `, (n)` after the type, or a
#: description of the dimensions.
_LENGTH = r"\*?\[?(?:\.\.\.|\w+(?: ?[-+*/] ?\w+)*)\]?(?:\[[\w, ]+\])?"
_TUPLE = re.compile(
    rf"\((?:\.\.\.|{_LENGTH},|{_LENGTH}(?:, ?{_LENGTH})+)\)|, \({_LENGTH}\)|(?<!\w)\(\)"
)
_DIMENSION = re.compile(r"\b(?:shapes?|dimensions?|scalars?|axes|along|one per)\b", re.IGNORECASE)

#: `[ms]`, `[1/ms]`, or a word for a number without a unit.
_UNIT = re.compile(
    r"\[(?:1/)?[A-Za-zµ%][^\]]*\]"
    r"|\b(?:units?|dimensionless|fractions?|probabilit(?:y|ies)|ind(?:ex|ices)|counts?|numbers?"
    r"|steps?|bool(?:ean)?s?|text|str(?:ing)?s?|names?)\b",
    re.IGNORECASE,
)

_SECTION = re.compile(r"^([A-Z]\w+(?: \w+)?)\n-+$", re.MULTILINE)


@dataclass(frozen=True)
class Function:
    """A public function or method.

    Attributes
    ----------
    where : str
        File, line and qualified name.
    node : ast.FunctionDef
        Its definition.
    """

    where: str
    node: ast.FunctionDef

    def arrays(self) -> list[str]:
        """Return the names of the arguments that are arrays."""
        arguments = self.node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        every += [one for one in (arguments.vararg, arguments.kwarg) if one]
        return [one.arg for one in every if _is_array(_text(one.annotation))]

    def annotation(self, name: str) -> str:
        """Return the annotation of an argument as text."""
        arguments = [one for one in ast.walk(self.node.args) if isinstance(one, ast.arg)]
        return next(_text(one.annotation) for one in arguments if one.arg == name)

    def returns(self) -> str:
        """Return the annotation of the result as text if it has an array, else an empty text."""
        text = _text(self.node.returns)
        return text if _ARRAY.search(text) else ""

    def is_property(self) -> bool:
        """Whether it is read like an attribute, which has no sections."""
        names = {_text(decorator).rpartition(".")[2] for decorator in self.node.decorator_list}
        return bool(names & {"property", "cached_property"})


def public_functions(source: str, file: str) -> Iterator[Function]:
    """Yield the functions of a module, and the methods of its classes, without an underscore."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield Function(f"{file}:{node.lineno} {node.name}", node)
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_"):
                    yield Function(f"{file}:{inner.lineno} {node.name}.{inner.name}", inner)


def array_functions(files: list[Path], root: Path) -> list[Function]:
    """Return the public functions of files that take or return arrays."""
    return [
        function
        for file in files
        for function in public_functions(file.read_text(), str(file.relative_to(root)))
        if function.arrays() or function.returns()
    ]


def problems(function: Function) -> list[str]:
    """Return what the docstring of a function lacks."""
    docstring = ast.get_docstring(function.node) or ""
    if function.is_property():
        return [f"{function.where}: {lack}" for lack in _lacks(docstring)]
    sections = _sections(docstring)
    parameters = _entries(sections.get("Parameters", ""))
    found = []
    for name in function.arrays():
        entry = next((text for names, text in parameters if name in names), None)
        if entry is None:
            found.append(f"Parameters has no {name}")
        elif _needs_shape(function.annotation(name)):
            found += [f"{name} in Parameters has {lack}" for lack in _lacks(entry)]
    if function.returns():
        found += _problems_of_result(sections)
    return [f"{function.where}: {problem}" for problem in found]


def _problems_of_result(sections: dict[str, str]) -> list[str]:
    """Return what the section on the result lacks, for each array that it lists."""
    title = "Yields" if "Yields" in sections else "Returns"
    section = sections.get(title)
    if section is None:
        return ["no Returns or Yields"]
    texts = [
        text for _, text in _entries(section) if _ARRAY_ENTRY.search(text.partition("\n")[0])
    ] or [section]
    return [f"{title} has {lack}" for text in texts for lack in _lacks(text)]


def _is_array(annotation: str) -> bool:
    """Whether an annotation has an array; a function of arrays is none."""
    return bool(_ARRAY.search(annotation)) and "Callable[" not in annotation


def _needs_shape(annotation: str) -> bool:
    """Whether an argument is more than a dataset, whose variables have dimensions and units."""
    return bool(_ARRAY.search(annotation.replace("xr.Dataset", "")))


def _lacks(text: str) -> list[str]:
    shape = _TUPLE.search(text) or _DIMENSION.search(text)
    unit = _UNIT.search(_TUPLE.sub("", text))  # `([row], synapse)` has no unit
    return ["no shape"] * (not shape) + ["no unit"] * (not unit)


def _sections(docstring: str) -> dict[str, str]:
    """Return the text of each section of a docstring in NumPy style."""
    parts = _SECTION.split(docstring)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _entries(section: str) -> list[tuple[set[str], str]]:
    """Return names and text of each entry: a line at the margin and the indented ones below."""
    blocks = re.split(r"^(?=\S)", section.strip("\n"), flags=re.MULTILINE)
    return [
        ({name.strip(" *") for name in block.partition(":")[0].split(",")}, block)
        for block in blocks
        if block.strip()
    ]


def _text(node: ast.expr | None) -> str:
    return "" if node is None else ast.unparse(node).strip("'\"")
