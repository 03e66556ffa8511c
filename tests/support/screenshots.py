"""Screenshots of the pages for the documentation: `make screenshots`, a minute on two cores.

They show an experiment of 60 runs of 20,000 s, and the lab after a few moves.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from PIL import Image

import pipeline
from tests.support.browser import Opened, chromium, served

FOLDER = Path(__file__).parents[2] / "docs" / "images"

#: Widths and heights of the window [pixel]; a narrow page is shown as far as it is seen at once.
SIZES = {1400: 900, 700: 1500}

#: Long runs that begin at the upper bound: some settle, so that there is theory to be seen.
EXPERIMENT = ("synapse.w_init=1", "simulation.duration=20000000", "record.weight_interval=50000")
AXES = {
    "input.rate_hz": [15, 20, 25, 30, 40],
    "stdp.ltd_ratio": [1.02, 1.04, 1.06, 1.1],
    "seed": range(3),
}


def main() -> None:
    """Make all screenshots; print their paths and sizes."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        path = Path(folder)
        pipeline.sweep(pipeline.configure(*EXPERIMENT), AXES, path / "outputs" / "equilibrium")
        with served("explore", "outputs/equilibrium", folder=path) as address:
            for width in SIZES:
                page = Opened(browser, address, width=width, height=SIZES[width])
                page.wait("find('map').data.image.length == 1")
                _save(page, f"explore_{width}")
        with served("lab", folder=path) as address:
            for width in SIZES:
                page = Opened(browser, address, width=width, height=SIZES[width])
                page.press("slider_stdp.ltd_ratio", "ArrowLeft", 10)
                page.enter("text_input.rate_hz", "20")
                page.enter("text_seed", "x")
                page.wait("find('problem').text != ''")
                _save(page, f"lab_{width}")


def _save(page: Opened, name: str) -> None:
    """Write what the window shows, in 256 colours."""
    page.page.mouse.move(0, 0)
    page.page.wait_for_timeout(2000)
    file = FOLDER / f"{name}.png"
    page.page.screenshot(path=file, full_page=name.endswith("_1400"))
    with Image.open(file) as image:
        small = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    small.save(file, optimize=True)
    page.close()
    print(f"{file}: {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
