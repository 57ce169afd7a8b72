"""`mnistlab fit`: a real one of a few seconds, killed ones, and the runs that they leave.

Seconds are CPU seconds here, so that a busy machine changes nothing.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mnistlab as ml
from mnistlab import atomic
from mnistlab.cli import run_command
from mnistlab.data import Split
from mnistlab.errors import DataError, RecipeError, RunError
from mnistlab.fitting import beginning
from mnistlab.fitting.clock import FILE, spent_s
from mnistlab.fitting.publishing import OTHER, write_ensemble
from mnistlab.fitting.trials import FOLDER, read_trials

MINUTES = 0.15


class Forbidden:
    """A test part that may be counted, but neither seen nor read."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __len__(self) -> int:
        return self.n

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the test part was read: {name}")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def said(out: Path) -> tuple[str, str]:
    """What a fit of nine CPU seconds prints, its test part out of reach."""
    real = beginning.parts_of

    def guarded(*arguments: Any) -> Split:
        parts = real(*arguments)
        return replace(parts, test=Forbidden(len(parts.test)))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(beginning, "parts_of", guarded)
        patched.setattr("mnistlab.cli.fitting.process_age_s", lambda: 0.0)
        patched.setattr(time, "monotonic", time.process_time)
        return command(out)


def command(out: Path, *more: str) -> tuple[str, str]:
    """Standard output and standard error of the command, in this process."""
    import contextlib
    import io

    printed, noted = io.StringIO(), io.StringIO()
    arguments = ["fit", "fashion-mini", "--minutes", str(MINUTES), "--out", str(out), *more]
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(noted):
        assert run_command([*arguments, "--json"]) == 0
    return printed.getvalue(), noted.getvalue()


@pytest.fixture(scope="module")
def run(said: tuple[str, str]) -> ml.Run:
    return ml.open_run(json.loads(said[0].splitlines()[-1])["path"])


def test_it_ends_in_time_with_an_ordinary_run(said: tuple[str, str], run: ml.Run) -> None:
    result = run.result
    assert result["is_finished"]
    assert result["seconds_used"] <= 60 * MINUTES
    assert spent_s(run.path / FOLDER) <= 1.02 * 60 * MINUTES
    assert result["val_accuracy"] > 0.6
    assert result["test_accuracy"] is None
    assert sum(member["weight"] for member in result["members"]) == pytest.approx(1)
    assert {"weights_file", "weights"}.isdisjoint(result)
    assert run.log == []
    assert (run.recipe.model, run.recipe.model_args) == ("ensemble", {"minutes": MINUTES})
    assert json.loads(said[0].splitlines()[-1]) == result | {"path": str(run.path)}


def test_its_validation_accuracy_is_that_of_the_stored_ensemble(run: ml.Run) -> None:
    parts = ml.split(ml.load("fashion-mini"))
    n_val = run.data["n_val"]
    predicted = run.classifier().predict(parts.val.images[:n_val])
    accuracy = (predicted == parts.val.labels[:n_val]).mean()
    assert accuracy == pytest.approx(run.result["val_accuracy"], abs=2 / n_val)


def test_the_folder_holds_what_a_run_has_and_the_records_of_trials(run: ml.Run) -> None:
    there = {path.name for path in run.path.iterdir() if not path.name.startswith(".")}
    assert there - {"predictions.npz", "report.html", "neighbours.npz"} == {
        *("recipe.json", "data.json", "env.json", "log.jsonl", "seen.npz"),
        *("model.safetensors", "result.json", "fit.html", "fit", "figures"),
    }
    left = {path.name for path in (run.path / FOLDER).iterdir()}
    trials = read_trials(run.path / FOLDER)
    assert left == {FILE, *(f"trial-{trial.number:03d}.json" for trial in trials)}
    assert trials[0].stage == "first"
    assert trials[0].began_s + trials[0].seconds < 30 * MINUTES  # usable in half of the time
    losses = [trial.best_loss for trial in trials]
    assert losses == sorted(losses, reverse=True)


def test_progress_says_the_best_so_far_and_the_time_left(said: tuple[str, str]) -> None:
    lines = [line for line in said[1].splitlines() if " left; " in line]
    assert all("best so far" in line for line in lines)
    assert "mlp-tuned, first: val 0." in lines[0]
    assert "0:0" in lines[-1]


def test_its_page_says_what_was_tried(run: ml.Run) -> None:
    page = (run.path / "fit.html").read_text(encoding="utf-8")
    for words in ("What was tried", "What the time bought", "With more time", "mlp-tuned"):
        assert words in page


