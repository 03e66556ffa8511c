"""`stdp completion SHELL`: completion of subcommands, keys and choices by the Tab key.

The script of a shell asks `stdp completion --query SHELL` what may follow the line in the
environment variable COMP_LINE. Where nothing is known, the shell completes names of files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stdp.options import Parser

if TYPE_CHECKING:
    from pipeline.model.registry import Variant

#: The shells, and the command of each that turns completion on.
SHELLS = {
    "bash": 'eval "$(stdp completion bash)"     # in ~/.bashrc',
    "zsh": 'eval "$(stdp completion zsh)"      # in ~/.zshrc',
    "fish": "stdp completion fish | source      # in ~/.config/fish/config.fish",
}

#: Options whose value is a folder of configurations.
_CONFIG_DIR = ("--config-dir", "-cd")

#: Options of the subcommands that serve a page, and those of them with a value.
_SERVED = {
    "explore": ("--no-browser", "--port"),
    "lab": ("--config-dir", "--no-browser", "--port"),
}
_WITH_VALUE = (*_CONFIG_DIR, "--port")

#: Keys of `conf/config.yaml` beside those of the model, with the values that can be listed.
_GENERAL: dict[str, tuple[str, ...]] = {
    "name": (),
    "outputs": (),
    "study": (),
    "dry_run": ("true", "false"),
}


def main(arguments: Sequence[str], subcommands: Iterable[str]) -> int:
    """Print the script of a shell, or with `--query` what may follow a line.

    Parameters
    ----------
    arguments : sequence of str
        Those of the subcommand.
    subcommands : iterable of str
        The names of all subcommands.
    """
    uses = "\n".join(f"  {use}" for use in SHELLS.values())
    parser = Parser(
        prog="stdp completion",
        usage=f"stdp completion [-h] {{{','.join(SHELLS)}}}\n\nTo turn completion on:\n{uses}",
        description="Print the script by which a shell completes keys and choices.",
    )
    parser.add_argument("shell", choices=SHELLS)
    parser.add_argument("--query", action="store_true", help="what may follow $COMP_LINE")
    given = parser.parse_args(arguments)
    if given.query:
        found = candidates(os.environ.get("COMP_LINE", ""), subcommands)
        for one in found:
            print(one.rstrip() if given.shell == "fish" else one)  # fish adds the space itself
    else:
        script = Path(__file__).with_name("shells") / f"completion.{given.shell}"
        print(script.read_text(encoding="utf-8"), end="")
    return 0


def candidates(line: str, subcommands: Iterable[str]) -> list[str]:
    """Return what the last word of a line may become; words that end there end with a space.

    Parameters
    ----------
    line : str
        The command line up to the cursor.
    subcommands : iterable of str
        The names of all subcommands.
    """
    words = line.split()
    word = "" if line[-1:].isspace() or not words else words.pop()
    if len(words) == 1:
        found: Iterable[str] = (f"{name} " for name in subcommands)
    elif words[1:2] == ["run"] and words[-1] not in _CONFIG_DIR:
        found = _of_run(words[2:], word)
    elif len(words) > 1 and words[1] in _SERVED and words[-1] not in _WITH_VALUE:
        found = _of_page(words[1], words[2:], word)
    else:
        found = ()
    return sorted({one for one in found if one.startswith(word)})


def _of_run(before: Sequence[str], word: str) -> Iterable[str]:
    """Return options, keys or values, depending on what the word is."""
    if word.startswith("-"):
        from hydra._internal.utils import get_args_parser

        return (f"{option} " for option in get_args_parser()._option_string_actions)
    folders = _folders(before)
    key, equals, values = word.partition("=")
    return _values(key, values, folders) if equals else _keys(word, folders, before)


def _of_page(name: str, before: Sequence[str], word: str) -> Iterable[str]:
    """Return the options of a subcommand that serves a page, and for the lab keys and values."""
    if word.startswith("-"):
        return (f"{option} " for option in _SERVED[name])
    if name == "explore":
        return ()
    of_a_sweep = (*_GENERAL, "run", "sweep")
    return (one for one in _of_run(before, word) if not one.startswith(of_a_sweep))


def _folders(before: Sequence[str]) -> list[Path]:
    """Return the folders of configurations: ours and that of `--config-dir`."""
    from pipeline.composition.compose import CONF

    own = [
        word.partition("=")[2] or "".join(before[i + 1 : i + 2])
        for i, word in enumerate(before)
        if word.partition("=")[0] in _CONFIG_DIR
    ]
    return [CONF, *(Path(one).expanduser() for one in own)]


def _keys(word: str, folders: Sequence[Path], before: Sequence[str]) -> Iterable[str]:
    """Return groups and sections, and the keys of a section once its dot is typed."""
    from pipeline.composition.choices import groups_in
    from pipeline.composition.known_keys import settings
    from pipeline.model.class_text import fields_in
    from pipeline.model.parameters import SECTIONS, all_quantities

    keys = [*all_quantities(), *settings()]
    for file, base in _named_files(before):  # parsed, and not run
        keys += [f"{base.section}.{field}" for field in _of_file(file, base, fields_in)]
    if "." in word:
        return (f"{key}=" for key in keys)
    groups = groups_in(folders)
    without_plus = {*SECTIONS, "run"}
    return [
        *(f"{group}=" if group in without_plus else f"+{group}=" for group in groups),
        *{f"{section}." for section, dot, _ in (key.partition(".") for key in keys) if dot},
        *(f"{key}=" for key in (*keys, *_GENERAL) if "." not in key),
    ]


def _values(key: str, values: str, folders: Sequence[Path]) -> Iterable[str]:
    """Return the values of a key or the choices of a group, after those before the last comma."""
    from pipeline.composition.choices import choices_of, groups_in
    from pipeline.composition.help_text import values_of_key

    name = key.lstrip("+~")
    known: Sequence[str] = _GENERAL.get(name) or values_of_key(name)
    if name in groups_in(folders):
        known = [*choices_of(name, folders)]
        if name == "size":  # of the experiment, whose name follows from +experiment
            known = [*dict.fromkeys(choice.partition("/")[0] for choice in known)]
    earlier, comma, last = values.rpartition(",")
    known = [*known, *_classes(name, last, any(one.startswith(last) for one in known))]
    given = earlier.split(",") if comma else []
    return (f"{key}={earlier}{comma}{one}" for one in known if one not in given)


def _classes(key: str, text: str, is_a_name: bool) -> Iterable[str]:
    """Return files and folders beside a text, or the classes in a file after its colon.

    Folders are left out where the text may become the name of a rule.
    """
    from pipeline.model.class_text import classes_in
    from pipeline.model.registry import REGISTRIES

    if key not in REGISTRIES:
        return ()
    if ".py:" in text:
        path = text.rpartition(":")[0]
        base = REGISTRIES[key].base()
        return [f"{path}:{name}" for name in _of_file(Path(path), base, classes_in)]
    folder = text[: text.rfind("/") + 1]
    return [
        f"{folder}{path.name}{'/' if path.is_dir() else ''}"
        for path in Path(folder or ".").expanduser().glob("*")
        if path.suffix == ".py" or (path.is_dir() and path.name[:1] != "." and not is_a_name)
    ]


def _named_files(words: Iterable[str]) -> Iterable[tuple[Path, type[Variant]]]:
    """Yield the files of rules and processes that words name, and what these are derived from."""
    from pipeline.model.registry import REGISTRIES

    for word in words:
        key, _, values = word.partition("=")
        for value in values.split(",") if key in REGISTRIES else ():
            path = value.rpartition(":")[0] if ".py:" in value else value
            if path.endswith(".py"):
                yield Path(path), REGISTRIES[key].base()


def _of_file(file: Path, base: type[Variant], found: Callable[[str, type], list[str]]) -> list[str]:
    """Return what is found in a file, none where it cannot be read or is no Python."""
    try:
        return found(file.expanduser().read_text(encoding="utf-8-sig"), base)
    except (OSError, ValueError):
        return []
