"""The site: `make site` builds it into build/site, with warnings as errors.

Pages are the Markdown files of this folder. The build makes others: the reference of the command
line, from its own help; that of Python, from the docstrings of the public names; the chapters of
the course, from labs/; and a page to draw on, with networks that it trains.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from docutils.nodes import SkipNode
from latex2mathml.converter import convert
from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent))
import chapter_pages
import example_page
import reference_pages

from mnistlab.version import __version__

project = "mnistlab"
author = "the mnistlab authors"
project_copyright = "2026, the mnistlab authors"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
nitpicky = False  # types of NumPy and torch are named in signatures and explained elsewhere
suppress_warnings = ["config.cache"]
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 4

add_module_names = False
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
maximum_signature_line_length = 88

html_math_renderer = "mathml"
html_theme = "furo"
html_title = "mnistlab"
html_show_sphinx = False
html_copy_source = False
html_static_path = ["site"]
html_css_files = ["site.css"]
html_extra_path = ["generated/extra"]
exclude_patterns = ["generated/extra"]
# Pages beside this folder, under the names by which the site shows them.
BESIDE = {
    "README.md": "readme.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
# On the site the picture of the page to draw on becomes the page itself.
PICTURE = re.compile(r"!\[[^]]*\]\(images/drawing-page\.png\)")
FRAME = """<iframe class="drawing" src="draw.html" title="A page to draw on"></iframe>

<a href="draw.html">The page alone</a>, as you would send it. Its two networks are small: the build
of this site trained them in seconds."""


def linked_here(app: Sphinx, name: str, text: list[str]) -> None:
    """Links to pages beside this folder lead to the site's copies, those to chapters to pages."""
    depth = "../" * name.count("/")
    chapters = rf"({depth}generated/chapters/\1.md)"
    text[0] = re.sub(r"\((?:\.\./)+labs/(\d\d_\w+)\.py\)", chapters, text[0])
    if name == "drawing-page":
        text[0] = PICTURE.sub(FRAME, text[0])
    for file, page in BESIDE.items():
        for begin in ("../" * (name.count("/") + 1), ""):
            text[0] = text[0].replace(f"]({begin}{file}", f"]({depth}{page}")


def inline_math(writer: Any, node: Any) -> None:
    """LaTeX as MathML, which browsers show without a script."""
    writer.body.append(convert(node.astext()))
    raise SkipNode


def block_math(writer: Any, node: Any) -> None:
    """An equation of its own."""
    writer.body.append(f'<div class="math">{convert(node.astext(), display="block")}</div>')
    raise SkipNode


def write_pages(folder: Path, pages: dict[str, str]) -> None:
    """Write each page; one that would not change keeps its time, and is not built again."""
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Called by Sphinx before it reads the pages."""
    generated = Path(__file__).parent / "generated"
    write_pages(generated, reference_pages.pages() | chapter_pages.pages())
    example_page.write(generated / "extra")
    app.connect("source-read", linked_here)
    app.connect("include-read", lambda app, path, parent, text: linked_here(app, parent, text))
    app.connect("autodoc-process-docstring", reference_pages.as_plain_sentences)
    app.connect("autodoc-process-signature", reference_pages.without_long_types)
    app.add_html_math_renderer("mathml", (inline_math, None), (block_math, None))
