"""What the checker says of tasks that use PyTorch and scikit-learn, right and with a mistake."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch
from mistakes import cnn_seeds, estimator_seeds, loop_seeds, small_seeds, transfer_seeds
from mistakes.library_seeds import LABS, path_of, right_styles, seeds_of, text_of
from mistakes.seeds import Seed

import mnistlab as ml
from mnistlab.checking.finding import DIFFERS, Report
from mnistlab.checking.mistakes import MISTAKES
from mnistlab.checking.running import check_source
from mnistlab.checking.source import Source
from mnistlab.checking.tasks import LIBRARY_TASKS, checked_task

pytestmark = pytest.mark.slow

TASKS = {
    "cnn": cnn_seeds.SEEDS,
    "loop": loop_seeds.SEEDS,
    "estimator": estimator_seeds.SEEDS,
    "transfer": transfer_seeds.SEEDS,
    "small": small_seeds.SEEDS,
}
ALL = list(seeds_of(TASKS))
SAMPLE = [each for each in ALL if each[0] != "transfer"][::8]
SAMPLE += [each for each in ALL if each[0] == "transfer"][::12]


@pytest.fixture(autouse=True)
def as_in_its_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One thread, and imports of the solutions' own folder."""
    monkeypatch.syspath_prepend(str(LABS.parent))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def checked(style: str, text: str) -> Report:
    return check_source(Source(str(path_of(style)), text))


@pytest.mark.parametrize("style", right_styles())
def test_right_solutions_pass(style: str) -> None:
    report = checked(style, text_of(style))
    assert report.passed, report
    assert report.checks


def verdict(style: str, seed: Seed) -> None:
    text = text_of(style)
    report = checked(style, seed.edited(text))
    assert report.findings, "a mistake must never be praised"
    assert {finding.mistake for finding in report.findings} <= {seed.mistake, *seed.also}, report
    assert report.findings[0].line in seed.lines(text), report
    assert seed.mistake in MISTAKES


@pytest.mark.parametrize(
    ("style", "seed"),
    [each[1:] for each in SAMPLE],
    ids=[f"{style}-{seed.mistake}" for _, style, seed in SAMPLE],
)
def test_seeded_mistakes_are_named_with_their_line(style: str, seed: Seed) -> None:
    verdict(style, seed)


@pytest.mark.slow
def test_all_seeded_mistakes_are_named_with_their_line() -> None:
    for _, style, seed in ALL:
        verdict(style, seed)


def test_there_are_enough_seeds_and_three_styles_of_each_task() -> None:
    for task in ("cnn", "loop", "estimator", "transfer"):
        assert len(TASKS[task]) >= 3
        assert len({seed.mistake for seeds in TASKS[task].values() for seed in seeds}) >= 12


@pytest.mark.parametrize(
    ("style", "old", "new"),
    [
        ("labs_cnn", "scores: Tensor = self.fc2(x)", "scores: Tensor = self.fc2(x) + 0.3"),
        ("labs_loop", "        loss.backward()\n", "        (loss * 1.37).backward()\n"),
        (
            "labs_loop",
            "return total_loss / n, n_correct / n\n\n\n@",
            "return total_loss / n + 0.1, n_correct / n\n\n\n@",
        ),
        ("labs_gradients", "(above - below) / (2 * step)", "(above - below) / (2 * step) + 0.1"),
    ],
)
def test_what_nobody_foresaw_differs_with_numbers(style: str, old: str, new: str) -> None:
    text = text_of(style)
    assert text.count(old) == 1
    report = checked(style, text.replace(old, new))
    assert {finding.mistake for finding in report.findings} == {DIFFERS}, report
    assert all(any(c.isdigit() for c in f.numbers) and f.line for f in report.findings)


def test_a_network_that_breaks_with_another_number_of_classes() -> None:
    old, text = "scores: Tensor = self.fc2(x)", text_of("labs_cnn")
    assert text.count(old) == 1
    report = checked("labs_cnn", text.replace(old, f"{old} + Tensor([0.0] * 10)"))
    (finding,) = report.findings
    assert finding.mistake == "classes-fixed"
    assert finding.line == 1 + text[: text.index(old)].count("\n")
    assert "with 7 classes: RuntimeError: " in finding.numbers


def test_a_file_in_numpy_never_imports_torch() -> None:
    check = (
        "import sys; from mnistlab.checking.running import check_source\n"
        "from mnistlab.checking.source import Source\n"
        f"check_source(Source('mlp.py', open({str(LABS / 'mlp.py')!r}).read()))\n"
        "print(sorted({'torch', 'sklearn', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_file_with_several_tasks_and_one_task_alone() -> None:
    text = text_of("labs_cnn").replace(
        "scores: Tensor = self.fc2(x)", "scores: Tensor = self.fc2(x).relu()"
    )
    text += "\n\n" + text_of("labs_gradients").replace("from __future__ import annotations", "")
    text = text.replace("/ (2 * step)", "/ step")
    source = Source("labs.py", text)
    report = check_source(source)
    assert report.task == "cnn, gradient-check"
    assert {f.mistake for f in report.findings} == {"relu-on-scores", "step-not-halved"}
    alone = check_source(source, "gradient-check")
    assert {f.mistake for f in alone.findings} == {"step-not-halved"}
    assert all(checked_task(name) == name for name in LIBRARY_TASKS)


def test_a_class_of_this_session_is_checked() -> None:
    report = ml.check(NetworkOfThisSession, hint=2)
    (finding,) = report.findings
    assert finding.mistake == "softmax-in-network"
    assert finding.hint
    assert torch.nn.functional.cross_entropy.__module__ == "torch.nn.functional"


class NetworkOfThisSession(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.output = torch.nn.Linear(784, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.softmax(self.output(x.flatten(1)), dim=1)
