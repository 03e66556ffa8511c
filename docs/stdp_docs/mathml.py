"""An extension of Sphinx that sets formulas as MathML, which browsers show without a script.

The conversion is that of docutils. A formula that it does not know ends the build.
"""

from __future__ import annotations

from typing import Any

from docutils.utils.math import latex2mathml, unichar2tex
from sphinx.application import Sphinx


def _converted(text: str, display: str) -> str:
    lines = text.translate(unichar2tex.uni2tex_table)
    return str(latex2mathml.tex2mathml(lines, as_block=display == "block"))


def _inline(translator: Any, node: Any) -> None:
    translator.body.append(_converted(node.astext(), "inline"))
    raise _skipped()


def _displayed(translator: Any, node: Any) -> None:
    translator.body.append(f'<div class="formula">{_converted(node.astext(), "block")}</div>')
    raise _skipped()


def _skipped() -> Exception:
    from docutils.nodes import SkipNode

    return SkipNode()


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer under the name `mathml`."""
    app.add_html_math_renderer("mathml", (_inline, None), (_displayed, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