def test_a_finished_fit_is_found(run: ml.Run, out: Path) -> None:
    before = (run.path / "result.json").read_bytes()
    _, noted = command(out)
    assert "found, not trained again" in noted
    assert (run.path / "result.json").read_bytes() == before


@pytest.fixture(scope="module")
def evaluated(run: ml.Run, out: Path) -> ml.Run:
    shutil.copytree(run.path, out / "copy")
    return ml.evaluate(ml.open_run(out / "copy"))


def test_evaluate_compare_and_report_take_it(evaluated: ml.Run, out: Path) -> None:
    assert evaluated.result["test_accuracy"] > 0.6
    assert evaluated.result["temperature"] > 0
    assert ml.report(evaluated).is_file()
    recipe = ml.set_fields(ml.get_recipe("softmax"), {"epochs": "1", "n_train": "500"})
    other = ml.evaluate(ml.train(recipe, "fashion-mini", out=out))
    compared = ml.compare([evaluated, other], out=out)
    assert {contender.name for contender in compared.contenders} == {"fit", "softmax"}


def test_predict_and_explain_take_it(evaluated: ml.Run, tmp_path: Path) -> None:
    images = ml.load("fashion-mini").images[-3:]
    np.savez(tmp_path / "new.npz", images=images)
    assert ml.predict(evaluated, tmp_path / "new.npz", tmp_path / "p.csv", unusual=True) == 3
    head, *rows = (tmp_path / "p.csv").read_text().splitlines()
    assert head.endswith(",label,distance,unusual")
    assert len(rows) == 3
    explained = ml.explain(evaluated, tmp_path / "new.npz", limit=2)
    assert all(np.isfinite(each.gradient).all() for each in explained.images)
    assert {check.shuffled for check in explained.sanity} <= {"last layer", "all layers"}


