"""Bars on a broken axis: what they show, what the axis leaves out, and what they refuse."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnistlab.reporting.figures.rows import _ends, accuracy_bars

pytestmark = pytest.mark.drawn

WORDS = {"caption": "A caption.", "command": "mnistlab study cnn-regularisation"}
ARMS = ("base", "wide", "deep")
SCORES = {"base": np.array([0.875, 0.881]), "deep": np.array([0.9])}


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter("text")]


def test_each_arm_has_its_name_and_its_mean_in_the_order_of_the_study() -> None:
    figure = accuracy_bars(ARMS, dict(reversed(SCORES.items())), **WORDS)
    for svg in (figure.svg, figure.narrow_svg):
        shown = texts(svg)
        assert [text for text in shown if text in ARMS] == ["base", "deep"]
        assert {"87.80", "90.00", "axis broken"} <= set(shown)
    assert figure.alt.endswith("mean of seeds: base 87.8%; deep 90.0%.")
    assert (figure.caption, figure.command) == (WORDS["caption"], WORDS["command"])


def test_every_tick_lies_beyond_the_break() -> None:
    for scores in (SCORES, {"base": np.array([0.1, 0.97])}, {"base": np.array([0.999])}):
        low, high = _ends(100 * np.concatenate(list(scores.values())))
        shown = texts(accuracy_bars(ARMS, scores, **WORDS).svg)
        ticks = [float(text) for text in shown if re.fullmatch(r"\d+(\.\d)?", text)]
        assert len(ticks) >= 2
        assert min(ticks) >= low
        assert max(ticks) <= high


@given(st.lists(st.floats(0, 100), min_size=1, max_size=9))
def test_the_axis_holds_all_values_and_no_more_than_a_hundred(values: list[float]) -> None:
    low, high = _ends(np.array(values))
    assert 0 <= low <= min(values)
    assert max(values) <= high <= 100
    assert high > low
    assert low == 0 or (2 * low).is_integer()


def test_the_axis_leaves_out_what_all_share() -> None:
    assert _ends(np.array([87.0, 88.0]))[0] == 86.5
    assert _ends(np.array([10.0, 90.0]))[0] == 0


@settings(max_examples=8, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=4))
def test_any_accuracies_can_be_drawn(values: list[float]) -> None:
    figure = accuracy_bars(("a",), {"a": np.array(values)}, **WORDS)
    assert f"{100 * np.mean(values):.2f}" in texts(figure.svg)


def test_the_same_bytes_again() -> None:
    assert accuracy_bars(ARMS, SCORES, **WORDS) == accuracy_bars(ARMS, SCORES, **WORDS)


@pytest.mark.parametrize(
    ("accuracy", "fault"),
    [
        ({}, "there are no arms"),
        ({"zzz": np.array([0.5])}, "'zzz' is no arm of the study"),
        ({**SCORES, "zzz": np.array([0.5])}, "'zzz' is no arm"),
        ({"base": np.array([0.5, np.nan])}, "'base' needs finite values"),
        ({"base": np.array([[0.5]])}, "'base' needs finite values"),
        ({"base": np.array([])}, "'base' needs"),
    ],
)
def test_what_cannot_be_drawn_is_refused(accuracy: dict, fault: str) -> None:
    with pytest.raises(ValueError, match=f"figure best-accuracies: .*{fault}") as caught:
        accuracy_bars(ARMS, accuracy, **WORDS)
    assert "\n" not in str(caught.value)
