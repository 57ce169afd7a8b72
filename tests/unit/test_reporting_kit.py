"""The chart kit: what a declaration becomes, and where its panels lie at either width."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from matplotlib.axes import Axes

from mnistlab.reporting.figures.canvas import NARROW, WIDE, Drawing, canvas, figure
from mnistlab.reporting.figures.charts import Panel, chart, scale
from mnistlab.reporting.figures.checks import require
from mnistlab.reporting.figures.tiles import joined


def test_a_figure_is_what_its_declaration_and_its_words_say() -> None:
    @figure("plain", "A title")
    def declare(width: float, **words: object) -> Drawing:
        require(width > 0, "no width")
        return Drawing(lambda _: canvas(width, 9)[0], "Nothing.", note="All is left out.")

    drawn = declare(20.0, caption="A caption.")
    assert (drawn.name, drawn.title, drawn.alt) == ("plain", "A title", "Nothing.")
    assert (drawn.caption, drawn.command) == ("A caption. All is left out.", "")
    assert declare(20.0, name="other").name == "other"
    assert declare(20.0).caption == "All is left out."
    with pytest.raises(ValueError, match=r"^figure other: no width$"):
        declare(-1.0, name="other")


@pytest.mark.parametrize(("width", "n_tops"), [(WIDE, 2), (NARROW, 3)])
def test_panels_lie_in_columns_or_one_below_the_other(width: int, n_tops: int) -> None:
    drawn: list[Axes] = []
    panels = [Panel(name, drawn.append) for name in "abc"]
    chart(panels[:1], panels[1:], heights=(300, 150))(width)
    boxes = [axes.get_window_extent() for axes in drawn]
    assert len({round(box.y1) for box in boxes}) == n_tops
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert all(0 <= box.x0 < box.x1 <= width for box in boxes)


@pytest.mark.parametrize("logarithmic", [False, True])
def test_a_scale_has_its_ends_and_round_ticks_between_them(logarithmic: bool) -> None:
    axes = canvas(300, 200)[0].add_subplot()
    scale(axes, "x", 0.9, 120, logarithmic=logarithmic)
    assert axes.get_xlim() == (0.9, 120)
    inside = [tick for tick in axes.get_xticks() if 0.9 <= tick <= 120]
    assert {1.0, 10.0, 100.0} <= set(inside) if logarithmic else len(inside) >= 3


@pytest.mark.parametrize("axis", [0, 1])
def test_images_are_joined_with_gaps_that_are_blank(axis: int) -> None:
    images = np.full((3, 5, 4), 200.0)
    images[1, 2, 3] = np.nan
    picture = joined(images, axis=axis)
    assert picture.shape == ((18, 4, 4) if axis == 0 else (5, 15, 4))
    shown = picture[..., 3] == 255
    assert shown.sum() == 3 * 20 - 1
    assert set(np.unique(picture[shown][:, :3])) == {200}
