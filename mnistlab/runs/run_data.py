"""The data of a run's training, found again and cut into the parts that they had then."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

from mnistlab import atomic
from mnistlab.data import Dataset, Split, load
from mnistlab.errors import DataError, MnistlabError, RunError
from mnistlab.recipe import Recipe
from mnistlab.runs.building import parts_of
from mnistlab.runs.folder import Run, open_run


def dataset_of(run: Run) -> Dataset:
    """The data set the run was trained on, loaded again from where it came.

    Raises DataError where it is gone, RunError where it has changed or came from arrays.
    """
    if is_gone(run):
        raise DataError(
            f"{run.data['source']['name_or_path']}: the data that {run.path} was trained on are no "
            f"longer there; if they are elsewhere: mnistlab evaluate {shlex.quote(str(run.path))} "
            "--data PATH"
        )
    return data_of(run.path, run.data)


def is_gone(run: Run) -> bool:
    """Whether nothing lies any more where the data of the training lay."""
    where = Path(str(run.data.get("source", {}).get("name_or_path") or ""))
    return where.is_absolute() and not where.exists()


def found_elsewhere(run: Run, dataset: Dataset) -> Run:
    """The run of the data that are no longer where they were but here: it remembers the place."""
    if dataset.source and is_gone(run):
        atomic.write_json(run.path / "data.json", run.data | {"source": dict(dataset.source)})
        return open_run(run.path)
    return run


def data_of(path: Path, record: dict[str, Any]) -> Dataset:
    """The data set in the record of a run folder, as `dataset_of` loads it."""
    source = record.get("source")
    if not source:
        raise RunError(f"{path}: trained on arrays; say on which data")
    try:
        dataset = load(**source)
    except MnistlabError:
        raise
    except (TypeError, ValueError) as error:
        raise RunError(f"{path / 'data.json'}: source: {error}") from error
    if dataset.fingerprint != record["fingerprint"]:
        raise RunError(f"{path}: {dataset.name} has changed since the run was trained on it")
    return dataset


def recorded_parts(path: Path, recipe: Recipe, record: dict[str, Any], dataset: Dataset) -> Split:
    """The parts in which a run was trained: its data set, found again, cut as it was then.

    The test part is whole, the others as the recipe's n_train and n_val have them. Raises RunError
    where the parts have other sizes than were recorded: the same images may have come in others.
    """
    parts = parts_of(replace(recipe, split=record["split"]), dataset)
    for name in ("train", "val", "test"):
        n, n_then = len(getattr(parts, name)), record[f"n_{name}"]
        if n != n_then:
            raise RunError(
                f"{path}: {dataset.name} has the same images but comes in other parts now: the "
                f"{name} part has {n:,} images and had {n_then:,} when the run was trained"
            )
    return parts


def test_part(run: Run, dataset: Dataset) -> Dataset:
    """The images of `dataset` on which `evaluate` measures the run.

    Of other data than those of its training: the test part that they came with, or all of them.
    """
    if dataset.fingerprint == run.data["fingerprint"]:
        return recorded_parts(run.path, run.recipe, run.data, dataset).test
    if "test" in dataset.official_splits:
        return dataset.take(dataset.official_splits["test"])
    return dataset
