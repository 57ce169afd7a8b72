"""What the seeds of an arm logged, and how it is drawn over epochs.

An arm is a strong line, the mean of its seeds, on a band from the lowest seed to the highest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from mnistlab.cards import counted
from mnistlab.reporting.figures.canvas import MUTED
from mnistlab.reporting.figures.charts import scale, title_x
from mnistlab.reporting.figures.checks import arms_in_order, require
from mnistlab.reporting.figures.marks import Legend, Mark, mark_of

Array = NDArray[np.float64]

LONG = 10  # times as many epochs as the shortest arm: then the axis of epochs is logarithmic
N_MARKS, N_STRIPS = 8, 400  # marks on a line; past so many epochs a band joins some of them


@dataclass(frozen=True, eq=False)
class Curves:
    """What the seeds of one arm logged: float64 (S, E), a row per seed, a column per epoch.

    Accuracies are fractions. NaN fills a row after an early stop. Where they are known:
    learning_rate, that of each epoch's last step; phase_ends, for each seed the last epoch of
    every phase but the last; kept, the epoch whose weights each seed saved; train_accuracy, of an
    arm that validated on nothing.
    """

    train_loss: Array
    val_loss: Array
    val_accuracy: Array
    learning_rate: Array | None = None
    phase_ends: tuple[tuple[int, ...], ...] = ()
    kept: tuple[int, ...] = ()
    train_accuracy: Array | None = None

    @property
    def swings(self) -> Array:
        """Absolute change of validation accuracy, points: (S, E), NaN in the first epoch."""
        first = np.full((len(self.val_accuracy), 1), np.nan)
        return np.abs(np.diff(self.val_accuracy, axis=1, prepend=first)) * 100

    @property
    def n_epochs(self) -> int:
        """Of the seed that went on longest."""
        return int(self.val_loss.shape[1])

    @property
    def size(self) -> str:
        """In words, such as "3 seeds of 9 to 12 epochs"."""
        n_seeds, lengths = len(self.train_loss), np.isfinite(self.train_loss).sum(axis=1)
        few = f"{lengths.min()} to " if lengths.min() < lengths.max() else ""
        return f"{counted(n_seeds, 'seed')} of {few}{counted(int(lengths.max()), 'epoch')}"


class Arms(NamedTuple):
    """The arms that a figure of curves shows, in the order of the study."""

    names: list[str]
    curves: list[Curves]
    legend: Legend

    @property
    def marks(self) -> list[Mark]:
        """How each is drawn."""
        return [mark for _, mark in self.legend]


def arms_of(arms: Sequence[str], curves: Mapping[str, Curves], ordered: bool = False) -> Arms:
    """Arms with curves to show; ordered as for `mark_of`.

    Raises ValueError for no curves, an unknown arm, or shapes and numbers that disagree.
    """
    shown = arms_in_order(arms, curves)
    for arm, of_arm in curves.items():
        arrays = (of_arm.train_loss, of_arm.val_loss, of_arm.val_accuracy, of_arm.learning_rate)
        shapes = {array.shape for array in arrays if array is not None}
        fits = len(shapes) == 1 and of_arm.val_loss.ndim == 2 and of_arm.val_loss.size
        require(fits, f"curves of {arm!r} must share one shape (S, E)")
        for logged in filter(len, (of_arm.kept, of_arm.phase_ends)):
            fits = len(logged) == len(of_arm.val_loss)
            require(fits, f"{arm!r} needs epochs kept and phases per seed")
    legend = [(arm, mark_of(arms, arm, ordered)) for arm in shown]
    return Arms(shown, [curves[arm] for arm in shown], legend)


def scale_epochs(axes: Axes, every: Sequence[Curves]) -> None:
    """The axis of epochs; logarithmic where one arm is more than ten times as long as another.

    To be called before anything is drawn.
    """
    lengths = [logged.n_epochs for logged in every]
    logarithmic = max(lengths) > LONG * min(lengths)
    low, high = (0.9, max(lengths) * 1.1) if logarithmic else (0.7, max(lengths) + 0.3)
    scale(axes, "x", low, high, logarithmic=logarithmic, whole=True)
    title_x(axes, "Epoch (log scale)" if logarithmic else "Epoch")


def draw_seeds(axes: Axes, values: Array, mark: Mark, n_arms: int) -> None:
    """A band from the lowest seed to the highest of those still training.

    Once one has stopped, the others are thin lines as well: no mean speaks for them.
    """
    if len(values) < 2:
        return
    values = np.where(np.isfinite(values), values, np.nan)
    epochs = np.arange(1, values.shape[1] + 1)
    starts = np.unique(np.linspace(0, len(epochs) - 1, N_STRIPS).astype(int))
    if axes.get_xscale() == "log":
        starts = np.unique(np.geomspace(1, len(epochs), N_STRIPS).astype(int)) - 1
    low = np.fmin.reduceat(np.fmin.reduce(values), starts)
    high = np.fmax.reduceat(np.fmax.reduce(values), starts)
    axes.fill_between(
        epochs[starts],
        low,
        high,
        where=np.isfinite(low),
        color=mark.colour,
        alpha=max(0.15, min(0.25, 1 / n_arms)),  # bands of many arms would hide the means
        linewidth=0,
        zorder=1.5,
    )
    some = np.asarray(np.isnan(values).any(axis=0))
    tails = np.where(some | np.append(some[1:], False), values, np.nan)
    axes.plot(epochs, tails.T, color=mark.colour, linewidth=1, alpha=0.7, zorder=1.8)


def draw_mean(
    axes: Axes, values: Array, mark: Mark, *, dashed: bool = False, marked: bool = True
) -> None:
    """The mean over seeds, as far as all of them got; dashed lines bear no marks.

    Where some seeds have stopped early the mean of the rest would be another quantity.
    """
    n_epochs = values.shape[1]
    everywhere = np.isfinite(values).all(axis=0)
    mean = np.where(everywhere, np.where(everywhere, values, 0).mean(axis=0), np.nan)
    axes.plot(
        np.arange(1, n_epochs + 1),
        mean,
        linestyle="--" if dashed else "-",
        linewidth=1.4 if dashed or n_epochs > N_STRIPS else 2.4,
        color=mark.colour,
        marker=mark.shape if (marked and not dashed) or n_epochs == 1 else None,
        markerfacecolor="none" if dashed else mark.colour,
        markersize=5.5,
        markevery=_marked(n_epochs, logarithmic=axes.get_xscale() == "log"),
    )


def _marked(n_epochs: int, *, logarithmic: bool) -> list[int]:
    """Where a line has its marks, counted from 0: some eight places, evenly along the axis."""
    if logarithmic:
        return sorted({round(epoch) - 1 for epoch in np.geomspace(1, n_epochs, N_MARKS)})
    return list(range(0, n_epochs, max(1, n_epochs // N_MARKS)))


def draw_phase_ends(axes: Axes, every: Sequence[Curves]) -> None:
    """A dotted line wherever a seed of any arm begins a new phase."""
    ends = {end for logged in every for seed in logged.phase_ends for end in seed}
    for end in sorted(ends):
        axes.axvline(end + 0.5, color=MUTED, linewidth=1, linestyle=":", zorder=1.2)


def focus(axes: Axes, values: Sequence[Array], floor: float | None = None) -> None:
    """Fit the y axis to all but the first eighth of epochs, whose drop would flatten the rest.

    Of fewer than eight epochs all are shown.
    """
    logarithmic = axes.get_xscale() == "log"
    late = []
    for logged in values:
        n_epochs = logged.shape[1]
        eighth = round(n_epochs ** (1 / 8)) if logarithmic else n_epochs // 8
        late.append(logged[:, eighth if n_epochs >= 8 else 0 :].ravel())
    finite = np.concatenate(late)
    finite = finite[np.isfinite(finite)]
    if not len(finite):
        axes.set_yticks([])
        axes.text(0.02, 0.1, "nothing to show", color=MUTED, transform=axes.transAxes)
        return
    low, high = float(finite.min()), float(finite.max())
    pad = 0.06 * (high - low) or 0.5
    scale(axes, "y", low - pad if floor is None else floor, high + pad)


def in_words(epochs: Sequence[int]) -> str:
    """Such as "epochs 3, 4 and 9"."""
    *most, last = sorted(set(epochs))
    return f"epochs {', '.join(map(str, most))} and {last}" if most else f"epoch {last}"
