"""A recipe: everything that decides what a training run computes, as one frozen value.

Recipes are compared by what they say, found by their content hash, and changed only
with dataclasses.replace or `set_fields`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from mnistlab.bounds import LARGEST_SIDE, check_all_finite, check_count, shortened, shown
from mnistlab.data.splits import PROTOCOLS
from mnistlab.errors import RecipeError
from mnistlab.phases import Phase, check_order

# Raised whenever the same recipe would give other numbers, a changed default included, so that
# older runs are not re-used.
NUMERICS = 1

MOST_PHASES = 1000

# How many images an expansion makes of each; training.fixed_views makes them.
EXPANSION_FACTORS = {"flip-and-zoom": 4}

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Value = TypeVar("Value")

# What a recipe is called and what is hoped of it; none of it changes what is computed.
LABELS = ("name", "system", "summary", "data", "expect")
UNHASHED = (*LABELS, "checkpoint_steps", "log_steps")  # nor how often it is kept or logged


@dataclass(frozen=True)
class Recipe:
    """Data, model, phases and everything else that fixes a result, seed included.

    system: the row of the published systems it serves, such as "E3".
    model, model_args: "svm", "scratch" or a key of mnistlab.models.MODELS, and its arguments.
    phases: in order; none at all leaves a network as it was initialised.
    split: a protocol of data.splits, for sets that are published or came in one part; a set that
    the user gave in parts is cut as it came.
    n_train, n_val: only so many images of the training and the validation part, classes in
    proportion; of a named set the first so many.
    pad_to, augmentation, expansion, test_time_augmentation: see TorchClassifier.
    mirror_characters: mirror images of letters and digits too, where the recipe mirrors.
    class_weight: "balanced": images of rare classes count for more, so that all classes count
    alike; null: all images count alike.
    order: of the images in an epoch: "shuffled" anew for each, or "file": as the training part
    stands, the same in every epoch.
    batch_size: as large as the training part or larger, each step sees all of it.
    checkpoint_steps: a checkpoint is kept after every so many steps; None: about once a minute.
    log_steps: the mean loss of every so many steps is written into steps.jsonl; None: of none.
    expect: test accuracy (floor, ceiling) by data set, checked by the slow tests.
    Raises RecipeError for values no field can hold.
    """

    name: str
    system: str
    model: str
    phases: tuple[Phase, ...]
    model_args: Mapping[str, Any] = field(default_factory=dict)
    data: str = "fashion-mini"
    split: str = "auto"
    n_train: int | None = None
    n_val: int | None = None
    scaling: str = "standard"
    pad_to: int | None = None
    augmentation: Mapping[str, float] = field(default_factory=dict)
    expansion: str | None = None
    test_time_augmentation: tuple[str, ...] = ()
    mirror_characters: bool = False
    class_weight: str | None = None
    batch_size: int = 64
    order: str = "shuffled"
    precision: str = "auto"
    checkpoint_steps: int | None = None
    log_steps: int | None = None
    seed: int = 0
    expect: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    summary: str = ""

    def __post_init__(self) -> None:
        for name in ("batch_size", "n_train", "n_val", "checkpoint_steps", "log_steps"):
            if (value := getattr(self, name)) is not None:
                check_count(name, value)
        if self.pad_to is not None:
            check_count("pad_to", self.pad_to, 1, LARGEST_SIDE)
        check_count("the number of phases", len(self.phases), 0, MOST_PHASES)
        for name in ("model_args", "augmentation", "expect"):
            check_all_finite(name, getattr(self, name))
        if not 0 <= self.seed < 2**32:
            raise RecipeError(f"seed must be in 0..{2**32 - 1}, got {shown(self.seed)}")
        check_order(self.order)
        if self.class_weight not in (None, "balanced"):
            raise RecipeError(
                f"unknown class_weight {self.class_weight!r}; there are: balanced, null"
            )
        if self.split != "auto" and self.split not in PROTOCOLS:
            raise RecipeError(f"unknown split {self.split!r}; there are: {', '.join(PROTOCOLS)}")
        # JSON has lists where Python has tuples; the same recipe must compare equal.
        frozen = {k: tuple(v) if isinstance(v, list) else v for k, v in self.model_args.items()}
        object.__setattr__(self, "model_args", frozen)
        # JSON gives 2.0 back for 2, which is equal but would be hashed as another recipe.
        strengths = {name: float(strength) for name, strength in self.augmentation.items()}
        object.__setattr__(self, "augmentation", strengths)

    @property
    def content_hash(self) -> str:
        """sha256 over all that changes the result; labels and expectations do not.

        What stands at its default is left out: a field added later changes no hash.
        """
        content = {name: value for name, value in _said(self).items() if name not in UNHASHED}
        content["phases"] = [_said(phase) for phase in self.phases]
        canonical = json.dumps([NUMERICS, content], sort_keys=True, allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Plain values, ready for JSON; `from_json` gives an equal recipe back."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), allow_nan=False))
        return plain


def _said(value: Recipe | Phase) -> dict[str, Any]:
    """The fields that differ from their defaults."""
    said = {}
    for own in fields(value):
        default = own.default if own.default_factory is MISSING else own.default_factory()
        if getattr(value, own.name) != default:
            said[own.name] = getattr(value, own.name)
    return said


def from_json(plain: Any, where: str) -> Recipe:
    """The recipe in parsed JSON; RecipeError, naming `where`, for any field that does not fit."""
    return validated(Recipe, json.dumps(plain), where)


def read_recipe(path: Path) -> Recipe:
    """The recipe in a JSON file; RecipeError, naming the file, for anything else."""
    try:
        return validated(Recipe, path.read_bytes(), str(path))
    except OSError as error:
        raise RecipeError(f"{path}: {error.strerror}") from error


def set_fields(recipe: Recipe, settings: Mapping[str, str]) -> Recipe:
    """The recipe with fields changed, as `--set field=value` does it.

    "phases.0.learning_rate" and "model_args.dropout" reach inside; a bare field of
    Phase, such as "epochs", changes every phase, and a bare argument of the model, such as
    "dropout", is that of model_args. Epochs that are set are meant: they are not raised to
    min_steps, unless that is set after them. Values are text, read as the field's
    type. Raises RecipeError for unknown fields and values that do not fit.
    """
    plain = recipe.to_json()
    for path, text in settings.items():
        _set_field(plain, path, text)
    plain["expect"] = {}
    return from_json(plain, "--set")


def _set_field(plain: dict[str, Any], path: str, text: str) -> None:
    head, _, rest = path.partition(".")
    phase_types, own_types = get_type_hints(Phase), get_type_hints(Recipe)
    for name in (*LABELS, "phases", "model_args"):
        del own_types[name]
    if head == "augmentation" and rest:
        plain["augmentation"][rest] = _read({rest: float}, rest, text, path)
    elif head == "phases" and rest:
        number, _, name = rest.partition(".")
        if not number.isdecimal() or int(number) >= len(plain["phases"]):
            raise RecipeError(f"--set {path}: phases are numbered 0 to {len(plain['phases']) - 1}")
        _set_in_phase(plain["phases"][int(number)], name, _read(phase_types, name, text, path))
    elif head == "model_args" and rest:
        plain["model_args"][rest] = _read(_arguments_of(plain), rest, text, path)
    elif path in phase_types:
        if not plain["phases"]:
            raise RecipeError(f"--set {path}: {plain['model']} learns without phases")
        for phase in plain["phases"]:
            _set_in_phase(phase, path, _read(phase_types, path, text, path))
    elif path not in own_types and path in _arguments_of(plain):
        plain["model_args"][path] = _read(_arguments_of(plain), path, text, path)
    else:
        also = {*phase_types, *(() if path in own_types else _arguments_of(plain))}
        plain[path] = _read(own_types, path, text, path, also)


def _set_in_phase(phase: dict[str, Any], name: str, value: Any) -> None:
    phase[name] = value
    if name == "epochs":  # a trial of one epoch must not become fifty on a small set
        phase["min_steps"] = 0


def _arguments_of(plain: Mapping[str, Any]) -> dict[str, Any]:
    # May need torch, so only where a model's arguments are meant.
    from mnistlab.classifiers.methods import argument_types

    return argument_types(plain["model"])


def _read(
    types: Mapping[str, Any], name: str, text: str, path: str, also: Collection[str] = ()
) -> Any:
    """`text` as the type of that name; `also` holds further names worth suggesting."""
    from pydantic import ValidationError

    if name not in types:
        allowed = {*types, *also}
        close = get_close_matches(name, allowed, n=1)
        hint = (
            f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(sorted(allowed))}"
        )
        raise RecipeError(f"--set {path}: no such field; {hint}")
    kind, adapter = types[name], _adapter(types[name])
    try:
        if text == "null" and NoneType in get_args(kind):
            return None
        is_list = text.startswith("[")
        if (
            get_origin(kind) in (None, Literal, Union, UnionType) and not is_list
        ):  # such as 3, 0.1, adam
            return adapter.validate_strings(text)
        return adapter.validate_json(text, strict=True)
    except ValidationError as error:
        raise RecipeError(f"--set {path}={shortened(text)}: {error.errors()[0]['msg']}") from error


def validated(kind: type[Value], text: str | bytes, where: str) -> Value:
    """A value in JSON; RecipeError, naming `where`, for any field that does not fit its type."""
    from pydantic import ValidationError

    try:
        # Every type is hashable, which mypy does not know of one that is a variable.
        adapter: TypeAdapter[Value] = _adapter(kind)  # type: ignore[arg-type]
        return adapter.validate_json(text, strict=True, extra="forbid")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field_path = ".".join(str(part) for part in first["loc"])
        reason = first.get("ctx", {}).get("error", first["msg"])
        raise RecipeError(f"{where}: {field_path + ': ' if field_path else ''}{reason}") from error


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """What checks values of a type; to make one takes longer than to use it."""
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
