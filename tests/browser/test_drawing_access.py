"""A page to draw on for those who hear it, who have no mouse, and whose screen is narrow.

What a screen reader says of it was tried with Orca (docs/drawing-page.md); these tests hold on to
what it needs: roles, names, values, and one status that says everything once.
"""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from drawing import ON_PAGE, PATIENCE_MS, drag, settle
from page_checks import OUTSIDE
from playwright.sync_api import FilePayload, Page, expect

pytestmark = pytest.mark.slow

ROLES = """
- banner:
  - heading "Draw, and see what the networks say" [level=1]
  - tablist "Parts of this page":
    - tab "Draw" [selected]
    - tab "Models"
    - tab "Mistakes"
    - tab "Inside"
- main:
  - tabpanel "Draw":
    - region "Your drawing":
      - slider "Draw here"
      - paragraph: –
      - button "Undo"
      - button "Clear"
      - slider "Pen width"
      - button "Open a picture"
    - region "Answers":
      - table "The probability of each class, by network":
        - rowgroup:
          - row:
            - columnheader /softmax-tuned .* % right/
            - columnheader /svm .* % right/
        - rowgroup:
          - row /^Answer/
          - row /^T-shirt/:
            - rowheader "T-shirt/top"
    - region "Why":
      - combobox "Network"
      - figure:
        - img "The image that the networks see"
      - figure:
        - img "The same image, coloured by what speaks for the answer"
    - region "Test images":
      - button /Test image 1, /
  - status
"""


def test_a_screen_reader_finds_every_part_by_its_role_and_name(drawing: Page) -> None:
    expect(drawing.locator("body")).to_match_aria_snapshot(ROLES)
    nameless = drawing.locator("button, select, input, canvas[role], [tabindex='0']").evaluate_all(
        "(all) => all.filter((each) => each.checkVisibility() && !(each.ariaLabel"
        " || each.getAttribute('aria-labelledby') || each.labels?.length"
        " || each.textContent.trim())).map((each) => each.outerHTML)"
    )
    assert nameless == []


def test_headings_leave_out_no_level(drawing: Page) -> None:
    for tab in ("models", "mistakes", "inside", "draw"):
        drawing.locator(f"#tab-{tab}").click()
        levels = drawing.locator("h1, h2, h3").evaluate_all(
            "(all) => all.filter((each) => each.checkVisibility()).map((each) => +each.tagName[1])"
        )
        steps = [b - a for a, b in pairwise(levels)]
        assert levels[0] == 1
        assert max(steps, default=0) <= 1, tab


def test_the_pen_moved_by_keys_says_where_it_is_and_whether_it_draws(drawing: Page) -> None:
    """A slider: screen readers pass its arrow keys to the page, and say its value."""
    pen = drawing.locator("#drawing")
    keys = drawing.locator(f"#{pen.get_attribute('aria-describedby')}")
    assert not keys.is_visible()
    pen.focus()
    assert "Z undoes" in keys.inner_text()
    said, numbers = [], []
    for key in ("ArrowRight", "ArrowDown", "Space", "ArrowDown", "Space"):
        drawing.keyboard.press(key)
        said.append(pen.get_attribute("aria-valuetext"))
        numbers.append(pen.get_attribute("aria-valuenow"))
    assert said == [
        "53 % across, 50 % down, pen up",
        "53 % across, 53 % down, pen up",
        "53 % across, 53 % down, pen down",
        "53 % across, 55 % down, pen down",
        "53 % across, 55 % down, pen up",
    ]
    assert len(set(numbers)) == len(numbers)  # Chromium tells of no value with the same number
    drawing.keyboard.press("Space")
    drawing.keyboard.press("Tab")  # lifts it, and next time it begins in the middle
    assert pen.get_attribute("aria-valuetext") == "50 % across, 50 % down, pen up"


def test_a_pen_that_moves_without_drawing_asks_nothing(drawing: Page) -> None:
    drawing.locator("#images button").first.click()
    settle(drawing)
    asked = drawing.locator("body").get_attribute("data-asked")
    drawing.locator("#drawing").focus()
    drawing.keyboard.press("ArrowLeft")
    drawing.keyboard.press("Tab")
    settle(drawing)
    assert drawing.locator("body").get_attribute("data-asked") == asked
    expect(drawing.locator("#seen-text")).to_contain_text("labelled")  # still the test image


