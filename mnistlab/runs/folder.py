"""A complete run as it lies on the disk; every file in it is checked when it is read."""

from __future__ import annotations

import glob
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab import atomic, locks
from mnistlab.cards import card, per_cent
from mnistlab.errors import DataError, RunError, check_kind
from mnistlab.phases import Epoch, epoch_of_weights
from mnistlab.recipe import Recipe, read_recipe
from mnistlab.runs.arrays import Wanted, read_arrays
from mnistlab.runs.records import RECORDS, EpochRecord, read_lines, read_record

if TYPE_CHECKING:
    from mnistlab.classifiers.methods import Classifier

WEIGHTS, PREDICTIONS = "model.safetensors", "predictions.npz"
N_BEFORE = 64  # test images that are predicted before training too (write-up E shows so many)
ROUNDING = 1e-9  # of an accuracy that was computed in another way


class Predictions(NamedTuple):
    """Of the test part: classes (N,), predicted (N,), probabilities (N, K) if there are any.

    before: what the network predicted before training for N_BEFORE of the images; None where it
    was not stored.
    """

    labels: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probabilities: NDArray[np.float64] | None
    before: NDArray[np.int64] | None


@dataclass(frozen=True)
class Run:
    """A complete run. `result` is result.json as it stood when this value was made."""

    path: Path
    recipe: Recipe
    data: dict[str, Any]
    env: dict[str, Any]
    result: dict[str, Any]

    @property
    def weights_path(self) -> Path:
        """The model file; a fit that is still running may have its best so far in another."""
        name: str = self.result.get("weights_file") or WEIGHTS
        return self.path / name

    @cached_property
    def log(self) -> list[dict[str, Any]]:
        """One dict per epoch, in order; RunError for a damaged log."""
        path, n_phases = self.path / "log.jsonl", len(self.recipe.phases)
        lines = read_lines(path, EpochRecord)
        for number, line in enumerate(lines, start=1):
            if line["epoch"] != number:
                raise RunError(f"{path}: line {number} is of epoch {line['epoch']}")
            if line["phase"] >= n_phases:
                raise RunError(f"{path}: line {number}: the recipe has no phase {line['phase']}")
        return lines

    @cached_property
    def saved_epoch(self) -> int:
        """The epoch whose weights were saved, by the rule of the last phase; 0 without epochs."""
        return epoch_of_weights((Epoch(**line) for line in self.log), self.recipe.phases)

    def _repr_html_(self) -> str:
        interval = self.result.get("test_accuracy_ci")
        tested = per_cent(self.result.get("test_accuracy"))
        if tested and interval:
            tested = f"{tested} ({' to '.join(f'{100 * end:.2f}' for end in interval)} %)"
        facts = {
            "data": self.data["name"],
            "parameters": f"{self.result['n_parameters'] or 0:,}",
            "epochs": self.result["epochs"] or None,
            "validation accuracy": per_cent(self.result["val_accuracy"]),
            "test accuracy": tested or "not measured yet: ml.evaluate(run)",
            "training": f"{self.result['train_time_s']:.1f} s",
            "folder": self.path,
        }
        return card(f"run of {self.recipe.name}, seed {self.recipe.seed}", facts)

    def classifier(self, device: str = "auto", *, to_predict: bool = False) -> Classifier:
        """The trained classifier; RunError for a damaged or foreign model file.

        to_predict: its predictions are all that is needed; a torch network then loads faster, but
        is no scikit-learn estimator.
        """
        from mnistlab.classifiers.storage import load_classifier

        path, sha256 = self.weights_path, self.result.get("weights_sha256")
        classifier = load_classifier(path, device, sha256, to_predict=to_predict)
        n_classes, shape = len(self.data["class_names"]), tuple(self.data["image_shape"])
        if classifier.classes_.tolist() != list(range(n_classes)):
            n_known = len(classifier.classes_)
            raise RunError(f"{path}: knows {n_known} classes, but data.json names {n_classes}")
        if tuple(classifier.image_shape_) != shape:
            raise RunError(f"{path}: is for images of another image_shape than data.json says")
        return classifier

    def check_weights(self) -> None:
        """RunError where the model file is not the one that was trained here."""
        from mnistlab.classifiers.storage import check_content

        check_content(self.weights_path, self.result.get("weights_sha256"))

    def predicted(self) -> NDArray[np.int64]:
        """Predicted class numbers (N,) of the test part, as stored by `evaluate`."""
        return self.predictions().predicted

    def probabilities(self) -> NDArray[np.float64] | None:
        """Test-part probabilities (N, K) as stored by `evaluate`; None of a classifier without."""
        return self.predictions().probabilities

    def test_labels(self) -> NDArray[np.int64]:
        """The true classes (N,) of the test part, as stored by `evaluate`."""
        return self.predictions().labels

    def predictions(self) -> Predictions:
        """Labels and predictions of the test part, as stored by `evaluate`; RunError for damage."""
        path = self.path / PREDICTIONS
        if not path.is_file():
            raise RunError(f"{path}: no predictions to read; see `mnistlab evaluate`")
        n, n_classes = self.data["n_test"], len(self.data["class_names"])
        numbers = np.dtype(np.int64)
        wanted: Wanted = {
            "labels": (numbers, (n,)),
            "predicted": (numbers, (n,)),
            "probabilities": (np.dtype(np.float32), (n, n_classes)),
            "before": (numbers, (min(n, N_BEFORE),)),
        }
        stored = read_arrays(path, wanted, needed=("labels",))
        if stored.keys().isdisjoint({"predicted", "probabilities"}):
            raise RunError(f"{path}: holds no predictions")
        for name, array in stored.items():
            top = 1 if name == "probabilities" else n_classes - 1
            if not ((array >= 0) & (array <= top)).all():  # nan is neither
                raise RunError(f"{path}: {name} holds a value that is not in 0..{top}")
        self._check_accuracy(stored, path)
        predicted, p = stored.get("predicted"), stored.get("probabilities")
        if predicted is None:  # from before there were classifiers without probabilities
            predicted = stored["probabilities"].argmax(1)
        p = None if p is None else p.astype(np.float64)
        return Predictions(stored["labels"], predicted, p, stored.get("before"))

    def _check_accuracy(self, kept: dict[str, NDArray[Any]], path: Path) -> None:
        """RunError for predictions that are not those that result.json has the accuracy of."""
        recorded = self.result["test_accuracy"]
        if recorded is None or "predicted" not in kept:
            return
        accuracy = float((kept["predicted"] == kept["labels"]).mean())
        if abs(accuracy - recorded) > ROUNDING:
            raise RunError(
                f"{path}: its predictions have an accuracy of {accuracy:.4f}, but result.json says "
                f"{recorded:.4f}; `mnistlab evaluate` writes both again"
            )


