"""The page of an explanation."""

from __future__ import annotations

import shlex
from pathlib import Path

from mnistlab.data.readers.shapes import as_size
from mnistlab.explaining.explanation import LIMIT, Explained, Explanation
from mnistlab.explaining.figures import explained_figure
from mnistlab.explaining.words import (
    answer,
    correlation_text,
    heading,
    others,
    paragraphs,
    trust,
)
from mnistlab.reporting.page import (
    Cell,
    Fact,
    Number,
    Page,
    Section,
    Table,
    accuracy_text,
    columns,
)


def explanation_page(found: Explanation, out: Path) -> Page:
    """The whole of it. out: where the page is written, for the command that makes it again."""
    run, name = found.run, found.source.name
    about = found.settings.class_name
    question = (
        f"Why does {run.recipe.name}, trained on {run.data['name']}, say what it says of {name}?"
    )
    if about is not None:
        question = (
            f"What in {name} speaks for {about}, and what against it, to {run.recipe.name}, "
            f"trained on {run.data['name']}?"
        )
    return Page(
        kind="Explanation",
        title=f"{name}, explained",
        question=question,
        answer=answer(found),
        facts=_facts(found),
        sections=(
            *([Section("What was noticed", "\n\n".join(found.notes))] if found.notes else ()),
            _reading(found),
            *(_section(found, image, place) for place, image in enumerate(found.images, 1)),
            *_confusions(found),
        ),
        command=command_of(found, out),
    )


def command_of(found: Explanation, out: Path) -> str:
    """What makes the page again."""
    settings = found.settings
    words = ["mnistlab", "explain", str(found.run.path), str(found.source), "-o", str(out)]
    if settings.limit != LIMIT:
        words += ["--limit", str(settings.limit)]
    if settings.class_name is not None:
        words += ["--class", settings.class_name]
    if (sides := as_size(settings.size)) is not None:
        words += ["--size", "{}x{}".format(*sides)]
    if settings.invert != "no":
        words += ["--invert", settings.invert]
    if settings.prepare:
        words.append("--prepare")
    return shlex.join(words)


def _facts(found: Explanation) -> tuple[Fact, ...]:
    run, patch = found.run, found.patch
    facts = [Fact("Explained", found.chosen), Fact("Run", run.path.name)]
    if run.result.get("test_accuracy") is not None:
        accuracy = accuracy_text(run.result["test_accuracy"], *run.result["test_accuracy_ci"])
        facts.append(Fact("Test accuracy of the run", accuracy.text))
    facts.append(Fact("Patch", f"{patch.height} x {patch.width} pixels"))
    facts.append(Fact("Covered with", f"grey level {found.ground} of 255"))
    return tuple(facts)


def _reading(found: Explanation) -> Section:
    is_svm = found.run.recipe.model == "svm"
    measured = (
        "the mean value of the class's decisions against every other class"
        if is_svm
        else "the logarithm of the class's probability"
    )
    score = "the same value" if is_svm else "the class's score before softmax"
    text = (
        "Blue speaks for a class, orange against it; the strongest colour of each map is its own "
        "largest value, so colours of two maps cannot be compared. The red frame is the patch that "
        "matters most.\n\n"
        "Occlusion covers one patch after the other with the grey level of the background and "
        f"predicts again: a pixel is blue where covering it lowers {measured} (Zeiler and Fergus "
        f"2014). Gradient times input asks how {score} changes with each grey level, and "
        "multiplies by how far the pixel is from that of the background (Shrikumar et al. 2016), "
        "which is always blank.\n\n"
        f"{trust(found.sanity)} Each map was made again from a network whose weights are shuffled "
        "(Adebayo et al. 2018). A rank correlation of 1 means the same map, 0 that the two have "
        "nothing in common."
    )
    return Section("How to read this page", text, tables=(sanity_table(found),))


def sanity_table(found: Explanation) -> Table:
    """Rank correlations of the maps with those of shuffled weights."""
    rows: list[tuple[Cell, ...]] = [
        (
            check.shuffled,
            Number(check.occlusion, correlation_text(check.occlusion)),
            Number(check.gradient, correlation_text(check.gradient)),
        )
        for check in found.sanity
    ]
    n = found.sanity[0].n_images
    which = "the image" if n == 1 else f"{n} images"
    return Table(
        "Rank correlation with the maps of a shuffled network",
        columns("Weights shuffled", "Occlusion", "Gradient times input"),
        tuple(rows),
        note=f"Mean over {which} and several shuffles.",
    )


def _section(found: Explanation, image: Explained, place: int) -> Section:
    names = found.class_names
    shown = explained_figure(
        image,
        found.ground,
        names,
        caption=f"Blue: speaks for {names[image.about]}. Orange: speaks against it. Framed: the "
        "patch that matters most.",
        name=f"explained-{place}",
        title=f"What speaks for {names[image.about]}, and what against it",
    )
    return Section(heading(image, names), paragraphs(found, image), figures=(shown,))


def _confusions(found: Explanation) -> tuple[Section, ...]:
    title = "What the classes are mistaken for"
    if found.confusions is None:
        path = found.run.path
        text = f"The run is not evaluated: mnistlab evaluate {shlex.quote(str(path))} measures it."
        return (Section(title, text),)
    names = found.class_names
    codes = sorted({code for image in found.images for code in (image.predicted, image.about)})
    titles = ("Predicted class", "Test images:,", "Correct:.2%", "Truly, of the others:wide")
    rows: list[tuple[Cell, ...]] = []
    for code in codes:
        mistaken = found.confusions.predicted_as(code)
        correct = mistaken.n_right / mistaken.n if mistaken.n else None
        rows.append((names[code], mistaken.n, correct, others(mistaken, names)))
    table = Table("Test images by predicted class", columns(*titles), tuple(rows))
    return (Section(title, tables=(table,)),)
