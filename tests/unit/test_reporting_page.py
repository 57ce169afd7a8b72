"""The values a page is made of, and the HTML they become."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnistlab.reporting.page import (
    Column,
    Fact,
    Figure,
    Number,
    Page,
    Section,
    Table,
    cell_text,
    cell_value,
    columns,
)
from mnistlab.reporting.render import render, write

# A whole PNG of one transparent pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
HOSTILE = "<script>alert(1)</script>\"'><img/src=x/onerror=alert(2)>{{7*7}}"


def figure(name: str = "dots", **fields) -> Figure:
    words = {"title": "Dots", "alt": "A dot.", "caption": "One dot.", "command": "mnistlab dots"}
    return Figure(**{"name": name, "png": PNG} | words | fields)


def page(**fields) -> Page:
    words = {"title": "A title", "question": "Why?", "answer": "Because.", "command": "mnistlab x"}
    return Page(**{"facts": (), "sections": ()} | words | fields)


class Elements(HTMLParser):
    """Every element of a document with its attributes, and all its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("name", ["", "../up", "Dots", "a b", "a/b", "-a", "a" * 81, "a\n"])
def test_figure_names_are_safe_file_names(name):
    with pytest.raises(ValueError, match="name"):
        figure(name)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [({"alt": " "}, "alt"), ({"png": b"GIF89a"}, "PNG"), ({"svg": "<svg/>"}, "narrow_svg")],
)
def test_figures_are_whole(fields, fault):
    with pytest.raises(ValueError, match=rf"dots.*{fault}"):
        figure(**fields)


def test_two_figures_cannot_share_a_file():
    sections = (Section("a", figures=(figure(),)), Section("b", figures=(figure(),)))
    with pytest.raises(ValueError, match="two figures are named dots"):
        page(sections=sections)


def test_table_names_the_row_at_fault():
    with pytest.raises(ValueError, match=r"'T'.*row 1 has 1 cells for 2 columns"):
        Table("T", (Column("a"), Column("b")), ((1, 2), (3,)))
    with pytest.raises(ValueError, match=r"'T'.*'q!'.*'b'"):
        Table("T", (Column("a"), Column("b", "q!")), ((1, 2),))


@pytest.mark.parametrize(
    ("cell", "format", "text", "value"),
    [
        ("about 0.9", ".3f", "about 0.9", None),
        (79510, "", "79,510", 79510.0),
        (0.92149, ".3f", "0.921", 0.92149),
        (0.92149, "", "0.9215", 0.92149),
        (Number(0.921, "0.921 ± 0.001"), ".1f", "0.921 ± 0.001", 0.921),
        (None, ".3f", "–", None),
        (float("nan"), ".3f", "–", None),
    ],
)
def test_cells(cell, format, text, value):
    assert cell_text(cell, Column("c", format)) == text
    assert cell_value(cell) == value


def test_a_column_is_numeric_if_all_its_cells_are():
    rows = ((1, "a", None, None), (Number(2, "2 ± 1"), 2, 3.0, None))
    table = Table("T", tuple(map(Column, "abcd")), rows)
    assert [table.is_numeric(index) for index in range(4)] == [True, False, True, False]


def test_columns_are_written_as_titles_and_formats():
    assert columns("Arm", "Images:,", "Training, s:.1f", "Why:wide") == (
        Column("Arm"),
        Column("Images", ","),
        Column("Training, s", ".1f"),
        Column("Why", wide=True),
    )


def test_columns_that_hold_nothing_can_be_left_out():
    table = Table("T", columns("a", "b", "c"), ((1, None, 0), (2, None, None)), note="n")
    assert table.without_empty() == Table("T", columns("a", "c"), ((1, 0), (2, None)), note="n")


def test_a_figure_without_a_command_of_its_own_shows_that_of_its_page():
    figures = (figure(command=""), figure("others", command="mnistlab dots"))
    text = Elements(render(page(sections=(Section("s", figures=figures),)))).text
    assert (text.count("mnistlab x"), text.count("mnistlab dots")) == (2, 1)


def test_page_says_everything_once_and_in_order():
    table = Table("Scores", (Column("Arm"), Column("n")), (("cnn", 5),), note="n is seeds")
    section = Section("Evidence", "First.\n\nSecond.", (figure(),), (table,))
    text = Elements(render(page(facts=(Fact("Seeds", "5"),), sections=(section,)))).text
    said = ["Study", "A title", "Why?", "Because.", "Seeds", "Evidence", "First.", "Second."]
    said += ["Table 1", "Scores", "cnn", "n is seeds", "Figure 1", "One dot.", "mnistlab x"]
    start = text.index("Study")
    places = [text.index(words, start) for words in said]
    assert places == sorted(places)


def test_nothing_comes_from_outside():
    html = render(page(sections=(Section("s", figures=(figure(),)),)))
    for tag, attributes in Elements(html).found:
        for key in ("src", "href", "srcset", "action", "data", "poster"):
            assert (attributes.get(key) or "#").startswith(("#", "data:")), (tag, attributes)
    assert not re.search(r"@import|url\(\s*['\"]?(?!#|data:)", html)


def test_policy_allows_the_one_script_by_its_hash():
    html = render(page())
    [policy] = [a["content"] for _, a in Elements(html).found if "http-equiv" in a]
    [script] = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; img-src data:;")


def hostile_page(name: str) -> Page:
    table = Table(name, (Column(name), Column(name)), ((name, 1), (name, name)), name, (name,))
    drawn = figure(title=name, alt=name + "x", caption=name, command=name)
    section = Section(name, name, (drawn,), (table,))
    return Page(name, name, name, (Fact(name, name),), (section,), name, name)


def shape(html: str) -> list[tuple[str, list[str]]]:
    """The elements of a document and the names of their attributes."""
    return [(tag, sorted(attributes)) for tag, attributes in Elements(html).found]


def test_hostile_words_are_only_words():
    html, plain = render(hostile_page(HOSTILE)), render(hostile_page("harmless"))
    assert shape(html) == shape(plain)
    assert Elements(html).text.count(HOSTILE) == Elements(plain).text.count("harmless") > 10


@given(st.text(min_size=1).filter(str.strip).filter(lambda text: "\n\n" not in text))
def test_any_words_leave_the_structure_as_it_is(words):
    words = words.replace(" ", "_")  # the words of a command are elements of their own
    assert shape(render(hostile_page(words))) == shape(render(hostile_page("harmless")))


def test_write_puts_page_and_figures_into_the_folder(tmp_path):
    whole = page(sections=(Section("s", figures=(figure("one"), figure("two"))),))
    path = write(whole, tmp_path / "made" / "here")
    assert path == tmp_path / "made" / "here" / "report.html"
    assert path.read_text(encoding="utf-8") == render(whole)
    names = {file.relative_to(path.parent).as_posix() for file in path.parent.rglob("*.*")}
    assert names == {"report.html", "figures/one.png", "figures/two.png"}
    assert (path.parent / "figures" / "two.png").read_bytes() == PNG


def test_undecodable_text_can_be_written(tmp_path):
    path = write(page(title="caf\udce9"), tmp_path)
    assert "<h1>caf?</h1>" in path.read_text(encoding="utf-8")


def test_import_is_cheap():
    code = (
        "import sys, mnistlab.reporting; "
        "print({'torch', 'matplotlib', 'jinja2', 'numpy', 'sklearn'} & set(sys.modules))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
