"""What made a result: code, packages, machine, command."""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.execution.pool import Run
from pipeline.model.parameters import MODEL_VERSION

#: One run that made results: what `capture` returns, and in the end its `seconds`.
Made = dict[str, Any]

_CODE = Path(__file__).parents[2]

#: Characters of changes that are kept; who has more should commit them.
_LONGEST_DIFF = 1_000_000

SEED_POLICY = (
    "numpy PCG64 of SeedSequence(seed, spawn_key=(stream,)); input spikes are stream 0; the same "
    "seed draws the same numbers at every point. input.process=notebook: RandomState(seed)."
)


def capture(run: Run) -> Made:
    """Return everything that is known before the first point runs."""
    return {
        "id": uuid.uuid4().hex,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command(),
        **_code(),
        "model_version": MODEL_VERSION,
        "engine": run.engine,
        "backend": run.backend,
        "n_jobs": run.n_jobs,
        "n_cores": os.cpu_count() or "unknown",
        "seed_policy": SEED_POLICY,
        "python": platform.python_version(),
        "packages": _packages(),
        "platform": platform.platform(),
        "processor": _processor(),
        "host": platform.node(),
        "seconds": None,  # until it ends
    }


def as_attributes(runs: Sequence[Made]) -> dict[str, Any]:
    """Return the runs that made a file as its attributes; `made_by` counts them.

    The attribute `runs` has all of each but the diff; the others have one line: what the last run
    says, and what the runs before it said where that was something else.
    """
    if not runs:
        return {"runs": "[]"}
    short = [{name: v for name, v in run.items() if name != "git_diff"} for run in runs]
    attributes: dict[str, Any] = {}
    for name, last in short[-1].items():
        values = list(dict.fromkeys(run.get(name) for run in short if not isinstance(last, dict)))
        if isinstance(last, dict):
            attributes[name] = json.dumps(last)
        elif name not in ("id", "seconds"):
            attributes[name] = last if len(values) == 1 else "; ".join(map(str, values))
    attributes["seconds"] = round(sum(run["seconds"] or 0.0 for run in short), 3)
    return attributes | {"runs": json.dumps(short)}


def command() -> str:
    """Return the command line of this process, as a user would type it."""
    program = Path(sys.argv[0])
    words = ["python", "-m", program.parent.name] if program.stem == "__main__" else [program.name]
    return shlex.join([*words, *sys.argv[1:]])


def _packages() -> dict[str, str]:
    """Return the version of every installed package; of its folder's name, the fastest to read."""
    folders = [folder for place in sys.path for folder in Path(place).glob("*-*.dist-info")]
    # What comes first on the path is what is imported.
    named = [folder.stem.replace("_", "-").rpartition("-") for folder in reversed(folders)]
    return dict(sorted({name: version for name, _, version in named}.items()))


def _code() -> dict[str, str]:
    """Return commit and changes of this code, `unknown` where git cannot tell.

    As where it lies in no repository, or is installed within that of something else.
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


def _diff() -> str:
    """Return all changes against the commit, and every new file that may have had a say.

    It can be applied to the commit with `git apply`, unless it says that something was left out.
    """
    rooms = "conf", "pipeline", "hydra_plugins"
    new = _git("ls-files", "--others", "--exclude-standard", "-z", "--", *rooms) or ""
    plain = "diff", "--binary", "--no-ext-diff", "--no-textconv", "--no-color"
    plain += ("--src-prefix=a/", "--dst-prefix=b/")
    parts = [_git(*plain, "HEAD") or "changes could not be read\n"]
    for file in new.split("\0")[:-1]:
        size = (_CODE / file).stat().st_size if (_CODE / file).is_file() else 0
        small = size <= _LONGEST_DIFF
        # Of files that differ, as from nothing, `diff --no-index` ends with 1.
        added = _git(*plain, "--no-index", "--", os.devnull, file, good=(0, 1)) if small else None
        parts.append(added or f"left out: {file}, {size} bytes\n")
    diff = "".join(parts)
    if len(diff) <= _LONGEST_DIFF:
        return diff
    return f"{diff[:_LONGEST_DIFF]}\nleft out: the other {len(diff) - _LONGEST_DIFF} characters\n"


def _git(*arguments: str, good: tuple[int, ...] = (0,)) -> str | None:
    """Return what git says of this code, None where it fails or takes too long."""
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", "-C", str(_CODE), *arguments],
            capture_output=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace") if done.returncode in good else None


def _processor() -> str:
    """Return the processor's name as Linux gives it, else as Python does."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
