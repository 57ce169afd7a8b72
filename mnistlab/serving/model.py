"""An ONNX file of `mnistlab export`, checked and ready to predict."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab import atomic
from mnistlab.bounds import shortened
from mnistlab.errors import DataError, RunError, reason
from mnistlab.serving.facts import Facts, facts_from

NEEDS = "serving needs: pip install 'mnistlab[serve]'"
LARGEST_FILE = 1 << 31  # bytes; protobuf holds no more


class Answer(NamedTuple):
    """Of N images: probabilities float32 (N, K); distances float32 (N,) where the file has them."""

    probabilities: NDArray[np.float32]
    distances: NDArray[np.float32] | None


class Model(NamedTuple):
    """A network with its name and facts. The session may be used by one thread at a time."""

    name: str
    facts: Facts
    session: Any
    outputs: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the images."""
        height, width = self.facts.image_shape
        return height, width

    def answer(self, images: NDArray[np.uint8]) -> Answer:
        """Probabilities of images uint8 (N, H, W), and distances where the file gives them."""
        found = self.session.run(self.outputs, {"images": images})
        return Answer(found[0], found[1] if len(found) > 1 else None)


def open_model(path: Path, name: str) -> Model:
    """Load and try a file; DataError where it is no export of mnistlab or does not work."""
    content = _content(path)
    session = _session(content, path)
    facts = facts_from(session.get_modelmeta().custom_metadata_map, str(path))
    outputs = _outputs(session, facts, path)
    model = Model(name, facts, session, outputs)
    _try(model, path)
    return model


def _content(path: Path) -> bytes:
    try:
        atomic.check_regular(path)
        if path.stat().st_size > LARGEST_FILE:
            raise DataError(f"{path}: larger than {LARGEST_FILE >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {reason(error)}") from error


def _session(content: bytes, path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise RunError(NEEDS) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_mem_pattern = False  # it would remember one for every size of batch
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no common class but RuntimeError's
        why = shortened(reason(error), 200)
        raise DataError(f"{path}: not an ONNX file that onnxruntime loads: {why}") from error


def _outputs(session: Any, facts: Facts, path: Path) -> tuple[str, ...]:
    """The names of the outputs that are used; DataError for other inputs and outputs."""
    given = [(each.name, each.type, list(each.shape[1:])) for each in session.get_inputs()]
    made = {each.name: (each.type, len(each.shape)) for each in session.get_outputs()}
    if given != [("images", "tensor(uint8)", facts.image_shape)]:
        raise DataError(f"{path}: its input is not images, uint8 (N, H, W), as its metadata say")
    if made.get("probabilities") != ("tensor(float)", 2):
        raise DataError(f"{path}: has no output probabilities, float32 (N, K)")
    if facts.unusual_above is None or "distance" not in made:
        return ("probabilities",)
    if made["distance"] != ("tensor(float)", 1):
        raise DataError(f"{path}: its output distance is not float32 (N,)")
    return ("probabilities", "distance")


def _try(model: Model, path: Path) -> None:
    """Run two batches: DataError where the answers have not the shape, or are no probabilities."""
    for n in (1, 3):
        images = np.zeros((n, *model.shape), np.uint8)
        try:
            probabilities, distances = model.answer(images)
        except Exception as error:  # of onnxruntime, as above
            why = shortened(reason(error), 200)
            raise DataError(f"{path}: does not run: {why}") from error
        fits = probabilities.shape == (n, len(model.facts.classes))
        if not fits or not np.allclose(probabilities.sum(1), 1, atol=1e-3):
            raise DataError(f"{path}: does not give one probability for each of its classes")
        if distances is not None and not (distances.shape == (n,) and (distances >= 0).all()):
            raise DataError(f"{path}: does not give one distance for each image")
