"""Where a student's network has its weights, and which of its arrays are their gradients.

Weights are found by their shape (every size of the problem differs), then by their name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mnistlab.checking.naming import plain
from mnistlab.checking.reference import PARAMETERS, Array
from mnistlab.checking.tracing import DEPTH

# Names of arrays beside the weights: velocities, gradients, values of the last forward pass.
BESIDE = re.compile(
    r"(v|vel|velocity|velocities|m|mom|moments?|momentum|momenta|d|g|grads?|gradients?|delta|prev|"
    r"old|best|cache|acc|sq|s|h|dl)(w|b|weights?|bias(es)?|theta|kernel)?\d*"
)
BESIDE_TAIL = re.compile(r".*(grads?|gradients?|velocity|vel|momentum|mom|v|prev|old|best)\d*")
GRADIENT = re.compile(
    r"(dl|dloss|dj|dc|de)?(d|g|grads?|gradients?|delta|nabla|dldw|partial)_?(of)?"
    r"(?P<key>w|b|weights?|bias(es)?|theta|kernel)(s|es)?\d*"
)
CONTAINER = re.compile(r"(d|g|grads?|gradients?|dparams|gradientdict|back|dweights|dparameters)")


@dataclass
class Slot:
    """One parameter at a path of names below `root`; its array may be transposed.

    The path is followed at every use: some students replace the list that holds their weights.
    """

    name: str  # W1, b1, W2 or b2
    root: Any
    path: tuple[str, ...]
    shape: tuple[int, ...]
    is_transposed: bool = False

    @property
    def container(self) -> Any:
        """The dictionary, list, tuple or object that holds the array."""
        found = self.root
        for key in self.path[:-1]:
            found = _entry(found, key)
        return found

    @property
    def value(self) -> Any:
        """The student's own array."""
        return _entry(self.container, self.path[-1])

    def canonical(self) -> Array:
        """As in the reference: W (in, out), b (out,)."""
        return self.as_reference(self.value)

    def as_reference(self, value: Any) -> Array:
        """An array in the student's layout as one in the reference's; other shapes as they are."""
        value = np.array(value, dtype=np.float64)
        if self.name.startswith("b"):
            return np.squeeze(value)  # (1, H), (H, 1) and (H,) are one bias
        return value.T if self.is_transposed and value.ndim == 2 else value

    def put(self, value: Array) -> None:
        """Set the parameter to a value of the reference's layout."""
        own = (value.T if self.is_transposed else value).reshape(self.shape).copy()
        container, key = self.container, self.path[-1]
        if isinstance(container, tuple):
            container[int(key)][...] = own
        elif isinstance(container, list):
            container[int(key)] = own
        elif isinstance(container, dict):
            container[next(each for each in container if str(each) == key)] = own
        else:
            setattr(container, key, own)

    @property
    def word(self) -> str:
        """Its own name, such as "w1"; with that of its list where it has only a number."""
        return word_of(self.path)


def _entry(container: Any, key: str) -> Any:
    if isinstance(container, list | tuple):
        return container[int(key)]
    if isinstance(container, dict):
        return next(value for each, value in container.items() if str(each) == key)
    return getattr(container, key)


def word_of(path: tuple[str, ...]) -> str:
    """The last name of a path; a number counts with the name before it."""
    return plain("".join(path[-2:]) if path[-1].isdigit() else path[-1])


def _places(root: Any, module: str, path: tuple[str, ...] = ()) -> Iterator[Any]:
    if len(path) > DEPTH:
        return
    if isinstance(root, dict):
        entries: list[tuple[Any, Any]] = list(root.items())[:300]
    elif isinstance(root, list | tuple):
        entries = list(enumerate(root))[:50]
    elif hasattr(root, "__dict__") and (not path or type(root).__module__ == module):
        entries = list(vars(root).items())
    else:
        return
    for key, value in entries:
        if isinstance(value, np.ndarray):
            yield (*path, str(key)), value
        else:
            yield from _places(value, module, (*path, str(key)))


def find_slots(root: Any, module: str, sizes: tuple[int, int, int]) -> dict[str, Slot]:
    """W1, b1, W2 and b2 where there is an array of their shape; the first of the best names."""
    n_in, n_hidden, n_out = sizes
    wanted: dict[str, int | tuple[int, int]] = {
        "W1": (n_in, n_hidden),
        "b1": n_hidden,
        "W2": (n_hidden, n_out),
        "b2": n_out,
    }
    found: dict[str, list[Slot]] = {name: [] for name in PARAMETERS}
    for path, value in _places(root, module):
        if value.dtype.kind != "f":
            continue
        for name, shape in wanted.items():
            if isinstance(shape, int):
                is_it = value.size == shape and value.ndim in (1, 2)
                turned = False
            else:
                is_it = value.shape in (shape, shape[::-1])
                turned = value.shape == shape[::-1] != shape
            if is_it:
                found[name].append(Slot(name, root, path, value.shape, turned))
    return {name: min(slots, key=_rank) for name, slots in found.items() if slots}


def _rank(slot: Slot) -> tuple[bool, int, int]:
    words = [plain(part) for part in slot.path if not part.isdigit()]
    beside = any(BESIDE.fullmatch(word) or _is_tail(word) for word in words)
    return beside, len(slot.path), len(words[-1]) if words else 0


def _is_tail(word: str) -> bool:
    return bool(BESIDE_TAIL.fullmatch(word)) and word[0] in "wb"


def is_gradient_of(slot: Slot, path: tuple[str, ...]) -> bool:
    """Whether a path of names says "the gradient of this parameter"."""
    word, own = word_of(path), slot.word
    rest = r"(dl|dloss|dj|dc|de)?(d|g|grads?|gradients?|delta|nabla|partial)(of)?"
    if word != own and (
        re.fullmatch(rest + re.escape(own), word)
        or re.fullmatch(re.escape(own) + r"(grads?|gradients?|g)", word)
    ):
        return True
    if len(path) > 1 and any(CONTAINER.fullmatch(plain(part)) for part in path[:-1]):
        return word == own or word == "d" + own or path[-1] == own
    return False


def may_be_gradient(path: tuple[str, ...]) -> bool:
    """Whether a path of names says "a gradient of some weights or biases"."""
    return bool(GRADIENT.fullmatch(re.sub(r"\d+$", "", word_of(path))))
