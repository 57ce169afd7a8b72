"""From a Page to one HTML file that needs nothing else.

The content security policy in the page forbids every request and every script
but the page's own, which it names by hash; text is escaped by the template.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from mnistlab import atomic
from mnistlab.cards import PageFile
from mnistlab.own_pages import check_page
from mnistlab.reporting.page import Page, cell_text, cell_value
from mnistlab.reporting.palette import VARIABLES

if TYPE_CHECKING:
    from jinja2 import Environment

# Characters that no HTML may hold, as from a name in a damaged table.
_CONTROLS = dict.fromkeys([*range(9), 11, *range(14, 32), 127], "\N{REPLACEMENT CHARACTER}")
_TEMPLATES = Path(__file__).parent / "templates"


def render(page: Page) -> str:
    """The page as HTML; the same page gives the same text."""
    from markupsafe import Markup

    script = (_TEMPLATES / "page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    text = (
        _environment()
        .get_template("page.html.jinja")
        .render(
            page=page,
            cell_text=cell_text,
            cell_value=cell_value,
            colours=VARIABLES,
            script=Markup(script),  # ours, and named by its hash in the policy
            script_hash=digest,
            style=Markup((_TEMPLATES / "page.css").read_text(encoding="utf-8")),
        )
    )
    # A lone surrogate, as from an undecodable file name, cannot be written as UTF-8.
    return text.encode(errors="replace").decode().translate(_CONTROLS)


def write(page: Page, folder: Path, name: str = "report.html") -> Path:
    """Write the page and figures/NAME.png into `folder`; returns the path of the page.

    Refuses, before anything is written, to replace a file of the user's: see check_page.
    """
    path = folder / name
    check_page(path)
    for figure in page.figures():
        atomic.write_bytes(folder / "figures" / f"{figure.name}.png", figure.png)
    atomic.write_text(path, render(page))
    return PageFile(path)


def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["paragraphs"] = lambda text: [p for p in text.split("\n\n") if p.strip()]
    environment.filters["markup"] = Markup  # for SVG, which `figures.theme` has cleaned
    environment.filters["base64"] = lambda content: base64.b64encode(content).decode()
    return environment
