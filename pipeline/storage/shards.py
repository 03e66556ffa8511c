"""Shards of an experiment: its folder `shards/`, their number there, and the one that is asked for.

The number of shards is written once, by the first that runs, and all others follow it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.composition.run_settings import RunSettings
from pipeline.composition.shard import MOST_SHARDS, SLURM, Shard, shard_of
from pipeline.model.errors import RequestError
from pipeline.model.quantity import written
from pipeline.request.grid import Grid
from pipeline.request.spec import Request
from pipeline.storage.content import refuse_other_content
from pipeline.storage.directory import Directory
from pipeline.storage.lock import is_written
from pipeline.storage.own_contents import known_and_named, write_request_with_contents
from pipeline.storage.union import refuse_unlike, united_with_earlier
from pipeline.system import host
from pipeline.system.words import counted

#: The folder of an experiment that holds one directory per shard, and the file there with their
#: number; `analysis` knows both names.
SHARDS, DIVISION = "shards", "shards.json"

#: Variables of Slurm: the number of a task, and of its array the first one, the last one, how many.
_TASK, _FIRST, _LAST, _COUNT = (
    f"SLURM_ARRAY_TASK_{name}" for name in ("ID", "MIN", "MAX", "COUNT")
)


@dataclass(frozen=True)
class Division:
    """How an experiment is divided.

    Attributes
    ----------
    total : int
        Number of shards.
    first : int or None
        Number of the first task of the Slurm array that divided it; None without one.
    """

    total: int
    first: int | None = None

    def __str__(self) -> str:
        if self.first is None:
            return f"{counted(self.total, 'shard')}, run.shard=i/{self.total}"
        last = self.first + self.total - 1
        tasks = f"tasks {self.first} to {last}" if self.total > 1 else f"task {last}"
        return f"{counted(self.total, 'shard')}, {tasks} of a Slurm array"


class ShardDirectory(Directory):
    """The directory of one shard, `outputs/NAME/shards/i`: an experiment of the whole request.

    Parameters
    ----------
    experiment : Path
        The directory of the experiment, `outputs/NAME`.
    shard : Shard
        The part that it holds.
    division : Division
        How the experiment is divided, unless that is written there already.
    asked : Grid
        The points that are requested of all shards.
    """

    shard: Shard

    def __init__(self, experiment: Path, shard: Shard, division: Division, asked: Grid) -> None:
        super().__init__(experiment / SHARDS / str(shard.number))
        self.shard = shard
        self._experiment = experiment
        self._division = division
        self._asked = asked

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Write the number of shards, unless it is there, and hold the directory as any other.

        Of shards that begin at once, each is compared with those that began before it.

        Raises
        ------
        RequestError
            If the experiment is divided otherwise, has shards of other settings, or as
            `Directory.held`.
        """
        self.refuse_unusable()
        _pin(self._experiment, self._division)
        with contextlib.ExitStack() as held:
            with _one_at_a_time(self._experiment / SHARDS / DIVISION):
                held.enter_context(super().held())  # which compares once more
                if not self.has_points():
                    self._write_first_request()
            yield

    def refuse_unusable(self) -> None:
        """Refuse what `held` would refuse, except a lock, without writing anything."""
        refuse_other_content(self._experiment)
        _refuse_another(self._experiment, self._division)
        super().refuse_unusable()
        if other := self._begun_otherwise():
            refuse_unlike(self._asked, self.shard, *other)

    def _begun_otherwise(self) -> tuple[Directory, Request] | None:
        """Return the experiment or the first shard that has begun, and its request.

        None if that is the same request. One is enough, as it was compared with others. Without
        points, and where nothing runs, it may be begun anew with other settings.
        """
        for other in self._others():
            with contextlib.suppress(OSError, RequestError):  # not readable, as another user's
                if not (other.has_points() or is_written(other.path)):
                    continue
                if other.has_request_of(self._asked):
                    return None
                if request := other.request():
                    return other, request
        return None

    def _others(self) -> Iterator[Directory]:
        """Yield the directory of the experiment, and those of other shards in order."""
        yield Directory(self._experiment)
        for number in shards_in(self._experiment):
            if number != self.shard.number:
                shard = Shard(number, self.shard.total)
                yield ShardDirectory(self._experiment, shard, self._division, self._asked)

    def _write_first_request(self) -> None:
        """Write the request with which other shards are compared, long before there are points."""
        asked = self._asked
        if self.has_request_of(asked):
            return
        if (earlier := self.request()) is not None:
            asked = known_and_named(asked, earlier, self)
            asked, _ = united_with_earlier(asked, earlier, self)
        write_request_with_contents(asked, self)


def shards_in(experiment: Path) -> dict[int, Path]:
    """Return the directories of the shards that there are, by number, in order."""
    try:
        names = os.listdir(experiment / SHARDS)  # noqa: PTH208 - Path.iterdir has full paths
    except OSError:
        return {}
    numbers = sorted({int(name) for name in names if name.isascii() and name.isdecimal()})
    return {number: experiment / SHARDS / str(number) for number in numbers}


