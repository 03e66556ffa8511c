"""Code blocks of pages in Markdown: which are run, with which result, and running them.

An invisible comment before a block changes what is expected of it: `<!-- exit: 2 -->` its exit
code, `<!-- long: REASON -->` that only `make docs-examples` runs it, `<!-- not run: REASON -->`
that nothing does, `<!-- file: NAME -->` that it is the content of a file. A block `text` directly
after one that is run is its output, in which times differ and a line `...` stands for any lines.
"""

import itertools
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.rules.test_house import ROOT

#: Set by `make docs-examples`.
LONG_TOO = "STDP_LONG_EXAMPLES" in os.environ

#: Languages of blocks that are run.
SHELL, PYTHON = ("sh", "bash"), ("python",)

_BLOCK = re.compile(
    r"(?P<marks>(?:^<!-- [^\n]+? -->\n)*)^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_MARK = re.compile(r"<!-- (exit|long|not run|file): (.+?) -->")

#: What differs from run to run: times, dates.
_VARIABLE = re.compile(
    r"\b\d{4}-\d\d-\d\d[T _][\d:+-]+|\b\d[\d.,]*(?= (?:ms|s|min|h|seconds|minutes)\b)"
)

#: Runs the files that it is told of in one namespace, and says after each how it ended.
_DRIVER = """
import sys, traceback
names = {"__name__": "__main__"}
for line in sys.stdin:
    file = line.strip()
    try:
        exec(compile(open(file).read(), file, "exec"), names)
        code = 0
    except BaseException:
        traceback.print_exc(file=sys.stdout)
        code = 1
    print(f"\\nended with {code}", flush=True)
"""


@dataclass(frozen=True)
class Block:
    """A code block: its language, text and line, and what is expected of it."""

    language: str
    text: str
    line: int
    exit: int = 0
    long: str = ""
    not_run: str = ""
    file: str = ""
    output: str | None = None


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page that are commands, Python, or files."""
    text = page.read_text()
    found, every = [], list(_BLOCK.finditer(text))
    for match, after in itertools.zip_longest(every, every[1:]):
        marks = {name.replace(" ", "_"): value for name, value in _MARK.findall(match["marks"])}
        if match["language"] not in SHELL + PYTHON and "file" not in marks:
            continue
        marks |= {"exit": int(marks.get("exit", 0))}
        follows = after and after["language"] == "text" and not after["marks"]
        output = (
            after["text"] if follows and not text[match.end() : after.start()].strip() else None
        )
        line = text.count("\n", 0, match.start("language")) + 1
        found.append(Block(match["language"], match["text"], line, output=output, **marks))
    return found


def pages() -> list[Path]:
    """Return the pages whose blocks are run."""
    own = [p for p in (ROOT / "docs").rglob("*.md") if "_build" not in p.parts]
    return [ROOT / "README.md", *sorted(own)]


def run_page(page: Path, folder: Path) -> int:
    """Run the blocks of a page in an empty folder; return how many."""
    environment = _environment(folder.with_name(f"{folder.name}_bin"))
    with subprocess.Popen(
        [sys.executable, "-c", _DRIVER], cwd=folder, env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as python:  # fmt: skip
        n_run = 0
        for block in blocks(page):
            if block.not_run or (block.long and not LONG_TOO):
                continue
            if block.file:
                (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
                (folder / block.file).write_text(block.text)
                continue
            where = f"{page.relative_to(ROOT)}:{block.line}"
            if block.language in PYTHON:
                code, said = _run_python(python, block, folder)
            else:
                code, said = _run_shell(block, folder, environment)
            assert code == block.exit, f"{where}: exit code {code}\n{said}"
            if block.output is not None:
                assert is_output(said, block.output), f"{where}: printed\n{said}"
            n_run += 1
        python.stdin.close()
    return n_run


def is_output(said: str, printed: str) -> bool:
    """Return whether what was said is what is printed, up to times."""
    parts = [
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(f"{line}\n")
        for line in _masked(printed)
    ]
    return re.fullmatch("".join(parts), "".join(f"{line}\n" for line in _masked(said))) is not None


def _masked(text: str) -> list[str]:
    return [_VARIABLE.sub("#", line.rstrip()) for line in text.strip().splitlines()]


def _environment(folder: Path) -> dict[str, str]:
    """Return an environment with the commands `stdp` and `python` of this checkout."""
    folder.mkdir()
    start = "import sys\nfrom stdp.__main__ import main\nsys.exit(main())\n"
    (folder / "stdp").write_text(f"#!{sys.executable}\n{start}")
    (folder / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    for file in folder.iterdir():
        file.chmod(0o755)
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    return os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"}


def _run_shell(block: Block, folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.text], cwd=folder, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def _run_python(python: subprocess.Popen, block: Block, folder: Path) -> tuple[int, str]:
    file = folder / f".block_{block.line}.py"  # a file: sources of classes are read
    file.write_text(block.text)
    print(file, file=python.stdin, flush=True)
    lines = []
    for line in python.stdout:
        if ended := re.fullmatch(r"ended with (\d+)\n", line):
            return int(ended[1]), "".join(lines)
        lines.append(line)
    return -1, "".join(lines)
