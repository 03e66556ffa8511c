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
from tests.benchmarks.table import Row, bystanders_seconds, circumstances, markdown

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
Times of one run are the fastest of {repeats} turns that alternate with the other's (A B A B ...),
on one core, the drawing of the input included; this project's runs are so short that its turn is
the fastest of {runs}. Brian2 and NEST tell their own time, without start-up and compiling. The
ratio is the other's number over this project's. The last column shows that both did the same work,
by output spikes and mean final weight (random streams differ, and so do the numbers; Brian2's usual
order counts a coincidence as LTP only), or how it was measured."""


def main() -> None:
    """Measure, print the table, and keep it if everything was measured in full."""
    arguments = _parser().parse_args()
    chosen = arguments.only or list(_BENCHMARKS)
    with tempfile.TemporaryDirectory() as folder:
        plan = quick(Path(folder)) if arguments.quick else Plan(Path(folder))
        where = circumstances()
        disturbed: dict[str, float] = {}
        table = markdown(_measured(plan, chosen, disturbed))
    cores = ", ".join(f"{name} {share:.2f}" for name, share in disturbed.items())
    how = _HOW.format(repeats=plan.repeats, runs=RUNS_A_TURN)
    report = f"{where} Cores that other work took meanwhile: {cores}.\n\n{how}\n\n{table}\n"
    print(report)
    if not (arguments.quick or arguments.only):
        _RESULTS.write_text(f"# Results of `make bench`\n\n{report}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything; not kept")
    parser.add_argument(
        "--only",
        action="append",
        choices=_BENCHMARKS,
        help="only this one; may be given again; not kept",
    )
    return parser


def _measured(plan: Plan, names: Iterable[str], disturbed: dict[str, float]) -> Iterator[Row]:
    """Yield every row as it comes; a benchmark that fails is a row that says so.

    How many cores others kept busy during each is noted in `disturbed`.
    """
    for name in names:
        started, others = time.perf_counter(), bystanders_seconds()
        try:
            for row in _BENCHMARKS[name](plan):
                print(row.line(), file=sys.stderr)
                yield row
        except Exception as error:  # the other rows are still wanted
            traceback.print_exc()
            yield Row(name, ours=f"failed: {type(error).__name__}")
        seconds = time.perf_counter() - started
        disturbed[name] = max(0.0, bystanders_seconds() - others) / seconds


if __name__ == "__main__":
    main()
