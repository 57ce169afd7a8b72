"""What an exported ONNX file says of itself, checked: anyone may have written it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, Json, ValidationError, model_validator

from mnistlab.bounds import LARGEST_SIDE, shortened
from mnistlab.data.preparing import preparation_of
from mnistlab.errors import DataError

MOST_CLASSES = 10_000
Name = Annotated[str, Field(max_length=200)]
Side = Annotated[int, Field(ge=1, le=LARGEST_SIDE)]
Accuracy = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Distance = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Facts(BaseModel):
    """The metadata of an ONNX file of `mnistlab export`; only classes and image_shape are needed.

    unusual_above: the distance to the training images above which an image is unlike them.
    preparation: how pictures of other sizes become images, of mnistlab.data.preparing; "resized":
    scaled to the network's size, as `train --size` did; "": not.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    classes: Json[Annotated[list[Name], Field(min_length=1, max_length=MOST_CLASSES)]]
    image_shape: Json[Annotated[list[Side], Field(min_length=2, max_length=2)]]
    preparation: Literal["", "digit", "garment", "resized"] = ""
    unusual_above: Json[Distance | None] = None
    test_accuracy: Json[Accuracy | None] = None
    test_accuracy_ci: Json[Annotated[list[Accuracy], Field(min_length=2, max_length=2)] | None] = (
        None
    )
    val_accuracy: Json[Accuracy | None] = None
    recipe: Name = ""
    data: Name = ""
    data_licence: Name = ""
    weights_sha256: Name = ""

    @model_validator(mode="after")
    def _are_distinct(self) -> Facts:
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("two classes have the same name")
        return self


def facts_from(metadata: Mapping[str, str], where: str) -> Facts:
    """The facts in a file's metadata; DataError naming `where` for others than `export` writes."""
    known = dict(metadata)
    if "preparation" not in known:  # a file of before 2026-12
        known["preparation"] = preparation_of(known.get("data", "")) or ""
    try:
        return Facts.model_validate(known)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"])) or "metadata"
        why = shortened(first["msg"], 120)
        raise DataError(f"{where}: not written by mnistlab export: {field}: {why}") from error
