"""Runs as one HTML file: draw, drop or pick a picture, and see what every network says of it.

The file needs no server and no network. Its preprocessing is data/preparing.py's, pixel for pixel
(page/prepare.js), its networks are program.py's steps (page/network.js).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab import atomic
from mnistlab.data import Dataset
from mnistlab.data.preparing import preparation_of
from mnistlab.errors import RunError
from mnistlab.exporting.modules import module_of
from mnistlab.exporting.program import Program, program_of
from mnistlab.own_pages import check_page
from mnistlab.reporting.palette import VARIABLES
from mnistlab.runs.folder import Run, dataset_of, recorded_parts
from mnistlab.version import __version__

TEMPLATES = Path(__file__).parent / "page"
MAX_BYTES = 2_000_000  # a file that an e-mail carries
N_PICKED = 60  # test images to try, evenly spaced
LEAST_SAVED = 1000  # numbers from which on an array is saved in 16 bits
LEVELS_16 = 2**15 - 1


class DrawingPage(NamedTuple):
    """What was written: the file's size in bytes, and of each run the bytes of its network."""

    n_bytes: int
    of_runs: dict[str, int]


def export_page(runs: Sequence[Run], path: Path | str) -> DrawingPage:
    """Write one page with the classifiers of all runs, for images of the same classes and size.

    Raises RunError for runs that do not fit together, a classifier or layer that a page cannot
    compute, data that are gone, and a page of more than MAX_BYTES, DataError for a path where
    something else than a page of mnistlab lies; nothing is written then.
    """
    path = Path(path)
    atomic.check_writable(path.parent)
    check_page(path)
    _check_alike(runs)
    dataset = dataset_of(runs[0])
    networks = [network_of(run) for run in runs]
    content = page_html(runs[0], networks, test_images(runs[0], dataset)).encode()
    sizes = {
        network["name"]: sum(len(array["data"]) for array in network["arrays"])
        for network in networks
    }
    if len(content) > MAX_BYTES:
        largest = max(sizes, key=lambda name: sizes[name])
        raise RunError(
            f"{path}: not written: it would have {len(content) / 1e6:.1f} MB and may have "
            f"{MAX_BYTES / 1e6:.0f}; the largest network is that of {largest} "
            f"({sizes[largest] / 1e6:.1f} MB)"
        )
    with atomic.open_output(path) as file:
        file.write(content)
    return DrawingPage(len(content), sizes)


def _check_alike(runs: Sequence[Run]) -> None:
    first = runs[0]
    for run in runs[1:]:
        for field in ("class_names", "image_shape", "name"):
            if run.data[field] != first.data[field]:
                raise RunError(
                    f"{run.path}: its {field} is another than that of {first.path}; the networks "
                    "of one page see the same images"
                )


def network_of(run: Run) -> dict[str, Any]:
    """A run as the page wants it: name, accuracy, steps, and arrays in base64."""
    classifier = run.classifier("cpu")
    views = getattr(classifier, "test_time_augmentation", ())
    if views:
        raise RunError(
            f"{run.path}: test-time augmentation cannot be put on a page; export to a .onnx file"
        )
    program = program_of(module_of(classifier, run.result.get("temperature")))
    low, high = run.result.get("test_accuracy_ci") or (None, None)
    return {
        "name": f"{run.recipe.name}, seed {run.recipe.seed}",
        "summary": run.recipe.summary,
        "nParameters": run.result["n_parameters"],
        "accuracy": run.result.get("test_accuracy"),
        "interval": [low, high],
        "nTest": run.data["n_test"],
        **_plain(program),
    }


def _plain(program: Program) -> dict[str, Any]:
    return {
        "steps": program.steps,
        "temperature": program.temperature,
        "padding": program.padding,
        "arrays": [packed(array) for array in program.arrays],
    }


def packed(array: NDArray[Any]) -> dict[str, Any]:
    """An array as text: float32, or, of a large matrix, 16 bits and a factor for each row.

    Rows of 16 bits change a probability by less than 1e-4 (decision 0033) in half the space.
    """
    if array.size < LEAST_SAVED or array.ndim < 2:
        return {"data": _base64(array.astype("<f4"))}
    rows = array.reshape(len(array), -1).astype(np.float64)
    factors = np.abs(rows).max(axis=1) / LEVELS_16
    factors[factors == 0] = 1.0
    levels = np.rint(rows / factors[:, None]).astype("<i2")
    return {"data": _base64(levels), "factors": _base64(factors.astype("<f4"))}


def _base64(array: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def test_images(run: Run, dataset: Dataset) -> dict[str, Any]:
    """Some images of the run's test part, evenly spaced, and their class numbers."""
    test = recorded_parts(run.path, run.recipe, run.data, dataset).test
    places = np.linspace(0, len(test) - 1, min(N_PICKED, len(test))).astype(np.intp)
    some = test.take(np.unique(places))
    return {"data": _base64(np.asarray(some.images)), "labels": some.labels.tolist()}


def page_html(run: Run, networks: Sequence[dict[str, Any]], images: dict[str, Any]) -> str:
    """The page; the same runs give the same text."""
    border = run.data.get("border") or {}
    content = {
        "data": run.data["name"],
        "classes": run.data["class_names"],
        "height": run.data["image_shape"][0],
        "width": run.data["image_shape"][1],
        "preparation": preparation_of(run.data["name"]),
        "darkInk": border.get("median", 0) > 127,
        "networks": networks,
        "images": images,
        "version": __version__,
    }
    scripts = [_read(name) for name in ("prepare.js", "network.js", "draw.js")]
    # "<" is written so that no text of the user's can end the script.
    text = json.dumps(content, sort_keys=True).replace("<", "\\u003c")
    script = "\n".join([*scripts, f"startPage({text});"])
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    colours = {
        scheme: "".join(f"--{name}:{pair[place]};" for name, pair in VARIABLES.items())
        for place, scheme in enumerate(("light", "dark"))
    }
    html = _read("draw.html")
    for mark, value in (
        ("@SCRIPT_HASH@", digest),
        ("@LIGHT@", colours["light"]),
        ("@DARK@", colours["dark"]),
        ("@STYLE@", _read("draw.css")),
        ("@SCRIPT@", script),
    ):
        html = html.replace(mark, value, 1)
    return html


def _read(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")
