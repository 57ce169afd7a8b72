"""The report as a reader meets it: on a phone and a desk, in the light and in the dark."""

from __future__ import annotations

from itertools import pairwise

import pytest
from demo_page import HOSTILE
from page_checks import CONTRASTS, CUT_OFF, OUTSIDE, TYPE_SIZES
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WIDTHS = (320, 390, 800, 1000, 1440)
SCHEMES = ("light", "dark")


def column(page, title: str) -> list[str]:
    """The texts of a column of the first table, from the top down."""
    return page.evaluate(
        """title => {
          const table = document.querySelector("table");
          const heads = [...table.tHead.rows[0].cells];
          const index = heads.findIndex(h => h.textContent === title);
          return [...table.tBodies[0].rows].map(row => row.cells[index].textContent);
        }""",
        title,
    )


@pytest.mark.parametrize("scheme", SCHEMES)
def test_is_silent_and_asks_for_nothing(visit, report, scheme):
    visited = visit(report, scheme=scheme)
    visited.page.mouse.wheel(0, 20_000)
    assert visited.messages == []
    asked = [url for url in visited.requests if not url.startswith("data:")]
    assert asked == [report.as_uri()]


def test_policy_stops_what_the_page_does_not_contain(visit, report):
    """The recording above would see a request, and the policy would refuse it."""
    visited = visit(report)
    visited.page.evaluate("document.body.append(Object.assign(new Image(), {src: 'x.png'}))")
    visited.page.evaluate(
        """() => { const s = document.createElement("script");
                   s.textContent = "window.ran = true"; document.body.append(s); }"""
    )
    visited.page.wait_for_timeout(100)
    assert sum("Content Security Policy" in message for message in visited.messages) == 2
    assert visited.page.evaluate("window.ran") is None


@pytest.mark.parametrize("width", [320, 390])
def test_titles_of_tables_are_whole_while_the_table_scrolls(visit, report, width):
    page = visit(report, width=width).page
    titles = page.locator(".table .title")
    assert titles.count()
    for place in range(titles.count()):
        title = titles.nth(place)
        title.evaluate("e => { e.textContent = 'A title of many words '.repeat(6); }")
        for scrolled in (0, 1000):
            frame = page.locator(".table .scroll").nth(place)
            frame.evaluate(f"e => {{ e.scrollLeft = {scrolled}; }}")
            inside, outside = title.bounding_box(), frame.bounding_box()
            assert inside["x"] >= outside["x"]
            assert inside["x"] + inside["width"] <= outside["x"] + outside["width"] + 0.5


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overflows(visit, report, width):
    page = visit(report, width=width).page
    inside, window = page.evaluate(
        "[document.scrollingElement.scrollWidth, document.scrollingElement.clientWidth]"
    )
    assert inside <= window
    assert page.evaluate(OUTSIDE) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_figures_stay_legible(visit, report, width):
    page = visit(report, width=width).page
    sizes = page.evaluate(TYPE_SIZES)
    assert len(sizes) == 7  # one drawing a figure is shown, the other is not
    assert min(sizes) >= 7.5
    assert page.evaluate(CUT_OFF) == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [390, 1440])
def test_text_has_contrast(visit, report, width, scheme):
    contrasts = visit(report, width=width, scheme=scheme).page.evaluate(CONTRASTS)
    assert {tag.split()[0] for _, tag in contrasts} >= {"P", "TD", "TH", "BUTTON", "text", "SPAN"}
    assert [pair for pair in contrasts if pair[0] < 4.5] == []


def test_dark_is_dark_in_page_and_figures(visit, report):
    def colours(scheme: str) -> list[str]:
        return visit(report, scheme=scheme).page.evaluate(
            """() => {
              const line = document.querySelector("#figure-learning-curves [style*=arm-3]");
              return [getComputedStyle(document.body).backgroundColor,
                      getComputedStyle(document.querySelector("figure text")).fill,
                      getComputedStyle(line).stroke];
            }"""
        )

    light, dark = colours("light"), colours("dark")
    assert all(a != b for a, b in zip(light, dark, strict=True))
    assert dark[0] == "rgb(15, 18, 21)"


def test_print_is_light_whatever_the_scheme(visit, report):
    page = visit(report, scheme="dark").page
    page.emulate_media(media="print")
    ink = page.evaluate("getComputedStyle(document.querySelector('h1')).color")
    assert ink == "rgb(26, 30, 35)"
    assert page.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    page.set_viewport_size({"width": 720, "height": 1000})  # A4 between its margins
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 720
    assert page.pdf().startswith(b"%PDF")


def test_sorts_numbers_by_click(visit, report):
    page = visit(report).page
    header = page.locator("table").first.locator("thead th").nth(1)
    assert header.get_attribute("aria-sort") is None
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    assert column(page, "Parameters") == ["7,850", "20,490", "79,510", "–"]
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    assert column(page, "Parameters") == ["79,510", "20,490", "7,850", "–"]


def test_sorts_intervals_and_text_by_keyboard(visit, report):
    page = visit(report).page
    buttons = page.locator("table").first.locator("thead button")
    buttons.nth(3).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    means = [float(text.split(" ± ")[0]) for text in column(page, "Measured")[:3]]
    assert means == sorted(means, reverse=True)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    models = column(page, "Model")
    assert models == sorted(models)
    sorted_by = page.locator("table").first.locator("[aria-sort]")
    assert sorted_by.all_text_contents() == ["Model"]


def test_focus_is_visible_and_the_skip_link_works(visit, report):
    page = visit(report).page
    page.keyboard.press("Tab")
    skip = page.locator(":focus")
    assert skip.text_content() == "Skip to the content"
    assert skip.bounding_box()["y"] >= 0
    assert skip.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.locator(":focus").get_attribute("id") == "main"


def test_commands_can_be_copied(visit, report):
    page = visit(report).page
    page.locator("footer .command button").click()
    # No wait_for_function: it polls with eval, which the page's own policy forbids.
    expect(page.locator("[role=status]")).not_to_be_empty()
    whole = page.locator("footer code").text_content()
    assert whole.startswith("mnistlab study ladder --data fashion-mnist")


def test_every_picture_has_an_alternative(visit, report):
    page = visit(report).page
    missing = page.evaluate(
        """() => [...document.querySelectorAll("img, svg")].filter(e => !(e.tagName === "IMG"
            ? e.alt : e.closest("[role=img]")?.getAttribute("aria-label"))?.trim()).length"""
    )
    assert page.locator("svg").count() == 14
    assert missing == 0


def test_structure(visit, report):
    page = visit(report).page
    assert page.locator("html").get_attribute("lang") == "en"
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1])")
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    for landmark in ("banner", "navigation", "main", "contentinfo"):
        assert page.get_by_role(landmark).count() == 1
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    references = page.evaluate(
        """() => [...document.querySelectorAll("svg [*|href^='#']")].map(
                   e => e.getAttribute("href").slice(1))"""
    )
    assert set(references) <= set(ids)


@pytest.mark.parametrize("width", [390, 1440])
def test_hostile_names_are_inert(visit, hostile_report, width):
    visited = visit(hostile_report, width=width)
    page = visited.page
    page.locator("thead button").first.click()
    assert visited.dialogs == []
    assert visited.messages == []
    assert page.locator("script").count() == 1
    assert page.locator("img, [onerror]").count() == 0
    assert page.locator("dd", has_text="<script>alert(1)</script>").count() == 1
    assert page.locator("dd").last.text_content() == HOSTILE
    assert page.locator("svg text", has_text="<script>").count() > 0
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