def opened(run: Run | Path | str) -> Run:
    """The run itself, or that of a folder as `open_run` gives it; TypeError for anything else."""
    check_kind("run", run, (Run, Path, str), "a Run or its folder")
    return run if isinstance(run, Run) else open_run(run)


def open_run(path: Path | str) -> Run:
    """The complete run in a folder. Raises RunError, naming what is missing or damaged."""
    path = Path(path)
    if path.name in ("", ".."):  # such as ".", which says nothing about the run
        path = path.resolve()
    if not path.is_dir():
        raise RunError(f"{path}: no such run folder{_like(path)}")
    has_recipe = (path / "recipe.json").is_file()
    if not has_recipe and any(path.glob("*/recipe.json")):
        raise RunError(f"{path}: is no run, but a folder of runs: name one of them")
    if not (path / "result.json").is_file():
        raise RunError(f"{path}: not a complete run (it has no result.json)")
    if not has_recipe:  # such as a comparison, which has a result too
        raise RunError(f"{path}: not a run (it has no recipe.json)")
    data, env, result = read_records(path, "data", "env", "result")
    _check_classes(result, len(data["class_names"]), path / "result.json")
    if result["val_accuracy"] is None and data["n_val"]:
        n_val = f"{data['n_val']:,}"
        raise RunError(f"{path / 'result.json'}: val_accuracy: is null for {n_val} images")
    return Run(path, read_recipe(path / "recipe.json"), data, env, result)


def _like(path: Path) -> str:
    """Where the name of a recipe was given: the first of its runs in the usual folder."""
    if path.name != str(path):
        return ""
    runs = sorted(Path("runs").glob(f"{glob.escape(path.name)}-*/recipe.json"))
    return f"; did you mean {runs[0].parent}?" if runs else ""


def update_result(run: Run, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Run:
    """The run with result.json changed, as it stands now: others may have written it meanwhile.

    Raises RunError where the run was trained again since `run` was opened.
    """
    path = run.path / "result.json"
    with locks.locked(run.path / ".lock"):
        (result,) = read_records(run.path, "result")
        if result.get("weights_sha256") != run.result.get("weights_sha256"):
            raise RunError(f"{run.path}: was trained again while it was being measured")
        atomic.write_json(path, change(result))
    return open_run(run.path)


def check_writable(run: Run) -> None:
    """RunError where nothing could be written into the run's folder."""
    try:
        atomic.check_writable(run.path)
    except DataError as error:
        raise RunError(str(error)) from error


def read_records(path: Path, *names: str) -> tuple[dict[str, Any], ...]:
    """Records of a run folder by name, "data" and the like; RunError for a damaged one."""
    return tuple(read_record(path / f"{name}.json", RECORDS[name]) for name in names)


def _check_classes(result: dict[str, Any], n_classes: int, path: Path) -> None:
    for where, figures in {"": result, **result.get("other_data", {})}.items():
        for name in ("per_class_accuracy", "per_class_f1"):
            values = figures.get(name)
            if values is not None and len(values) != n_classes:
                prefix = f"other_data.{where}." if where else ""
                raise RunError(f"{path}: {prefix}{name} has {len(values)} of {n_classes} classes")
