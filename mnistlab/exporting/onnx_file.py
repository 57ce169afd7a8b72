"""A trained run as one ONNX file that stock onnxruntime loads, checked before it is kept.

torch's exporter has produced wrong graphs before, so nothing is believed: the file is run on real
images and kept only where it answers as the classifier does.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab import atomic
from mnistlab.classifiers.methods import Classifier
from mnistlab.data.notes import note
from mnistlab.errors import DataError, MnistlabError, RunError
from mnistlab.evaluation import tempered
from mnistlab.evaluation.neighbours import Reference, distances
from mnistlab.exporting.card import facts_of, is_card, model_card
from mnistlab.own_pages import PRODUCER, check_model
from mnistlab.runs.folder import Run, opened
from mnistlab.runs.neighbours import features_of, reference_of
from mnistlab.runs.run_data import dataset_of

if TYPE_CHECKING:
    from mnistlab.exporting.ensemble_module import ExportedEnsemble
    from mnistlab.exporting.modules import Exported

OPSET = 18  # of 2022: old enough for any onnxruntime in use
N_CHECKED = 1000  # real images on which the file must answer as the classifier does
TOLERANCE = 1e-4  # of a probability, and of a distance, which is at most 2
MOST_ALONE = 10  # images asked for alone; see Parity.n_by_rounding
NEEDS = "the export of ONNX files needs: pip install 'mnistlab[export]'"


class Parity(NamedTuple):
    """How the file compares with the classifier on n_images.

    n_equal: equal labels. largest_difference: of a probability. largest_distance_difference: of a
    distance to the nearest training images; None of a file without. n_by_rounding: images for which
    the classifier's own answer hangs on rounding, as a support vector machine's vote does where a
    pair of classes is equal: it gives the file's answer too if asked for them alone, or with pixels
    of 64 bits, and these answers are compared. largest_by_rounding: of their probabilities, the
    largest difference from the classifier's first answer. are_random: the images are not the run's.
    """

    n_images: int
    n_equal: int
    largest_difference: float
    largest_distance_difference: float | None = None
    n_by_rounding: int = 0
    largest_by_rounding: float = 0.0
    are_random: bool = False

    @property
    def is_kept(self) -> bool:
        """Whether the file answers as the classifier does."""
        differences = (self.largest_difference, self.largest_distance_difference or 0.0)
        return self.n_equal == self.n_images and all(d <= TOLERANCE for d in differences)  # no nan


def export_onnx(
    run: Run | Path | str, path: Path | str, on_note: Callable[[str], None] = note
) -> Parity:
    """Write the run's classifier to `path`, and a card that describes it to `path`.md.

    Input "images": uint8 (N, H, W) as they are read from a file; output "probabilities": float32
    (N, K) with the temperature that `evaluate` fitted; output "distance": float32 (N,), to the
    nearest training images (mnistlab.evaluation.neighbours); N is free. The metadata hold the
    classes, the accuracy and where it comes from, and the distance from which on an image is
    unlike the training images. Where the run's data are gone, on_note says so: the answers are
    then compared on random images, and "distance" is there only if the run's folder has what it
    needs. Raises RunError where the classifier has no probabilities, or where the file does not
    answer as it does: nothing is written then.
    """
    run, path = opened(run), Path(path)
    card = _card_path(path)
    classifier = run.classifier("cpu")
    images, are_random = some_images(run, on_note)
    temperature = run.result.get("temperature")
    reference = reference_of(run, classifier, on_note)
    content = onnx_bytes(classifier, temperature, facts_of(run, reference), reference)
    parity = compared(content, classifier, temperature, images, reference)
    parity = parity._replace(are_random=are_random)
    if not parity.is_kept:
        raise RunError(
            f"{path}: not written: the exported network answers differently from the trained one "
            f"({parity.n_images - parity.n_equal} of {parity.n_images} labels differ, "
            f"probabilities by up to {parity.largest_difference:.1g}, "
            f"distances by up to {parity.largest_distance_difference or 0:.1g})"
        )
    with atomic.open_output(path) as file:
        file.write(content)
    with atomic.open_output(card) as file:
        file.write(model_card(run, path.name, parity, reference).encode())
    return parity


def _card_path(path: Path) -> Path:
    """Where the card goes; DataError where something else lies there or at `path` itself.

    So it is where nothing can be written.
    """
    atomic.check_writable(path.parent)
    check_model(path)
    card = path.with_name(f"{path.name}.md")
    is_ours = card.is_file() and is_card(card.read_text(errors="replace"), path.name)
    if card.exists() and not is_ours:
        raise DataError(f"{card}: exists and is not the card of an export; move it away first")
    return card


def some_images(run: Run, on_note: Callable[[str], None]) -> tuple[NDArray[np.uint8], bool]:
    """At most N_CHECKED images of the run's data, evenly spaced, in the shape it was trained on.

    Random ones, and True, where the data are gone or have changed; on_note then says so.
    """
    try:
        images = dataset_of(run).images
    except MnistlabError as error:
        on_note(f"the file is compared with the run on random images: {error}")
        return random_images(run.data["image_shape"]), True
    places = np.linspace(0, len(images) - 1, min(len(images), N_CHECKED)).astype(np.intp)
    return np.ascontiguousarray(images[places]), False


def random_images(image_shape: Sequence[int]) -> NDArray[np.uint8]:
    """N_CHECKED images of blotches of 1, 2, 4 and 8 pixels: what networks see differs in them."""
    rng, (height, width) = np.random.default_rng(0), image_shape
    blotches = []
    for side in (1, 2, 4, 8):
        shape = (N_CHECKED // 4, -(-height // side), -(-width // side))
        levels = rng.integers(0, 256, shape, dtype=np.uint8)
        blotches.append(levels.repeat(side, 1).repeat(side, 2)[:, :height, :width])
    return np.concatenate(blotches)


def onnx_bytes(
    classifier: Classifier,
    temperature: float | None,
    facts: dict[str, str],
    reference: Reference | None = None,
) -> bytes:
    """The classifier as a checked ONNX model with `facts` as its metadata."""
    try:
        import onnx
        import onnxscript  # noqa: F401  # torch's exporter imports it late and says less
    except ImportError as error:
        raise RunError(NEEDS) from error
    from mnistlab.exporting.ensemble_module import exported_module

    module = exported_module(classifier, temperature, reference)
    model = _traced(module, classifier.image_shape_)
    onnx.helper.set_model_props(model, facts)
    model.producer_name = PRODUCER
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _traced(module: Exported | ExportedEnsemble, image_shape: tuple[int, int]) -> Any:
    import torch

    # Two images: a batch of one would be taken for a batch that is always of one.
    example = torch.zeros((2, *image_shape), dtype=torch.uint8)
    with _quiet():
        program = torch.onnx.export(
            module,
            (example,),
            dynamo=True,
            external_data=False,
            opset_version=OPSET,
            input_names=["images"],
            output_names=["probabilities", "distance"][: 1 if module.distance is None else 2],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            verbose=False,
        )
    assert program is not None
    return program.model_proto


def compared(
    content: bytes,
    classifier: Classifier,
    temperature: float | None,
    images: NDArray[np.uint8],
    reference: Reference | None = None,
) -> Parity:
    """The file's answers, by onnxruntime, beside the classifier's and the reference's."""
    try:
        import onnxruntime
    except ImportError as error:
        raise RunError(NEEDS) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    theirs, *their_distances = session.run(None, {"images": images})
    ours = tempered(classifier.predict_proba(images), temperature or 1.0)
    apart, by_rounding = np.abs(theirs - ours).max(axis=1), list[float]()
    for place in np.flatnonzero(apart > TOLERANCE)[:MOST_ALONE]:
        for dtype in (np.uint8, np.float64):  # the second scales pixels with other rounding
            p = classifier.predict_proba(images[[place]].astype(dtype))
            alone = tempered(p, temperature or 1.0)
            if float(np.abs(theirs[place] - alone).max()) <= TOLERANCE:
                ours[place] = alone[0]
                by_rounding.append(float(apart[place]))
                break
    n_equal = int((theirs.argmax(1) == ours.argmax(1)).sum())
    largest = float(np.abs(theirs - ours).max())
    parity = Parity(
        len(images), n_equal, largest, None, len(by_rounding), max(by_rounding, default=0.0)
    )
    if reference is None:
        return parity
    our_distances = distances(features_of(classifier, images), reference)
    furthest = float(np.abs(their_distances[0] - our_distances).max())
    return parity._replace(largest_distance_difference=furthest)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what torch's exporter prints and warns of while it works."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(action="ignore"), contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)
