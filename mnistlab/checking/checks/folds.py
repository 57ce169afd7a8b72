"""Cross-validation by hand: the indices of the folds, and what each classifier sees."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from mnistlab.checking.attempts import attempt
from mnistlab.checking.context import Context
from mnistlab.checking.finding import DIFFERS
from mnistlab.checking.naming import kinds_of, plain
from mnistlab.checking.reference import Array

N, N_FOLDS = 17, 5  # the first folds have an image more
FOLD_WORDS = ("nfolds", "k", "folds", "nsplits", "cv", "numfolds", "kfolds", "nfold")


def check_folds(context: Context, function: Callable[..., Any]) -> None:
    """Indices of 17 images in 5 folds."""
    name, what = function.__name__, f"folds ({function.__name__})"
    given: dict[str, Any] = {}
    for each, parameter in inspect.signature(function).parameters.items():
        word = plain(each)
        if word in FOLD_WORDS:
            given[each] = N_FOLDS
        elif word in ("n", "nsamples", "nimages", "size", "numsamples", "length", "m"):
            given[each] = N
        elif "X" in kinds_of(each):
            given[each] = np.arange(N * 2, dtype=np.float64).reshape(N, 2)
        elif "y" in kinds_of(each):
            given[each] = np.arange(N) % 3
        elif parameter.default is parameter.empty:
            context.note(f"{name} was not checked: it is not clear what {each} should receive")
            return
    context.begin(what)
    outcome = attempt(lambda: [tuple(np.asarray(p) for p in fold) for fold in function(**given)])
    line = context.source.line_of_function(name)
    if outcome.error is not None:
        context.failed(what, outcome.error)
        return
    folds = outcome.value
    if any(len(fold) != 2 or fold[0].ndim != 1 for fold in folds):
        context.note(f"{name} returns no pairs of indices, and was not checked")
        context.checks.remove(what)
        return
    named = _mistake_of_folds([(np.asarray(a), np.asarray(b)) for a, b in folds])
    if named is not None:
        context.found(what, named[0], line, "", named[1])


def _mistake_of_folds(folds: list[tuple[Any, Any]]) -> tuple[str, str] | None:
    if len(folds) != N_FOLDS:
        return "fold-count", f"{len(folds)} instead of {N_FOLDS}"
    if all(len(train) < len(val) for train, val in folds):
        return "fold-swapped", ""
    for train, val in folds:
        both = np.intersect1d(train, val)
        if len(both):
            return "fold-leakage", f"indices {both[:5].tolist()} are in both parts of a fold"
    counts = np.bincount(np.concatenate([val for _, val in folds]), minlength=N)
    if (counts > 1).any():
        return "fold-overlap", f"index {int(counts.argmax())} validates {counts.max()} times"
    if (counts == 0).any():
        return "fold-left-out", f"{int((counts == 0).sum())} of {N} images never validate"
    for train, val in folds:
        if len(np.union1d(train, val)) < N:
            return "fold-train-incomplete", f"{len(train)} instead of {N - len(val)} images train"
    sizes = [len(val) for _, val in folds]
    if max(sizes) - min(sizes) > 1:
        return "fold-sizes", f"sizes {sizes}"
    return None


class Watched:
    """A classifier that notes what it is given; it knows every image that it was fitted on."""

    def __init__(self) -> None:
        self.fits: list[Array] = []
        self.predicted: list[Array] = []

    def fit(self, X: Any, y: Any) -> Watched:
        """Remember the labels."""
        self.fits.append(np.array(X))
        self.labels = np.array(y)
        return self

    def predict(self, X: Any) -> Any:
        """Right for two images of three."""
        self.predicted.append(np.array(X))
        codes = np.asarray(X)[:, 0].round().astype(int)
        return np.where(codes % 3 == 0, -1, codes % 2)

    def score(self, X: Any, y: Any) -> float:
        """The accuracy."""
        return float(np.mean(self.predict(X) == np.asarray(y)))


def check_cross_validation(context: Context, function: Callable[..., Any]) -> None:
    """Five folds of 17 images: what was fitted, what was predicted, what came back."""
    name, what = function.__name__, f"cross-validation ({function.__name__})"
    made: list[Watched] = []

    def make(*args: Any, **kwargs: Any) -> Watched:
        made.append(Watched())
        return made[-1]

    X = np.column_stack([np.arange(N), 200 + np.arange(N)]).astype(np.float64)
    given: dict[str, Any] = {}
    for each, parameter in inspect.signature(function).parameters.items():
        word = plain(each)
        if word in FOLD_WORDS:
            given[each] = N_FOLDS
        elif word.startswith("make") or word.endswith(("class", "factory", "fn", "builder")):
            given[each] = make
        elif "X" in kinds_of(each):
            given[each] = X.copy()
        elif "y" in kinds_of(each):
            given[each] = np.arange(N) % 2
        elif parameter.default is parameter.empty:
            context.note(f"{name} was not checked: it is not clear what {each} should receive")
            return
    context.begin(what)
    outcome = attempt(lambda: function(**given))
    line = context.source.line_of_function(name)
    if outcome.error is not None:
        context.failed(what, outcome.error)
        return
    named = _mistake_of_validation(made, X, outcome.value)
    if named is not None:
        where = _line_of(context, name, named[0]) or line
        context.found(what, named[0], where, "", named[1])


def _line_of(context: Context, name: str, mistake: str) -> int | None:
    """The line where the classifier is made, fitted or asked, as the mistake needs."""
    words = {
        "fold-classifier-reused": ("make",),
        "fold-validated-on-training": (".predict(", ".score("),
        "fold-scaled-together": ("mean", "min(", "max(", "fit_transform", "std"),
        "fold-mean": ("return",),
        "fold-accuracy": (".append(", "mean", "sum"),
    }.get(mistake, ())
    lines = context.source.text.splitlines()
    for node in context.source.functions:
        if node.name == name:
            for number in range(node.body[0].lineno, (node.end_lineno or 0) + 1):
                if any(word in lines[number - 1] for word in words):
                    return number
    return None


def _mistake_of_validation(made: list[Watched], X: Array, value: Any) -> tuple[str, str] | None:
    fits = [fit for each in made for fit in each.fits]
    known = {tuple(row) for row in X}
    if any(tuple(row) not in known for fit in fits for row in fit):
        return "fold-scaled-together", ""
    if len(fits) > 1 and any(len(each.fits) > 1 for each in made):
        return "fold-classifier-reused", f"{len(made)} classifiers for {len(fits)} folds"
    for each in made:
        for fit, asked in zip(each.fits, each.predicted, strict=False):
            if {tuple(row) for row in fit} & {tuple(row) for row in asked}:
                return "fold-validated-on-training", ""
    found = np.asarray(value, dtype=np.float64)
    if found.ndim == 0:
        return "fold-mean", ""
    right = [_accuracy(each) for each in made]
    if len(found) != N_FOLDS or len(right) != N_FOLDS:
        return "fold-count", f"{len(found)} accuracies instead of {N_FOLDS}"
    if not np.allclose(found, right) and not np.allclose(found, 100 * np.array(right)):
        numbers = f"{found[0]:.6g} in the first fold instead of {right[0]:.6g}"
        return ("fold-accuracy" if np.isfinite(found).all() else DIFFERS), numbers
    return None


def _accuracy(classifier: Watched) -> float:
    codes = classifier.predicted[0][:, 0].astype(int)
    return float(np.mean(np.where(codes % 3 == 0, -1, codes % 2) == codes % 2))
