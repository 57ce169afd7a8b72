"""The records of a run folder; each is checked against these types when it is read.

A record may come from anywhere. Whatever a command uses has been checked here, so that a missing
field, or one of another type, is one line that names it. Fields that only some versions wrote have
a default; fields that are not listed are left as they are.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mnistlab import atomic
from mnistlab.data.splits import PROTOCOLS
from mnistlab.errors import RunError, reason
from mnistlab.evaluation.corruptions import CORRUPTIONS, SEVERITIES

MAX_BYTES = 1 << 26  # more than a record of 100,000 epochs or classes has

Fraction = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0, lt=2**53)]
Some = Annotated[int, Field(ge=1, lt=2**53)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Record(BaseModel):
    """A JSON object; numbers are numbers and finite, and text is text."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False, frozen=True)


class SourceRecord(Record):
    """The arguments of `load` that load the data again; none for data made from arrays."""

    name_or_path: str | None = None
    size: Some | list[Some] | None = None
    label_column: str | None = None


class BorderRecord(Record):
    """See data.polarity.Border."""

    low: float
    median: float
    high: float
    centre: float


class DataRecord(Record):
    """data.json: which images, and how they were split."""

    name: str
    fingerprint: Sha256
    class_names: Annotated[list[str], Field(min_length=1)]
    image_shape: Annotated[list[Some], Field(min_length=2, max_length=2)]
    split: str
    n_train: Some
    n_val: Count
    n_test: Count
    n_images: Some | None = None
    source: SourceRecord = SourceRecord()
    parts: dict[str, str] = {}
    sizes_given: dict[str, Count] | None = None
    border: BorderRecord | None = None
    notes: list[str] = []
    provenance: str = ""
    licence: str = ""
    preparation: Literal["digit", "garment"] | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.split not in PROTOCOLS:
            raise ValueError(f"split {self.split!r} is none of {', '.join(PROTOCOLS)}")
        if len(set(self.class_names)) < len(self.class_names):
            raise ValueError("class_names are not all different")
        return self


class EnvRecord(Record):
    """env.json: the machine that computed the run."""

    precision: Literal["float32", "float64", "bfloat16"]
    threads: Some | None = None
    seed: Count | None = None
    mnistlab: str | None = None
    cpu: str | None = None
    device: str | None = None
    kernels: str | None = None
    processes: Some | None = None
    node: str | None = None


class Measured(Record):
    """Metrics on one set of test images; all but the first are optional, as versions differ."""

    test_accuracy: Fraction | None
    test_accuracy_ci: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    n_test: Some | None = None
    per_class_accuracy: list[Fraction | None] | None = None
    per_class_f1: list[Fraction | None] | None = None
    balanced_accuracy: Fraction | None = None
    macro_precision: Fraction | None = None
    macro_recall: Fraction | None = None
    macro_f1: Fraction | None = None
    macro_auc: Fraction | None = None
    top2_accuracy: Fraction | None = None
    log_loss: NotNegative | None = None
    log_loss_tempered: NotNegative | None = None
    ece: Fraction | None = None
    ece_tempered: Fraction | None = None
    accuracy_at_threshold: Fraction | None = None
    balanced_accuracy_at_threshold: Fraction | None = None
    macro_f1_at_threshold: Fraction | None = None
    predict_time_s: NotNegative | None = None
    predict_time_per_image_s: NotNegative | None = None
    predict_memory_mb: float | None = None

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        if self.test_accuracy is not None:
            for name in ("test_accuracy_ci", "n_test", "per_class_accuracy"):
                if getattr(self, name) is None:
                    raise ValueError(f"{name} is missing beside test_accuracy")
        return self


class OtherRecord(Measured):
    """Metrics on other data, in result.json under "other_data"."""

    name: str | None = None
    path: str | None = None
    fingerprint: Sha256 | None = None
    n_left_out: Count | None = None
    inverted: bool | None = None


class MemberRecord(Record):
    """A member of an ensemble, in result.json under "members"."""

    recipe: str
    seed: Count
    weight: Fraction
    n_train: Some
    epochs: Count
    val_accuracy: Fraction