def experiment_directory(
    path: Path, settings: RunSettings, asked: Grid, unnamed: bool = False
) -> Directory:
    """Return the directory that a run writes: that of the experiment, or of one of its shards.

    Parameters
    ----------
    path : Path
        The directory of the experiment.
    settings : RunSettings
        How points are run, for `run.shard`.
    asked : Grid
        The points that are requested, of all shards.
    unnamed : bool
        Whether the path is one that other commands may choose too.

    Raises
    ------
    RequestError
        If the shard is not one of the experiment, which may have none, or have shards alone.
    """
    if settings.shard is None:
        if not unnamed:
            refuse_not_merged(path)
        return Directory(path, unnamed)
    if unnamed:
        raise RequestError(
            f"{written('run.shard', settings.shard)}: needs name=..., as without it each shard "
            "would go to a directory of its own"
        )
    if settings.shard == SLURM:
        return ShardDirectory(path, *_of_this_task(path, os.environ), asked)
    shard = shard_of(settings.shard)
    pinned = division_of(path)
    if pinned and pinned.total != shard.total:
        raise RequestError(_refusal(settings.shard, path, pinned))
    return ShardDirectory(path, shard, pinned or Division(shard.total), asked)


def _of_this_task(path: Path, environment: Mapping[str, str]) -> tuple[Shard, Division]:
    """Return the shard that a task of a Slurm array runs, and how the experiment is divided."""
    numbers = {}
    for name in (_TASK, _FIRST, _LAST):
        text = environment.get(name, "")
        if not text.isdecimal():
            raise RequestError(
                f"run.shard={SLURM}: must be in a task of a Slurm array (sbatch --array=1-16); "
                f"{name} is {written('', text).lstrip('=') if text else 'not set'}"
            )
        numbers[name] = int(text)
    task, first, last = numbers.values()
    pinned = division_of(path)
    division = pinned or Division(last - first + 1, first)
    if division.first is None:
        raise RequestError(_refusal(SLURM, path, division))
    if pinned is None:
        count = environment.get(_COUNT, str(division.total))
        if count != str(division.total) or division.total > MOST_SHARDS:
            raise RequestError(
                f"run.shard={SLURM}: the first array must be without gaps, of at most "
                f"{MOST_SHARDS} tasks, as --array=1-16; it has {count} tasks from {first} to {last}"
            )
    number = task - division.first + 1
    if not 1 <= number <= division.total:
        raise RequestError(
            f"{_TASK}={task}: must be from {division.first} to "
            f"{division.first + division.total - 1}, the array by which {path} was divided"
        )
    return Shard(number, division.total), division


def division_of(experiment: Path) -> Division | None:
    """Return how an experiment is divided, None if it is not.

    Raises
    ------
    RequestError
        If the file that says so, or its folder, cannot be read.
    """
    file = experiment / SHARDS / DIVISION
    if not os.path.exists(file):  # noqa: PTH110 - see `refuse_not_merged`
        if os.path.isdir(file.parent) and not os.access(file.parent, os.X_OK):  # noqa: PTH112
            raise RequestError(f"{file.parent}: cannot be read ({os.strerror(errno.EACCES)})")
        return None
    try:
        values = json.loads(file.read_text())
        return Division(int(values["shards"]), values["first_task"])
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RequestError(
            f"{file}: cannot be read ({getattr(error, 'strerror', None) or error}); remove it "
            "where it is damaged, and run any shard with the same number of them again"
        ) from error


def refuse_not_merged(path: Path) -> None:
    """Refuse to use the directory of an experiment that has shards alone.

    Raises
    ------
    RequestError
        If there are shards, and nothing was merged yet.
    """
    names = ("results.nc", "configuration.yaml", "points")
    # A name that no file can have, at which `Path.exists` raises, is refused later.
    if any(os.path.exists(path / name) for name in names):  # noqa: PTH110
        return
    if division := division_of(path):
        raise RequestError(
            f"{path}: has {division}, that are not merged; {host.merge_command(str(path))} "
            "merges them"
        )


def _pin(experiment: Path, division: Division) -> None:
    """Write how an experiment is divided, unless another shard has; of many at once one does."""
    folder = experiment / SHARDS
    file = folder / DIVISION
    if not file.exists():
        temporary = folder / f".{DIVISION}.{uuid.uuid4().hex}.tmp"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            text = json.dumps({"shards": division.total, "first_task": division.first}, indent=2)
            temporary.write_text(text + "\n")
            _name_once(temporary, file)
        except OSError as error:
            reason = error.strerror or str(error)
            raise RequestError(f"{folder}: must be a writable directory ({reason})") from error
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()
    _refuse_another(experiment, division)


def _name_once(temporary: Path, file: Path) -> None:
    """Give a written file its name, unless there is one of that name."""
    try:
        os.link(temporary, file)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links: one at a time
        folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with contextlib.suppress(OSError):  # where nothing can be locked either
                fcntl.flock(folder, fcntl.LOCK_EX)
            if not file.exists():
                temporary.replace(file)
        finally:
            os.close(folder)


@contextlib.contextmanager
def _one_at_a_time(file: Path) -> Iterator[None]:
    """Hold the lock of a file during the block; without it where there are no locks."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            lock = stack.enter_context(file.open("r+"))  # over NFS only a writer can lock
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _refuse_another(experiment: Path, division: Division) -> None:
    """Refuse a division that is not the one that an experiment has."""
    pinned = division_of(experiment)
    if pinned and pinned != division:
        raise RequestError(_refusal(f"i/{division.total}", experiment, pinned))


def _refusal(shard: str, experiment: Path, pinned: Division) -> str:
    return (
        f"{written('run.shard', shard)}: {experiment} is divided into {pinned}; go on with these, "
        "or choose another name"
    )