HEAR = """() => {
  window.heard = [];
  window.ears?.disconnect(); // of the test before
  const status = document.getElementById("spoken");
  window.ears = new MutationObserver(() => window.heard.push(status.textContent));
  window.ears.observe(status, { childList: true, characterData: true, subtree: true });
}"""


def rest(page: Page) -> None:
    """Wait until the pen has rested, and what there is to say of an empty drawing is said."""
    settle(page)
    asked = page.locator("body").get_attribute("data-asked")
    page.locator(f"body[data-rested='{asked}']").wait_for(timeout=PATIENCE_MS)


def listen(page: Page) -> None:
    rest(page)
    page.evaluate(HEAR)


def heard(page: Page) -> list[str]:
    """What the status has said since HEAR, when everything about the newest drawing is known."""
    settle(page)
    asked = page.locator("body").get_attribute("data-asked")
    page.locator(f"body[data-mapped='{asked}']").wait_for(timeout=PATIENCE_MS)
    said: list[str] = page.evaluate("window.heard.splice(0)")
    return said


def test_a_drawing_is_answered_once_aloud(drawing: Page) -> None:
    listen(drawing)
    drag(drawing, [(0.3, 0.2), (0.3, 0.5), (0.3, 0.8)])
    (said,) = heard(drawing)
    assert re.match(r".+, by \d of 4 networks\. softmax-tuned: .+, [\d.]+ %", said)
    assert all(f"{name}: " in said for name in ON_PAGE)
    verdict = str(drawing.locator("#verdict").text_content())
    assert said.startswith(verdict)  # ", by" is read, not seen
    is_unlike = drawing.locator("#notice").inner_text() != ""
    assert ("Do not trust the answer" in said) == is_unlike
    drawing.locator("#panel-draw .chosen-network").select_option("0")
    drawing.locator("#tab-inside").click()
    assert said not in heard(drawing)  # of the same drawing only what is new
    drawing.locator("#tab-draw").click()
    drawing.locator("#clear").click()
    expect(drawing.locator("#spoken")).to_have_text("Nothing is drawn.", timeout=PATIENCE_MS)


def test_a_stroke_of_keys_is_answered_aloud_when_the_pen_is_lifted(drawing: Page) -> None:
    listen(drawing)
    drawing.locator("#drawing").focus()
    for key in ("Space", "ArrowDown", "ArrowDown"):
        drawing.keyboard.press(key)
        assert heard(drawing) == []
    drawing.keyboard.press("Space")
    said = heard(drawing)
    assert len(said) == 1, said
    assert "softmax-tuned: " in said[0]
    drawing.keyboard.press("Space")
    drawing.keyboard.press("ArrowRight")
    assert heard(drawing) == []
    drawing.keyboard.press("Tab")
    assert len(heard(drawing)) == 1


def test_a_picture_that_cannot_be_read_is_said(drawing: Page) -> None:
    texts: list[str] = []
    listen(drawing)
    content: FilePayload = {"name": "a.png", "mimeType": "image/png", "buffer": b"no picture"}
    for _ in range(2):  # said again: a screen reader passes over a text that has not changed
        drawing.locator("#file").set_input_files([content])
        while not (said := drawing.evaluate("window.heard.splice(0)")):
            drawing.wait_for_timeout(20)
        texts += said
        drawing.locator("#file").set_input_files([])
    assert [text.strip() for text in texts] == 2 * ["a.png cannot be read as a picture."]
    assert texts[0] != texts[1]


def test_images_say_where_the_ink_lies_and_where_it_counts(drawing: Page) -> None:
    drag(drawing, [(0.3, 0.2), (0.3, 0.8)])
    settle(drawing)
    asked = drawing.locator("body").get_attribute("data-asked")
    drawing.locator(f"body[data-mapped='{asked}']").wait_for(timeout=PATIENCE_MS)
    seen = str(drawing.locator("#seen").get_attribute("aria-label"))
    assert re.search(r"ink from \d+ to \d+ % across and \d+ to \d+ % down", seen)
    assert drawing.get_by_role("listitem").count() == 5  # the nearest training images
    mapped = str(drawing.locator("#map").get_attribute("aria-label"))
    assert re.search(r"speaks for the answer, .+: most .+(top|middle|bottom)", mapped)


