"""`stdp slurm KEY=VALUE ...`: the script of a Slurm array of shards, printed or submitted."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.system import host
from pipeline.system.atomic_files import StorageError, replacing
from stdp.errors import CommandError
from stdp.options import Parser

#: Largest number of shards where none is given.
SHARDS = 16

_PYTHON = (sys.executable, "-m", "stdp")

#: What a dry run says of the shards: their number, and that of all points.
_SHARDS_AND_POINTS = re.compile(r"shard \d+/(\d+) of ([\d,]+) point")

#: Slurm's forms of a time limit, and of memory.
_TIME = re.compile(r"(?ai)(\d+-)?\d+(:[0-5]?\d){0,2}|unlimited")
_MEMORY = re.compile(r"(?ai)[1-9]\d*[kmgt]?")


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
    parser.add_argument(
        "--shards", type=int, help=f"number of tasks ({SHARDS}, or that of the points)"
    )
    parser.add_argument("--cores", type=int, help="cores of a task (1 by Slurm's default)")
    parser.add_argument("--time", type=_time, help="time limit, as 2:00:00")
    parser.add_argument("--memory", type=_memory, help="memory of a task, as 4G")
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
    given.shards, plan = _planned(command, given.shards, given.cores)
    experiment = Path(plan.pop("directory")).parents[1]
    setting, one_task = _setting(), f"--array={min(7, given.shards)}"
    estimate = [f"{key}: {text}" for key, text in plan.items()]
    script = _script(given, experiment, [*setting, f"exec {shlex.join(command)}"], estimate)
    merging = shlex.join([*_PYTHON, "merge", str(experiment), *_leave_to_run_code(words)])
    if given.submit:
        _submit(experiment, script, [*setting, f"exec {merging}"], one_task)
    else:
        print(script + _advice("; ".join([*setting, merging]), one_task))
    return 0


def _word(text: str) -> str:
    """Return the value of an option of sbatch; a line break would add other options."""
    if not re.fullmatch(r"[\w.,:+-]+", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} must be letters, digits and . , : + -")
    return text


def _time(text: str) -> str:
    if not _TIME.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} must be minutes, MM:SS, HH:MM:SS, D-HH, D-HH:MM, D-HH:MM:SS or UNLIMITED"
        )
    return text


def _memory(text: str) -> str:
    if not _MEMORY.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} must be a whole number > 0 with K, M, G or T; without one it is in megabytes"
        )
    return text


def _command(words: Sequence[str]) -> list[str]:
    """Return the command of each task."""
    shard = next((word for word in words if word.startswith(("run.shard=", "dry_run="))), None)
    if shard:
        raise CommandError(f"{shard}: must not be given, each task of the array has its own")
    has_settings = any(word.startswith("run=") for word in words)
    return [*_PYTHON, "run", *words, "run.shard=slurm" if has_settings else "run=slurm"]


def _planned(
    command: Sequence[str], n_shards: int | None, n_cores: int | None
) -> tuple[int, dict[str, str]]:
    """Return the number of shards, and what a dry run of the first task says.

    Raises
    ------
    CommandError
        If the request is refused, or divided into another number of shards or fewer points.
    """
    plan = _dry_run(command, n_shards or SHARDS, n_cores)
    n_divided, n_points = _shards_and_points(plan)
    if n_shards is None:
        if n_points < n_divided:  # a task for each, unless it is divided already
            plan = _dry_run(command, n_points, n_cores)
        return _shards_and_points(plan)[0], plan
    if n_shards != n_divided:
        experiment = Path(plan["directory"]).parents[1]
        raise CommandError(
            f"--shards {n_shards}: must be {n_divided}, into which {experiment} is divided"
        )
    if n_shards > n_points:
        raise CommandError(f"--shards {n_shards}: must be at most {n_points}, the number of points")
    return n_shards, plan


def _shards_and_points(plan: Mapping[str, str]) -> tuple[int, int]:
    found = _SHARDS_AND_POINTS.search(plan["points"])
    assert found is not None  # what `pipeline.experiment.dry_run.Plan` says of a shard
    n_shards, n_points = (int(number.replace(",", "")) for number in found.groups())
    return n_shards, n_points


def _setting() -> list[str]:
    """Return the line of a script by which Python finds a copy that is not installed, if any."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    elsewhere = subprocess.run(
        [sys.executable, "-c", "import stdp; print(*stdp.__path__)"],
        cwd=host.CODE.anchor,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if elsewhere.stdout.strip() == str(host.CODE / "stdp"):
        return []
    return [f'export PYTHONPATH={shlex.quote(str(host.CODE))}"${{PYTHONPATH:+:$PYTHONPATH}}"']


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
    given: argparse.Namespace, experiment: Path, commands: Sequence[str], estimate: Sequence[str]
) -> str:
    """Return the script for sbatch, which ends with some commands."""
    options = {
        "job-name": _job_name(experiment),
        "array": f"1-{given.shards}",
        "cpus-per-task": given.cores or 1,
        "partition": given.partition,
        "mem": given.memory,
        "time": given.time,
        # An interruption: what was finished is written.
        "signal": "B:TERM@60" if given.time else None,
        "output": _log(experiment, "task_%a") if given.submit else None,
    }
    lines = [f"#SBATCH --{name}={value}" for name, value in options.items() if value is not None]
    return "\n".join(
        [
            "#!/bin/bash",
            *lines,
            "# A dry run of the first task here:",
            *[f"#   {line}" for line in estimate],
            f"cd {shlex.quote(str(Path.cwd()))}",
            *commands,
            "",
        ]
    )


