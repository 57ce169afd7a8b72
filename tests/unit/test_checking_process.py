"""A student's code in its own process, submissions in a folder, and the command."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path

import pytest
from mistakes import course_seeds
from mistakes.seeds import solution

from mnistlab.checking import check_file, sandbox
from mnistlab.checking.source import Source, fingerprint
from mnistlab.checking.submissions import mark_folder, table
from mnistlab.cli import checking, run_command
from mnistlab.errors import DataError

SOFTMAX = """
import numpy as np

def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
"""


def written(folder: Path, text: str, name: str = "mlp.py") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_an_endless_loop_ends_with_a_sentence_and_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, "def softmax(z):\n    while True:\n        pass\n")
    begun = time.monotonic()
    report = check_file(path, seconds=0.5)
    assert time.monotonic() - begun < 30  # of a busy machine; the limit is 0.5
    (finding,) = report.findings
    assert finding.mistake == "limit"
    assert "loop that never ends" in finding.says
    assert finding.line in (2, 3)
    assert not report.passed


def test_a_loop_that_catches_everything_is_ended_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "MOST_SECONDS", sandbox.SECONDS + 3)
    text = "while_true = True\ndef softmax(z):\n    while True:\n        try:\n            pass\n"
    text += "        except BaseException:\n            pass\n"
    text = text.replace("            pass\n        except", "            f()\n        except")
    text += "def f():\n    while True:\n        pass\n"
    report = check_file(written(tmp_path, text), seconds=0.3)
    assert [finding.mistake for finding in report.findings] == ["limit"]


HOSTILE = """
import os, socket, subprocess, sys
from pathlib import Path

def relu(z):
    Path({target!r}).write_text("written")

def softmax(z):
    socket.create_connection(("127.0.0.1", 9))

def relu_derivative(z):
    subprocess.run(["true"])

def forward(X, params):
    os.remove({victim!r})
