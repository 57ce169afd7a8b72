from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from quick_figures import unpainted
from test_architecture import SOURCES, imported_modules, room_of

import mnistlab as ml
from benchmarks import ledger, tables
from mnistlab.cli import app, run_command
from mnistlab.recipes import get_recipe
from mnistlab.runs.making import RUN_FILES
from mnistlab.serving import ServeSettings


def test_tables_are_those_of_the_ledger() -> None:
    assert tables.drifted() == []


def test_every_table_is_used_and_a_changed_figure_is_noticed(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in tables.PAGES)
    assert {match[2] for match in tables.MARKED.finditer(text)} == tables.TABLES.keys()
    changed = re.sub(r"\| 0\.9\d\d\d \|", "| 0.1234 |", text, count=1)
    assert changed != text
    assert tables.rendered(changed) == text
    with pytest.raises(KeyError):
        tables.rendered("<!-- table: nonsense -->\n<!-- end -->")


README = (ledger.CHECKOUT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if "mnistlab " in line]


def test_ci_runs_the_readmes_test_command() -> None:
    (command,) = (block.strip() for block in BLOCKS if "make check" in block)
    assert command in (ledger.CHECKOUT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("line", COMMANDS)
def test_the_readmes_commands_are_understood(line: str) -> None:
    """Parsed as a terminal would hand them over, not carried out."""
    words = shlex.split(line, comments=True)
    command, rest = typer.main.get_command(app), words[words.index("mnistlab") + 1 :]
    while commands := getattr(command, "commands", {}):
        name, *rest = rest
        command = commands[name]
    command.make_context(name, rest)


def block_with(text: str) -> list[str]:
    (block,) = (block for block in BLOCKS if text in block)
    return block.strip().splitlines()


def carry_out(command: str, *more: str) -> None:
    program, *words = shlex.split(command)
    assert program == "mnistlab"
    found = [str(path) for word in words for path in (sorted(Path().glob(word)) or [word])]
    assert run_command([*found, *more]) == 0


def test_the_readmes_first_minute_prints_what_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Digits differ, since less is trained; every other character is as printed."""
    monkeypatch.chdir(tmp_path)
    train, evaluate = block_with("mnistlab train simple-cnn\n")
    carry_out(train, "--set", "epochs=1", "--set", "n_train=500", "--threads", "1")
    with unpainted():
        carry_out(evaluate, "--threads", "1")
    captured = capfd.readouterr()
    printed = [shape(line) for line in (captured.err + captured.out).splitlines()]
    (shown,) = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    for line in shown.splitlines():
        assert line == "…" or shape(line) in printed, line


def shape(line: str) -> str:
    """A printed line with # for each number and each hash."""
    return re.sub(r"\d+(\.\d+)?", "#", re.sub(r"-[0-9a-f]{8}-[0-9a-f]{8}", "-#", line))


def test_the_readmes_commands_for_own_images_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    levels = np.random.default_rng(0).integers(0, 256, (24, 12, 12), dtype=np.uint8)
    for i, image in enumerate(levels):
        for folder in (Path("my-images") / ("left" if i % 2 else "right"), Path("new-images")):
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(folder / f"{i}.png")
    train, evaluate, predict = block_with("mnistlab train --data my-images/\n")
    carry_out(train, "--set", "epochs=1", "--set", "min_steps=0", "--threads", "1")
    with unpainted():
        carry_out(evaluate, "--threads", "1")
        carry_out(predict)
    assert len(Path("results.csv").read_text().splitlines()) == 1 + len(levels)
    assert Path("results.html").is_file()


TUTORIAL = (ledger.CHECKOUT / "docs" / "tutorial.md").read_text(encoding="utf-8")
LESSONS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", TUTORIAL, re.DOTALL)
    for line in block.splitlines()
]
QUICKLY = {
    "train": ["--set", "epochs=1", "--set", "n_train=300", "--threads", "1"],
    "evaluate": ["--threads", "1"],
}


@pytest.mark.slow
def test_the_tutorial_works_from_its_first_command_to_its_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    *commands, serve = LESSONS
    with unpainted():
        for command in commands:
            carry_out(command, *QUICKLY.get(command.split()[1], []))
    assert serve == "mnistlab serve model.onnx"  # test_serving.py starts services
    for name in ("answers.csv", "answers.html", "why.html", "draw.html", "model.onnx"):
        assert Path(name).is_file(), name


def test_the_tutorial_names_the_address_of_the_service() -> None:
    named = set(re.findall(r"http://[\d.]+:\d+", TUTORIAL))
    assert named == {f"http://{ServeSettings().host}:{ServeSettings().port}"}


def test_the_readme_names_every_file_of_a_run_folder() -> None:
    for name in (*RUN_FILES, "predictions.npz", "report.html", "figures/"):
        assert f"`{name}`" in README


ARCHITECTURE = (ledger.CHECKOUT / "docs" / "architecture.md").read_text(encoding="utf-8")
ROWS = [
    re.findall(r"`(\w+)`", cell)
    for cell in re.findall(r"^\| (`.*?) \|", ARCHITECTURE.split("## ")[0], re.MULTILINE)
]
ROW_OF = {name: i for i, names in enumerate(ROWS) for name in names}


