"""A recipe: everything that decides what a training run computes, as one frozen value.

Recipes are compared by what they say, found by their content hash, and changed only
with dataclasses.replace or `field_paths.set_fields`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mnistlab import atomic
from mnistlab.bounds import LARGEST_SIDE, check_all_finite, check_count, shown
from mnistlab.cards import card, html_table
from mnistlab.data.splits import PROTOCOLS
from mnistlab.errors import RecipeError, check_kind
from mnistlab.phases import Phase, check_order

# Raised whenever the same recipe would give other numbers, a changed default included, so that
# older runs are not reused.
NUMERICS = 1

MOST_PHASES = 1000

# How many images an expansion makes of each; training.fixed_views makes them.
EXPANSION_FACTORS = {"flip-and-zoom": 4}

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Value = TypeVar("Value")

# Names and expectations, which do not change what is computed.
LABELS = ("name", "system", "summary", "data", "expect")
UNHASHED = (*LABELS, "checkpoint_steps", "log_steps")  # nor does how often it is saved or logged


@dataclass(frozen=True)
class Recipe:
    """Data, model, phases and everything else that fixes a result, seed included.

    system: the row of the published systems it serves, such as "E3".
    model, model_args: "svm", "scratch" or a key of mnistlab.models.MODELS, and its arguments.
    phases: in order; without any a network stays as it was initialised.
    split: a protocol of data.splits, for published sets and sets in one part; a set that the user
    gave in parts is split as given.
    n_train, n_val: at most so many images of the training and the validation part, classes in
    proportion; the first so many of a named set.
    pad_to, augmentation, expansion, test_time_augmentation: see TorchClassifier.
    mirror_characters: mirror images of letters and digits too, where the recipe mirrors.
    class_weight: "balanced" weights images so that all classes count the same; null weights all
    images the same.
    order: of the images in an epoch: "shuffled" anew for each epoch, or "file", the order of the
    training part.
    batch_size: a step sees all images where it is at least the size of the training part.
    checkpoint_steps: steps between two checkpoints; None: about one per minute.
    log_steps: steps whose mean loss makes a line of steps.jsonl; None: no such file.
    expect: test accuracy (floor, ceiling) by data set, checked by the slow tests.
    Raises RecipeError for values that a field cannot have.
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

        Fields at their default are left out, so that a field added later changes no hash.
        """
        content = {name: value for name, value in _changed(self).items() if name not in UNHASHED}
        content["phases"] = [_changed(phase) for phase in self.phases]
        canonical = json.dumps([NUMERICS, content], sort_keys=True, allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def _repr_html_(self) -> str:
        changed = {k: v for k, v in _changed(self).items() if k not in (*LABELS, "phases")}
        rows = [
            (number, ", ".join(f"{k} {v}" for k, v in _changed(phase).items()))
            for number, phase in enumerate(self.phases, start=1)
        ]
        phases = [html_table(["phase", "settings"], rows)] if rows else []
        return card(f"recipe {self.name}", changed, text=self.summary, tables=phases)

    def to_json(self) -> dict[str, Any]:
        """Plain values, ready for JSON; `from_json` gives an equal recipe back."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), allow_nan=False))
        return plain


def _changed(value: Recipe | Phase) -> dict[str, Any]:
    """The fields that differ from their defaults."""
    changed = {}
    for own in fields(value):
        default = own.default if own.default_factory is MISSING else own.default_factory()
        if getattr(value, own.name) != default:
            changed[own.name] = getattr(value, own.name)
    return changed


def from_json(plain: Any, where: str) -> Recipe:
    """The recipe in parsed JSON; RecipeError, naming `where`, for any field that does not fit."""
    return validated(Recipe, json.dumps(plain), where)


def check_recipe(recipe: Recipe) -> None:
    """TypeError, with what to write, for anything but a recipe, such as its name."""
    hint = f"; ml.get_recipe({shown(recipe)}) gives one" if isinstance(recipe, str) else ""
    check_kind("recipe", recipe, Recipe, "a Recipe", hint)


def read_recipe(path: Path | str) -> Recipe:
    """The recipe in a JSON file; RecipeError, naming the file, for anything else."""
    path = Path(path)
    try:
        atomic.check_regular(path)
        return validated(Recipe, path.read_bytes(), str(path))
    except OSError as error:
        raise RecipeError(f"{path}: {error.strerror}") from error


def validated(kind: type[Value], text: str | bytes, where: str) -> Value:
    """A value in JSON; RecipeError, naming `where`, for any field that does not fit its type."""
    from pydantic import ValidationError

    try:
        # Every type is hashable, which mypy does not know of one that is a variable.
        adapter: TypeAdapter[Value] = adapter_of(kind)  # type: ignore[arg-type]
        return adapter.validate_json(text, strict=True, extra="forbid")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field_path = ".".join(str(part) for part in first["loc"])
        reason = first.get("ctx", {}).get("error", first["msg"])
        raise RecipeError(f"{where}: {field_path + ': ' if field_path else ''}{reason}") from error


@cache
def adapter_of(kind: Any) -> TypeAdapter[Any]:
    """The validator of a type; cached, for making one takes longer than using it."""
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
