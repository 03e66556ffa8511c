"""Links of pages that are moved from the repository to the site."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

_LINK = re.compile(r'(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)|src="(?P<src>[^"]+)"')
_FENCED = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def relinked(text: str, page: Path, staged: Path, moved: Mapping[Path, Path]) -> str:
    """Return a page with the links that it needs in another place.

    A link to a page of the site stays a link; one to a folder of the repository becomes its text,
    one to a file there a download. Code is unchanged.

    Parameters
    ----------
    text : str
        The page.
    page : Path
        Its file in the repository.
    staged : Path
        Its file in the sources of the site.
    moved : mapping of Path to Path
        The files of the repository that are part of the site, and where.

    Raises
    ------
    ValueError
        If a link leads nowhere.
    """

    def link(found: re.Match[str]) -> str:
        target = found["target"] or found["src"]
        if re.match(r"\w+:", target) or target.startswith("#"):
            return found[0]
        path, _, anchor = target.partition("#")
        file = Path(os.path.normpath(page.parent / path))
        if file in moved:
            new = os.path.relpath(moved[file], staged.parent)
        elif file.is_dir():
            return found["text"]
        elif file.is_file():
            new = os.path.relpath(file, staged.parent)
        else:
            raise ValueError(f"{page}: {target} does not exist")
        new += f"#{anchor}" if anchor else ""
        return f'src="{new}"' if found["src"] else f"{found['image']}[{found['text']}]({new})"

    parts = _FENCED.split(text)
    return "".join(part if n % 2 else _LINK.sub(link, part) for n, part in enumerate(parts))