"""


def test_files_network_and_programs_are_refused(tmp_path: Path) -> None:
    target, victim = tmp_path / "new.txt", written(tmp_path, "precious", "old.txt")
    path = written(tmp_path, HOSTILE.format(target=str(target), victim=str(victim)))
    report = check_file(path)
    said = {finding.what: finding.says for finding in report.findings}
    assert "writes no files" in said["relu"]
    assert "no network" in said["softmax"]
    assert "no other programs" in said["relu_derivative"]
    assert "changes no files" in said["forward"]
    assert not target.exists()
    assert victim.read_text() == "precious"


def test_a_process_that_ends_itself_is_reported(tmp_path: Path) -> None:
    report = check_file(written(tmp_path, "import os\ndef softmax(z):\n    os._exit(0)\n"))
    assert [finding.mistake for finding in report.findings] == ["limit"]
    assert not report.passed


def test_exit_and_printing_do_no_harm(tmp_path: Path) -> None:
    text = (
        SOFTMAX + "\nprint('{\"report\": 1}')\ndef relu(z):\n    print('x')\n    raise SystemExit\n"
    )
    report = check_file(written(tmp_path, text))
    assert [(f.what, f.mistake) for f in report.findings] == [("relu", "exception")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"def f(:\n", "mlp.py:1: this is no valid Python"),
        (b"\xff\xfe\x00", "no text in UTF-8"),
        (b"x = 1\x00", "no valid Python"),
        (b"(" * 100_000, "no valid Python"),
        (b"#" * 1_100_000, "more than"),
    ],
)
def test_files_that_are_no_python_are_refused(
    tmp_path: Path, content: bytes, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mlp.py"
    path.write_bytes(content)
    assert run_command(["check", str(path)]) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert shown.count("\n") == 1


def test_notebooks_are_checked_with_magics_left_out(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Text"]},
        {"cell_type": "code", "source": ["%matplotlib inline\n", "!pip list"]},
        {"cell_type": "code", "source": SOFTMAX.splitlines(keepends=True)},
    ]
    path = written(tmp_path, json.dumps({"cells": cells}), "lab.ipynb")
    assert check_file(path).passed
    with pytest.raises(DataError, match="no Jupyter notebook"):
        check_file(written(tmp_path, "[]", "bad.ipynb"))


def test_identical_submissions_differ_in_words_only() -> None:
    text = solution("course_class")
    renamed = text.replace("dz2", "delta_out").replace("self.z1", "self.hidden_sum")
    renamed = "# my own work\n" + renamed.replace(
        "        n = X.shape[0]\n        one_hot",
        "        n = X.shape[0]\n\n        # labels\n        one_hot",
    )
    assert fingerprint(Source("a", text)) == fingerprint(Source("b", renamed))
    changed = text.replace("self.a2 - one_hot", "one_hot - self.a2")
    assert fingerprint(Source("a", text)) != fingerprint(Source("c", changed))


def test_a_folder_gives_a_table_of_marks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "submissions"
    folder.mkdir()
    written(folder, SOFTMAX, "anna.py")
    written(
        folder,
        "# mine\n" + SOFTMAX.replace("e = ", "exps = ").replace("e / e", "exps / exps"),
        "ben.py",
    )
    written(folder, SOFTMAX.replace("e.sum(axis=1", "e.sum(axis=0"), "=carl.py")
    written(folder, "def (", "dora.py")
    out = tmp_path / "marks.csv"
    assert run_command(["check", str(folder), "-o", str(out)]) == 0
    lines = out.read_text(encoding="utf-8").splitlines()
    rows = {row["submission"]: row for row in csv.DictReader(lines)}
    assert rows["anna.py"]["mark"] == "100"
    assert rows["anna.py"]["identical_to"] == "ben.py"
    assert rows["ben.py"]["identical_to"] == "anna.py"
    assert rows["'=carl.py"]["passed"] == "no"
    assert "softmax-wrong-axis" in rows["'=carl.py"]["reasons"]
    assert rows["dora.py"]["mark"] == "0"
    assert "4 submissions, 2 passed" in capsys.readouterr().out
    with pytest.raises(DataError, match=r"no \.py or \.ipynb"):
        mark_folder(tmp_path / "nothing")


def test_a_forward_pass_without_a_return_is_said_to_have_none(tmp_path: Path) -> None:
    text = solution("course_class").replace("return self.a2", "pass")
    assert text != solution("course_class")
    report = check_file(written(tmp_path, text))
    assert any("forward returns nothing: is its" in each.says for each in report.findings)


def test_a_submission_may_use_the_course_wherever_it_lies(tmp_path: Path) -> None:
    """As start.py writes my_comparison.py, whose task trains with that of an earlier chapter."""
    text = (
        "from course import earlier\n"
        'train_model = earlier("train_model", "my_loop")\n'
        "def compare_optimizers(make_model, train_loader, val_loader, num_epochs=5, seed=0):\n"
        "    raise NotImplementedError\n"
    )
    report = check_file(written(tmp_path, text, "my_comparison.py"), "comparison")
    assert [finding.mistake for finding in report.findings] == ["empty"]


def test_the_table_is_shown_without_a_file(tmp_path: Path) -> None:
    written(tmp_path, "def (", "a.py")
    assert table(mark_folder(tmp_path)).splitlines()[1].startswith("a.py,0,no,0,1,")


def test_the_command_names_the_mistake_and_ends_with_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = next(s for s in course_seeds.SEEDS if s.mistake == "mask-missing")
    path = written(tmp_path, seed.edited(solution("course_class")))
    arguments = ["check", str(path), "--task", "backward", "--hint", "1", "--json"]
    assert run_command(arguments) == checking.FOUND
    shown = capsys.readouterr().out
    assert f"{path}:51: gradient of the hidden sums:" in shown
    assert "hint: " in shown
    report = json.loads(shown.splitlines()[-1])
    assert report["task"] == "backward"
    assert report["passed"] is False
    assert report["findings"][0]["mistake"] == "mask-missing"
    assert report["findings"][0]["line"] == 51
    assert run_command(["check", str(path), "--task", "softmax"]) == 0
    assert "other parts have findings" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.py"], "missing.py"),
        (["{file}", "--task", "nonsense"], "unknown task"),
        (["{file}", "--hint", "9"], "hint"),
        (["{file}", "-o", "marks.csv"], "not a folder"),
        (["{folder}", "--watch"], "is a folder"),
    ],
)
def test_wrong_arguments_are_one_line(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, SOFTMAX)
    words = [word.format(file=file, folder=tmp_path) for word in arguments]
    assert run_command(["check", *words]) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert shown.count("\n") == 1


def test_watching_checks_again_after_each_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, SOFTMAX)
    later = iter(["def (", SOFTMAX + "# saved again\n", None])

    def wait() -> None:
        text = next(later)
        if text is None:
            raise KeyboardInterrupt
        path.write_text(text, encoding="utf-8")

    monkeypatch.setattr(checking, "_wait", wait)
    assert run_command(["check", str(path), "--watch"]) == 130
    shown = capsys.readouterr().out
    assert shown.count("nothing found") == 2
    assert shown.count("no valid Python") == 1
