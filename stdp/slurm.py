"""`stdp slurm KEY=VALUE ...`: the script of a Slurm array of shards, printed or submitted."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from stdp.errors import CommandError
from stdp.options import Parser

#: Number of shards where none is given.
SHARDS = 16

_PYTHON = (sys.executable, "-m", "stdp")


def main(arguments: Sequence[str]) -> int:
    """Print the script of an array, or submit it and a merge after it; return the exit code.

    Raises
    ------
    CommandError
        If an option or the request is not allowed, or Slurm does not take the job.
    """
    parser = Parser(
        prog="stdp slurm",
        description="Print the script for sbatch that runs a sweep as an array of shards, with an "
        "estimate of the time of one. Each task runs `stdp run KEY=VALUE ... run=slurm`; what was "
        "not done is done when the array, or one task of it, is submitted again.",
        epilog="All other arguments are those of `stdp run`; name=... is needed.",
        allow_abbrev=False,
    )
    parser.add_argument("--shards", type=int, default=SHARDS, help=f"number of tasks ({SHARDS})")
    parser.add_argument("--cores", type=int, help="cores of a task (1 by Slurm's default)")
    parser.add_argument("--time", type=_word, help="time limit, as 2:00:00")
    parser.add_argument("--memory", type=_word, help="memory of a task, as 4G")
    parser.add_argument("--partition", type=_word, help="the cluster's partition")
    parser.add_argument(
        "--submit",
        action="store_true",
        help="write the script to outputs/NAME/shards/array.sbatch, submit it, and a job after it "
        "that merges",
    )
    given, words = parser.parse_known_args(arguments)
    for name, value, most in (("shards", given.shards, 1_000_000), ("cores", given.cores, 100_000)):
        if value is not None and not 1 <= value <= most:
            raise CommandError(f"--{name} {value}: must be a whole number from 1 to {most}")
    command = _command(words)
    plan = _dry_run(command, given.shards, given.cores)
    experiment = Path(plan.pop("directory")).parents[1]
    script = _script(given, experiment, command, [f"{key}: {text}" for key, text in plan.items()])
    merging = shlex.join([*_PYTHON, "merge", str(experiment), *_leave_to_run_code(words)])
    if given.submit:
        _submit(experiment, script, merging)
    else:
        print(script + _advice(merging))
    return 0


def _word(text: str) -> str:
    """Return the value of an option of sbatch; a line break would add other options."""
    if not re.fullmatch(r"[\w.,:+-]+", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} must be letters, digits and . , : + -")
    return text


def _command(words: Sequence[str]) -> list[str]:
    """Return the command of each task."""
    shard = next((word for word in words if word.startswith(("run.shard=", "dry_run="))), None)
    if shard:
        raise CommandError(f"{shard}: must not be given, each task of the array has its own")
    has_settings = any(word.startswith("run=") for word in words)
    return [*_PYTHON, "run", *words, "run.shard=slurm" if has_settings else "run=slurm"]


def _dry_run(command: Sequence[str], n_shards: int, n_cores: int | None) -> dict[str, str]:
    """Return what a dry run of the first task says, by the first word of each line.

    Raises
    ------
    CommandError
        If the request is refused.
    """
    numbers = {"ID": 1, "MIN": 1, "MAX": n_shards, "COUNT": n_shards}
    task = {f"SLURM_ARRAY_TASK_{name}": str(number) for name, number in numbers.items()}
    task |= {"SLURM_CPUS_PER_TASK": str(n_cores or 1)}
    done = subprocess.run(
        [*command, "dry_run=true"],
        env=os.environ | task,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["the dry run of a task failed"]
        raise CommandError(lines[-1].removeprefix("error: "))
    said = [line.partition(": ") for line in done.stdout.splitlines()]
    wanted = ("points", "time", "size", "directory")
    return {key: text for key, _, text in said if key in wanted}


def _script(
    given: argparse.Namespace, experiment: Path, command: Sequence[str], estimate: Sequence[str]
) -> str:
    """Return the script for sbatch."""
    options = {
        "job-name": re.sub(r"[^\w.-]", "_", experiment.name),
        "array": f"1-{given.shards}",
        "cpus-per-task": given.cores or 1,
        "partition": given.partition,
        "mem": given.memory,
        "time": given.time,
        # An interruption: what was finished is written.
        "signal": "B:TERM@60" if given.time else None,
        "output": _log(experiment) if given.submit else None,
    }
    lines = [f"#SBATCH --{name}={value}" for name, value in options.items() if value is not None]
    return "\n".join(
        [
            "#!/bin/bash",
            *lines,
            "# A dry run of the first task here:",
            *[f"#   {line}" for line in estimate],
            f"cd {shlex.quote(str(Path.cwd()))}",
            f"exec {shlex.join(command)}",
            "",
        ]
    )


def _log(experiment: Path) -> str:
    """Return the pattern of the files with the output of tasks; sbatch reads it as a shell does."""
    return shlex.quote(str((experiment / "shards" / "task_%a.log").absolute()))


def _advice(merging: str) -> str:
    return (
        "# Saved as FILE: sbatch FILE; one task again: sbatch --array=7 FILE; after the array:\n"
        f"# sbatch --dependency=afterany:JOB --wrap={shlex.quote(merging)}"
    )


def _leave_to_run_code(words: Sequence[str]) -> list[str]:
    """Return the option of `merge` for a rule or process of a file that is named here."""
    named = any(".py" in word for word in words if word.startswith(("stdp", "input")))
    return ["--run-given-code"] if named else []


def _submit(experiment: Path, script: str, merging: str) -> None:
    """Write the scripts beside the shards, submit both and print how a task is submitted again."""
    from pipeline.system.atomic_files import StorageError, replacing

    array, merge = (experiment / "shards" / f"{name}.sbatch" for name in ("array", "merge"))
    log = shlex.quote(str((experiment / "shards" / "merge.log").absolute()))
    text = "\n".join(
        [
            "#!/bin/bash",
            f"#SBATCH --job-name=merge_{re.sub(r'[^A-Za-z0-9_.-]', '_', experiment.name)}",
            f"#SBATCH --output={log}",
            f"cd {shlex.quote(str(Path.cwd()))}",
            f"exec {merging}",
            "",
        ]
    )
    try:
        for file, content in ((array, script), (merge, text)):
            with replacing(file) as temporary:
                temporary.write_text(content)
    except StorageError as error:
        raise CommandError(str(error)) from error
    job = _sbatch(str(array))
    after = _sbatch(f"--dependency=afterany:{job}", str(merge))
    print(f"array {job}, merged by job {after}; output in {array.parent}")
    print(f"one task again: {shlex.join(['sbatch', '--array=7', str(array)])}")
    print(f"merge again: {shlex.join(['sbatch', str(merge)])}")


def _sbatch(*arguments: str) -> str:
    """Submit a script; return the number of the job.

    Raises
    ------
    CommandError
        If Slurm is not here, or does not take it.
    """
    try:
        done = subprocess.run(
            ["sbatch", "--parsable", *arguments], capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise CommandError(
            "--submit: sbatch is not found; without --submit the script is printed"
        ) from error
    if done.returncode:
        raise CommandError(f"--submit: {' '.join(done.stderr.split())}")
    return done.stdout.strip().partition(";")[0]
