"""The numbers of `docs/benchmarks.md` from those of `RESULTS.md`: text between marks.

It is replaced as a whole. A mark is `<!-- bench: NAME -->`; the text up to `<!-- bench end -->` is
that of the block NAME.
"""

from __future__ import annotations

import re

from tests.benchmarks.results import Results
from tests.benchmarks.table import Row

#: Rows of the table of one run: label, and a pattern of the contestant's name.
_CONTESTANTS = {
    "hand-written C": r"hand-written C .*",
    "naive numba (every synapse at every step)": r"the notebook's loop in numba, dense",
    "Brian2, C++ standalone": r"Brian2 [\d.]+ C\+\+ standalone",
    "the reference engine of this project": r"its own reference engine .*",
    "NEST": r"NEST [\d.]+",
    "the notebook's algorithm": r"the notebook's algorithm",
    "Brian2, Cython": r"Brian2 [\d.]+ Cython",
}

#: Columns of the table of one run, by benchmark.
_RUNS = {
    "dt_1": "300 synapses, 15 Hz, dt 1 ms",
    "dt_01": "dt 0.1 ms",
    "song": "1,000 synapses, Song & Abbott's values, dt 0.1 ms",
}

#: Benchmarks in the table of costs around the simulation.
_AROUND = ("overhead", "start_up", "resume", "two_cores", "memory", "figures", "study")

_SECONDS = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}


def blocks(results: Results, of_rules: Results, of_processes: Results) -> dict[str, str]:
    """Return the text of every block by its name."""
    return {
        "circumstances": results.circumstances,
        "one run": _one_run(results),
        "rules": f"{of_rules.circumstances}\n\n{_rules(of_rules)}",
        "processes": f"{of_processes.circumstances}\n\n{_processes(of_processes)}",
        "around": _around(results),
        "growth": _growth(results),
    }


def _one_run(results: Results) -> str:
    rows = {name: results.rows(name) for name in _RUNS}
    ours = {name: _shortest([row.ours for row in rows[name]]) for name in _RUNS}
    lines = [["", *_RUNS.values()], ["---"] * (1 + len(_RUNS))]
    lines.append(["**this project**", *(f"**{time}**" for time in ours.values())])
    for label, pattern in _CONTESTANTS.items():
        cells = (_time_and_ratio(rows[name], pattern, ours[name]) for name in _RUNS)
        lines.append([label, *cells])
    return _table(lines)


def _rules(results: Results) -> str:
    """Return the time of each rule over that of the additive one, by time step."""
    times: dict[str, dict[str, str]] = {}
    for row in results.rows("rules"):
        dt, _, rule = row.what.partition("dt ")[2].partition(": ")
        ratio = seconds(row.ours) / seconds(row.other)
        times.setdefault(rule, {})[dt] = f"{row.ours}, {ratio:.2f} times"
    steps = list(dict.fromkeys(dt for one in times.values() for dt in one))
    lines = [["rule", *(f"dt {dt}" for dt in steps)], ["---"] * (1 + len(steps))]
    lines += [[rule, *(one[dt] for dt in steps)] for rule, one in times.items()]
    return _table(lines)


def _processes(results: Results) -> str:
    """Return the time per event of each process, over that of Poisson's, and that of a run."""
    lines = [["input process", "time per event", "run of 120 s"], ["---"] * 3]
    for row in results.rows("processes"):
        process = row.what.partition(": ")[2]
        ratio = _number(row.ours, "ns") / _number(row.other, "ns")
        run = row.check.partition(": ")[2]
        lines.append([process, f"{row.ours}, {ratio:.1f} times", run])
    return _table(lines)


def _number(written: str, unit: str) -> float:
    return float(written.removesuffix(f" {unit}").replace(",", ""))


def _around(results: Results) -> str:
    lines = [["", "this project", "compared with"], ["---"] * 3]
    for row in (row for name in _AROUND for row in results.rows(name)):
        against = "" if row.against == "-" else f"{row.against}: {row.other}, {row.ratio}"
        lines.append([row.what, row.ours, against])
    return _table(lines)


def _growth(results: Results) -> str:
    rows = [f"{row.what}: {row.ours} ({row.check})" for row in results.rows("growth")]
    return "\n".join(f"- {row}" for row in rows)


def _time_and_ratio(rows: list[Row], pattern: str, ours: str) -> str:
    """Return time, ratio and time to compile of a contestant; nothing if it was not measured.

    The ratio is that of the two times in the table; the rows have ratios of alternating repeats.
    """
    for row in rows:
        if re.fullmatch(pattern, row.against) and row.ratio != "-":
            time = row.other.partition(" (")[0]
            compiled = re.search(r"and [\d.,]+ \w+ to compile", row.other)
            ratio = seconds(time) / seconds(ours)
            shown = f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.2f}"
            return f"{time}, {shown}x" + (f" ({compiled[0]})" if compiled else "")
    return ""


def _shortest(times: list[str]) -> str:
    """Return the shortest of several times as written, `-` if there is none."""
    return min((time for time in times if time != "-"), key=seconds, default="-")


def seconds(written: str) -> float:
    """Return a time as written, such as `4.05 ms` [s]."""
    number, unit = written.replace(",", "").split()
    return float(number) * _SECONDS[unit]


def _table(lines: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
