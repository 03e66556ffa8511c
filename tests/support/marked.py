"""Pages with text between marks, which a command makes anew."""

from __future__ import annotations

import re
from collections.abc import Mapping


def filled(page: str, kind: str, texts: Mapping[str, str]) -> str:
    """Return a page with the text of its blocks of one kind replaced.

    A block stands between `<!-- KIND: NAME -->` and `<!-- KIND end -->`.

    Raises
    ------
    ValueError
        If the page does not have each block once.
    """
    for name, text in texts.items():
        mark, end = f"<!-- {kind}: {name} -->", f"<!-- {kind} end -->"
        block = f"{mark}\n\n{text}\n\n{end}"
        pattern = f"{re.escape(mark)}.*?{re.escape(end)}"
        page, found = re.subn(pattern, lambda _, block=block: block, page, flags=re.DOTALL)
        if found != 1:
            raise ValueError(f"{found} blocks {mark}: must be one")
    return page
