"""What a run really computes, and the name of its folder, which follows from that.

A recipe leaves two things open: precision "auto" is bfloat16 on one machine and float32 on another,
and split "auto" depends on the data. The content hash of a recipe does not include either, and the
fingerprint of a data set does not include how its images are split.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mnistlab.classifiers.methods import method_of
from mnistlab.data import Dataset
from mnistlab.data.splits import protocol_of
from mnistlab.errors import MnistlabError
from mnistlab.recipe import Recipe
from mnistlab.runs.folder import open_run

SPLIT_AS_GIVEN = ("given", "official")  # protocols that use the parts in which a set came


def precision_used(recipe: Recipe, device: str) -> str:
    """The precision in which this machine trains a recipe; RecipeError where it cannot."""
    return str(method_of(recipe.model).describe(device, recipe.precision)["precision"])


def sizes_given(dataset: Dataset) -> dict[str, int] | None:
    """Images per part of a user's set that came in parts; None for any other set."""
    if dataset.is_published or not dataset.official_splits:
        return None
    return {name: part.stop - part.start for name, part in dataset.official_splits.items()}


def computation_of(
    recipe: Recipe, protocol: str, precision: str, sizes: Mapping[str, int] | None
) -> str:
    """sha256 over a recipe with precision and split resolved, and the sizes of given parts."""
    resolved = replace(recipe, split=protocol, precision=precision)
    given = dict(sizes) if sizes and protocol in SPLIT_AS_GIVEN else None
    canonical = json.dumps([resolved.content_hash, given], sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def recorded_computation(recipe: Recipe, data: Mapping[str, Any], env: Mapping[str, Any]) -> str:
    """The computation that the records of a run folder describe."""
    return computation_of(recipe, data["split"], env["precision"], data.get("sizes_given"))


def computation(recipe: Recipe, dataset: Dataset, precision: str) -> str:
    """What training this recipe on this data set in that precision computes."""
    protocol = protocol_of(dataset, recipe.split)
    return computation_of(recipe, protocol, precision, sizes_given(dataset))


def folder_name(
    recipe: Recipe, dataset: Dataset, device: str = "auto", precision: str | None = None
) -> str:
    """The name of the run folder of a recipe on a data set, by which a run is found.

    precision: None stands for the one in which this machine would train on that device.
    """
    digest = computation(recipe, dataset, precision or precision_used(recipe, device))
    return _name(recipe, dataset, digest)


def folder_of(out: Path, recipe: Recipe, dataset: Dataset, precision: str) -> Path:
    """The run folder of a recipe on a data set, whether it exists or not.

    A folder of that name may hold another computation, such as one that was copied from another
    machine and renamed. It is left alone, and a number is added to the name.
    """
    digest = computation(recipe, dataset, precision)
    name = _name(recipe, dataset, digest)
    for number in itertools.count(1):
        path = out / (name if number == 1 else f"{name}-{number}")
        if not path.exists() or _holds(path, dataset, digest):
            return path
    raise AssertionError("numbers do not end")


def is_name_of(name: str, recipe: Recipe, dataset: Dataset, precision: str) -> bool:
    """Whether a run folder may have this name; before 2026-12 it had the hash of the recipe."""
    hashes = (computation(recipe, dataset, precision), recipe.content_hash)
    return re.sub(r"(-[0-9a-f]{8})-\d{1,7}$", r"\1", name) in [
        _name(recipe, dataset, digest) for digest in hashes
    ]


def _holds(path: Path, dataset: Dataset, digest: str) -> bool:
    """Whether the run in a folder is of that computation; opening a damaged one reports why."""
    try:
        run = open_run(path)
    except MnistlabError:
        return True
    found = {recorded_computation(run.recipe, run.data, run.env)}
    found |= {run.result.get("computation") or digest}
    return found == {digest} and run.data["fingerprint"] == dataset.fingerprint


def _name(recipe: Recipe, dataset: Dataset, digest: str) -> str:
    name = f"{recipe.name}-{dataset.name}-seed{recipe.seed}"
    # Names may come from Python and hold anything; a folder's name must stay one.
    safe = re.sub(r"[^\w.+-]+", "_", name)
    return f"{safe}-{digest[:8]}-{dataset.fingerprint[:8]}"
