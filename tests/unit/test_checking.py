"""The checker's mathematics, its catalogue, and what it says of seeded mistakes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from mistakes import course_seeds, layered_seeds, script_seeds
from mistakes.held_out_seeds import SEEDS as HELD_OUT
from mistakes.seeds import FOLDER, Seed, solution

import mnistlab as ml
from mnistlab.checking.faults import BACKWARD, FORWARD, LOSS
from mnistlab.checking.finding import DIFFERS, Report, report_from_json
from mnistlab.checking.mistakes import MISTAKES, hint_for
from mnistlab.checking.naming_faults import explain_backward, values_of
from mnistlab.checking.reference import (
    GRADIENTS,
    PARAMETERS,
    Problem,
    computed,
    is_equal,
    make_problem,
)
from mnistlab.checking.running import check_source
from mnistlab.checking.source import Source
from mnistlab.checking.update_rules import WRONG

SEEDS = {
    "course_class": course_seeds.SEEDS,
    "layered": layered_seeds.SEEDS,
    "script": script_seeds.SEEDS,
}
ALL = [(style, seed) for style, seeds in (SEEDS | HELD_OUT).items() for seed in seeds]
# Named at a line that is not the one a teacher would name, or not named; never named wrongly.
INEXACT = {
    ("layered", "mask-threshold"),
    ("lists", "activation-missing"),
    ("lists", "mask-of-wrong-layer"),
    ("torch_layout", "momentum-missing"),
}


def checked(style: str, text: str, hint: int = 0) -> Report:
    return check_source(Source(f"{style}.py", text), hint_level=hint)


def test_the_reference_has_the_gradients_of_its_own_loss() -> None:
    problem = make_problem()
    values = computed(problem)
    for name in PARAMETERS:
        for index in np.ndindex(problem.weights[name].shape):
            losses = []
            for sign in (1, -1):
                moved = problem.weights[name].copy()
                moved[index] += sign * 1e-6
                weights = problem.weights | {name: moved}
                losses.append(computed(Problem(problem.X, problem.labels, weights))["loss"])
            numeric = (losses[0] - losses[1]) / 2e-6
            assert values["d" + name][index] == pytest.approx(numeric, abs=1e-8)


@pytest.mark.parametrize(
    ("faults", "steps"),
    [(FORWARD, ("z1", "a1", "z2", "p")), (LOSS, ("loss",)), (BACKWARD, GRADIENTS)],
    ids=["forward", "loss", "backward"],
)
def test_no_mistake_looks_right_or_like_another(faults: list, steps: tuple) -> None:
    """Else one of two mistakes would be named for the other."""
    problem = make_problem()
    right = computed(problem)
    results = [(fault, values_of(problem, [fault])) for fault in faults]
    known = [(fault, values) for fault, values in results if values is not None]
    assert len(known) > 0.85 * len(results)  # the others do not fit in shape
    for fault, values in known:
        assert not all(is_equal(values[step], right[step], 1e-4) for step in steps), fault
    for (a, of_a), (b, of_b) in itertools.combinations(known, 2):
        if a.mistake != b.mistake:
            assert not all(is_equal(of_a[step], of_b[step], 1e-4) for step in steps), (a, b)


def test_every_mistake_has_words_and_three_hints() -> None:
    used = {fault.mistake for fault in (*FORWARD, *LOSS, *BACKWARD)}
    used |= {rule.mistake for rule in WRONG}
    assert used <= MISTAKES.keys()
    for name, mistake in MISTAKES.items():
        assert not mistake.says.endswith(".")
        hints = [hint_for(name, "", level) for level in (1, 2, 3)]
        assert len({*hints}) == 3
        assert hint_for(name, "", 0) == ""


def test_two_mistakes_at_once_are_both_named() -> None:
    problem = make_problem()
    mask = next(f for f in BACKWARD if f.mistake == "mask-missing" and f.step == "dz1")
    axis = next(f for f in BACKWARD if f.mistake == "bias-one-image" and f.step == "db2")
    values = values_of(problem, [mask, axis])
    assert values is not None
    found = explain_backward({name: values[name] for name in GRADIENTS}, problem, BACKWARD)
    assert found is not None
    assert {fault.mistake for fault in found} == {"mask-missing", "bias-one-image"}


def test_two_mistakes_in_a_file_are_both_named() -> None:
    text = solution("course_class").replace("(self.a2 - one_hot) / n", "self.a2 - one_hot")
    text = text.replace("dz1 = da1 * self.relu_derivative(self.z1)", "dz1 = da1")
    found = {finding.mistake for finding in checked("course_class", text).findings}
    assert found == {"not-averaged", "mask-missing"}


@pytest.mark.parametrize("style", sorted(path.stem for path in FOLDER.glob("*.py")))
def test_right_solutions_pass(style: str) -> None:
    report = checked(style, solution(style))
    assert report.passed, report
    assert len(report.checks) >= 4
    assert "gradients" in report.checks


def verdict(style: str, seed: Seed) -> None:
    text = solution(style)
    report = checked(style, seed.edited(text))
    assert report.findings, "a mistake must never be praised"
    if (style, seed.mistake) in INEXACT:
        assert {f.mistake for f in report.findings} <= {seed.mistake, DIFFERS, "exception"}
        return
    assert {finding.mistake for finding in report.findings} <= {seed.mistake, *seed.also}, report
    assert report.findings[0].line in seed.lines(text), report


def test_there_are_enough_seeds() -> None:
    assert all(len(seeds) >= 30 for seeds in SEEDS.values())
    assert len(ALL) > 250


@pytest.mark.parametrize(
    ("style", "seed"), ALL[::6], ids=[f"{style}-{seed.mistake}" for style, seed in ALL[::6]]
)
def test_seeded_mistakes_are_named_with_their_line(style: str, seed: Seed) -> None:
    verdict(style, seed)


@pytest.mark.slow
def test_all_seeded_mistakes_are_named_with_their_line() -> None:
    for style, seed in ALL:
        verdict(style, seed)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("dz2 = (self.a2 - one_hot) / n", "dz2 = (self.a2 - one_hot) / n * 1.37", "gradient"),
        ("dW1 = X.T @ dz1", "dW1 = X.T @ dz1 + 0.01", "gradient of W1"),
        ("dW2 = self.a1.T @ dz2", "dW2 = np.clip(self.a1.T @ dz2, -0.01, 0.01)", "gradient of W2"),
        ("self.z1 = X @ self.W1 + self.b1", "self.z1 = X @ self.W1 + 3 * self.b1", "forward"),
        ("return -np.sum(log_probs) / n", "return -np.sum(log_probs) / n + 0.1", "loss"),
        ("self.W1 = self.W1 + self.v_W1", "self.W1 = self.W1 + 0.7 * self.v_W1", "update of W1"),
        ("np.maximum(0, x)", "np.maximum(0.3, x)", "relu"),
        ("(x > 0).astype(float)", "(x > 0) * 0.7", "relu_derivative"),
        ("np.argmax(self.forward(X), axis=1)", "np.argsort(self.forward(X))[:, 1]", "predict"),
    ],
)
def test_what_nobody_foresaw_differs_with_numbers(old: str, new: str, what: str) -> None:
    text = solution("course_class")
    assert text.count(old) == 1
    report = checked("course_class", text.replace(old, new))
    assert not report.passed
    first = report.findings[0]
    assert first.mistake == DIFFERS
    assert first.what.startswith(what)
    assert any(letter.isdigit() for letter in first.numbers)
    assert first.line is not None
    assert {finding.mistake for finding in report.findings} == {DIFFERS}


def test_hints_grow_and_the_equation_is_shown() -> None:
    text = solution("course_class").replace(
        "dz1 = da1 * self.relu_derivative(self.z1)", "dz1 = da1"
    )
    hints = []
    for level in (0, 1, 2, 3):
        (finding,) = checked("course_class", text, level).findings
        assert finding.equation == "dL/dz1 = dL/da1 * relu'(z1)"
        hints.append(finding.hint)
    assert hints[0] == ""
    assert len({*hints}) == 4


def test_functions_that_are_not_written_yet_are_said_to_be_empty() -> None:
    text = """
