"""Commands as they are typed where this process was started, for help, messages and reports."""

from __future__ import annotations

import shlex

#: Words before the arguments, by subcommand of `stdp`.
_words = {
    "figures": ("python", "-m", "analysis"),
    "list": ("python", "-m", "analysis", "list"),
    "diff": ("python", "-m", "analysis", "diff"),
    "reproduce": ("python", "-m", "pipeline.reproduce"),
    "merge": ("python", "-m", "pipeline.merge"),
}


def use_program(*words: str) -> None:
    """Write all commands as subcommands of a program, such as `stdp figures`."""
    for name in ("figures", "report", "list", "diff", "reproduce", "merge"):
        _words[name] = (*words, name)


def command(name: str, *arguments: str) -> str:
    """Return a command line, quoted for a shell."""
    return shlex.join([*_words[name], *arguments])