class ResultRecord(Measured):
    """result.json: the metrics of a run."""

    recipe: str
    system: str
    data: str
    n_parameters: Count  # never null: training has decided how many
    val_accuracy: Fraction | None  # null where all training images train
    train_time_s: NotNegative
    epochs: Count
    recipe_hash: Sha256 | None = None
    computation: Sha256 | None = None
    weights_sha256: Sha256 | None = None
    weights: str | None = None
    weights_file: Annotated[str, Field(pattern=r"^model(-2)?\.safetensors$")] | None = None
    val_balanced_accuracy: Fraction | None = None
    val_macro_f1: Fraction | None = None
    expanded_val_accuracy: Fraction | None = None
    threshold: Fraction | None = None
    threshold_class: str | None = None
    temperature: Annotated[float, Field(gt=0)] | None = None
    peak_memory_mb: NotNegative | None = None
    training_memory_mb: float | None = None
    test_accuracy_by_epoch: dict[str, Fraction] | None = None
    corruptions: dict[str, list[Fraction]] | None = None
    mean_corruption_error: Fraction | None = None
    n_test_in_training: Count | None = None
    n_test_in_validation: Count | None = None
    test_accuracy_without_copies: Fraction | None = None
    seconds_used: NotNegative | None = None
    is_finished: bool | None = None
    members: list[MemberRecord] | None = None
    other_data: dict[str, OtherRecord] = {}

    @model_validator(mode="after")
    def _has_every_corruption(self) -> Self:
        if self.corruptions is None:
            return self
        if self.mean_corruption_error is None:
            raise ValueError("mean_corruption_error is missing beside corruptions")
        for name in CORRUPTIONS:
            if len(self.corruptions.get(name, ())) != len(SEVERITIES):
                raise ValueError(f"corruptions has no {len(SEVERITIES)} errors of {name!r}")
        return self


class EpochRecord(Record):
    """A line of log.jsonl; null stands for a number that was not finite."""

    phase: Count
    epoch: Some
    learning_rate: float | None
    train_loss: float | None
    train_accuracy: float | None
    val_loss: float | None
    val_accuracy: float | None
    time_s: NotNegative | None
    val_balanced_accuracy: float | None = None
    val_macro_f1: float | None = None


class StepRecord(Record):
    """A line of steps.jsonl: see phases.StepLoss; null stands for a number that was not finite."""

    phase: Count
    epoch: Some
    step: Some
    n_steps: Some
    loss: float | None


class FoldsRecord(Record):
    """result.json of a cross-validation."""

    accuracy: list[Fraction]
    train_time_s: list[NotNegative]
    n_images: Some


RECORDS: dict[str, type[Record]] = {"data": DataRecord, "env": EnvRecord, "result": ResultRecord}


def read_record(path: Path, kind: type[Record]) -> dict[str, Any]:
    """The JSON object in a file; RunError, naming file and field, for what does not fit."""
    return checked(_parsed(_text(path), path), kind, str(path))


def read_lines(path: Path, kind: type[Record]) -> list[dict[str, Any]]:
    """A JSON object per line; RunError, naming file, line and field, for what does not fit."""
    lines = enumerate(_text(path).splitlines(), start=1)
    return [checked(_parsed(line, path), kind, f"{path}: line {number}") for number, line in lines]


def checked(value: Any, kind: type[Record], where: str) -> dict[str, Any]:
    """The value, unchanged, if it is a JSON object of that kind; else RunError with `where`."""
    if not isinstance(value, dict):
        raise RunError(f"{where}: holds no JSON object")
    try:
        kind.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        fault = first.get("ctx", {}).get("error", first["msg"])
        raise RunError(f"{where}: {f'{field}: ' if field else ''}{fault}"[:500]) from error
    return value


def _text(path: Path) -> str:
    try:
        atomic.check_regular(path)
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise RunError(f"{path}: larger than any record this project writes")
        return content.decode()
    except (OSError, ValueError) as error:
        if isinstance(error, RunError):
            raise
        raise RunError(f"{path}: cannot be read: {reason(error)}") from error


def _parsed(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path}: cannot be read: {error}") from error
