"""The sources that Sphinx reads: pages of `docs/`, of the repository, and generated ones."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from stdp_docs.blocks import BLOCKS
from stdp_docs.flowchart import drawn
from stdp_docs.item_pages import pages
from stdp_docs.links import relinked
from stdp_docs.places import DOCS, GALLERY, ROOT

_GENERATED = re.compile(r"^<!-- generated: (.+?) -->$", re.MULTILINE)
_INCLUDED = re.compile(r"^<!-- include: (.+?) -->$", re.MULTILINE)

#: Pages of the repository that are pages of the site, and where.
_FROM_REPOSITORY = {
    ROOT / "CONTRIBUTING.md": "contributing.md",
    ROOT / "CHANGELOG.md": "changelog.md",
    ROOT / "tests/benchmarks/RESULTS.md": "records/benchmarks.md",
    ROOT / "tests/benchmarks/NOTES.md": "records/profile.md",
    ROOT / "tests/settle/RESULTS.md": "records/settle.md",
    ROOT / "tests/soak/RESULTS.md": "records/soak.md",
    ROOT / "tests/inference/RESULTS.md": "records/inference.md",
    **{file: f"notebooks/{file.name}" for file in GALLERY.glob("*.md")},
}


def stage(folder: Path) -> None:
    """Write all pages and pictures into a folder, which is replaced as a whole."""
    shutil.rmtree(folder, ignore_errors=True)
    moved = places(folder)
    generated = {folder / name: text for name, text in pages().items()}
    for target in generated:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(generated[target], encoding="utf-8")
    for file, target in moved.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        if target in generated or file == ROOT / "README.md":
            continue
        if file.suffix == ".md":
            target.write_text(staged_text(file, target, moved), encoding="utf-8")
        else:
            shutil.copyfile(file, target)


def places(folder: Path) -> dict[Path, Path]:
    """Return where each file of the site is staged: those of the repository, and generated ones.

    A generated page counts as a file of `docs/` that pages can link to.
    """
    own = [
        file
        for pattern in ("**/*.md", "**/*.png", "**/*.svg", "**/*.csv")
        for file in DOCS.glob(pattern)
        if not {"_build", "stdp_docs"} & set(file.relative_to(DOCS).parts)
    ]
    pictures = {file: folder / "gallery" / file.name for file in GALLERY.glob("*.png")}
    of_notebooks = {
        file: folder / "notebooks" / file.relative_to(GALLERY) for file in GALLERY.glob("*/*.png")
    }
    return {
        **{file: folder / file.relative_to(DOCS) for file in own},
        **{DOCS / name: folder / name for name in pages()},
        **{file: folder / name for file, name in _FROM_REPOSITORY.items()},
        **pictures,
        **of_notebooks,
        ROOT / "README.md": folder / "index.md",
    }


def staged_text(file: Path, target: Path, moved: dict[Path, Path]) -> str:
    """Return a page as Sphinx reads it: marks replaced, links moved, flowcharts drawn."""

    def included(found: re.Match[str]) -> str:
        other = ROOT / found[1]
        return relinked(other.read_text(encoding="utf-8"), other, target, moved)

    text = relinked(file.read_text(encoding="utf-8"), file, target, moved)
    if not text.lstrip().startswith(("#", "<!--")):
        text = f"# {target.stem.capitalize()}\n\n{text}"
    if target.parent.name == "notebooks":  # lines may be commands of the shell
        text = text.replace("```python", "```ipython3")
    text = _GENERATED.sub(lambda found: BLOCKS[found[1]](), text)
    return drawn(_INCLUDED.sub(included, text))
