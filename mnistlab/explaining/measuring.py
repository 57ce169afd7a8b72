"""Explaining what a run says of a few images: everything that the page shows, computed here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Unpack

import numpy as np
from numpy.typing import NDArray

from mnistlab.bounds import shown as shown_value
from mnistlab.classifiers.methods import Classifier, method_of
from mnistlab.data.notes import heard, note, shown
from mnistlab.data.polarity import border_of
from mnistlab.errors import RunError
from mnistlab.explaining.confusions import confusions_of
from mnistlab.explaining.explanation import (
    Explained,
    ExplainOptions,
    ExplainSettings,
    Explanation,
    Strongest,
)
from mnistlab.explaining.gradients import gradients_times_input
from mnistlab.explaining.occlusion import Occlusion, Patch, occlusions, patch_of
from mnistlab.explaining.reading import Chosen, chosen_from, images_to_explain
from mnistlab.explaining.scores import Codes, Images, class_scores
from mnistlab.explaining.shuffling import Maps, SanityCheck, sanity_checks
from mnistlab.explaining.similar import Similar, similar_to
from mnistlab.runs.folder import Run
from mnistlab.runs.predictions import predictions

N_CHECKED = 6  # images whose maps are compared with those of shuffled weights
N_COMPARED = 12  # maps, each of another shuffle where there are few images: chance averages out
MOST_NAMED = 20  # classes in a message


class Question(NamedTuple):
    """Why a classifier says what it says of images (N, H, W): what all maps start from.

    about: the class (N,) that the maps of each image are about.
    """

    images: Images
    predicted: Codes
    about: Codes
    probabilities: NDArray[np.float64] | None
    ground: int
    patch: Patch

    def first(self, n: int) -> Question:
        """The same of the first n images."""
        probabilities = None if self.probabilities is None else self.probabilities[:n]
        return Question(
            self.images[:n],
            self.predicted[:n],
            self.about[:n],
            probabilities,
            self.ground,
            self.patch,
        )


def explained(
    run: Run,
    path: Path | str,
    *,
    on_image: Callable[[str, int], None] = lambda ident, n_images: None,
    on_note: Callable[[str], None] = note,
    **options: Unpack[ExplainOptions],
) -> Explanation:
    """Explain what the run says of some images of a file or folder, whichever `predict` reads.

    on_image: called with the ID of each image that is done, and how many there are. options: see
    ExplainSettings. Raises DataError for images that cannot be read or do not fit, and RunError for
    a class that the run does not know.
    """
    settings, notes = ExplainSettings(**options), list[str]()

    def on_noted(text: str) -> None:
        notes.append(" ".join(shown(text).split()))
        on_note(text)

    with method_of(run.recipe.model).n_threads(settings.threads):
        about = None if settings.class_name is None else code_of(run, settings.class_name)
        classifier = run.classifier(settings.device)
        with heard(notes.append):
            blocks = images_to_explain(run, Path(path), settings, on_noted)
            chosen = chosen_from(blocks, settings.limit, str(path))
            similar = similar_to(run, classifier, chosen.images, on_noted)
            confusions = confusions_of(run, on_noted)
        question = _question(run, classifier, chosen.images, about)
        images = []
        for image in _explained_images(classifier, question, chosen, similar):
            images.append(image)
            on_image(image.id, len(chosen.ids))
        return Explanation(
            run,
            Path(path),
            settings,
            chosen.words,
            tuple(images),
            question.ground,
            question.patch,
            _checked(classifier, question.first(N_CHECKED)),
            confusions,
            tuple(dict.fromkeys(notes)),
        )


def _question(run: Run, classifier: Classifier, images: Images, about: int | None) -> Question:
    codes, probabilities = predictions(classifier, images)
    return Question(
        images,
        codes,
        codes if about is None else np.full_like(codes, about),
        probabilities,
        ground_of(run, images),
        patch_of(classifier.image_shape_),
    )


def _checked(classifier: Classifier, of: Question) -> tuple[SanityCheck, ...]:
    n_shuffles = -(-N_COMPARED // len(of.images))
    return tuple(sanity_checks(classifier, _maps_of(of), n_shuffles))


def code_of(run: Run, class_name: str) -> int:
    """The number of a class of the run; RunError for a name that it does not know."""
    names = run.data["class_names"]
    if class_name not in names:
        there = ", ".join(names[:MOST_NAMED]) + (", ..." if len(names) > MOST_NAMED else "")
        raise RunError(f"{run.path}: knows no class {shown_value(class_name)}; there are: {there}")
    return int(names.index(class_name))


def ground_of(run: Run, images: Images) -> int:
    """The grey level of what lies behind: the median border of the training images.

    Of a run from before that was recorded, that of the images themselves.
    """
    border = run.data.get("border")
    level = border["median"] if border else border_of(images).median
    return int(np.clip(round(level), 0, 255))


def _explained_images(
    classifier: Classifier, question: Question, chosen: Chosen, similar: list[Similar] | None
) -> Iterator[Explained]:
    of = question
    gradients = gradients_times_input(classifier, of.images, of.about, of.ground)
    for place, occlusion in enumerate(_occlusions(classifier, of)):
        code = int(of.about[place])
        yield Explained(
            chosen.ids[place],
            of.images[place],
            int(of.predicted[place]),
            code,
            None if of.probabilities is None else of.probabilities[place],
            occlusion.map_of(code),
            gradients[place],
            _strongest(classifier, of, occlusion, place),
            None if similar is None else similar[place],
        )


def _occlusions(classifier: Classifier, of: Question) -> Iterator[Occlusion]:
    return occlusions(lambda some: class_scores(classifier, some), of.images, of.ground, of.patch)


def _strongest(classifier: Classifier, of: Question, occlusion: Occlusion, place: int) -> Strongest:
    """The patch without which the score falls most.

    Of a class that is not predicted: without which it rises most, as what speaks against it.
    """
    code = int(of.about[place])
    falls = occlusion.falls[:, code]
    is_predicted = code == of.predicted[place]
    window = occlusion.windows[int(falls.argmax() if is_predicted else falls.argmin())]
    covered = of.images[place].copy()
    covered[window] = of.ground
    (predicted,), p = predictions(classifier, covered[None])
    if of.probabilities is None or p is None:
        return Strongest(window, covered, None, None, int(predicted), None)
    before, after = float(of.probabilities[place, code]), float(p[0, code])
    return Strongest(window, covered, before, after, int(predicted), float(p[0, predicted]))


def _maps_of(of: Question) -> Callable[[Classifier], Maps]:
    """Of a classifier, the maps that a sanity check compares, without what is ground anyway."""

    def maps_of(classifier: Classifier) -> Maps:
        gradients = gradients_times_input(classifier, of.images, of.about, of.ground)
        covered = zip(_occlusions(classifier, of), of.about, strict=True)
        return Maps(
            [occlusion.falls[occlusion.changes, code] for occlusion, code in covered],
            [map[image != of.ground] for map, image in zip(gradients, of.images, strict=True)],
        )

    return maps_of
