"""What a file offers beside a network in NumPy: the tasks of the course that use libraries.

A class counts by what it inherits from, a function by its name and its parameters.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mnistlab.checking.naming import kinds_of, plain
from mnistlab.checking.source import Source

LOOP_WORDS = {
    *("trainmodel", "train", "fit", "trainnetwork", "trainingloop", "trainloop", "runtraining"),
    *("trainepoch", "trainoneepoch", "fitmodel", "trainandvalidate", "trainvalidate", "learn"),
    *("traincnn", "trainnet", "trainer", "trainclassifier", "runepoch", "trainforepochs"),
}
FUNCTIONS = {
    "comparison": {"compareoptimizers", "compareoptimisers", "optimizercomparison"},
    "gradient-check": {
        *("numericalgradient", "numericgradient", "gradientcheck", "checkgradient", "numgrad"),
        *("finitedifferences", "finitedifference", "evalnumericalgradient", "checkgradients"),
        *("computenumericalgradient", "numericalgradients"),
    },
    "folds": {"kfoldindices", "kfold", "kfolds", "makefolds", "kfoldsplit", "foldindices"},
    "cross-validation": {"crossvalidate", "crossvalidation", "crossvalscore", "kfoldcv"},
    "split": {"splitdata", "trainvaltestsplit", "splitdataset", "makesplit", "split"},
}
MODEL_WORDS = {"model", "net", "network", "cnn", "module", "classifier", "nn", "mlp"}
LOADER_PARTS = ("loader", "dataset", "trainset", "batches", "dl", "traindata", "data")


class Offer(NamedTuple):
    """One thing to check: as which task, and the class or function. name: as in the file."""

    task: str
    name: str
    value: Any


def find_offers(names: Mapping[str, Any], module: str, source: Source) -> list[Offer]:
    """Everything of the student's module that one of these tasks asks for, in order."""
    own = {n: v for n, v in names.items() if getattr(v, "__module__", None) == module}
    classes = {name: value for name, value in own.items() if inspect.isclass(value)}
    offers = [_offer_of_class(name, kind, source) for name, kind in classes.items()]
    for name, value in own.items():
        if inspect.isfunction(value):
            offers.append(_offer_of_function(name, value))
    found = [offer for offer in offers if offer is not None]
    loops = {offer.name for offer in found if offer.task == "loop"}
    inner = {name for name in loops if loops & _callers(source, name)}
    return [offer for offer in found if offer.name not in inner]


def _callers(source: Source, name: str) -> set[str]:
    """The functions that call a function; what it does is seen when they are checked."""
    return {
        function.name
        for function in source.functions
        if function.name != name
        and any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(function))
    }


def is_torch_class(value: Any) -> bool:
    """Whether it is a class of networks or layers of PyTorch."""
    torch = sys.modules.get("torch")
    return torch is not None and inspect.isclass(value) and issubclass(value, torch.nn.Module)


def is_estimator(value: Any) -> bool:
    """Whether it is a class of scikit-learn's kind, without a backward pass of its own."""
    base = sys.modules.get("sklearn.base")
    if base is None or not inspect.isclass(value) or not issubclass(value, base.BaseEstimator):
        return False
    return not any(plain(name) in ("backward", "backprop") for name in vars(value))


def _offer_of_class(name: str, kind: type, source: Source) -> Offer | None:
    if is_torch_class(kind):
        if name in _used_in_classes(source, name) or not _takes_images(kind):
            return None
        methods = {plain(each) for each in dir(kind)}
        is_transfer = any(each.startswith("unfreeze") for each in methods)
        is_transfer = is_transfer or "transfer" in plain(name)
        return Offer("transfer" if is_transfer else "cnn", name, kind)
    if is_estimator(kind) and hasattr(kind, "fit"):
        return Offer("estimator", name, kind)
    return None


def _used_in_classes(source: Source, name: str) -> set[str]:
    """The name, if another class of the file uses it: a block of a network, no network."""
    for node in source.tree.body:
        if isinstance(node, ast.ClassDef) and node.name != name:
            used = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
            if name in used:
                return {name}
    return set()


def _takes_images(kind: Any) -> bool:
    """Whether forward takes one value and nothing else that is needed."""
    needed = [
        each
        for each in list(inspect.signature(kind.forward).parameters.values())[1:]
        if each.default is each.empty and each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)
    ]
    return len(needed) <= 1


def _offer_of_function(name: str, function: Callable[..., Any]) -> Offer | None:
    word = plain(name)
    for task, words in FUNCTIONS.items():
        if word in words:
            return Offer(task, name, function)
    if word in LOOP_WORDS and "torch" in sys.modules and _is_loop(function):
        return Offer("loop", name, function)
    return None


def _is_loop(function: Callable[..., Any]) -> bool:
    """Whether it takes a network and images, as a loop in PyTorch does."""
    words = [plain(each) for each in inspect.signature(function).parameters]
    has_model = any(word in MODEL_WORDS for word in words)
    has_data = any(part in word for word in words for part in LOADER_PARTS)
    has_data = has_data or any("X" in kinds_of(word) for word in words)
    return has_model and has_data
