"""From matplotlib's SVG to markup that belongs in the page.

Colours become the page's CSS variables, text takes the page's font, ids are
made unique to the figure, and only elements and attributes known to be needed
survive: no scripts, no style sheets, no metadata, no outside references.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

from mnistlab.reporting.palette import VARIABLES

_ELEMENTS = {"svg", "g", "defs", "path", "use", "clipPath", "rect", "image", "text"}
_ATTRIBUTES = {"d", "x", "y", "width", "height", "transform", "viewBox"}
_VARIABLE = {light: f"var(--{token})" for token, (light, _) in VARIABLES.items()}
_COLOUR = re.compile("|".join(_VARIABLE))
_FONT_FAMILY = re.compile(r"\s*font-family:[^;]*;")
HALO = "halo"  # the id of whatever shall stand out from what lies behind it
_REFERENCE = re.compile(r"#([\w.-]+)")


def themed(svg: bytes, prefix: str, smallest: float) -> str:
    """Markup of a matplotlib SVG whose ids start with `prefix`.

    Its size is left to CSS, down to the fraction `smallest` of its natural width:
    past that the type is too small to read, and the page scrolls the figure.
    """
    root = ElementTree.fromstring(svg)
    used = {
        name
        for element in root.iter()
        for key, value in element.attrib.items()
        if _local(key) in {"href", "clip-path"} and not value.startswith("data:")
        for name in _REFERENCE.findall(value)
    }
    clean = _clean(root, prefix, used)
    clean.set("aria-hidden", "true")  # the page's own wrapper carries the alternative text
    for size in ("width", "height"):
        del clean.attrib[size]
    natural = float(clean.attrib["viewBox"].split()[2])
    clean.set("style", f"min-width: {natural * smallest:.0f}px")
    return ElementTree.tostring(clean, encoding="unicode")


def _clean(element: ElementTree.Element, prefix: str, used: set[str]) -> ElementTree.Element:
    clean = ElementTree.Element(_local(element.tag))
    clean.text = element.text if clean.tag == "text" else None
    for key, value in element.attrib.items():
        match _local(key):
            case "id" if value == HALO:
                clean.set("class", HALO)
            case "id" if value in used:
                clean.set("id", f"{prefix}-{value}")
            case "href" if value.startswith("data:image/png;base64,"):
                clean.set("href", "".join(value.split()))
            case "href" | "clip-path" as name if "#" in value:
                clean.set(name, value.replace("#", f"#{prefix}-"))
            case "style":
                clean.set("style", _restyle(value))
            case name if name in _ATTRIBUTES:
                clean.set(name, value)
    for child in element:
        if _local(child.tag) in _ELEMENTS:
            kept = _clean(child, prefix, used)
            if len(kept) or kept.tag not in {"g", "defs"}:
                clean.append(kept)
    return clean


def _restyle(style: str) -> str:
    style = _FONT_FAMILY.sub("", style)
    return _COLOUR.sub(lambda match: _VARIABLE[match.group()], style)


def _local(name: str) -> str:
    return name.rpartition("}")[2]
