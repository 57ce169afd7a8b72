"""What every page of the project must stand, whoever looks at it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

# How wide a page is does not depend on its colours: the other two pairs are marked slow.
WIDTHS_AND_SCHEMES = [
    (390, "light"),
    (1440, "dark"),
    pytest.param(390, "dark", marks=pytest.mark.slow),
    pytest.param(1440, "light", marks=pytest.mark.slow),
]

# Contrast (WCAG 2.2) of every element with text of its own against what lies behind it.
CONTRASTS = """() => {
  const parse = c => {
    const numbers = (c.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
    const scale = c.startsWith("color(") ? 255 : 1; // a mixed colour, from 0 to 1
    return numbers.map((n, i) => i < 3 ? scale * n : n);
  };
  const over = (top, below) => {
    const a = top[3] ?? 1;
    return [0, 1, 2].map(i => a * top[i] + (1 - a) * below[i]);
  };
  const backdrop = element => {
    if (!element) return [255, 255, 255];
    return over(parse(getComputedStyle(element).backgroundColor), backdrop(element.parentElement));
  };
  const luminance = rgb => {
    const [r, g, b] = rgb.map(v => v / 255).map(
      v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (!own || !element.getClientRects().length || element.tagName === "SCRIPT") continue;
    const style = getComputedStyle(element);
    const behind = backdrop(element);
    const ink = element.closest("svg") ? style.fill : style.color;
    const [x, y] = [luminance(over(parse(ink), behind)), luminance(behind)].sort((a, b) => b - a);
    found.push([(x + 0.05) / (y + 0.05), element.tagName + " " + element.textContent.slice(0, 30)]);
  }
  return found;
}"""

# Whatever sticks out of the window without a container to scroll it in.
OUTSIDE = """() => {
  const scrolls = e => e && (getComputedStyle(e).overflowX === "auto" || scrolls(e.parentElement));
  return [...document.querySelectorAll("body *:not(.skip, .unseen)")]
    .filter(e => e.getClientRects().length && !scrolls(e.parentElement))
    .filter(e => e.getBoundingClientRect().left < -0.5
              || e.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
    .map(e => e.outerHTML.slice(0, 80));
}"""

# Size on screen of the smallest type in each visible drawing.
TYPE_SIZES = """() => [...document.querySelectorAll("figure svg")]
  .filter(svg => svg.getClientRects().length)
  .map(svg => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width
    * Math.min(...[...svg.querySelectorAll("text")].map(
        t => parseFloat(getComputedStyle(t).fontSize))))"""

# Text that leaves its drawing.
CUT_OFF = """() => [...document.querySelectorAll("figure svg text")]
  .filter(t => t.getClientRects().length)
  .filter(t => {
    const box = t.getBoundingClientRect(), frame = t.ownerSVGElement.getBoundingClientRect();
    return box.left < frame.left - 3 || box.right > frame.right + 3
        || box.top < frame.top - 3 || box.bottom > frame.bottom + 3;
  })
  .map(t => t.textContent)"""


# Texts of one drawing that lie over each other.
OVERLAPS = """() => [...document.querySelectorAll("figure svg")]
  .filter(svg => svg.getClientRects().length)
  .flatMap(svg => {
    const texts = [...svg.querySelectorAll("text")].map(t => [t, t.getBoundingClientRect()]);
    return texts.flatMap(([t, a], i) => texts.slice(i + 1)
      .filter(([, b]) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
                      && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4)
      .map(([u]) => t.textContent + " / " + u.textContent));
  })"""


def check_page(visited: Any, path: Path, width: int) -> None:
    """Silent, whole without the network, within its window, large enough and with contrast."""
    page = visited.page
    page.mouse.wheel(0, 30_000)
    page.locator("thead button").first.click()
    assert (visited.messages, visited.dialogs) == ([], [])
    asked = [url for url in visited.requests if not url.startswith("data:")]
    assert asked == [path.as_uri()]
    inside, window = page.evaluate(
        "[document.scrollingElement.scrollWidth, document.scrollingElement.clientWidth]"
    )
    assert inside <= window == width
    assert page.evaluate(OUTSIDE) == []
    assert page.evaluate(CUT_OFF) == []
    assert min(page.evaluate(TYPE_SIZES)) >= 7.5
    assert [pair for pair in page.evaluate(CONTRASTS) if pair[0] < 4.5] == []
