"""What a fitted classifier gives: labels, probabilities, the same again, and errors where due."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mnistlab.checking.attempts import attempt
from mnistlab.checking.checks.estimator_stage import Stage, line_of_pattern
from mnistlab.checking.context import Context, line_of
from mnistlab.checking.reference import Array

LOOKS_AT_ALL = r"\.(min|max|mean|std|ptp|sum)\(|np\.(min|max|mean|std|ptp|sum)\(|fit_transform"
ENOUGH = 0.8  # accuracy on classes that any network separates


def check_results(context: Context, stage: Stage, fitted: Any) -> None:
    """The predictions of one fitted object, then those of several."""
    if not _check_predictions(context, stage, fitted):
        return
    if _check_rows(context, stage, fitted):
        _check_probabilities(context, stage, fitted)
    _check_again(context, stage)
    _check_inputs(context, stage)
    if not context.findings:
        _check_learning(context, stage)


def _check_predictions(context: Context, stage: Stage, fitted: Any) -> bool:
    what, line = f"estimator predict ({stage.name})", stage.last_line("predict")
    context.begin(what)
    X = stage.X.copy()
    outcome = attempt(lambda: fitted.predict(X))
    if outcome.error is not None:
        context.failed(what, outcome.error)
        return False
    if not np.array_equal(X, stage.X):
        context.found(what, "estimator-changes-input", stage.line_changing("predict"))
        return False
    labels = np.asarray(outcome.value)
    if labels.shape != (len(X),) or labels.dtype.kind == "f":
        numbers = f"shape {labels.shape}, dtype {labels.dtype}"
        context.found(what, "predict-not-classes", line, "", numbers)
        return False
    if labels.dtype.kind in "iu":
        context.found(what, "labels-as-numbers", line)
        return False
    if not {*map(str, labels)} <= {*map(str, stage.y)}:
        context.found(what, "predict-not-classes", line)
        return False
    if hasattr(fitted, "score"):
        score = attempt(lambda: float(fitted.score(stage.X.copy(), stage.y)))
        right = float(np.mean(labels == stage.y))
        if score.error is not None:
            context.failed(what, score.error)
        elif abs(score.value - right) > 1e-9:
            numbers = f"{score.value:.6g} instead of {right:.6g}"
            context.found(what, "score-other", stage.last_line("score"), "", numbers)
    return True


def _check_probabilities(context: Context, stage: Stage, fitted: Any) -> None:
    if not hasattr(fitted, "predict_proba"):
        return
    what, line = f"estimator probabilities ({stage.name})", stage.last_line("predict_proba")
    context.begin(what)
    X = stage.X.copy()
    outcome = attempt(lambda: np.asarray(fitted.predict_proba(X), dtype=np.float64))
    if outcome.error is not None:
        context.failed(what, outcome.error)
        return
    p = outcome.value
    if not np.array_equal(X, stage.X):
        context.found(what, "estimator-changes-input", stage.line_changing("predict_proba"))
    elif p.shape != (len(X), 3):
        numbers = f"shape {p.shape} for {len(X)} images of 3 classes"
        where = line_of_pattern(stage, "fit", r"\b10\b|max\(\)") or line
        context.found(what, "number-of-classes-fixed", where, "", numbers)
    elif (p < -1e-9).any() or not np.allclose(p.sum(axis=1), 1, atol=1e-5):
        numbers = f"the first row sums to {p[0].sum():.6g}"
        context.found(what, "not-probabilities", line, "", numbers)
    elif hasattr(fitted, "classes_"):
        labels = np.asarray(fitted.classes_)[p.argmax(axis=1)]
        if not np.array_equal(labels, np.asarray(fitted.predict(stage.X.copy()))):
            context.found(what, "columns-out-of-order", stage.last_line("predict"))


def _result(fitted: Any, X: Array) -> Any:
    if hasattr(fitted, "predict_proba"):
        return np.asarray(fitted.predict_proba(X.copy()), dtype=np.float64)
    return np.asarray(fitted.predict(X.copy()))


def _is_same(a: Any, b: Any) -> bool:
    if a.shape != b.shape:
        return False
    return bool(np.allclose(a, b, rtol=1e-6, atol=1e-9) if a.dtype.kind == "f" else (a == b).all())


def _check_rows(context: Context, stage: Stage, fitted: Any) -> bool:
    what = f"estimator single images ({stage.name})"
    context.begin(what)
    scaled = np.vstack([stage.X[:4], 3 * stage.X[4:8] - 1])
    outcome = attempt(lambda: (_result(fitted, scaled)[:4], _result(fitted, stage.X[:4])))
    if outcome.error is not None:
        context.failed(what, outcome.error)
    elif not _is_same(*outcome.value):
        lines = [line_of_pattern(stage, m, LOOKS_AT_ALL) for m in ("predict_proba", "predict")]
        line = next((each for each in lines if each), stage.line("predict"))
        context.found(what, "rows-depend-on-others", line)
    return not context.has_found(what)


def _fit(stage: Stage, seed: int, n_fits: int = 1, /, **more: Any) -> Any:
    """What a new object gives for the images, after one or two fits."""
    new = stage.made(**more)
    for i in range(n_fits):
        np.random.seed(seed)  # noqa: NPY002  # students draw from it
        other = (i + 1 < n_fits) * 10
        new.fit(np.roll(stage.X, other, axis=1), stage.y.copy())
    return _result(new, stage.X)


def _check_again(context: Context, stage: Stage) -> None:
    what, line = f"estimator repeated fits ({stage.name})", stage.line("fit")
    context.begin(what)
    outcome = attempt(lambda: (_fit(stage, 1), _fit(stage, 2), _fit(stage, 1, 2)))
    if outcome.error is not None:
        context.failed(what, outcome.error)
        return
    first, second, again = outcome.value
    if stage.seed_name and not _is_same(first, second):
        context.found(what, "not-repeatable", _random_line(stage) or line)
    elif not _is_same(first, again):
        made = line_of_pattern(stage, "fit", r"hasattr|getattr|is None|if not ") or line
        context.found(what, "fit-goes-on", made)
    elif stage.seed_name:
        other = attempt(lambda: _fit(stage, 1, **{stage.seed_name: 5}))
        if other.error is None and _is_same(first, other.value):
            context.found(what, "seed-unused", line)


def _random_line(stage: Stage) -> int | None:
    return line_of_pattern(stage, "fit", r"np\.random\.|default_rng\(\s*\)|RandomState\(\s*\)")


def _check_inputs(context: Context, stage: Stage) -> None:
    what = f"estimator inputs ({stage.name})"
    context.begin(what)
    bad = stage.X.copy()
    bad[1, 2] = np.nan
    wide = np.hstack([stage.X, stage.X[:, :1]])
    refused: list[tuple[str, str, Callable[[], Any]]] = [
        ("nan-accepted", "fit", lambda: stage.made().fit(bad, stage.y)),
        ("other-columns-accepted", "predict", lambda: _fitted(stage).predict(wide)),
    ]
    for mistake, method, call in refused:
        if attempt(call).error is None:
            context.found(what, mistake, stage.line(method))
    lists = attempt(lambda: stage.made().fit(stage.X.tolist(), stage.y.tolist()))
    method = "fit"
    if lists.error is None:
        method = "predict"
        lists = attempt(lambda: _fitted(stage).predict(stage.X.tolist()))
    if lists.error is not None:
        line = line_of(lists.error, context.source.name) or stage.line(method)
        context.found(what, "lists-refused", line)


def _fitted(stage: Stage) -> Any:
    new = stage.made()
    new.fit(stage.X.copy(), stage.y.copy())
    return new


def _check_learning(context: Context, stage: Stage) -> None:
    what = f"estimator learning ({stage.name})"
    context.begin(what)
    names = [n for n, value in stage.arguments().items() if value == 12]
    new = stage.made(**dict.fromkeys(names, 100))
    outcome = attempt(lambda: np.mean(new.fit(stage.X, stage.y).predict(stage.X) == stage.y))
    if outcome.error is not None:
        context.failed(what, outcome.error)
    elif outcome.value < ENOUGH:
        numbers = f"{outcome.value:.0%} of the training images right"
        context.found(what, "estimator-does-not-learn", stage.line("fit"), "", numbers)
