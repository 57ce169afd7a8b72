"""ONNX files of runs: stock onnxruntime answers as the classifier does, or nothing is written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mnistlab as ml
from mnistlab.cli import run_command
from mnistlab.errors import RunError
from mnistlab.evaluation.neighbours import Reference
from mnistlab.exporting import ensemble_module, export_onnx, onnx_file
from mnistlab.exporting.card import facts_of
from mnistlab.exporting.onnx_file import Parity
from mnistlab.runs import neighbours

pytestmark = pytest.mark.slow

onnx = pytest.importorskip("onnx", reason="the extra 'export' is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="the extra 'export' is not installed")


@pytest.fixture(scope="module")
def images() -> ml.Dataset:
    """The embedded set, 600 images of it."""
    data = ml.load("fashion-mini")
    return data.take(np.arange(600))


QUICK: dict[str, Any] = {"random_state": 0, "n_epochs": 2, "batch_size": 50}
CLASSIFIERS: dict[str, Any] = {
    "padded, and seen in two views": ml.TorchClassifier(
        model="cnn",
        model_args={"channels": (4,), "batch_norm": True},
        pad_to=32,
        test_time_augmentation=("flip",),
        **QUICK,
    ),
    "residual": ml.TorchClassifier(
        model="residual", model_args={"channels": (4, 8), "blocks": (0, 1)}, **QUICK
    ),
    "softmax, each pixel scaled": ml.TorchClassifier(
        model="mlp", scaling="min-max-per-pixel", hidden_sizes=(), **QUICK
    ),
    "by hand": ml.ScratchClassifier(hidden_sizes=(16,), activation="tanh", dropout=0.2, **QUICK),
    "by hand, convolutions": ml.ScratchClassifier(
        channels=(3, 5), hidden_sizes=(8,), batch_norm=True, **QUICK
    ),
    "support vectors": ml.SVMClassifier(calibrated=True, random_state=0),
    "support vectors on gradients": ml.SVMClassifier(
        calibrated=True, features="hog", random_state=0
    ),
}


@pytest.mark.parametrize(
    ("name", "n_classes"), [*((name, 10) for name in CLASSIFIERS), ("support vectors", 2)]
)
def test_onnxruntime_answers_as_the_classifier(
    name: str, n_classes: int, images: ml.Dataset
) -> None:
    chosen = images.take(np.flatnonzero(images.labels < n_classes))
    classifier = CLASSIFIERS[name].fit(chosen.images, chosen.labels)
    features = neighbours.features_of(classifier, chosen.images[::3])
    reference = Reference(features, np.arange(0, len(chosen), 3), 0.1)
    content = onnx_file.onnx_bytes(classifier, 1.7, {"of": "a test"}, reference)
    parity = onnx_file.compared(content, classifier, 1.7, chosen.images, reference)
    assert parity.n_equal == parity.n_images == len(chosen)
    assert parity.largest_difference < 1e-5
    assert parity.largest_distance_difference is not None
    assert parity.largest_distance_difference < 1e-5
    # Any batch, and images that no reference is near, or that have no pixel to compare.
    odd = np.stack([255 - chosen.images[0], chosen.images[1] // 255])
    for few in (chosen.images[:1], odd):
        alone = onnx_file.compared(content, classifier, 1.7, few, reference)
        assert alone.largest_difference < 1e-5
        assert alone.largest_distance_difference is not None
        assert alone.largest_distance_difference < 1e-5


@pytest.mark.parametrize(("n_changed", "n_by_rounding"), [(0, 0), (3, 3), (40, 10)])
def test_an_answer_that_hangs_on_rounding_is_compared_with_that_for_the_image_alone(
    n_changed: int, n_by_rounding: int, images: ml.Dataset
) -> None:
    class Tied:
        """A classifier that answers for the first images otherwise if there are others."""

        def predict_proba(self, X: np.ndarray) -> np.ndarray:
            p = fitted.predict_proba(X)
            if len(X) > 1:
                p[:n_changed] = p[:n_changed, ::-1]
            return p

    fitted = ml.ScratchClassifier(hidden_sizes=(), **QUICK).fit(images.images, images.labels)
    content = onnx_file.onnx_bytes(fitted, None, {})
    parity = onnx_file.compared(content, Tied(), None, images.images[:100])
    assert parity.n_by_rounding == n_by_rounding
    assert (parity.largest_by_rounding > 0) == (n_by_rounding > 0)
    assert parity.is_kept == (n_changed < 10)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ml.Run:
    """An evaluated run of the embedded set."""
    recipe = ml.set_fields(ml.get_recipe("softmax-tuned"), {"epochs": "1", "n_train": "500"})
    return ml.evaluate(ml.train(recipe, out=tmp_path_factory.mktemp("runs"), threads=1))


def test_a_run_becomes_a_file_that_says_what_it_is(run: ml.Run, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    parity = export_onnx(run, path)
    assert parity.n_equal == parity.n_images == 1000
    session = onnxruntime.InferenceSession(path)
    (given,) = session.get_inputs()
    assert (given.name, given.type, given.shape[1:]) == ("images", "tensor(uint8)", [28, 28])
    facts = session.get_modelmeta().custom_metadata_map
    assert json.loads(facts["classes"]) == list(run.data["class_names"])
    assert json.loads(facts["test_accuracy"]) == run.result["test_accuracy"]
    assert facts["preparation"] == "garment"
    own = run.data | {"preparation": None, "source": {"size": 28}}
    assert facts_of(replace(run, data=own))["preparation"] == "resized"
    reference = neighbours.read_reference(run)
    assert reference is not None
    assert json.loads(facts["unusual_above"]) == reference.threshold
    outputs = [(output.name, output.type) for output in session.get_outputs()]
    assert outputs == [("probabilities", "tensor(float)"), ("distance", "tensor(float)")]
    card = Path(f"{path}.md").read_text(encoding="utf-8")
    assert f"{100 * run.result['test_accuracy']:.2f} % of 1,000 test images" in card
    example = card.split("```python\n")[1].split("```")[0].replace('"model.onnx"', repr(str(path)))
    exec(compile(example, "card", "exec"), {})  # as whoever gets the file would


def test_a_file_that_answers_otherwise_is_not_written(
    run: ml.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.onnx").write_bytes(b"the user's")
    right = ensemble_module.exported_module
    monkeypatch.setattr(
        ensemble_module, "exported_module", lambda of, t, reference: right(of, 3.0, reference)
    )
    with pytest.raises(RunError, match="not written: the exported network answers differently"):
        export_onnx(run, tmp_path / "model.onnx")
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]
    assert (tmp_path / "model.onnx").read_bytes() == b"the user's"


@pytest.mark.parametrize(
    ("parity", "is_kept"),
    [
        (Parity(10, 10, 1e-5), True),
        (Parity(10, 10, 1e-5, 1e-5), True),
        (Parity(10, 9, 1e-5, 1e-5), False),
        (Parity(10, 10, 1e-3, 1e-5), False),
        (Parity(10, 10, 1e-5, 1e-3), False),
        (Parity(10, 10, 1e-5, np.nan), False),
        (Parity(10, 10, np.nan, 1e-5), False),
    ],
)
def test_labels_probabilities_and_distances_must_be_equal(parity: Parity, is_kept: bool) -> None:
    assert parity.is_kept == is_kept


def test_the_command_writes_the_file_and_says_how_it_compares(
    run: ml.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "model.onnx"
    assert run_command(["export", str(run.path), "-o", str(path), "--json"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert "on 1,000 images all labels equal the trained classifier's" in said[0]
    assert json.loads(said[-1])["path"] == str(path)
    assert json.loads(said[-1])["n_equal"] == 1000


def test_wrong_names_and_the_users_own_files_are_refused_before_the_work(
    run: ml.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "model.onnx.md"
    own.write_text("my notes")
    for name, said in (
        ("model.txt", "model.txt: the name of the file must end in .onnx or .html"),
        ("model.onnx", "model.onnx.md: exists and is not the card of an export; move it away"),
        ("model.onnx.md/model.onnx", "model.onnx.md"),  # a file is no folder
    ):
        assert run_command(["export", str(run.path), "-o", str(tmp_path / name)]) == 2
        assert said in capsys.readouterr().err
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [
        ("model.onnx.md", "my notes")
    ]


def test_a_page_replaces_pages_of_mnistlab_alone(
    run: ml.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "page.html"
    assert run_command(["export", str(run.path), "-o", str(path)]) == 0
    assert run_command(["export", str(run.path), "-o", str(path)]) == 0  # its own
    path.write_text("<p>the user's</p>", encoding="utf-8")
    assert run_command(["export", str(run.path), "-o", str(path)]) == 2
    assert "page.html: is there already and is no page of mnistlab" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == "<p>the user's</p>"


def test_a_machine_without_probabilities_is_refused(images: ml.Dataset) -> None:
    fitted = ml.SVMClassifier().fit(images.images, images.labels)
    with pytest.raises(RunError, match="train it with --set calibrated=true"):
        onnx_file.onnx_bytes(fitted, None, {})
