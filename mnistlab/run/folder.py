"""A complete run as it lies on the disk; every file in it is checked when it is read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from mnistlab.data import Dataset, load
from mnistlab.errors import RunError
from mnistlab.recipe import Recipe, read_recipe


@dataclass(frozen=True)
class Run:
    """A complete run. `result` is result.json as it stood when this value was made."""

    path: Path
    recipe: Recipe
    data: dict[str, Any]
    env: dict[str, Any]
    result: dict[str, Any]

    @property
    def log(self) -> list[dict[str, Any]]:
        """One dict per epoch, in order."""
        return _lines(self.path / "log.jsonl")

    def classifier(self, device: str = "auto") -> Any:
        """The trained classifier; RunError for a damaged or foreign model file."""
        from mnistlab.classifiers.storage import load_classifier

        return load_classifier(self.path / "model.safetensors", device)

    def predicted(self) -> NDArray[np.int64]:
        """Class numbers (N,) named for the test part, as kept by `evaluate`."""
        kept = self._predictions()
        if "predicted" not in kept:  # evaluated before there were classifiers without probabilities
            return np.asarray(kept["probabilities"].argmax(1))
        return kept["predicted"]

    def probabilities(self) -> NDArray[np.float64] | None:
        """Test-part probabilities (N, K) as kept by `evaluate`; None of a classifier without."""
        kept = self._predictions()
        return kept["probabilities"].astype(np.float64) if "probabilities" in kept else None

    def test_labels(self) -> NDArray[np.int64]:
        """The true classes (N,) of the test part, as kept by `evaluate`."""
        return self._predictions()["labels"]

    def _predictions(self) -> dict[str, NDArray[Any]]:
        path = self.path / "predictions.npz"
        try:
            with np.load(path, allow_pickle=False) as arrays:
                kept = {name: arrays[name] for name in arrays.files}
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise RunError(f"{path}: no predictions to read: {error}") from error
        if "labels" not in kept or kept.keys().isdisjoint({"predicted", "probabilities"}):
            raise RunError(f"{path}: holds no predictions")
        return kept


def open_run(path: Path | str) -> Run:
    """The complete run in a folder. Raises RunError, naming what is missing or damaged."""
    path = Path(path)
    if not path.is_dir():
        raise RunError(f"{path}: no such run folder")
    if not (path / "result.json").is_file():
        raise RunError(f"{path}: not a complete run (it has no result.json)")
    data, env, result = read_records(path, "data", "env", "result")
    return Run(path, read_recipe(path / "recipe.json"), data, env, result)


def dataset_of(run: Run) -> Dataset:
    """The data set the run was trained on, loaded again from where it came.

    Raises DataError where it is gone, RunError where it has changed or came from arrays.
    """
    return data_of(run.path, run.data)


def data_of(path: Path, record: dict[str, Any]) -> Dataset:
    """The data set in the record of a run folder, as `dataset_of` loads it."""
    source = record.get("source")
    if not isinstance(source, dict) or not source:
        raise RunError(f"{path}: trained on arrays; say on which data")
    try:
        dataset = load(**source)
    except TypeError as error:
        raise RunError(f"{path / 'data.json'}: {error}") from error
    if dataset.fingerprint != record["fingerprint"]:
        raise RunError(f"{path}: {dataset.name} has changed since the run was trained on it")
    return dataset


def read_records(path: Path, *names: str) -> tuple[dict[str, Any], ...]:
    """Records of a run folder by name, "data" and the like; RunError for a damaged one."""
    records = {name: _object(path / f"{name}.json") for name in names}
    if "data" in records and not {"fingerprint", "split", "class_names"} <= records["data"].keys():
        raise RunError(f"{path / 'data.json'}: not the data record of a run")
    return tuple(records.values())


def _object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path}: cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise RunError(f"{path}: holds no JSON object")
    return value


def _lines(path: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path}: cannot be read: {error}") from error
