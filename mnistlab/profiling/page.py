"""The page of a data set: classes, parts, pixels, images, and where labels are doubtful."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mnistlab import atomic
from mnistlab.data.splits import auto_protocol
from mnistlab.own_pages import check_page
from mnistlab.profiling.grey_levels import BLACK, statistics_of
from mnistlab.profiling.measuring import Embedding, Profile
from mnistlab.profiling.tables import (
    agreement_table,
    class_table,
    pair_table,
    pixel_table,
    split_table,
)
from mnistlab.profiling.words import answer, classes, closest, compared, components, percent, shown
from mnistlab.reporting.commands import command_for
from mnistlab.reporting.figures.classes import class_gallery, class_moments
from mnistlab.reporting.figures.images import alike_pairs, image_grid
from mnistlab.reporting.figures.pies import pie
from mnistlab.reporting.figures.probabilities import grey_levels
from mnistlab.reporting.figures.rows import black_pixels, class_balance
from mnistlab.reporting.figures.scatter import embedding_map, variance_curve
from mnistlab.reporting.page import Fact, Figure, Page, Section
from mnistlab.reporting.render import write

N_FIRST = 10  # images, as write-up A shows them


def profile_report(profile: Profile, folder: Path) -> Path:
    """Write profile.html, profile.json and figures/*.png into `folder`; the page's path."""
    check_page(folder / "profile.html")
    atomic.write_json(folder / "profile.json", profile.to_json())
    return write(profile_page(profile, command_of(profile)), folder, "profile.html")


def command_of(profile: Profile) -> str:
    """What makes the page again, as far as the set says how it was loaded."""
    is_without_map = profile.embedding is not None and profile.embedding.points is None
    return command_for(
        profile.dataset, "data", "profile", after="--no-map" if is_without_map else ""
    )


def profile_page(profile: Profile, command: str) -> Page:
    """The whole of it; what needs several classes or images is left out where there are none."""
    name = profile.dataset.name
    return Page(
        kind="Profile",
        title=name,
        question=f"What is in {name}?",
        answer=answer(profile),
        facts=_facts(profile),
        sections=(
            _classes(profile),
            Section("Splits", tables=(split_table(profile),), figures=_parts(profile)),
            _pixels(profile),
            _images(profile),
            *(_directions(profile, profile.embedding) if profile.embedding else ()),
            *((_pairs(profile),) if profile.pairs else ()),
        ),
        command=command,
    )


def summary_lines(profile: Profile) -> tuple[list[str], list[tuple[str, str]]]:
    """Headings and rows of what a terminal shows."""
    facts = [(fact.label.lower(), fact.value) for fact in _facts(profile)]
    all_pixels = statistics_of(profile.grey_levels.sum(axis=(0, 1)))
    facts += [
        ("grey levels", f"{all_pixels.mean:.1f} ± {all_pixels.deviation:.1f}"),
        ("black pixels", percent(all_pixels.black)),
    ]
    if profile.embedding:
        facts.append(("components", components(profile.embedding)))
    if profile.pairs:
        facts.append(("nearest is of the class", percent(profile.nearest_is_own.mean())))
        facts.append(("closest pair", closest(profile)))
    return ["what", "value"], facts


def _facts(profile: Profile) -> tuple[Fact, ...]:
    dataset = profile.dataset
    sizes = " / ".join(f"{n:,}" for n in profile.counts.sum(axis=1))
    parts = f"{sizes}, as given" if len(profile.parts) > 1 else "none are given"
    total, of_map = sum(profile.time_s.values()), profile.time_s.get("map")
    seconds = f"{total:.1f}\N{NO-BREAK SPACE}s"
    return (
        Fact("Data set", dataset.name),
        Fact("Images", f"{len(dataset):,}"),
        Fact("Size", "{} x {}".format(*dataset.images.shape[1:])),
        Fact("Classes", classes(profile).replace(" classes of ", ", of ")),
        Fact("Train and test parts", parts),
        Fact("Compared", compared(profile).removeprefix("the ")),
        *((Fact("Licence", dataset.licence),) if dataset.licence else ()),
        Fact(
            "Time", seconds + (f", {of_map:.1f}\N{NO-BREAK SPACE}s for the map" if of_map else "")
        ),
    )


def _classes(profile: Profile) -> Section:
    figure = class_balance(
        profile.counts,
        profile.parts,
        profile.dataset.class_names,
        caption="Bars from one line: lengths can be compared, and a class of few images is seen.",
    )
    slices = pie(
        profile.class_counts,
        profile.dataset.class_names,
        caption="The same numbers as write-up C draws them.",
        name="class-pie",
        title="Images by class",
    )
    return Section("Classes", figures=(figure, slices), tables=(class_table(profile),))


def _parts(profile: Profile) -> tuple[Figure, ...]:
    """The parts that training takes, as a pie; none where the set cannot be cut so."""
    protocol = auto_protocol(profile.dataset)
    sizes = next((s.sizes for s in profile.splits if s.protocol == protocol), None)
    if sizes is None:
        return ()
    figure = pie(
        np.array(sizes),
        ("train", "validation", "test"),
        caption=f"The split {protocol}, which training takes unless told otherwise.",
        name="split-pie",
        title="Images by part",
    )
    return (figure,)


def _pixels(profile: Profile) -> Section:
    height, width = profile.dataset.images.shape[1:]
    constant = (
        f"{profile.n_constant:,} of the {height * width:,} pixels are the same in every one of "
        f"{shown(profile)}."
        if profile.n_constant
        else f"None of the {height * width:,} pixels is the same in all of {shown(profile)}."
    )
    histogram = grey_levels(
        profile.grey_levels.sum(axis=(0, 1)), BLACK, caption="All pixels of all images."
    )
    by_class = profile.grey_levels.sum(axis=0)
    fractions = [statistics_of(levels).black if levels.any() else np.nan for levels in by_class]
    everything = statistics_of(by_class.sum(axis=0)).black
    black = black_pixels(
        np.array([everything, *fractions]),
        profile.dataset.class_names,
        caption=f"Black is a grey level of {BLACK} at most (write-up C); all parts.",
    )
    tables = (pixel_table(profile),)
    return Section("Pixels", constant, figures=(histogram, black), tables=tables)


def _images(profile: Profile) -> Section:
    images, names = profile.dataset.images, profile.dataset.class_names
    n_first = min(N_FIRST, len(images))
    first = image_grid(
        np.asarray(images[:n_first]),
        profile.dataset.labels[:n_first],
        None,
        names,
        caption=f"The first {n_first} images as they stand in the set, with their labels.",
        name="first-images",
        title="The first images",
        n_columns=(5, 5),
    )
    gallery = class_gallery(
        [images[places] for places in profile.examples],
        names,
        caption=f"Taken evenly from the first to the last of {shown(profile)}, not chosen.",
    )
    moments = class_moments(
        profile.mean,
        profile.deviation,
        names,
        caption=f"Over {shown(profile)}. The deviation is brightest, at "
        f"{np.nanmax(profile.deviation):.0f} grey levels, where images of a class differ most.",
    )
    return Section("Images", figures=(first, gallery, moments))


def _directions(profile: Profile, embedding: Embedding) -> tuple[Section, Section]:
    n_pixels, n_map = profile.dataset.images[0].size, embedding.n_map
    some = f"{n_map:,} of " if n_map < len(profile.compared) else ""
    curve = variance_curve(
        np.array(embedding.variance),
        caption=f"Principal component analysis of {compared(profile)}, {n_pixels:,} pixels each.",
    )
    figures: tuple[Figure, ...] = ()
    if embedding.points is not None:
        points = embedding_map(
            embedding.points,
            profile.dataset.labels[profile.compared[:n_map]],
            profile.dataset.class_names,
            caption=f"t-SNE of {some}{compared(profile)}, perplexity {embedding.perplexity:.3g}.",
        )
        figures = (points,)
    return (
        Section("Principal components", figures=(curve,)),
        Section("Neighbours", figures=figures, tables=(agreement_table(embedding),)),
    )


def _pairs(profile: Profile) -> Section:
    dataset, pairs = profile.dataset, profile.pairs
    places = np.array([pair[:2] for pair in pairs])
    figure = alike_pairs(
        dataset.images[places],
        dataset.labels[places],
        [pair.distance for pair in pairs],
        dataset.class_names,
        caption="The distance is the root mean square difference of all pixels, of 255. No image "
        "is shown twice.",
    )
    same = sum(pair.distance == 0 for pair in pairs)
    text = (
        f"The nearest images of different classes among {compared(profile)}. Where a label is "
        "wrong, or nobody could tell, it shows here first."
        + (f" In {same} of these pairs the two are the same, pixel for pixel." if same else "")
    )
    return Section("Doubtful labels", text, figures=(figure,), tables=(pair_table(profile),))
