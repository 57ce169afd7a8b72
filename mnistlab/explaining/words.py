"""What an explanation says, in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mnistlab.explaining.confusions import Confusions, Mistaken
from mnistlab.explaining.explanation import Explained, Explanation
from mnistlab.explaining.shuffling import SanityCheck
from mnistlab.reporting.figures.images import percent_text

WEAK, STRONG = 0.3, 0.6  # rank correlations below and above which maps differ and are alike
LITTLE = 0.01  # a change of a probability that matters little
ALMOST_ZERO = 0.0005  # shown as less than 0.1 %
N_OTHERS = 3  # classes that are named beside the first


def answer(found: Explanation) -> str:
    """One or two sentences on all images together."""
    images, n = found.images, len(found.images)
    n_unusual = sum(bool(image.similar and image.similar.is_unusual) for image in images)
    n_changed = sum(image.strongest.predicted != image.predicted for image in images)
    parts = []
    if n == 1 and images[0].similar:
        parts.append(f"the image is {'unlike' if n_unusual else 'like'} the training data")
    elif n_unusual:
        parts.append(f"{n_unusual} of {n} {_are(n_unusual)} unlike the training data")
    elif any(image.similar for image in images):
        parts.append("no image is unlike the training data")
    if n > 1:
        parts.append(
            f"{n_changed} of {n} {_get(n_changed)} another class when one patch is covered"
        )
    else:
        kept = "another class" if n_changed else "the same class"
        parts.append(f"covering one patch gives it {kept}")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}. {trust(found.sanity)}"


def trust(checks: Sequence[SanityCheck]) -> str:
    """Whether the maps show what was learned, by the highest rank correlation."""
    known = [abs(r) for check in checks for r in (check.occlusion, check.gradient) if r == r]
    if not known:
        return "The maps are blank, so that nothing can be said of what they show."
    highest = max(known)
    if highest < WEAK:
        return "The maps change when the network does, so they show what it has learned."
    if highest < STRONG:
        return (
            "The maps change only in part when the network does: read them as a hint to what it "
            "has learned."
        )
    return (
        "The maps hardly change when the network does: they show the image more than what was "
        "learned, and should not be trusted."
    )


def heading(image: Explained, names: Sequence[str]) -> str:
    """Such as "3.png: 7 (99.2 %)"."""
    said = names[image.predicted]
    if image.probabilities is not None:
        said += f" ({percent(float(image.probabilities[image.predicted]))})"
    unusual = ", unlike the training data" if image.similar and image.similar.is_unusual else ""
    return f"{title_of(image)}: {said}{unusual}"


def percent(probability: float) -> str:
    """Such as "93.1 %", never 0 % or 100 %: no classifier knows."""
    return "< 0.1 %" if probability < ALMOST_ZERO else percent_text(probability)


def title_of(image: Explained) -> str:
    """The ID of an image; of a number "image 3"."""
    return f"Image {image.id}" if image.id.isdecimal() else image.id


def paragraphs(found: Explanation, image: Explained) -> str:
    """What a page says of one image, in paragraphs."""
    names = found.class_names
    said = [
        f"{_prediction(image, names)} {_patch(image, names)}",
        _distance(image),
        _nearest(image, names),
        *([_mistaken(found.confusions, image, names)] if found.confusions else []),
    ]
    return "\n\n".join(part for part in said if part)


def place_of(image: Explained) -> str:
    """Where the strongest patch lies, such as "upper left", by its centre."""
    height, width = image.image.shape
    rows, columns = image.strongest.window
    down = (rows.start + rows.stop) / 2 / height
    right = (columns.start + columns.stop) / 2 / width
    vertical = "upper" if down < 1 / 3 else "lower" if down > 2 / 3 else ""
    horizontal = "left" if right < 1 / 3 else "right" if right > 2 / 3 else ""
    if not vertical:
        return f"on the {horizontal}" if horizontal else "in the middle"
    return f"at the {vertical} {horizontal or 'edge'}"


def _prediction(image: Explained, names: Sequence[str]) -> str:
    if image.probabilities is None:
        return f"Predicted as {names[image.predicted]}."
    order = (-image.probabilities).argsort(kind="stable")
    said = [f"{names[k]} ({percent(float(image.probabilities[k]))})" for k in order[:2]]
    return f"Predicted as {'; next is '.join(said)}."


def _patch(image: Explained, names: Sequence[str]) -> str:
    """What covering the strongest patch does."""
    found, name, where = image.strongest, names[image.about], place_of(image)
    falls = image.about == image.predicted
    if found.before is None or found.after is None:
        effect = "lowers" if falls else "raises"
        changed = _becomes(image, names)
        return f"Covering the patch {where} {effect} the score of {name} most{changed}."
    change = found.before - found.after if falls else found.after - found.before
    numbers = f"from {percent(found.before)} to {percent(found.after)}"
    if change < LITTLE:
        return (
            f"No single patch matters much to {name}: its probability goes {numbers} where the "
            f"strongest, {where}, is covered."
        )
    verb, role = ("lowers", "for") if falls else ("raises", "against")
    return (
        f"The patch {where} speaks most {role} {name}: covering it {verb} its probability "
        f"{numbers}{_becomes(image, names)}."
    )


def _becomes(image: Explained, names: Sequence[str]) -> str:
    then = image.strongest.predicted
    return "" if then == image.predicted else f", and {names[then]} is predicted"


def _distance(image: Explained) -> str:
    if image.similar is None:
        return ""
    away, limit = image.similar.distance, image.similar.threshold
    numbers = f"its distance to the nearest training images is {away:.2f}, the limit {limit:.2f}"
    if image.similar.is_unusual:
        return (
            f"Unlike the training data: {numbers}. The network was never shown anything like it, "
            "so its probabilities mean little."
        )
    return f"Like the training data: {numbers}."


def _nearest(image: Explained, names: Sequence[str]) -> str:
    nearest = image.similar.nearest if image.similar else ()
    if not nearest:
        return ""
    labels, name = [names[neighbour.label] for neighbour in nearest], names[image.predicted]
    n, n_same = len(labels), labels.count(name)
    if n == 1:
        return f"The training image that the network finds most alike is of class {labels[0]}."
    if n_same == n:
        return f"All {n} training images that the network finds most alike are of class {name}."
    return (
        f"Of the {n} training images that the network finds most alike, {n_same or 'none'} "
        f"{_are(n_same or 1)} of class {name}; they are of the classes {', '.join(labels)}."
    )


def _mistaken(of: Confusions, image: Explained, names: Sequence[str]) -> str:
    said = _as_class(of.predicted_as(image.predicted), names[image.predicted], names)
    if image.about == image.predicted:
        return said
    wanted = of.of_class(image.about)
    n = dict(wanted.others).get(image.predicted, 0)
    return (
        f"{said} Of {wanted.n:,} test images of class {names[image.about]}, {n:,} "
        f"{_are(n)} predicted as {names[image.predicted]}."
    )


def _as_class(mistaken: Mistaken, name: str, names: Sequence[str]) -> str:
    if not mistaken.n:
        return f"No test image was predicted as {name}."
    of_all = f"Of {mistaken.n:,} test images predicted as {name}, {mistaken.n_right:,}"
    if not mistaken.others:
        return f"{of_all} are: none was something else."
    return f"{of_all} are; the others are {others(mistaken, names)}."


def others(mistaken: Mistaken, names: Sequence[str]) -> str:
    """Such as "9 (12), 2 (4) and 3 more classes"; a dash for none."""
    named = [f"{names[code]} ({n:,})" for code, n in mistaken.others[:N_OTHERS]]
    n_more = len(mistaken.others) - len(named)
    if n_more:
        named.append(f"{n_more:,} more {'class' if n_more == 1 else 'classes'}")
    if len(named) < 2:
        return "".join(named) or "–"
    return f"{', '.join(named[:-1])} and {named[-1]}"


def correlation_text(value: float) -> str:
    """A rank correlation to two digits; a dash where there was nothing to compare."""
    return "–" if math.isnan(value) else f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def _are(n: int) -> str:
    return "is" if n == 1 else "are"


def _get(n: int) -> str:
    return "gets" if n == 1 else "get"
