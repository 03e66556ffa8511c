"""Run the comparison (`make compare`), store its results and fill the tables of the page.

`python -m tests.compare [brian2] [synapses] [neuron] [page]`: all of these by default.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from joblib import Parallel, delayed

from pipeline.engine import compiled
from pipeline.model.integration import run_to_end
from tests.compare.brian2 import PeerRun, run_in_brian2
from tests.compare.cases import DURATION, KINDS, USUAL, configurations
from tests.compare.nest import NestCase, run_here, run_in_nest
from tests.compare.nest_cases import FREE, N_SEEDS, PRESCRIBED
from tests.compare.page import PAGE, blocks
from tests.compare.results import divergence, over_seeds, paired, same_events, store, stored
from tests.compare.weight_sent import SentAfterDepression
from tests.support.marked import filled
from tests.support.peers import AbsentError


def main() -> None:
    """Run the parts that the command line names."""
    parts = {
        "brian2": with_brian2,
        "synapses": with_synapses_of_nest,
        "neuron": with_neuron_of_nest,
        "page": fill_page,
    }
    for name in sys.argv[1:] or parts:
        started = time.monotonic()
        try:
            parts[name]()
        except AbsentError as error:
            sys.exit(f"{name}: {error}")
        print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)


def with_brian2() -> None:
    """Compare every rule, process and feature with Brian2."""
    with tempfile.TemporaryDirectory() as folder:
        all_cases = configurations(Path(folder))
        usual = {f"usual_{choice}": choice for choice in USUAL}
        both = all_cases | dict.fromkeys(usual, all_cases["additive"])
        theirs, versions = run_in_brian2(Path(folder), both, usual)
        entries = {}
        for kind, cases in KINDS.items():
            for name in cases:
                recording = compiled.run(all_cases[name])
                ours = PeerRun(recording.spike_step, recording.weight)
                entries[name] = {"kind": kind, **same_events(ours, theirs[name])}
    store("brian2", entries, versions)
    same = theirs["additive"]
    changed = {one: divergence(same, theirs[name]) for name, one in usual.items()}
    store("brian2_usual", changed, versions)


def with_synapses_of_nest() -> None:
    """Compare weights on prescribed output spikes."""
    seed = 1
    with tempfile.TemporaryDirectory() as folder:
        one_seed = dict.fromkeys(PRESCRIBED, range(seed, seed + 1))
        theirs, versions = run_in_nest(Path(folder), PRESCRIBED, one_seed)
    entries = {
        name: same_events(run_here(case, seed), theirs[name][0])
        for name, case in PRESCRIBED.items()
    }
    store("nest_prescribed", entries, versions)


def with_neuron_of_nest() -> None:
    """Compare output rate and mean weight over seeds."""
    seeds = dict.fromkeys(FREE, range(N_SEEDS))
    with tempfile.TemporaryDirectory() as folder:
        free, versions = run_in_nest(Path(folder), FREE, seeds)
    rows = {}
    for name, case in FREE.items():
        ours = [run_here(case, seed) for seed in seeds[name]]
        sent_after = Parallel(n_jobs=2)(
            delayed(sent_after_depression)(case, seed) for seed in seeds[name]
        )
        rows[name] = {
            "here": over_seeds(ours, DURATION),
            "NEST": over_seeds(free[name], DURATION),
            "here, weight sent after its LTD": over_seeds(sent_after, DURATION),
            "difference": paired(ours, free[name], DURATION),
            "difference, weight sent after its LTD": paired(sent_after, free[name], DURATION),
        }
    store("nest_free", rows, versions)


def sent_after_depression(case: NestCase, seed: int) -> PeerRun:
    """Return a run here in which conductances jump by weights after their depression."""
    configuration = case.configuration.with_seed(seed)
    recording = run_to_end(SentAfterDepression(configuration), configuration)
    return PeerRun(recording.spike_step, recording.weight)


def fill_page() -> None:
    """Put the tables into the page of the documentation."""
    PAGE.write_text(filled(PAGE.read_text(), "compare", blocks(stored())))


if __name__ == "__main__":
    main()
