"""What a profile found, in words and numbers."""

from __future__ import annotations

import numpy as np

from mnistlab.cards import counted
from mnistlab.profiling.grey_levels import statistics_of
from mnistlab.profiling.measuring import Embedding, Profile

MOST = 0.8  # the fraction of the variance whose components are counted


def answer(profile: Profile) -> str:
    """One sentence: how many of what, how much is black, how far the classes part by themselves."""
    dataset = profile.dataset
    height, width = dataset.images.shape[1:]
    black = statistics_of(profile.grey_levels.sum(axis=(0, 1))).black
    parts = [f"{percent(black)} of the pixels are black"]
    if profile.embedding:
        parts.append(components(profile.embedding))
    if profile.pairs:
        parts.append(
            f"of {compared(profile)} {percent(profile.nearest_is_own.mean())} have an image of "
            "their own class as their nearest"
        )
    said = ", ".join(parts[:-1]) + (", and " if parts[1:] else "") + parts[-1]
    return f"{n_images(len(dataset))} of {height} by {width} pixels in {classes(profile)}: {said}."


def percent(fraction: float) -> str:
    """Such as "53.3 %", of a fraction."""
    return f"{100 * fraction:.1f} %"


def n_images(n: int) -> str:
    """Such as "70,000 images"."""
    return counted(n, "image")


def shown(profile: Profile) -> str:
    """What is looked at: the training part where there is a test part, else everything."""
    images = n_images(int(profile.counts[0].sum()))
    return f"the {images.replace('image', 'training image') if len(profile.parts) > 1 else images}"


def compared(profile: Profile) -> str:
    """Which images stand for all that are shown."""
    n, everything = len(profile.compared), int(profile.counts[0].sum())
    if n == everything:
        return shown(profile)
    kind = "training images" if len(profile.parts) > 1 else "images"
    return f"{n:,} {kind} drawn at random"


def classes(profile: Profile) -> str:
    """Such as "10 classes of 7,000 images each", or the smallest and the largest class."""
    counts, names = profile.class_counts, profile.dataset.class_names
    if len(counts) == 1:
        return "1 class"
    least, most = int(counts.argmin()), int(counts.argmax())
    if counts[least] == counts[most]:
        return f"{len(counts)} classes of {n_images(int(counts[most]))} each"
    return (
        f"{len(counts)} classes of {counts[least]:,} (class {names[least]}) to {counts[most]:,} "
        f"(class {names[most]}) images"
    )


def components(embedding: Embedding) -> str:
    """How many components hold MOST of the variance; how much of it all of them hold if less."""
    total = np.cumsum(embedding.variance)
    n = min(int(np.searchsorted(total, MOST)) + 1, len(total))
    hold = "component holds" if n == 1 else "components hold"
    return f"{n} principal {hold} {percent(float(total[n - 1]))} of the variance"


def class_name(profile: Profile, place: int) -> str:
    """The class of the image at `place`."""
    return profile.dataset.class_names[int(profile.dataset.labels[place])]


def closest(profile: Profile) -> str:
    """The first of the pairs, for a terminal."""
    first, second, distance = profile.pairs[0]
    return (
        f"{first} ({class_name(profile, first)}) and {second} ({class_name(profile, second)}), "
        f"{distance:.1f} grey levels apart"
    )
