"""The page of a comparison: its question, the answer, the comparison table and the figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mnistlab.evaluation import fraction_interval, wilson_interval
from mnistlab.reporting.cost import (
    confusion_sections,
    cost_table,
    growth_sections,
    setting_sections,
)
from mnistlab.reporting.evidence import or_nan
from mnistlab.reporting.figures.curves import learning_curves, validation_losses
from mnistlab.reporting.figures.lines import Curves
from mnistlab.reporting.figures.rows import accuracy_bars, per_class_accuracy
from mnistlab.reporting.figures.scatter import accuracy_against_parameters
from mnistlab.reporting.listing import listing_sections
from mnistlab.reporting.page import (
    Fact,
    Figure,
    Number,
    Page,
    Section,
    Table,
    accuracy_text,
    columns,
)
from mnistlab.reporting.run_report import SHOWN_TEXT, gallery, images_text, machine_text
from mnistlab.reporting.series import marked_names, repeats, standing_apart
from mnistlab.reporting.training_curves import (
    curves_caption,
    curves_of,
    is_validated,
    lines_text,
    rate_figures,
)
from mnistlab.runs import read_evaluation
from mnistlab.study import ArmResult, StudyResult

EXPANDED = "expanded_val_accuracy"


def comparison_page(result: StudyResult, command: str) -> Page:
    """The page of arms trained and compared.

    Arms that are points of a series are shown as such, the others beside each other.
    """
    apart = standing_apart(result.arms)
    return Page(
        title=f"{result.study.name} on {result.dataset.name}",
        question=result.study.question,
        answer=result.answer,
        facts=_facts(result),
        sections=(
            _comparison(result, apart),
            *listing_sections(result),
            *_bars(result),
            *growth_sections(result),
            *setting_sections(result),
            *_training(result, apart),
            *_classes(result, apart),
            *confusion_sections(result),
            *_galleries(result),
        ),
        command=command,
    )


def comparison_table(result: StudyResult) -> Table:
    """Arm, size, published and measured metrics, time: a row per arm, no empty columns."""
    left_out = repeats(result.arms)
    shown = [arm for arm in result.arms if arm.arm.name not in _names(left_out)]
    systems = {arm.arm.recipe.system for arm in shown}
    rows = tuple(
        (
            arm.arm.name,
            # Of one system all: that tells no arm from another.
            None if len(systems) == 1 < len(shown) else arm.arm.recipe.system,
            arm.runs[0].result["n_parameters"],
            arm.runs[0].result.get("weights"),
            arm.arm.published.get(result.dataset.name),
            arm.val_accuracy,
            None if None in (each := arm.each(EXPANDED)) else float(np.mean(each)),
            accuracy_text(*arm.test_accuracy),
            arm.late_swing,
        )
        for arm in shown
    )
    titles = columns(
        *("Arm", "Row", "Parameters:,", "Weights", "Published", "Validation:.4f"),
        *("Validation, expanded:.4f", "Test accuracy", "Late swing:.3f"),
    )
    note, marked = _note(result, shown, left_out), marked_names(result.arms)
    return Table("Comparison", titles, rows, note=note, arms=marked).without_empty()


def published_table(result: StudyResult) -> Table | None:
    """Published beside measured, and why they differ; None where nothing was published."""
    data, titles = result.dataset.name, ("Arm", "Published", "Measured", "Why they differ:wide")
    rows = tuple(
        (arm.arm.name, published, _measured_as(published, arm), arm.arm.why_it_differs.get(data))
        for arm in result.arms
        if (published := arm.arm.published.get(data)) is not None
    )
    marked = marked_names(result.arms)
    return Table("Published and measured", columns(*titles), rows, arms=marked) if rows else None


def _measured_as(published: str, arm: ArmResult) -> Number:
    """On the part of the data that the published figure is of; on test where it does not say.

    Where the validation part was expanded the published figure is of the expanded one.
    """
    if published.startswith("val ") and "test" not in published:
        key = "val_accuracy" if None in arm.each(EXPANDED) else EXPANDED
        found = fraction_interval(arm.each(key))
        return Number(found[0], f"val {accuracy_text(*found).text}")
    return accuracy_text(*arm.test_accuracy)


def over_images_text(accuracy: float, n_images: int) -> str:
    """What the choice of the test images alone leaves open, which no number of seeds tells."""
    low, high = wilson_interval(round(accuracy * n_images), n_images)
    return (
        f"Of the {n_images:,} test images alone an accuracy of {accuracy:.4f} has the 95 % "
        f"interval {low:.4f} to {high:.4f} (Wilson)."
    )


def _note(result: StudyResult, shown: Sequence[ArmResult], left_out: Sequence[ArmResult]) -> str:
    best = max(arm.test_accuracy[0] for arm in shown)
    said = {
        "Without a validation accuracy: trained on all images, the last epoch is read.": any(
            arm.val_accuracy is None for arm in shown
        ),
        "Validation: mean over seeds. Test accuracy: mean over seeds and its 95 % interval over "
        "seeds (Student, on the logit scale).": max(len(arm.runs) for arm in shown) > 1,
        "Validation, expanded: of the images made of each, by which the epoch was chosen.": any(
            None not in arm.each(EXPANDED) for arm in shown
        ),
        over_images_text(best, shown[0].runs[0].result["n_test"]): True,
        "Late swing: largest change of validation accuracy between two of the last four epochs.": (
            any(arm.late_swing is not None for arm in shown)
        ),
        f"Left out, for {result.dataset.name} has too few images to set them apart from other "
        f"arms: {', '.join(_names(left_out))}.": bool(left_out),
    }
    return " ".join(sentence for sentence, holds in said.items() if holds)


def _names(arms: Sequence[ArmResult]) -> list[str]:
    return [arm.arm.name for arm in arms]


def _seeds_text(arms: Sequence[ArmResult]) -> str:
    """Such as "3, 1 where nothing is random"."""
    most = max(len(arm.runs) for arm in arms)
    texts = [str(most)]
    for arm in arms:
        if len(arm.runs) < most:
            why = "nothing is random" if arm.arm.n_seeds is None else "one takes long"
            texts.append(f"{len(arm.runs)} where {why}")
    return ", ".join(dict.fromkeys(texts))


def _facts(result: StudyResult) -> tuple[Fact, ...]:
    firsts = sorted((arm.runs[0] for arm in result.arms), key=lambda run: -run.data["n_train"])
    run, by_split = firsts[0], {run.data["split"]: run for run in reversed(firsts)}
    chosen = "validation; the test part was looked at once, at the end"
    if not any(map(is_validated, firsts)):
        chosen = "nothing: the last epoch is read; the test part was looked at once, at the end"
    return (
        Fact("Data set", f"{result.dataset.name}, split {' and '.join(sorted(by_split))}"),
        Fact("Images", "; ".join(images_text(by_split[name].data) for name in sorted(by_split))),
        Fact("Seeds an arm", _seeds_text(result.arms)),
        Fact("Runs", str(sum(len(arm.runs) for arm in result.arms))),
        Fact("Machine", machine_text(run.env)),
        Fact("Chosen on", chosen),
    )


def _comparison(result: StudyResult, apart: Sequence[ArmResult]) -> Section:
    # What does not learn in epochs has as many numbers as its training finds: no capacity chosen.
    sized = [arm for arm in apart if arm.runs[0].log]
    n_parameters = {arm.arm.name: arm.runs[0].result["n_parameters"] for arm in sized}
    figures = []
    if len(set(n_parameters.values())) > 1:
        figures.append(
            accuracy_against_parameters(
                _names(apart),
                n_parameters,
                {arm.arm.name: np.array(arm.each("test_accuracy")) for arm in sized},
                caption="Test accuracy of every seed against the number of trained parameters.",
            )
        )
    tables = [comparison_table(result), cost_table(result), published_table(result)]
    return Section(
        "Comparison", tables=tuple(table for table in tables if table), figures=tuple(figures)
    )


def _bars(result: StudyResult) -> list[Section]:
    validated = [arm for arm in result.arms if arm.val_accuracy is not None]
    if not result.study.bars or not validated:
        return []
    # Of expanded images where all arms have them, as write-up C prints it.
    are_expanded = all(None not in arm.each(EXPANDED) for arm in result.arms)
    key = EXPANDED if are_expanded else "val_accuracy"
    of_what = " on the expanded images" if are_expanded else ""
    figure = accuracy_bars(
        _names(result.arms),
        {arm.arm.name: np.array(arm.each(key)) for arm in validated},
        caption=f"Best validation accuracy{of_what}: a bar up to the mean, a dot per seed. The "
        "axis leaves out what all arms reach.",
    )
    return [Section("Best accuracies", figures=(figure,))]


def _training(result: StudyResult, apart: Sequence[ArmResult]) -> list[Section]:
    learned = [arm for arm in apart if arm.runs[0].log]
    if not learned:
        return []
    names, curves = _names(apart), {arm.arm.name: curves_of(arm.runs) for arm in learned}
    runs = [run for arm in learned for run in arm.runs]
    if result.study.together:
        figures = _curves_together(result, learned, curves)
    else:
        figures = [learning_curves(names, curves, caption=curves_caption(runs))]
    figures += rate_figures(names, curves)
    if result.study.bars:
        saved = "A mark per seed at the epoch whose weights were saved."
        caption = f"{lines_text(runs)} {saved}".lstrip()
        figures.append(validation_losses(names, curves, caption=caption))
    return [Section("Training", figures=tuple(figures))]


def _curves_together(
    result: StudyResult, learned: Sequence[ArmResult], curves: Mapping[str, Curves]
) -> list[Figure]:
    """Learning curves of the arms that the study puts together, a figure per group."""
    figures = []
    for group in result.study.together:
        runs = [run for arm in learned if arm.arm.name in group for run in arm.runs]
        sizes = "; ".join(f"{name}: {curves[name].size}" for name in group)
        figures.append(
            learning_curves(
                group,
                {name: curves[name] for name in group},
                caption=f"{curves_caption(runs)} {sizes}.",
                name=f"learning-curves-{group[0]}",
                title=f"Learning curves of {group[0]}",
            )
        )
    return figures


def _classes(result: StudyResult, apart: Sequence[ArmResult]) -> list[Section]:
    if not apart or result.study.together:  # those are too many marks for a line
        return []
    seeds = ", mean over seeds" if max(len(arm.runs) for arm in apart) > 1 else ""
    figure = per_class_accuracy(
        _names(apart),
        {
            arm.arm.name: np.mean([or_nan(each) for each in arm.each("per_class_accuracy")], axis=0)
            for arm in apart
        },
        result.dataset.class_names,
        caption=f"Accuracy on each class's test images{seeds}.",
    )
    return [Section("By class", figures=(figure,))]


def _galleries(result: StudyResult) -> list[Section]:
    return [
        Section(
            f"{arm.arm.name}: before and after",
            f"{SHOWN_TEXT}, as the network classified them when it was initialised and when it was "
            f"trained (seed {arm.runs[0].recipe.seed}).",
            figures=gallery(read_evaluation(arm.runs[0], result.dataset), f"images-{arm.arm.name}"),
        )
        for arm in result.arms
        if arm.arm.name in result.study.gallery
    ]
