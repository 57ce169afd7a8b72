"""The page of a search: the gain, the importance of settings, and every trial."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np

from mnistlab.evaluation import fraction_interval, interval_text
from mnistlab.field_paths import flattened
from mnistlab.recipe import Recipe
from mnistlab.recipes import RECIPES
from mnistlab.recipes.spaces import space_of
from mnistlab.reporting.bounds import MOST_ROWS, highest, with_left_out
from mnistlab.reporting.commands import command_for
from mnistlab.reporting.figures.search import (
    importance_bars,
    parallel_coordinates,
    search_history,
    slices,
)
from mnistlab.reporting.figures.settings import Axis
from mnistlab.reporting.page import Column, Fact, Page, Section, Table, accuracy_text, columns
from mnistlab.reporting.render import write
from mnistlab.reporting.run_report import images_text, machine_text
from mnistlab.runs.comparing import p_text
from mnistlab.space import Choice
from mnistlab.tuning import Trial, TuningResult

PRUNED_WORDS = "Hollow marks are trials ended early, at the last accuracy they reported."


def tuning_report(result: TuningResult) -> Path:
    """Write report.html and figures/*.png into the search's folder; the page's path."""
    search = result.search
    page = Page(
        kind="Search",
        title=f"{search.recipe.name} tuned on {search.dataset.name}",
        question=result.comparison.study.question,
        answer=result.comparison.answer,
        facts=_facts(result),
        sections=(
            _gain(result),
            _history(result),
            *_importance(result),
            _settings(result),
            Section("Trials", tables=(trials_table(result),)),
        ),
        command=_command(result),
    )
    return write(page, result.path)


def _command(result: TuningResult) -> str:
    """What makes the search again; a recipe or space of one's own lies in its folder."""
    search = result.search
    ready = RECIPES.get(search.recipe.name)
    is_ready = ready is not None and ready() == search.recipe
    recipe = search.recipe.name if is_ready else str(result.path / "recipe.json")
    options = f"--trials {len(result.trials)}"
    if search.space != space_of(search.recipe):
        options += f" --space {shlex.quote(str(result.path / 'space.json'))}"
    if search.sampler != "tpe":
        options += f" --sampler {search.sampler}"
    if search.seed:
        options += f" --seed {search.seed}"
    return command_for(search.dataset, "tune", recipe, before="--data", after=options)


def seeds_table(result: TuningResult) -> Table:
    """The untuned and the best recipe over seeds, and what lies between them."""
    rows = tuple(
        (
            arm.arm.name,
            arm.runs[0].result["n_parameters"],
            len(arm.runs),
            accuracy_text(*fraction_interval(arm.each("val_accuracy"))),
            accuracy_text(*arm.test_accuracy),
            arm.mean("train_time_s"),
        )
        for arm in result.comparison.arms
    )
    titles = ("Recipe", "Parameters:,", "Seeds", "Validation", "Test accuracy", "Training, s:.1f")
    note = (
        f"Mean over seeds and its 95 % interval over seeds. Gained on the test part "
        f"{_gain_text(result)}. Gained on validation "
        f"{100 * result.gain('val_accuracy').mean:+.2f} points, without an interval: the search "
        "chose on these images."
    )
    return Table("Before and after", columns(*titles), rows, note=note)


def trials_table(result: TuningResult) -> Table:
    """A row per trial: its point, how far it got, how long it took."""
    names = tuple(result.search.space.dimensions())
    shown = [result.trials[place] for place in highest(_scores(result.trials)[0], MOST_ROWS)]
    rows = tuple(
        (
            trial.number + 1,
            *(_cell(result.search.space.in_use(trial.point).get(name)) for name in names),
            trial.accuracy,
            len(trial.curve) or None,
            trial.time_s,
            trial.why or None,
        )
        for trial in shown
    )
    note = with_left_out(
        "Accuracy of the epoch that was best; of a trial ended early, of its last.",
        len(shown),
        len(result.trials),
        "with the highest accuracy (result.json has all)",
        "trials",
    )
    titles = columns("Validation:.4f", "Epochs", "Seconds:.1f", "Ended early:wide")
    return Table("Every trial", (Column("Trial"), *map(Column, names), *titles), rows, note=note)


def _gain(result: TuningResult) -> Section:
    untuned, tuned = (_plain(arm.arm.recipe) for arm in result.comparison.arms)
    rows = tuple(
        (path, untuned.get(path, "–"), value)
        for path, value in tuned.items()
        if value != untuned.get(path)
    )
    best = Table("The best recipe", columns("Field", "Untuned", "Best"), rows)
    text = (
        "Both recipes were trained again with seeds that the search had not seen. The best one is "
        f"a file: mnistlab train {result.path / 'best.json'}"
    )
    return Section("Gain", text, tables=(seeds_table(result), best))


def _history(result: TuningResult) -> Section:
    caption = f"Validation accuracy of every trial, in the order they began. {PRUNED_WORDS}"
    return Section("History", figures=(search_history(*_scores(result.trials), caption=caption),))


def _importance(result: TuningResult) -> list[Section]:
    if not result.importance:
        return []
    figure = importance_bars(
        list(result.importance),
        np.array(list(result.importance.values())),
        caption="How much of the differences between trials each setting explains, by fANOVA "
        "(Hutter et al. 2014). Settings that some trials did not have, such as the width of a "
        "third layer, are left out; trials ended early count with the accuracy they had then.",
    )
    return [Section("Importance of settings", figures=(figure,))]


def _settings(result: TuningResult) -> Section:
    given = (_axes(result), *_scores(result.trials))
    one = slices(*given, caption=f"Validation accuracy against each setting alone. {PRUNED_WORDS}")
    every = parallel_coordinates(
        *given,
        caption="A line per trial, from its settings to its validation accuracy: the more colour "
        "the better, the best one in ink, those ended early thin.",
    )
    return Section("Every setting", figures=(one, every))


def _axes(result: TuningResult) -> list[Axis]:
    space, axes = result.search.space, []
    points = [space.in_use(trial.point) for trial in result.trials]
    for name, kind in space.dimensions().items():
        values = [point.get(name) for point in points]
        if isinstance(kind, Choice):
            places = np.array([kind.choices.index(value) for value in values], dtype=float)
            axes.append(Axis(name, places, labels=tuple(map(_name, kind.choices))))
        elif any(value is not None for value in values):
            axes.append(Axis(name, np.array(values, dtype=float), kind.logarithmic))
    return axes


def _scores(trials: tuple[Trial, ...]) -> tuple[Any, Any]:
    scores = [np.nan if trial.accuracy is None else trial.accuracy for trial in trials]
    return np.array(scores), np.array([trial.is_complete for trial in trials])


def _plain(recipe: Recipe) -> dict[str, str]:
    """Every field that decides what is computed, phases first; a single one goes without saying."""
    plain = {"phases": []} | recipe.to_json()
    for key in ("name", "system", "summary", "data", "expect", "seed"):
        del plain[key]
    single = "phases.0." if len(recipe.phases) == 1 else ""
    return {path.removeprefix(single): _name(value) for path, value in flattened(plain).items()}


def _name(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _cell(value: Any) -> str | int | float | None:
    return value if value is None or isinstance(value, str | int | float) else _name(value)


def _gain_text(result: TuningResult) -> str:
    found = result.gain()
    if np.isnan(found.p):
        return f"{100 * found.mean:+.2f} points"
    return f"{100 * found.mean:+.2f} points ({interval_text(found, 2)}, {p_text(found.p)})"


def _facts(result: TuningResult) -> tuple[Fact, ...]:
    search, trials = result.search, result.trials
    run = result.comparison.arms[1].runs[0]
    n_complete = sum(trial.is_complete for trial in trials)
    return (
        Fact("Data set", f"{search.dataset.name}, split {run.data['split']}"),
        Fact("Images", images_text(run.data)),
        Fact("Trials", f"{len(trials)}, of which {len(trials) - n_complete} ended early"),
        Fact("Search", f"{result.time_s / 60:.1f} min, from the first trial to the last"),
        Fact("Sampler", f"{search.sampler}, seed {search.seed}"),
        Fact("Machine", machine_text(run.env)),
        Fact("Chosen on", "validation; the test part was looked at for two recipes"),
    )
