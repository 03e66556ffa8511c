"""`python -m stdp_docs FOLDER`: write the sources that Sphinx reads into a folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from stdp_docs.example_figures import draw_examples
from stdp_docs.input_figures import draw_inputs
from stdp_docs.rule_figures import draw_rules
from stdp_docs.staging import stage


def main() -> None:
    """Write pages and pictures."""
    parser = argparse.ArgumentParser(prog="python -m stdp_docs", description=__doc__)
    parser.add_argument("folder", type=Path, help="replaced as a whole")
    folder: Path = parser.parse_args().folder
    stage(folder)
    draw_examples(folder / "reference" / "figures")
    draw_rules(folder / "reference" / "rules")
    draw_inputs(folder / "reference" / "inputs")


if __name__ == "__main__":
    main()
