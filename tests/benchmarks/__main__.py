"""The command line: `python -m tests.benchmarks [--quick] [--only NAME] [--missing]`."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks import one_run, sweeps
from tests.benchmarks.contestants import ROOT, RUNS_A_TURN
from tests.benchmarks.growth import growth
from tests.benchmarks.page import blocks
from tests.benchmarks.plan import Plan, quick
from tests.benchmarks.processes import processes
from tests.benchmarks.results import Results
from tests.benchmarks.rules import rules
from tests.benchmarks.table import Row, circumstances, markdown, other_processes_seconds, time_text
from tests.support.marked import filled

_PAGE = ROOT / "docs" / "benchmarks.md"

_BENCHMARKS: dict[str, Callable[[Plan], Iterator[Row]]] = {
    "dt_1": one_run.dt_1,
    "dt_01": one_run.dt_01,
    "song": one_run.song,
    "rules": rules,
    "processes": processes,
    "overhead": sweeps.overhead,
    "start_up": sweeps.start_up,
    "resume": sweeps.resume,
    "two_cores": sweeps.two_cores,
    "memory": sweeps.memory,
    "figures": sweeps.figures,
    "study": sweeps.study,
    "growth": growth,
}

#: The benchmarks of each file, which are of one version: against others, of rules, of processes.
_FILES = {
    Path(__file__).with_name("RESULTS.md"): [
        name for name in _BENCHMARKS if name not in ("rules", "processes")
    ],
    Path(__file__).with_name("RULES.md"): ["rules"],
    Path(__file__).with_name("PROCESSES.md"): ["processes"],
}

_HOW = """\
Times of one run are the minimum over {repeats} alternating repeats (A B A B ...) on one core,
including the generation of the input; runs of this project and of C are short, so that each of
their repeats is the minimum of {runs} runs. Brian2 and NEST report their own times, without
start-up and compilation. The ratio is the other's number over this project's. The last column
compares the results, output spikes and mean final weight (random streams differ, and so do the
numbers; the usual order of operations of Brian2 counts a coincidence as LTP only), or states how a
row was measured."""


def main() -> None:
    """Run the benchmarks and print their tables; in full size, write each as it ends.

    The numbers of `docs/benchmarks.md` are replaced when all benchmarks of a file have results of
    one version.
    """
    arguments = _parser().parse_args()
    for file, names in _FILES.items():
        wanted = [name for name in arguments.only or names if name in names]
        if wanted or not arguments.only:
            _run(arguments, file, names, wanted)
    measured = [Results.read(file) for file in _FILES if file.exists()]
    missing = [one.missing(names) for one, names in zip(measured, _FILES.values(), strict=False)]
    if not (arguments.quick or any(missing) or len(measured) < len(_FILES)):
        _PAGE.write_text(filled(_PAGE.read_text(), "bench", blocks(*measured)))


def _run(arguments: argparse.Namespace, file: Path, names: list[str], wanted: list[str]) -> None:
    """Run benchmarks of one file."""
    where = circumstances()
    results = Results.of_version(file, where)
    if not arguments.quick and file.exists() and not results.sections:
        print(f"{file} is of another version or machine and is replaced", file=sys.stderr)
    chosen = results.missing(names) if arguments.missing and not arguments.only else wanted
    results = Results(where, {}) if arguments.quick else results
    with tempfile.TemporaryDirectory() as folder:
        plan = quick(Path(folder)) if arguments.quick else Plan(Path(folder), ROOT / "docs")
        if arguments.points:
            plan = dataclasses.replace(plan, growth_points=arguments.points)
        how = _HOW.format(repeats=plan.repeats, runs=RUNS_A_TURN)
        for name in chosen:
            results = results.with_section(name, _measured(plan, name))
            if not arguments.quick:
                results.write(file, names, how)
    print(results.text(names, how))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="smaller sizes, fewer repeats; not written to RESULTS.md",
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=_BENCHMARKS,
        help="only this benchmark; may be repeated. The others keep their results in RESULTS.md if "
        "these are of the same version and machine",
    )
    parser.add_argument(
        "--missing",
        action="store_true",
        help="only benchmarks without results of this version and machine in RESULTS.md",
    )
    parser.add_argument(
        "--points", type=int, metavar="N", help="greatest number of points of `growth`"
    )
    return parser


def _measured(plan: Plan, name: str) -> str:
    """Return date, circumstances and table of a benchmark; if it fails, a row has its error."""
    started, others = time.perf_counter(), other_processes_seconds()
    rows: list[Row] = []
    try:
        for row in _BENCHMARKS[name](plan):
            print(row.line(), file=sys.stderr)
            rows.append(row)
    except Exception as error:  # the other benchmarks are still run
        traceback.print_exc()
        rows.append(Row(name, ours=f"failed: {type(error).__name__}"))
    seconds = time.perf_counter() - started
    cores = max(0.0, other_processes_seconds() - others) / seconds
    return (
        f"{datetime.date.today():%Y-%m-%d}, measured in {time_text(seconds)}; other processes used "
        f"{cores:.2f} cores meanwhile.\n\n{markdown(rows)}"
    )


if __name__ == "__main__":
    main()