def _job_name(experiment: Path) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", experiment.name)


def _log(experiment: Path, name: str) -> str:
    """Return the file with the output of a job, quoted: sbatch reads it as a shell does."""
    return shlex.quote(str((experiment / "shards" / f"{name}.log").absolute()))


def _advice(merging: str, one_task: str) -> str:
    return (
        f"# Saved as FILE: sbatch FILE; one task again: sbatch {one_task} FILE; after the array:\n"
        f"# sbatch --dependency=afterany:JOB --wrap={shlex.quote(merging)}"
    )


def _leave_to_run_code(words: Sequence[str]) -> list[str]:
    """Return the option of `merge` for a rule or process of a file that is named here."""
    named = any(".py" in word for word in words if word.startswith(("stdp", "input")))
    return ["--run-given-code"] if named else []


def _submit(experiment: Path, script: str, merging: Sequence[str], one_task: str) -> None:
    """Submit the array and a merge after it; keep their scripts, and print how to do it again.

    Raises
    ------
    CommandError
        If Slurm is not here or does not take them, or a script cannot be written. Nothing is left
        behind, unless the array was taken and the merge was not.
    """
    folder = experiment / "shards"
    array, merge = (folder / f"{name}.sbatch" for name in ("array", "merge"))
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    not_merged = ""
    try:
        with replacing(array) as array_script, replacing(merge) as merge_script:
            array_script.write_text(script)
            merge_script.write_text(_merge_script(experiment, merging))
            job = _sbatch(str(array_script))
            try:
                after = _sbatch(f"--dependency=afterany:{job}", str(merge_script))
            except CommandError as error:
                not_merged = str(error)
    except (CommandError, StorageError) as error:
        with contextlib.suppress(OSError):  # where something is there already
            for path in made:
                path.rmdir()
        raise CommandError(str(error)) from error
    if not_merged:
        again = shlex.join(["sbatch", f"--dependency=afterany:{job}", str(merge)])
        raise CommandError(f"{not_merged}; array {job} is submitted, its merge by {again}")
    print(f"array {job}, merged by job {after}; output in {folder}")
    print(f"one task again: {shlex.join(['sbatch', one_task, str(array)])}")
    print(f"merge again: {shlex.join(['sbatch', str(merge)])}")


def _merge_script(experiment: Path, commands: Sequence[str]) -> str:
    return "\n".join(
        [
            "#!/bin/bash",
            f"#SBATCH --job-name=merge_{_job_name(experiment)}",
            f"#SBATCH --output={_log(experiment, 'merge')}",
            f"cd {shlex.quote(str(Path.cwd()))}",
            *commands,
            "",
        ]
    )


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
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["sbatch failed"]
        causes = [line for line in lines if line.startswith("sbatch: ")] or lines
        raise CommandError(f"--submit: {' '.join(causes[-1].split())}")
    return done.stdout.strip().partition(";")[0]
