from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import preloaded
import pytest

import mnistlab as ml
from mnistlab.cli import run_command
from mnistlab.data import Dataset
from mnistlab.studies import STUDIES


@pytest.fixture
def csv(stripes: Dataset, tmp_path: Path) -> Path:
    """The stripes as a user's folder with train.csv and test.csv."""
    ml.export(stripes, tmp_path / "csv", format="csv")
    return tmp_path / "csv"


def last_json(captured: str) -> dict:
    return json.loads(captured.splitlines()[-1])


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["data"],
        *[
            [*command.split(), "--help"]
            for command in (
                "",
                "data list",
                "data fetch",
                "data export",
                "data profile",
                "data audit",
                "recipes",
                "train",
                "evaluate",
                "compare",
                "predict",
                "cv",
                "study",
                "bench",
            )
        ],
    ],
)
def test_help_shows_an_example(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    status = run_command(arguments)
    shown = capsys.readouterr()
    assert status == (0 if "--help" in arguments else 2)
    if len(arguments) > 1:
        assert "Example: mnistlab " in shown.out


@pytest.mark.parametrize(("group", "command"), [([], "recipes"), (["data"], "profile")])
def test_without_a_command_the_help_is_shown_as_it_is(
    group: list[str], command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command([*group, "--help"]) == 0
    asked = capsys.readouterr().out
    assert run_command(group) == 2
    assert capsys.readouterr().err == asked
    assert any(line.split()[:1] == [command] for line in asked.splitlines())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("predict", "Missing argument 'RUN'; see: mnistlab predict --help"),
        ("data profile", "Missing argument 'NAME_OR_PATH'; see: mnistlab data profile --help"),
        ("help", "No such command 'help'; see: mnistlab --help"),
        ("train softmax --xyz", "No such option: --xyz; see: mnistlab train --help"),
    ],
)
def test_wrong_words_of_a_command_name_its_help(
    arguments: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(arguments.split()) == 2
    assert capsys.readouterr().err == f"error: {message}\n"


@pytest.mark.parametrize("command", ["predict", "explain"])
def test_a_pattern_of_several_runs_where_one_is_wanted(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "recipe.json").write_text("{}")
    too_long = "n" * 5000  # for a path
    assert run_command([command, "a", "b", "images.csv", "-o", "out.csv", too_long]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{command} takes one run, not 2 (a pattern such as runs/NAME-*" in line
    assert line.endswith(f"name one, such as a; see: mnistlab {command} --help")


def test_help_of_study_lists_the_studies_with_their_questions(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_command(["study", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for name, make in STUDIES.items():
        described = (make().question, make.__doc__.splitlines()[0])  # the second needs no torch
        assert any(f" {name} {text}" in shown for text in described), name
    letters = sorted({make().system[0] for make in STUDIES.values()})
    assert re.findall(r"Studies of write-up (\w):", shown) == letters


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["--version"]) == 0
    assert capsys.readouterr().out == f"mnistlab {ml.__version__}\n"


def test_train_evaluate_from_a_csv_folder(
    csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "runs"
    arguments = ["train", "softmax", "--data", str(csv), "--set", "epochs=2", "--out", str(out)]
    assert run_command([*arguments, "--json"]) == 0
    shown = capsys.readouterr()
    result = last_json(shown.out)
    assert result["test_accuracy"] is None
    assert result["epochs"] == 2
    assert Path(result["path"]).parent == out
    assert "epoch 2" in shown.err
    assert "\x1b" not in shown.err + shown.out
    assert run_command(["evaluate", result["path"], "--json"]) == 0
    evaluated = last_json(capsys.readouterr().out)
    assert evaluated["n_test"] == 120
    assert evaluated["path"] == result["path"]
    assert (Path(result["path"]) / "report.html").is_file()


def test_evaluate_on_other_data(
    csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "runs"
    run_command(["train", "softmax", "--data", str(csv), "--set", "epochs=1", "--out", str(out)])
    (run,) = out.iterdir()
    capsys.readouterr()
    assert run_command(["evaluate", str(run), "--data", str(csv / "test.csv"), "--json"]) == 0
    shown = capsys.readouterr().out
    assert "on 120 images" in shown
    assert "report:" not in shown
    assert last_json(shown)["test_accuracy"] is None


def test_several_seeds(csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["train", "softmax", "--data", str(csv), "--set", "epochs=1", "--seeds", "2"]
    assert run_command([*arguments, "--out", str(tmp_path / "runs"), "--json"]) == 0
    runs = last_json(capsys.readouterr().out)["runs"]
    assert len({run["path"] for run in runs}) == 2


def test_a_recipe_from_a_file(
    csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = ml.set_fields(ml.get_recipe("softmax"), {"epochs": "1", "seed": "5"})
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(recipe.to_json()))
    status = run_command(["train", str(path), "--data", str(csv), "--out", str(tmp_path), "--json"])
    assert status == 0
    assert ml.open_run(last_json(capsys.readouterr().out)["path"]).recipe == recipe


def test_recipes_are_listed_as_the_contract_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["recipes", "--json"]) == 0
    shown = capsys.readouterr().out
    listed = {recipe["name"]: recipe for recipe in last_json(shown)}
    assert listed.keys() == ml.RECIPES.keys()
    assert listed["simple-cnn"]["n_parameters"] == 421_642
    wanted = {"name", "system", "model", "data", "n_parameters", "phases", "expect"}
    assert all(wanted <= recipe.keys() for recipe in listed.values())


def test_the_settings_of_a_recipe_are_a_file_to_train(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["recipes", "simple-cnn"]) == 0
    shown = capsys.readouterr().out
    assert '"batch_size": 64,\n' in shown
    (tmp_path / "mine.json").write_text(shown)
    assert run_command(["recipes", str(tmp_path / "mine.json"), "--json"]) == 0
    assert last_json(capsys.readouterr().out) == ml.get_recipe("simple-cnn").to_json()
    assert run_command(["recipes", "simple-cn"]) == 2
    assert "did you mean 'simple-cnn'?" in capsys.readouterr().err


@pytest.mark.parametrize("width", [20, 88, 200])
def test_no_line_of_the_recipes_is_wider_than_the_terminal(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert run_command(["recipes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= max(width, *map(len, ml.RECIPES))
    assert {line.split()[0] for line in lines if line.strip()} >= set(ml.RECIPES)
    assert "--json" in lines[-1]
    monkeypatch.undo()
    assert run_command(["recipes"]) == 0  # a pipe has no width
    assert "phases" in capsys.readouterr().out.splitlines()[0]


def test_data_list_and_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["data", "list", "--json"]) == 0
    listed = last_json(capsys.readouterr().out)
    names = {source["name"]: source["available"] for source in listed}
    assert names["fashion-mini"] is not None
    assert {"mnist", "fashion-mnist", "kmnist", "qmnist", "usps", "digits"} <= names.keys()
    folder = tmp_path / "out"
    assert run_command(["data", "export", "digits", "--size", "32", "-o", str(folder)]) == 0
    data = ml.load(folder / "train.csv")
    assert data.images.shape[1:] == (32, 32)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("train zzz", "unknown recipe 'zzz'"),
        ("train softmx", "did you mean 'softmax'"),
        ("train softmax --set epochs", "must be FIELD=VALUE"),
        ("train softmax --set epoch=2", "did you mean 'epochs'"),
        ("train softmax --set epochs=two", "--set epochs=two"),
        ("train softmax --data nowhere.csv", "nowhere.csv: no such file"),
        ("train softmax --data fashion-mnit", "fashion-mnist"),
        ("train softmax --seeds 0", "--seeds"),
        ("train softmax --device tpu", "unknown device 'tpu'"),
        ("train nothing.json", "nothing.json: No such file"),
        ("train", "recipe"),
        ("train softmax --colour", "--colour"),
        ("evaluate nowhere", "nowhere: no such run folder"),
        ("study laddr", "unknown study 'laddr'"),
        ("data fetch mnits", "mnist"),
        ("data export digits -o here --format xml", "xml"),
        ("bench zzz", "unknown benchmark 'zzz'"),
        ("frobnicate", "frobnicate"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command(arguments.split()) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", ""],
        ["train", " "],
        ["train", "softmax", "--data", ""],
        ["train", "softmax", "--data="],
        ["train", "softmax", "--out", ""],
        ["train", "--resume", ""],
        ["cv", "", "--data", "digits"],
        ["study", "ladder", "--out", ""],
        ["tune", "softmax", "--out="],
        ["compare", "a", "b", "--out", ""],
        ["predict", "a", "b.csv", "-o", ""],
        ["evaluate", ""],
        ["predict", "", "b.csv", "-o", "c.csv"],
        ["compare", "a", ""],
        ["data", "profile", ""],
        ["data", "export", "digits", "-o", ""],
    ],
)
def test_an_empty_argument_is_one_line(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert "is empty" in line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("n_classes", [3, 12])
def test_training_says_which_classes_it_found(
    n_classes: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    names = [f"{chr(ord('a') + i)}{i}" for i in range(n_classes)]
    labels = np.repeat(names, [40, *[10] * (n_classes - 1)])
    images = np.random.default_rng(0).integers(0, 256, (len(labels), 4, 4), dtype=np.uint8)
    np.savez("some.npz", images=images, labels=labels)
    np.savez("even.npz", images=images[10:], labels=labels[10:])
    words = ["train", "softmax", "--set", "epochs=1", "--data"]
    hint = "--set class_weight=balanced --set monitor=balanced_accuracy"
    for data, more, is_hinted in (
        ("some.npz", [], True),
        ("some.npz", ["--set", "class_weight=balanced"], False),
        ("even.npz", [], False),
    ):
        assert run_command([*words, data, *more]) == 0
        shown = capsys.readouterr()
        named = ", ".join(names[:10]) + (" and 2 more" if n_classes == 12 else "")
        assert f"classes: {n_classes} ({named})\n" in shown.out
        assert sum(hint in line for line in shown.err.splitlines()) == is_hinted


def test_an_output_folder_that_cannot_be_made(
    csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = csv / "train.csv"
    status = run_command(["train", "softmax", "--data", str(csv), "--out", str(taken)])
    shown = capsys.readouterr().err.splitlines()
    assert status == 2
    assert str(taken) in shown[-1]
    assert len(shown) == 1


def test_diverging_training_ends_with_one_line(
    csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    setting = ["--set", "learning_rate=1e30", "--set", "scaling=none"]
    out = ["--out", str(tmp_path / "runs")]
    assert run_command(["train", "mlp", "--data", str(csv), *setting, *out]) == 2
    assert "error: the loss is no longer finite" in capsys.readouterr().err


def test_benchmarks_are_listed_in_a_checkout(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["bench"]) == 0
    names = capsys.readouterr().out.split()
    assert names == [
        "audit",
        "augmentation",
        "checking",
        "checking_library",
        "checkpoints",
        "comparing",
        "csv_reader",
        "drawing_page",
        "evaluating",
        "export_parity",
        "family_wise",
        "fit",
        "frameworks",
        "kept_features",
        "kernels",
        "larger_than_memory",
        "loop",
        "ray_workers",
        "records",
        "records_ladder",
        "scratch_mlp",
        "serving",
        "serving_abuse",
        "steps",
        "svm",
        "unusual",
        "your_images",
    ]


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_interrupted_it_exits_130_and_starts_again(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (1000, 16, 16), dtype=np.uint8)
    np.savez(tmp_path / "noise.npz", images=images, labels=np.arange(1000) % 10)
    command = [sys.executable, "-m", "mnistlab", "train", "simple-cnn", "--data", "noise.npz"]
    with preloaded.Process([*command, "--set", "epochs=200"], tmp_path) as process:
        while "epoch 1" not in process.stderr.readline():
            assert process.poll() is None
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        assert "Traceback" not in process.stderr.read()
    assert process.returncode == 130
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name.endswith(".partial")
    preloaded.run([*command, "--set", "epochs=1"], tmp_path, check=True)


@pytest.mark.slow
def test_on_a_terminal_there_are_bars(tmp_path: Path, csv: Path) -> None:
    """A pseudo-terminal gets control sequences and a bar; the result still goes to stdout."""
    import pty

    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "mnistlab", "train", "softmax", "--data", str(csv), "--json"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=terminal,
        env=os.environ | {"TERM": "xterm-256color"},
    ) as process:
        os.close(terminal)
        shown = b""
        while True:
            try:
                piece = os.read(controller, 65536)
            except OSError:  # Linux says EIO at the end
                break
            if not piece:
                break
            shown += piece
        assert process.stdout is not None
        result = last_json(process.stdout.read().decode())
    os.close(controller)
    assert process.returncode == 0
    assert "━".encode() in shown
    assert b"softmax" in shown
    assert result["recipe"] == "softmax"


def test_a_reader_that_leaves_early_sees_no_traceback() -> None:
    shown = subprocess.run(
        f"{sys.executable} -m mnistlab data list | head -n 1",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Traceback" not in shown.stderr
