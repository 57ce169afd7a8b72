"""A class for scikit-learn: what its tools expect of the constructor, of fit and of predict."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError

from mnistlab.checking.attempts import Outcome, attempt
from mnistlab.checking.checks import estimator_results
from mnistlab.checking.checks.estimator_stage import Stage, line_of_pattern
from mnistlab.checking.context import Context, line_of
from mnistlab.checking.finding import DIFFERS

# Rules that the course does not ask for: continuous labels are refused, n_iter_ is counted.
BEYOND = ("check_classifiers_regression_target", "check_non_transformer_estimators_n_iter")
LABELS = (ValueError, TypeError, IndexError, KeyError)  # what words as labels may lead to


def check_estimator(context: Context, kind: type) -> None:
    """Every rule in turn; after a broken constructor or fit nothing else can be said."""
    stage = Stage(context, kind)
    if not _check_constructor(context, stage):
        return
    if not _check_kind(context, stage):
        return
    fitted = _check_fit(context, stage)
    if fitted is None:
        return
    estimator_results.check_results(context, stage, fitted)
    if not context.findings:
        _check_all_rules(context, stage)


def _check_constructor(context: Context, stage: Stage) -> bool:
    what, kind = f"estimator constructor ({stage.name})", stage.kind
    context.begin(what)
    line = stage.line("__init__")
    parameters = list(inspect.signature(kind).parameters.values())
    if any(each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD) for each in parameters):
        context.found(what, "init-many-arguments", line)
        return False
    made = attempt(lambda: kind(**stage.arguments()))
    if made.error is not None:
        context.failed(what, made.error)
        return False
    given = {each.name: object() for each in parameters}  # a constructor that only stores takes any
    made = attempt(lambda: kind(**given))
    if made.error is not None:
        where = line_of(made.error, context.source.name) or line
        context.found(what, _of_failed(context, where), where)
        return False
    for name, value in given.items():
        stored = getattr(made.value, name, None)
        if stored is None:
            context.found(what, "init-not-stored", _line_storing(stage, name) or line)
            return False
        if stored is not value:
            context.found(what, "init-changed", _line_storing(stage, name) or line)
            return False
    more = [name for name in vars(made.value) if name not in given]
    if more:
        context.found(what, "init-does-work", _line_storing(stage, more[0]) or line)
        return False
    if attempt(lambda: clone(kind(**stage.arguments()))).error is not None:
        context.found(what, "clone-fails", line)
        return False
    return True


def _of_failed(context: Context, line: int | None) -> str:
    """A conversion that fails changes a parameter; anything else is work."""
    text = context.source.text.splitlines()[line - 1] if line else ""
    is_conversion = re.match(r"\s*self\.(\w+)\s*=\s*[\w.]+\(\1\)\s*$", text)
    return "init-changed" if is_conversion else "init-does-work"


def _line_storing(stage: Stage, name: str) -> int | None:
    return line_of_pattern(stage, "__init__", rf"\b{re.escape(name)}\b.*=|=.*\b{re.escape(name)}\b")


def _check_kind(context: Context, stage: Stage) -> bool:
    what = f"estimator methods ({stage.name})"
    context.begin(what)
    new = stage.made()
    line = context.line_of_class(stage.name)
    if not hasattr(new, "score"):
        context.found(what, "no-score", line)
    elif not is_classifier(new):
        context.found(what, "not-a-classifier", line)
    if not hasattr(new, "predict"):
        context.found(what, "exception", line, says="there is no method predict")
        return False
    early = attempt(lambda: new.predict(stage.X.copy()))
    if isinstance(early.error, NotImplementedError):
        context.failed(what, early.error)
    elif not isinstance(early.error, NotFittedError):
        context.found(what, "not-fitted-unsaid", stage.line("predict"))
    return True


def _check_fit(context: Context, stage: Stage) -> Any:
    """A fitted object, of words as labels; None where fit cannot be used."""
    what = f"estimator fit ({stage.name})"
    context.begin(what)
    new, X, y = stage.made(), stage.X.copy(), stage.y.copy()
    before = new.get_params()
    outcome = attempt(lambda: new.fit(X, y))
    if outcome.error is not None:
        _name_failed_fit(context, what, stage, outcome)
        return None
    if outcome.value is not new:
        context.found(what, "fit-not-self", stage.last_line("fit"))
    if not np.array_equal(X, stage.X) or not np.array_equal(y, stage.y):
        context.found(what, "estimator-changes-input", stage.line_changing("fit"))
    after = new.get_params()
    changed = [name for name in before if after[name] is not before[name]]
    if changed:
        line = line_of_pattern(stage, "fit", rf"self\.{changed[0]}\b[^=]*=")
        context.found(what, "fit-changes-parameters", line or stage.line("fit"))
    classes = getattr(new, "classes_", None)
    line = line_of_pattern(stage, "fit", r"classes_\s*(,.*)?=") or stage.line("fit")
    if classes is None:
        context.found(what, "classes-not-set", line)
    elif list(classes) != sorted({*stage.y}):
        is_set = sorted(map(str, classes)) == sorted({*stage.y})
        if is_set:
            context.found(what, "classes-not-sorted", line)
        else:
            context.found(what, DIFFERS, line, "", f"classes_ is {list(classes)[:5]}")
    if getattr(new, "n_features_in_", None) != stage.X.shape[1]:
        context.found(what, "features-not-counted", stage.line("fit"))
    return new


def _name_failed_fit(context: Context, what: str, stage: Stage, outcome: Outcome) -> None:
    assert outcome.error is not None
    if "has no attribute 'classes_'" in str(outcome.error):
        context.found(what, "classes-not-set", stage.line("fit"))
        return
    numbers = attempt(lambda: stage.made().fit(stage.X.copy(), stage.numbers.copy()))
    if numbers.error is None and isinstance(outcome.error, LABELS):
        line = line_of(outcome.error, context.source.name) or stage.line("fit")
        context.found(what, "labels-taken-for-numbers", line)
    else:
        context.failed(what, outcome.error)


def _check_all_rules(context: Context, stage: Stage) -> None:
    """scikit-learn's own checks, for what has no name here."""
    from sklearn.utils import estimator_checks

    what = f"estimator rules of scikit-learn ({stage.name})"
    context.begin(what)
    done = estimator_checks.check_estimator(stage.made(), on_skip=None, on_fail=None)
    failed = [each for each in done if each["status"] == "failed"]
    for each in failed[:3]:
        text = " ".join(str(each["exception"]).split())[:200]
        if each["check_name"] in BEYOND:
            context.note(f"scikit-learn's {each['check_name']} asks for more: {text}")
            continue
        line = line_of(each["exception"], context.source.name)
        says = f"scikit-learn's {each['check_name']} fails"
        context.found(what, DIFFERS, line or context.line_of_class(stage.name), "", text, says)