def test_the_architecture_page_lists_every_room() -> None:
    package = Path(ml.__file__).parent
    rooms = {path.parent.name for path in package.glob("*/__init__.py")}
    modules = {path.stem for path in package.glob("*.py")}
    assert rooms <= ROW_OF.keys()
    assert ROW_OF.keys() - {"writeups"} <= rooms | modules  # that one is being made


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_a_row_of_the_architecture_page_imports_rows_above_it(path: Path) -> None:
    room = room_of(path)
    for module in imported_modules(path):
        target = module.removeprefix("mnistlab.").split(".")[0]
        if module.startswith("mnistlab.") and {room, target} <= ROW_OF.keys():
            listing = room in {"recipes", "studies"} and target == "writeups"
            assert ROW_OF[target] <= ROW_OF[room] or listing, f"{room} imports {target}"


def test_the_architecture_page_names_files_that_exist() -> None:
    paths = re.findall(r"`((?:mnistlab|docs|tests)/[^`]*)`", ARCHITECTURE)
    assert [path for path in paths if not (ledger.CHECKOUT / path).exists()] == []


def test_the_index_of_decisions_is_complete() -> None:
    folder = ledger.CHECKOUT / "docs" / "decisions"
    rows = re.findall(
        r"^\| \[(\d{4})\]\((.*?)\) \| ", (folder / "README.md").read_text(), re.MULTILINE
    )
    assert rows == [(path.name[:4], path.name) for path in sorted(folder.glob("0*.md"))]
    for number, name in rows:
        assert (folder / name).read_text(encoding="utf-8").startswith(f"# {number}: ")


DOCS = ledger.CHECKOUT / "docs"
WRITTEN = [page for page in sorted(DOCS.rglob("*.md")) if "generated" not in page.parts]
PAGES = [ledger.CHECKOUT / "README.md", *WRITTEN]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for address, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", text):
        if address.startswith("generated/"):  # by the site's build, which checks links itself
            continue
        target = page.parent / address if address else page
        assert target.exists(), f"{page.name}: {address}"
        if anchor:
            assert anchor in anchors_of(target), f"{page.name}: {address}#{anchor}"


def anchors_of(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def readmes_python() -> list[str]:
    return re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_readmes_python_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Here with two epochs of the recipe it names."""
    start, by_hand = readmes_python()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ml, "get_recipe", shortened)
    accuracy, page = printed_here(start, capsys).split()
    assert float(accuracy) > 0.7
    assert (tmp_path / page).is_file()
    check_by_hand(printed_here(by_hand, capsys))


@pytest.mark.slow
def test_the_readmes_python_runs_as_it_stands(tmp_path: Path) -> None:
    start, by_hand = readmes_python()
    accuracy, page = printed_by(start, tmp_path).split()
    assert float(accuracy) > 0.8
    assert (tmp_path / page).is_file()
    check_by_hand(printed_by(by_hand, tmp_path))


def check_by_hand(printed: str) -> None:
    *errors, summary, accuracy = printed.splitlines()
    assert "compared" in summary
    assert all(float(line.split()[1]) < 1e-6 for line in errors)
    assert float(accuracy) > 0.75


def shortened(name: str) -> ml.Recipe:
    recipe = get_recipe(name)
    return replace(recipe, phases=tuple(replace(phase, epochs=2) for phase in recipe.phases))


def printed_here(example: str, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    exec(example, {"__name__": "__main__"})
    return capsys.readouterr().out


def printed_by(example: str, folder: Path) -> str:
    finished = subprocess.run(
        [sys.executable, "-c", example], cwd=folder, capture_output=True, text=True, check=True
    )
    return finished.stdout


def test_ledger_lines_are_complete() -> None:
    for line in ledger.read():
        assert {"kind", "name", "commit", "date", "env"} <= line.keys()
        assert "dirty" not in line["commit"]
        if line["kind"] == "study":
            check_study_line(line)


def check_study_line(line: dict) -> None:
    if "n_folds" in line:  # a point of a grid, which sees no test part
        assert line["test_accuracy"] == []
        assert len(line["val_accuracy"]) == line["n_folds"]
    elif "seeds" in line:  # a study of images has no arms and no seeds
        n = len(line["seeds"])
        assert n == len(line["test_accuracy"]) == len(line["val_accuracy"])
        if "test_accuracy_mean" in line:
            mean = sum(line["test_accuracy"]) / n
            assert line["test_accuracy_mean"] == pytest.approx(mean)


def test_ledger_appends(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(ledger, "LEDGER", tmp_path / "ledger.jsonl")
    ledger.append([{"kind": "benchmark", "name": "a", "figures": {"x": 1}}])
    ledger.append([{"kind": "benchmark", "name": "a", "figures": {"x": 2}}])
    assert [line["figures"]["x"] for line in ledger.read()] == [1, 2]
    newest = ledger.latest("benchmark", "a")
    assert newest is not None
    assert newest["figures"] == {"x": 2}
    assert ledger.latest("study", "a") is None
    assert json.loads((tmp_path / "ledger.jsonl").read_text().splitlines()[0])["commit"]
