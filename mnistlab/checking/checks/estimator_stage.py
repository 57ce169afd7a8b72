"""Small images with words as labels, and small classifiers of the student's class."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from mnistlab.checking.context import Context
from mnistlab.checking.naming import kinds_of, plain
from mnistlab.checking.reference import Array
from mnistlab.checking.source import Function

SMALL: dict[str, Any] = {
    "epochs": 12,
    "batch_size": 8,
    "n_hidden": 8,
    "learning_rate": 0.1,
}
WORDS = np.array(["shirt", "bag", "coat"])  # in another order than the alphabet's
N_EACH, N_FEATURES = 12, 6


@dataclass
class Stage:
    """What a class is checked with. context: for lines of its methods."""

    context: Context
    kind: type

    @property
    def name(self) -> str:
        """The class's name."""
        return self.kind.__name__

    @cached_property
    def numbers(self) -> Any:
        """Class numbers (N,), every class as often."""
        return np.arange(3 * N_EACH) % 3

    @cached_property
    def X(self) -> Array:  # noqa: N802
        """Images (N, 6) from 0 to 1, of classes that are far apart."""
        random = np.random.default_rng(0)
        means = random.uniform(0, 1, (3, N_FEATURES)).round()
        noise = random.normal(0, 0.1, (3 * N_EACH, N_FEATURES))
        images: Array = np.clip(means[self.numbers] + noise, 0, 1)
        return images

    @cached_property
    def y(self) -> Any:
        """Words (N,); not in the order of the alphabet."""
        return WORDS[self.numbers]

    def arguments(self, **more: Any) -> dict[str, Any]:
        """Small values for the parameters whose meaning is known."""
        found = {}
        for name in inspect.signature(self.kind).parameters:
            kinds = kinds_of(name)
            for kind, value in SMALL.items():
                if kind in kinds and plain(name) not in ("beta", "alpha"):
                    found[name] = value
            if "random" in plain(name) or plain(name) == "seed":
                found[name] = 0
        return found | more

    @cached_property
    def seed_name(self) -> str:
        """The parameter that decides the random numbers; "" without one."""
        names = inspect.signature(self.kind).parameters
        return next((n for n in names if plain(n) in ("randomstate", "seed")), "")

    def made(self, **more: Any) -> Any:
        """A new object."""
        return self.kind(**self.arguments(**more))

    def method(self, name: str) -> Function | None:
        """A method's syntax tree."""
        for node in self.context.classes(self.name):
            for each in node.body:
                if isinstance(each, Function) and each.name == name:
                    return each
        return None

    def line(self, method: str) -> int | None:
        """Where a method is defined; the class's line without it."""
        return self.context.line_of_method(self.name, method)

    def last_line(self, method: str) -> int | None:
        """The last line of a method."""
        found = self.method(method)
        return found.body[-1].lineno if found is not None else self.line(method)

    def line_changing(self, method: str) -> int | None:
        """The line of a method that changes an array in place."""
        pattern = r"\b(X|x|images|data|y)\b(\[.*\])?\s*[-+*/]=|\b(X|x|images)\[.*\]\s*=[^=]"
        pattern += r"|out\s*=|shuffle\("
        others = [each for each in ("predict_proba", "_proba") if method.startswith("predict")]
        lines = [line_of_pattern(self, each, pattern) for each in (method, *others)]
        return next((line for line in lines if line), self.line(method))


def line_of_pattern(stage: Stage, method: str, pattern: str) -> int | None:
    """The first line of a method's body that matches."""
    return stage.context.line_in(stage.name, method, pattern)