def test_export_takes_it(evaluated: ml.Run, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    parity = ml.export_onnx(evaluated, tmp_path / "model.onnx")
    assert parity.n_equal == parity.n_images == 1000
    assert parity.largest_difference <= 1e-4
    assert parity.largest_distance_difference is not None


def test_the_page_to_draw_on_takes_it(evaluated: ml.Run, tmp_path: Path) -> None:
    ml.export_page([evaluated], tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    facts = json.loads(text.split('id="facts">')[1].split("</script>")[0])
    members = facts["networks"][0]["members"]
    weights = sorted((each["weight"] for each in evaluated.result["members"]), reverse=True)
    assert [member["weight"] for member in members] == pytest.approx(weights)


def test_seeds_and_minutes_are_fits_of_their_own(out: Path) -> None:
    data = ml.load("fashion-mini")
    names = {
        beginning.folder_of(out, beginning.recipe_for(data, minutes, seed), data, "float32").name
        for minutes in (1.0, 2.0)
        for seed in (0, 1)
    }
    assert len(names) == 4


def test_of_many_validation_images_some_are_used() -> None:
    data = ml.load("fashion-mini")
    assert beginning.recipe_for(data, 1.0, 0).n_val is None  # it has no more than 500
    assert beginning.recipe_for(data, 0.05, 0).n_val == 100


@pytest.mark.parametrize("minutes", ["0", "-1", "nan", "inf", "1e9"])
def test_a_time_that_cannot_be_is_refused(
    minutes: str, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["fit", "fashion-mini", "--minutes", minutes, "--out", str(out / "none")]
    assert run_command(arguments) == 2
    assert capsys.readouterr().err.startswith("error: minutes must be")
    assert not (out / "none").exists()


def test_data_that_cannot_be_is_refused(out: Path) -> None:
    assert run_command(["fit", "resnet-small", "--minutes", "1", "--out", str(out)]) == 2
    with pytest.raises(DataError):
        ml.fit("no-such-data.csv", 1, out=out)
    with pytest.raises(TypeError, match="misspelt"):
        ml.fit("fashion-mini", 1, misspelt=1)  # type: ignore[call-arg]
    one = ml.Dataset("one", np.zeros((9, 8, 8), np.uint8), np.zeros(9, np.int64), ("a",))
    with pytest.raises(DataError, match="one class only"):
        ml.fit(one, 1, out=out)
    with pytest.raises(RecipeError, match="unknown device"):
        ml.fit("fashion-mini", 1, device="tpu", out=out)
    assert not list(out.glob("fit-*.partial"))


def test_a_writing_that_breaks_off_leaves_the_ensemble_before(
    run: ml.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a kill between the two files does."""
    folder = tmp_path / "run"
    shutil.copytree(run.path, folder)
    ensemble, images = run.classifier(), ml.load("fashion-mini").images[:50]
    before, write_json = ensemble.predict_proba(images), atomic.write_json

    def broken(path: Path, content: Any) -> None:
        raise KeyboardInterrupt

    ensemble.temperatures_ = 2 * ensemble.temperatures_
    monkeypatch.setattr(atomic, "write_json", broken)
    with pytest.raises(KeyboardInterrupt):
        write_ensemble(folder, ensemble, run.result)
    monkeypatch.setattr(atomic, "write_json", write_json)
    assert (folder / OTHER).exists()
    same = ml.open_run(folder).classifier().predict_proba(images)
    assert np.array_equal(same, before)
    write_ensemble(folder, ensemble, run.result)
    again = ml.open_run(folder)
    assert again.weights_path.name == OTHER
    assert not (folder / "model.safetensors").exists()
    changed = again.classifier().predict_proba(images)
    assert not np.array_equal(changed, before)
    write_ensemble(folder, ensemble, run.result, is_last=True)
    last = ml.open_run(folder)
    assert "weights_file" not in last.result
    assert not (folder / OTHER).exists()
    assert np.array_equal(last.classifier().predict_proba(images), changed)


@pytest.mark.parametrize("name", ["../other.safetensors", "/etc/passwd", "model-3.safetensors", ""])
def test_a_weights_file_elsewhere_is_refused(run: ml.Run, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run.path, folder)
    result = json.loads((folder / "result.json").read_text())
    (folder / "result.json").write_text(json.dumps(result | {"weights_file": name}))
    with pytest.raises(RunError, match="weights_file"):
        ml.open_run(folder)


MINUTES_OF_KILLED = 30.0  # far more than it takes to have something, on a busy machine too
KILLED = f"""
import sys
import mnistlab as ml
from mnistlab.fitting import planning

planning.FIRST_S = 1.0  # there sooner
ml.fit("fashion-mini", {MINUTES_OF_KILLED}, out=sys.argv[1], threads=1)
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a fit that was killed when it had something."""
    out = tmp_path_factory.mktemp("killed")
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(out)])
    try:
        while not (found := [p for p in out.glob("fit-*") if p.suffix != ".partial"]):
            assert process.poll() is None
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    return found[0]


def test_a_killed_fit_leaves_a_complete_run(killed: Path) -> None:
    run = ml.open_run(killed)
    assert run.classifier().predict(ml.load("fashion-mini").images[:3]).shape == (3,)
    assert not run.result["is_finished"]
    assert 0 < spent_s(killed / FOLDER) < 60 * MINUTES_OF_KILLED


def test_the_same_call_continues_a_killed_fit(
    killed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the seconds that are left by its folder, here eight."""
    folder = killed.parent / "continued"
    shutil.copytree(killed.parent, folder)
    state, budget_s = folder / killed.name / FOLDER, 60 * MINUTES_OF_KILLED
    before = read_trials(state)
    with (state / FILE).open("a", encoding="ascii") as file:
        file.write(f"{budget_s - 8:.3f}\n")
    monkeypatch.setattr(time, "monotonic", time.process_time)
    run = ml.fit("fashion-mini", MINUTES_OF_KILLED, out=folder, threads=1)
    assert run.path == folder / killed.name
    assert run.result["is_finished"]
    assert budget_s - 8 <= run.result["seconds_used"] <= budget_s
    after = read_trials(state)
    assert [trial.number for trial in after] == list(range(1, len(after) + 1))
    assert after[: len(before)] == before
    assert run.result["val_accuracy"] >= 0.5


DAMAGES = {
    "trial-001.json": (b"{", "trial-001.json"),
    "trial-001.npz": (b"zip", "trial-001.npz"),
    "trial-002.json": (b'{"number": 2}', "trial-002.json"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_of_a_stopped_fit_is_one_line(killed: Path, tmp_path: Path, name: str) -> None:
    content, words = DAMAGES[name]
    shutil.copytree(killed.parent, tmp_path / "runs")
    (tmp_path / "runs" / killed.name / FOLDER / name).write_bytes(content)
    with pytest.raises(RunError, match=words) as caught:
        ml.fit("fashion-mini", MINUTES_OF_KILLED, out=tmp_path / "runs", threads=1)
    assert "\n" not in str(caught.value)
