"""The command line: `python -m tests.benchmarks [--quick] [--only NAME]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tests.benchmarks import one_run, sweeps
from tests.benchmarks.contestants import RUNS_A_TURN
from tests.benchmarks.plan import Plan, quick
from tests.benchmarks.table import Row, circumstances, markdown, other_processes_seconds

_RESULTS = Path(__file__).with_name("RESULTS.md")

_BENCHMARKS: dict[str, Callable[[Plan], Iterator[Row]]] = {
    "dt_1": one_run.dt_1,
    "dt_01": one_run.dt_01,
    "song": one_run.song,
    "overhead": sweeps.overhead,
    "start_up": sweeps.start_up,
    "resume": sweeps.resume,
    "two_cores": sweeps.two_cores,
    "memory": sweeps.memory,
    "figures": sweeps.figures,
    "study": sweeps.study,
}

_HOW = """\
Times of one run are the minimum over {repeats} alternating repeats (A B A B ...) on one core,
including the generation of the input; this project's runs are short, so that each of its repeats is
the minimum of {runs} runs. Brian2 and NEST report their own times, without start-up and
compilation. The ratio is the other's number over this project's. The last column compares the
results, output spikes and mean final weight (random streams differ, and so do the numbers; the
usual order of operations of Brian2 counts a coincidence as LTP only), or states how a row was
measured."""


def main() -> None:
    """Run the benchmarks, print the table, and write it if all of them were run in full."""
    arguments = _parser().parse_args()
    chosen = arguments.only or list(_BENCHMARKS)
    with tempfile.TemporaryDirectory() as folder:
        plan = quick(Path(folder)) if arguments.quick else Plan(Path(folder))
        where = circumstances()
        disturbed: dict[str, float] = {}
        table = markdown(_measured(plan, chosen, disturbed))
    cores = ", ".join(f"{name} {share:.2f}" for name, share in disturbed.items())
    how = _HOW.format(repeats=plan.repeats, runs=RUNS_A_TURN)
    report = f"{where} Cores used by other processes meanwhile: {cores}.\n\n{how}\n\n{table}\n"
    print(report)
    if not (arguments.quick or arguments.only):
        _RESULTS.write_text(f"# Results of `make bench`\n\n{report}")


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
        help="only this benchmark; may be repeated; not written to RESULTS.md",
    )
    return parser


def _measured(plan: Plan, names: Iterable[str], disturbed: dict[str, float]) -> Iterator[Row]:
    """Yield every row as it is measured; a benchmark that fails yields a row with its error.

    The number of cores used by other processes during each is stored in `disturbed`.
    """
    for name in names:
        started, others = time.perf_counter(), other_processes_seconds()
        try:
            for row in _BENCHMARKS[name](plan):
                print(row.line(), file=sys.stderr)
                yield row
        except Exception as error:  # the other benchmarks are still run
            traceback.print_exc()
            yield Row(name, ours=f"failed: {type(error).__name__}")
        seconds = time.perf_counter() - started
        disturbed[name] = max(0.0, other_processes_seconds() - others) / seconds


if __name__ == "__main__":
    main()