def test_only_tables_that_do_not_fit_are_stops_of_the_keyboard(drawing: Page) -> None:
    scroller = drawing.locator("#panel-draw .scroll")
    expect(scroller).not_to_have_attribute("tabindex", "0")
    drawing.set_viewport_size({"width": 320, "height": 900})
    expect(scroller).to_have_attribute("tabindex", "0")
    expect(scroller).to_have_attribute("aria-label", "Table, wider than the screen")


def test_one_status_outside_the_panels_says_what_changes(drawing: Page) -> None:
    """Chromium tells a live region that comes into sight as if it had changed."""
    assert drawing.locator("[role='status'], [role='alert'], [aria-live]").count() == 1
    assert drawing.locator("[role='tabpanel'] #spoken").count() == 0
    drawing.locator("#tab-mistakes").click()
    listen(drawing)
    drawing.locator("#mistaken-true").select_option("1")
    said = drawing.evaluate("window.heard.splice(0)")
    assert [re.sub(r"\d+", "N", words) for words in said] == [
        "Shown: N. Choose one to see the answers to it."
    ]
    drawing.locator("#mistaken-true").select_option("")


def test_the_keyboard_alone_reaches_everything(drawing: Page) -> None:
    drawing.locator("#tab-draw").focus()
    reached = []
    for _ in range(11):
        reached.append(
            drawing.evaluate("document.activeElement.id || document.activeElement.tagName")
        )
        drawing.keyboard.press("Tab")
    assert reached[:6] == ["tab-draw", "drawing", "undo", "clear", "pen", "file"]
    assert "SELECT" in reached  # which network is looked into
    assert reached[-1] == "BUTTON"  # a test image
    drawing.keyboard.press("Enter")
    settle(drawing)
    expect(drawing.locator("#seen-text")).to_contain_text("labelled")
    drawing.locator("#tab-models").focus()
    drawing.keyboard.press("Enter")
    drawing.keyboard.press("Tab")
    assert drawing.evaluate("document.activeElement.id") == "panel-models"  # to scroll and read


# Controls on which a finger would also press a neighbour (WCAG 2.2, 2.5.8): below 24 pixels.
SMALL_TARGETS = """() => [...document.querySelectorAll("button, select, .button, #pen")]
  .filter((each) => each.checkVisibility())
  .map((each) => [each, each.getBoundingClientRect()])
  .filter(([, { width, height }]) => width < 24 || height < 24)
  .map(([each]) => each.outerHTML.slice(0, 80))"""

# Text that its own box cuts off; "..." and what scrolls are meant so.
CUT = """() => [...document.querySelectorAll("body *")]
  .filter((each) => each.checkVisibility() && !each.closest(".unseen"))
  .filter((each) => [...each.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
  .filter((each) => each.clientWidth && (each.scrollWidth > each.clientWidth + 1
    || getComputedStyle(each).overflowY === "hidden" && each.scrollHeight > each.clientHeight + 1))
  .filter((each) => !["auto", "scroll"].includes(getComputedStyle(each).overflowX)
                 && getComputedStyle(each).textOverflow !== "ellipsis")
  .map((each) => each.outerHTML.slice(0, 80))"""


@pytest.mark.parametrize(("width", "size"), [(320, 100), (360, 100), (320, 200)])
def test_every_tab_fits_a_narrow_screen_and_large_type(
    width: int, size: int, drawing: Page
) -> None:
    drawing.set_viewport_size({"width": width, "height": 800})
    drawing.evaluate("(size) => (document.documentElement.style.fontSize = `${size}%`)", size)
    drawing.locator("#images button").first.click()
    settle(drawing)
    for tab in ("models", "mistakes", "inside", "draw"):
        drawing.locator(f"#tab-{tab}").click()
        expect(drawing.locator(f"#panel-{tab}")).to_be_visible()
        assert drawing.evaluate("document.documentElement.scrollWidth") <= width, tab
        list_of_tabs = "(e) => e.scrollWidth - e.clientWidth"
        assert drawing.locator("[role='tablist']").evaluate(list_of_tabs) <= 0, tab
        assert drawing.evaluate(OUTSIDE) == [], tab
        assert drawing.evaluate(CUT) == [], tab
        assert drawing.evaluate(SMALL_TARGETS) == [], tab
    drawing.evaluate("document.documentElement.style.fontSize = ''")
