"""Runs as one HTML file: draw, drop or pick a picture, and see what every network says of it.

The file needs no server and no network. Its preprocessing is data/preparing.py's, pixel for pixel
(page/prepare.js), its networks are program.py's steps (page/network.js).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mnistlab import atomic
from mnistlab.data import Dataset, Split
from mnistlab.data.notes import note
from mnistlab.data.preparing import recorded_preparation
from mnistlab.errors import MnistlabError, RunError
from mnistlab.exporting.packing import Packing
from mnistlab.exporting.page_content import (
    answered_images,
    mistakes_of,
    names_of,
    network_of,
    sample_of,
)
from mnistlab.exporting.references import references_of
from mnistlab.own_pages import check_page
from mnistlab.reporting.palette import VARIABLES
from mnistlab.runs.folder import Run, opened
from mnistlab.runs.run_data import dataset_of, recorded_parts
from mnistlab.version import __version__

TEMPLATES = Path(__file__).parent / "page"
MAX_BYTES = 2_000_000  # a file that an e-mail carries
# What computes the answers, in a worker where the browser lets a page have one.
ENGINE = (
    "prepare.js",
    "unpack.js",
    "network.js",
    "layers.js",
    "machine.js",
    "ensemble.js",
    "explain.js",
    "worker.js",
)
PAGE = (
    "images.js",
    "draw.js",
    "pictures.js",
    "answers.js",
    "evidence.js",
    "tabs.js",
    "models.js",
    "mistakes.js",
    "inside.js",
    "start.js",
)


class DrawingPage(NamedTuple):
    """What was written: the file's size in bytes, and of each run the bytes of its network."""

    n_bytes: int
    of_runs: dict[str, int]


def export_page(runs: Sequence[Run | Path | str], path: Path | str) -> DrawingPage:
    """Write one page with the classifiers of all runs, for images of the same classes and size.

    Where the data of their training are gone, a note says so, and the page has no images of them.
    Raises RunError for runs that do not fit together, a classifier or layer that a page cannot
    compute, and a page of more than MAX_BYTES, DataError for a path where
    something else than a page of mnistlab lies; nothing is written then.
    """
    path = Path(path)
    atomic.check_writable(path.parent)
    check_page(path)
    of_runs = [opened(run) for run in runs]
    _check_alike(of_runs)
    packing = Packing()
    facts = page_facts(of_runs, packing)
    content = page_html(facts, packing.text()).encode()
    sizes = {network["name"]: network["nBytes"] for network in facts["networks"]}
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


def page_facts(runs: Sequence[Run], packing: Packing) -> dict[str, Any]:
    """All that the page says and computes with; its arrays are added to `packing`."""
    data, names = runs[0].data, names_of(runs)
    splits = _splits_of(runs)
    border = data.get("border") or {}
    parts = [answered_images(run, split) for run, split in zip(runs, splits, strict=True)]
    classifiers = [run.classifier("cpu") for run in runs]
    return {
        "data": data["name"],
        "classes": data["class_names"],
        "height": data["image_shape"][0],
        "width": data["image_shape"][1],
        "preparation": recorded_preparation(data),
        "ground": int(border.get("median", 0)),
        "provenance": _published_by(data.get("provenance") or ""),
        "licence": data.get("licence") or "not stated",
        "networks": [
            network_of(run, name, classifier, packing)
            for run, name, classifier in zip(runs, names, classifiers, strict=True)
        ],
        "references": references_of(splits, classifiers, packing),
        "images": sample_of(parts, packing),
        "mistakes": mistakes_of(parts, packing),
        "version": __version__,
    }


def _splits_of(runs: Sequence[Run]) -> list[Split]:
    """The parts that each run was trained in, which are empty where the data are gone."""
    try:
        dataset = dataset_of(runs[0])
    except MnistlabError as error:
        note(
            "the page has no test images, and does not tell what is unlike the training data: "
            f"{error}"
        )
        none = np.zeros((0, *runs[0].data["image_shape"]), np.uint8)
        names, labels = tuple(runs[0].data["class_names"]), np.zeros(0, np.int64)
        empty = Dataset(runs[0].data["name"], none, labels, names, is_part=True)
        return [Split(run.data["split"], empty, empty, empty) for run in runs]
    return [recorded_parts(run.path, run.recipe, run.data, dataset) for run in runs]


def _published_by(provenance: str) -> str:
    """Who published the data; nothing of the folders of whoever exports the page."""
    publisher, _, where = provenance.partition("; from ")
    return publisher if where else ""


def page_html(facts: dict[str, Any], arrays: str) -> str:
    """The page; the same facts and packed arrays give the same text."""
    engine, page = ("\n".join(_script(name) for name in names) for names in (ENGINE, PAGE))
    colours = {
        scheme: "".join(f"--{name}:{pair[place]};" for name, pair in VARIABLES.items())
        for place, scheme in enumerate(("light", "dark"))
    }
    marks = {
        "HASHES": " ".join(_hash(script) for script in (engine, page)),
        "LIGHT": colours["light"],
        "DARK": colours["dark"],
        "STYLE": _read("draw.css"),
        "ENGINE": engine,
        "PAGE": page,
        # "<" is written so that no text of the user's can end the element.
        "FACTS": json.dumps(facts, sort_keys=True).replace("<", "\\u003c"),
        "ARRAYS": arrays,
    }
    return re.sub("@([A-Z]+)@", lambda mark: marks[mark[1]], _read("draw.html"))


def _hash(script: str) -> str:
    """The script as the page's security policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _script(name: str) -> str:
    """A script without the lines that are comments: the page is to be small."""
    lines = _read(name).splitlines()
    return "\n".join(line.strip() for line in lines if not line.strip().startswith("//"))


def _read(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")