import numpy as np


class MLPFromScratch:
    def __init__(self, input_size, hidden_size, output_size):
        self.W1 = np.random.randn(input_size, hidden_size) * np.sqrt(2 / input_size)
        self.b1 = np.zeros(hidden_size)
        self.W2 = np.random.randn(hidden_size, output_size) * np.sqrt(2 / hidden_size)
        self.b2 = np.zeros(output_size)

    def relu(self, x):
        return np.maximum(0, x)

    def softmax(self, x):
        '''To do.'''

    def forward(self, X):
        raise NotImplementedError

    def backward(self, X, y):
        pass
"""
    report = checked("lab", text)
    assert {f.what for f in report.findings} == {"softmax", "forward", "backward"}
    assert {f.mistake for f in report.findings} == {"empty"}
    assert "relu" in report.checks


def test_an_exception_is_shown_with_its_line() -> None:
    text = solution("course_class").replace("y_pred = self.forward(X_batch)", "y_pred = missing")
    (finding,) = checked("course_class", text).findings
    assert finding.mistake == "exception"
    assert "missing" in finding.says
    assert "missing" in text.splitlines()[finding.line - 1]  # type: ignore[operator]


def test_a_file_without_any_known_name_is_not_passed() -> None:
    report = checked("other", "import math\nx = math.pi\n")
    assert not report.passed
    assert report.findings[0].mistake == "interface"


@pytest.mark.parametrize(
    ("style", "old", "new", "mistake"),
    [
        ("globals_script", "    return dW1, db1, dW2, db2\n", "", "no-gradient"),
        ("globals_script", "return dW1, db1, dW2, db2", "return dW2, db1, dW2, db2", None),
        ("returned_gradients", "scores - np.max(", "scores + np.max(", "softmax-overflow"),
        ("columns", "def forward_prop(W1,", "def forward_prop(W2,", "exception"),
        ("lists", "* np.sqrt(2 / n_in)", "/ np.sqrt(2 / n_in)", "init-wrong-size"),
        ("returned_gradients", "return np.argmax(P, axis=1)", "pass", "exception"),
        ("returned_gradients", "        return P, (X, Z1, A1)\n", "", "exception"),
    ],
)
def test_what_random_changes_of_solutions_had_found(
    style: str, old: str, new: str, mistake: str | None
) -> None:
    """Each of these had passed, or had ended the checker itself."""
    text = solution(style)
    assert text.count(old) == 1
    report = checked(style, text.replace(old, new))
    assert not report.passed
    if mistake is not None:
        assert mistake in {finding.mistake for finding in report.findings}


def test_reports_survive_json() -> None:
    report = checked("layered", layered_seeds.SEEDS[3].edited(solution("layered")))
    assert report_from_json(report.to_json()) == report
    assert {"task", "passed", "findings"} <= report.to_json().keys()
    assert {"what", "mistake", "file", "line", "equation", "hint"} <= report.to_json()["findings"][
        0
    ].keys()


def test_check_takes_functions_classes_and_instances_of_this_session() -> None:
    assert ml.check(softmax_of_a_student).passed
    report = ml.check(relu, task="relu", hint=1)
    assert [finding.mistake for finding in report.findings] == ["absolute-value"]
    with pytest.raises(ml.DataError, match="hint must be"):
        ml.check(relu, hint=4)
    with pytest.raises(ml.DataError, match="unknown task"):
        ml.check(relu, task="nonsense")
    with pytest.raises(ml.DataError, match="no class, function"):
        ml.check(3)


def softmax(z):  # type: ignore[no-untyped-def]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


softmax_of_a_student = softmax


def relu(z):  # type: ignore[no-untyped-def]
    return np.abs(z)
