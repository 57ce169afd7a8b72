"""The commands that pages show can be typed: data, size and labels as they were loaded."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from mnistlab.data import Dataset
from mnistlab.reporting.commands import command_for

LOADED = {"name_or_path": "my photos/all", "size": (32, 24), "label_column": "kind of it"}


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ({}, ["stripes"]),
        ({"name_or_path": "a.csv", "size": None, "label_column": None}, ["a.csv"]),
        (LOADED, ["my photos/all", "--size", "32x24", "--label-column", "kind of it"]),
    ],
)
def test_data_are_named_with_all_that_they_were_loaded_with(
    source: dict[str, object], shown: list[str], stripes: Dataset
) -> None:
    command = command_for(replace(stripes, source=source), "fit", after="--minutes 5")
    assert shlex.split(command) == ["mnistlab", "fit", *shown, "--minutes", "5"]
    study = command_for(replace(stripes, source=source), "study", before="ladder --quick --data")
    assert shlex.split(study) == ["mnistlab", "study", "ladder", "--quick", "--data", *shown]
