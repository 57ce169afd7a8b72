"""What a profile found, in tables."""

from __future__ import annotations

from mnistlab.data.splits import auto_protocol
from mnistlab.profiling.grey_levels import BLACK, statistics_of
from mnistlab.profiling.measuring import Embedding, Profile
from mnistlab.profiling.words import class_name, compared
from mnistlab.reporting.bounds import MOST_CLASSES, extremes, with_left_out
from mnistlab.reporting.page import Column, Table


def class_table(profile: Profile) -> Table:
    """Images, percent and, where there are parts, images in each; then what its pixels are like."""
    counts, parts = profile.counts, profile.parts if len(profile.parts) > 1 else ()
    columns = (
        Column("Class"),
        Column("Images"),
        Column("Fraction, %", ".2f"),
        *(Column(part.capitalize()) for part in parts),
        Column("Mean grey level", ".1f"),
        Column("Black pixels, %", ".1f"),
        Column("Nearest of its class, %", ".1f"),
    )
    rows = []
    by_class = profile.grey_levels.sum(axis=0)
    chosen = extremes(profile.class_counts, MOST_CLASSES)
    for k in chosen:
        name, levels = profile.dataset.class_names[k], by_class[k]
        n = int(profile.class_counts[k])
        pixels = statistics_of(levels) if n else None
        rows.append(
            (
                name,
                n,
                100 * n / len(profile.dataset),
                *(int(of_part) for of_part in counts[:, k] if parts),
                pixels and pixels.mean,
                pixels and 100 * pixels.black,
                100 * float(profile.own_shares[k]),
            )
        )
    note = (
        f"The last column: of {compared(profile)}, for how many of the class the nearest of the "
        "others, by all pixels, is of the class too."
    )
    note = with_left_out(
        note,
        len(chosen),
        len(by_class),
        "most frequent and rarest, half each (profile.json has all)",
    )
    return Table("Classes", columns, tuple(rows), note=note)


def pixel_table(profile: Profile) -> Table:
    """What the grey levels of each part are."""
    columns = (
        Column("Part"),
        Column("Pixels"),
        Column("Levels"),
        Column("Median"),
        Column("Mean", ".2f"),
        Column("Deviation", ".2f"),
        Column("Mean / 255", ".4f"),
        Column("Deviation / 255", ".4f"),
        Column("Black, %", ".2f"),
        Column("Others' mean", ".2f"),
    )
    rows = []
    for part, levels in zip(profile.parts, profile.grey_levels.sum(axis=1), strict=True):
        p = statistics_of(levels)
        spread = (p.mean, p.deviation, p.mean / 255, p.deviation / 255)
        ends = f"{p.lowest} to {p.highest}".replace(" ", "\N{NO-BREAK SPACE}")
        rows.append((part, p.n_pixels, ends, p.median, *spread, 100 * p.black, p.other_mean))
    note = (
        f"Black is a grey level of {BLACK} at most. Standard scaling is fitted on the images "
        "trained on alone, so its numbers differ a little from these."
    )
    return Table("Pixels by part", columns, tuple(rows), note=note)


def split_table(profile: Profile) -> Table:
    """Images in each part under every protocol; a note says why one cannot cut this set."""
    name = f"{profile.dataset.name}: cannot be split: "
    columns = (
        Column("Split"),
        Column("Train"),
        Column("Validation"),
        Column("Test"),
        Column("Largest shift of a class, points", ".2f"),
    )
    has_parts = len(profile.parts) > 1
    of_parts = () if has_parts else ("official", "given")
    splits = [split for split in profile.splits if split.protocol not in of_parts]
    rows = tuple(
        (split.protocol, *(split.sizes or (None, None, None)), _points(split.largest_shift))
        for split in splits
    )
    faults = [
        f" {split.protocol} cannot be had: {split.fault.removeprefix(name).rstrip('.')}."
        for split in splits
        if split.fault
    ]
    note = (
        f"Training takes {auto_protocol(profile.dataset)} unless told "
        "otherwise. The shift is how far the fraction of a class in one of the parts is from its "
        "fraction of all images, at most." + "".join(faults)
    )
    return Table("Images in each part", columns, rows, note)


def agreement_table(embedding: Embedding) -> Table:
    """How often the nearest neighbours name an image's class, a row a space."""
    return Table(
        "Classes named by the ten nearest neighbours",
        (Column("Space"), Column("Correct", ".4f")),
        tuple(embedding.agreement.items()),
        note=f"{embedding.n_map:,} images, each left out of its own vote. No label is used to "
        "place them.",
    )


def pair_table(profile: Profile) -> Table:
    """Where the images of the pairs are to be found."""
    columns = (
        Column("Pair"),
        Column("Image", "d"),
        Column("Its class"),
        Column("Other image", "d"),
        Column("Its class"),
        Column("Apart, grey levels", ".2f"),
    )
    rows = tuple(
        (number, a, class_name(profile, a), b, class_name(profile, b), distance)
        for number, (a, b, distance) in enumerate(profile.pairs, start=1)
    )
    first = ", the training part first" if len(profile.parts) > 1 else ""
    note = f"Images are numbered from 0 as they are read{first}."
    return Table("Which images these are", columns, rows, note)


def _points(fraction: float | None) -> float | None:
    return None if fraction is None else 100 * fraction
