"""Description of the host: command line, installed packages, commit of the code, processor."""

from __future__ import annotations

import functools
import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path

from pipeline.system.atomic_files import checksum

#: The folder that holds `conf`, `pipeline` and `analysis`.
CODE = Path(__file__).parents[2]

#: Longest diff that is recorded, in characters.
_LONGEST_DIFF = 1_000_000


#: Words before the arguments of `reproduce`, and of this process where `sys.argv` lacks them.
_words: dict[str, tuple[str, ...]] = {
    name: ("python", "-m", f"pipeline.{name}") for name in ("reproduce", "merge")
}


def use_program(*words: str, subcommand: str) -> None:
    """Write commands as those of a program with subcommands, such as `stdp reproduce`.

    Parameters
    ----------
    *words : str
        The program: `stdp`, or `python -m stdp`.
    subcommand : str
        The one of this process, which `sys.argv` no longer has.
    """
    _words.update({name: (*words, name) for name in ("reproduce", "merge")})
    _words["process"] = (*words, subcommand)


def command_line() -> str:
    """Return the command line of this process, quoted for a shell."""
    program = Path(sys.argv[0] if sys.argv else sys.executable)
    is_module = program.stem == "__main__"
    words = ("python", "-m", program.parent.name) if is_module else (program.name,)
    return shlex.join([*_words.get("process", words), *sys.argv[1:]])


def started_as() -> str:
    """Return the words of this process before its arguments, such as `python -m pipeline`."""
    return shlex.join(_words.get("process", ("python", "-m", "pipeline")))


def reproduce_command(directory: str) -> str:
    """Return the command that reproduces a directory; it is not quoted."""
    return f"{shlex.join(_words['reproduce'])} {directory}"


def merge_command(*arguments: str) -> str:
    """Return the command that merges directories, quoted for a shell."""
    return shlex.join([*_words["merge"], *arguments])


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook, which displays what is not a terminal."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def packages() -> dict[str, str]:
    """Return the version of every installed package.

    Names and versions are read from the names of the metadata folders, which takes a fraction of
    the time of `importlib.metadata`.
    """
    folders = [folder for path in sys.path for folder in Path(path).glob("*-*.dist-info")]
    # The first on the path is the one that is imported: it comes last, and overrides.
    named = [folder.stem.replace("_", "-").rpartition("-") for folder in reversed(folders)]
    return dict(sorted({name: version for name, _, version in named}.items()))


def code_version() -> dict[str, str]:
    """Return commit, state and diff of this code, `unknown` where git does not track it.

    It does not where the code is installed outside of its repository, or git is missing.
    """
    tracked, commit = _git("ls-files", __file__), _git("rev-parse", "--verify", "-q", "HEAD")
    changes = _git("status", "--porcelain")
    if not tracked or commit is None or changes is None:
        return dict.fromkeys(("git_commit", "git_dirty", "git_diff"), "unknown")
    return {
        "git_commit": commit.strip(),
        "git_dirty": str(bool(changes)).lower(),
        "git_diff": _diff() if changes else "",
    }


@functools.cache
def sources_checksum(*folders: str) -> str:
    """Return the checksum of all Python files in folders of this code, as they are on the disk."""
    files = sorted(file for folder in folders for file in (CODE / folder).rglob("*.py"))
    content = b"\0".join(
        part for file in files for part in (str(file.relative_to(CODE)).encode(), file.read_bytes())
    )
    return checksum(content)


def _diff() -> str:
    """Return all changes since the commit, and every new file in the folders that are run.

    `git apply` applies it to the commit, unless it states that something was left out.
    """
    folders = "conf", "pipeline", "hydra_plugins"
    new = _git("ls-files", "--others", "--exclude-standard", "-z", "--", *folders) or ""
    plain = ["diff", "--binary", "--no-ext-diff", "--no-textconv", "--no-color"]
    plain += ["--src-prefix=a/", "--dst-prefix=b/"]
    tracked = _git(*plain, "HEAD")  # empty where only new files differ
    parts = ["changes could not be read\n" if tracked is None else tracked]
    for file in new.split("\0")[:-1]:
        size = (CODE / file).stat().st_size if (CODE / file).is_file() else 0
        small = size <= _LONGEST_DIFF
        # `diff --no-index` exits with 1 where files differ, as a new one does from /dev/null.
        added = _git(*plain, "--no-index", "--", os.devnull, file, good=(0, 1)) if small else None
        parts.append(added or f"left out: {file}, {size} bytes\n")
    diff = "".join(parts)
    if len(diff) <= _LONGEST_DIFF:
        return diff
    return f"{diff[:_LONGEST_DIFF]}\nleft out: the other {len(diff) - _LONGEST_DIFF} characters\n"


def _git(*arguments: str, good: tuple[int, ...] = (0,)) -> str | None:
    """Return the output of git in the folder of the code, None where it fails or times out."""
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", "-C", str(CODE), *arguments],
            capture_output=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace") if done.returncode in good else None


def processor() -> str:
    """Return the processor's name, from Linux or else from Python."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
