"""Configuration of Sphinx. `make docs` builds the site, with all warnings as errors.

The pages that Sphinx reads are those that `python -m stdp_docs` writes. Nothing is downloaded, and
the pages need no server and no network: formulas are MathML, flowcharts SVG.
"""

import sys
from importlib import metadata
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

project = "stdp-pipeline"
author = "The stdp-pipeline authors"
copyright = author  # noqa: A001 - the name that Sphinx reads
release = version = metadata.version("stdp-pipeline")

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
    "stdp_docs.mathml",
]
html_math_renderer = "mathml"
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3

html_theme = "pydata_sphinx_theme"
html_title = "stdp-pipeline"
html_sidebars = {"benchmarks": []}  # a page without further ones
html_static_path = [str(Path(__file__).parent / "static")]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False

autodoc_typehints = "none"  # types and shapes are in the docstrings
numpydoc_show_class_members = False
default_role = "code"  # `name` in docstrings
nitpicky = True
html_theme_options = {
    "header_links_before_dropdown": 7,
    "navbar_align": "left",
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
copybutton_exclude = ".linenos, .gp, .go"
