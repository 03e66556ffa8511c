"""`stdp init FOLDER`: write a small project with configurations of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stdp.errors import CommandError
from stdp.options import Parser

#: The files of a new project.
PROJECT = Path(__file__).with_name("project")

#: Files that have another name here, where they would have an effect or be taken for a module.
_RENAMED = {"gitignore": ".gitignore", "rule.txt": "rule.py"}


def main(arguments: Sequence[str]) -> int:
    """Write the project; return the exit code.

    Raises
    ------
    CommandError
        If the folder holds anything, or cannot be written.
    """
    parser = Parser(
        prog="stdp init",
        description="Write a small project: conf/ with parameter sets and an experiment, a "
        "plasticity rule, a README with the commands that run it, and a .gitignore.",
    )
    parser.add_argument("folder", type=Path, help="a new or empty folder")
    folder: Path = parser.parse_args(arguments).folder
    try:
        written = write_project(folder)
    except OSError as error:
        raise CommandError(f"{folder}: cannot be written ({error.strerror})") from error
    for file in written:
        print(file)
    return 0


def write_project(folder: Path) -> list[Path]:
    """Write the files of a project into a new or empty folder; return their paths.

    Raises
    ------
    CommandError
        If the folder holds anything, or is a file.
    OSError
        If it cannot be written.
    """
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise CommandError(f"{folder}: must be a new or empty folder")
    written = []
    for file in sorted(PROJECT.rglob("*")):
        if file.is_file():
            path = file.relative_to(PROJECT)
            target = folder / path.with_name(_RENAMED.get(path.name, path.name))
            target.parent.mkdir(parents=True, exist_ok=True)
            text = file.read_text(encoding="utf-8")
            target.write_text(text.replace("{name}", folder.absolute().name), encoding="utf-8")
            written.append(target)
    return written
