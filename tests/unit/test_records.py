"""A field of a run's record that is missing or of another type is one line, never a traceback."""

from __future__ import annotations

import itertools
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial as partial_
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save
from test_checkpoints import KillError, stopping

import mnistlab as ml
from mnistlab.cli import run_command
from mnistlab.data import Dataset
from mnistlab.errors import RunError
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.reporting.evidence import _metrics
from mnistlab.runs import Run, cross_validate, measure_robustness, open_run, train
from mnistlab.runs.checkpoints import FILES, KEY, _digest
from mnistlab.runs.records import DataRecord, EnvRecord, ResultRecord

RECIPE = Recipe(
    "small", "E2", "scratch", (Phase("sgd", 0.05, 2),), checkpoint_steps=2, precision="float32"
)
WRONG: list[Any] = [None, "x", -1, [], True, {"a": 1}, 10**30, [[]], 0.5]
N_WRONG = 2  # of them per field, in turns
RECORDS = ("data.json", "env.json", "result.json", "recipe.json")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two evaluated runs, one of them also on other data and corrupted, and a stopped one."""
    home = tmp_path_factory.mktemp("home")
    random = np.random.default_rng(0)
    labels = np.arange(160) % 2
    images = random.integers(0, 60, (160, 6, 6), dtype=np.uint8)
    images[labels == 1, 2:4] += 120
    np.savez(home / "set.npz", images=images, labels=labels)
    np.savez(home / "new.npz", images=images[:20] // 2, labels=labels[:20])
    data = ml.load(str(home / "set.npz"))
    one = ml.evaluate(train(RECIPE, data, out=home / "runs"))
    measure_robustness(one, data)
    ml.evaluate(one, str(home / "new.npz"))
    ml.evaluate(train(replace(RECIPE, seed=1), data, out=home / "runs"))
    with pytest.raises(KillError):
        train(replace(RECIPE, seed=2), data, out=home / "runs", progress=stopping(3)[0])
    return home


@pytest.fixture
def home(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy, and no pages, whose figures take long and are of validated records alone."""
    shutil.copytree(folder / "runs", tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def paths(home: Path) -> tuple[Path, Path, Path]:
    one, other = sorted(p for p in (home / "runs").iterdir() if p.suffix != ".partial")
    (partial,) = (home / "runs").glob("*.partial")
    return one, other, partial


def commands(home: Path, folder: Path) -> dict[str, list[str]]:
    one, other, _ = paths(home)
    new = str(folder / "new.npz")
    return {
        "evaluate": ["evaluate", str(one), "--data", new, "--threads", "1"],
        "predict": ["predict", str(one), new, "-o", str(home / "o.csv"), "--threshold", "0.4"],
        "compare": ["compare", str(one), str(other), "--out", str(home / "compared")],
        "resume ended": ["train", "--resume", str(one)],
    }


def fields_of(record: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every field, also those of objects in it and the first of a list."""
    if isinstance(record, dict):
        for name, value in itertools.islice(record.items(), 2 if "corruptions" in path else None):
            yield (*path, name)
            yield from fields_of(value, (*path, name))
    elif isinstance(record, list) and record:
        yield (*path, 0)
        yield from fields_of(record[0], (*path, 0))


def changed(record: Any, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Any:
    copy = json.loads(json.dumps(record))
    within = copy
    for name in path[:-1]:
        within = within[name]
    change(within, path[-1])
    return copy


def every_change(record: Any) -> Iterator[tuple[str, Any]]:
    wrong = itertools.cycle(WRONG)
    for path in fields_of(record):
        yield f"without {path}", changed(record, path, lambda within, name: within.pop(name))
        for value in itertools.islice(wrong, N_WRONG):

            def set_it(within: Any, name: Any, value: Any = value) -> None:
                within[name] = value

            yield f"{path} = {value!r}", changed(record, path, set_it)


def is_orderly(words: list[str], capsys: pytest.CaptureFixture[str], what: str = "") -> str:
    """The line of error; the command must end well, or with one such line and status 2."""
    try:
        status = run_command(words)
    except Exception as error:
        raise AssertionError(what) from error
    err = capsys.readouterr().err
    errors = [line for line in err.splitlines() if line.startswith("error: ")]
    assert status in (0, 2), f"{what}: {err}"
    assert len(errors) == (status == 2), f"{what}: {err}"
    return errors[0] if errors else ""


def orderly(work: Callable[[], Any], what: str) -> str:
    """The one line that was raised; empty where all went well."""
    try:
        work()
    except ml.MnistlabError as error:
        if "\n" in str(error):
            raise AssertionError(f"{what}: several lines") from error
        return str(error)
    except Exception as error:
        raise AssertionError(what) from error
    return ""


@pytest.mark.parametrize("name", RECORDS)
def test_every_field_of_a_run(
    name: str,
    home: Path,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mnistlab.reporting.compare_report.compare_report", lambda compared: "page")
    one, _, _ = paths(home)
    whole = (one / name).read_text()
    n_refused = 0
    turns = itertools.cycle(commands(home, folder).items())
    for (what, record), (command, words) in zip(
        every_change(json.loads(whole)), turns, strict=False
    ):
        (one / name).write_text(json.dumps(record))
        n_refused += bool(is_orderly(words, capsys, f"{command}, {name}: {what}"))
    (one / name).write_text(whole)
    assert n_refused > 5
    for words in commands(home, folder).values():
        assert not is_orderly(words, capsys)


@pytest.mark.parametrize("name", ["data.json", "env.json", "recipe.json"])
def test_every_field_of_a_stopped_run(
    name: str,
    home: Path,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, _, partial = paths(home)
    whole = (partial / name).read_text()
    keep = home / "kept"
    shutil.copytree(partial, keep)
    for what, record in every_change(json.loads(whole)):
        (partial / name).write_text(json.dumps(record))
        before = {p.name: p.read_bytes() for p in partial.iterdir()}
        said = is_orderly(["train", "--resume", str(partial)], capsys, f"{name}: {what}")
        if said:
            assert {p.name: p.read_bytes() for p in partial.iterdir()} == before, what
        else:
            shutil.rmtree(partial.with_suffix(""))
            shutil.copytree(keep, partial)


def test_reports_of_every_field(home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are not drawn; all that goes into them is."""
    from mnistlab.reporting import run_report

    monkeypatch.setattr(run_report, "evidence_sections", lambda *arguments: ())
    monkeypatch.setattr(run_report, "_training", lambda *arguments: ())
    monkeypatch.setattr(run_report, "write", lambda page, path: path / "report.html")
    one, _, _ = paths(home)
    for name in RECORDS:
        whole = (one / name).read_text()
        for what, record in every_change(json.loads(whole)):
            (one / name).write_text(json.dumps(record))
            orderly(lambda: ml.report(open_run(one)), f"{name}: {what}")
        (one / name).write_text(whole)


def test_null_in_every_field_that_is_read(
    home: Path, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused in one line that names the field, or shown without it."""
    from mnistlab.reporting import run_report

    pages: list[Any] = []
    monkeypatch.setattr(
        run_report, "evidence_sections", lambda found, *rest: (_metrics(found.metrics),)
    )
    monkeypatch.setattr(run_report, "_training", lambda *arguments: ())
    monkeypatch.setattr(run_report, "write", lambda page, path: pages.append(page) or path)
    one, _, _ = paths(home)
    some = commands(home, folder)
    del some["evaluate"]
    kinds = {"result": ResultRecord, "data": DataRecord, "env": EnvRecord}
    for name, kind in kinds.items():
        path = one / f"{name}.json"
        whole = path.read_text()
        for field in {**kind.model_fields, **json.loads(whole)}:
            path.write_text(json.dumps(json.loads(whole) | {field: None}))
            said = {is_orderly(words, capsys, f"{name}: {field}") for words in some.values()}
            said.add(orderly(lambda: ml.report(open_run(one)), f"{name}: {field}"))
            assert not any("None" in fact.value for page in pages for fact in page.facts), field
            if field in ("n_parameters", "val_accuracy"):
                assert all(f"result.json: {field}: " in line for line in said)
        path.write_text(whole)
    assert pages


def test_evaluate_measures_without_what_a_record_may_lack(
    home: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, _, _ = paths(home)
    path, words = one / "result.json", commands(home, folder)["evaluate"]
    whole = path.read_text()
    for field in ("threshold", "threshold_class", "temperature", "n_parameters", "val_accuracy"):
        for record in (json.loads(whole) | {field: None}, json.loads(whole)):
            if record[field] is not None:
                del record[field]
            path.write_text(json.dumps(record))
            is_orderly(words, capsys, field)


def test_every_field_of_the_log(home: Path) -> None:
    from mnistlab.reporting.training_curves import curves_of

    one, _, _ = paths(home)
    path = one / "log.jsonl"
    first, *rest = path.read_text().splitlines()
    for what, line in every_change(json.loads(first)):
        path.write_text("\n".join([json.dumps(line), *rest]))
        said = orderly(lambda: (open_run(one).saved_epoch, curves_of([open_run(one)])), what)
        assert not said or said.startswith(str(path))
    for text in ("{}", '"epoch"', "[]", "1e400", "{" * 100_000, "\xff"):
        path.write_text(text, encoding="latin-1")
        with pytest.raises(RunError, match=r"log\.jsonl"):
            _ = open_run(one).log


def test_every_field_of_a_checkpoint(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, _, partial = paths(home)
    path = max(partial.glob(FILES))
    for older in set(partial.glob(FILES)) - {path}:
        older.unlink()
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    description, arrays = json.loads(header["__metadata__"][KEY]), load(content)
    keep = home / "kept"
    shutil.copytree(partial, keep)
    steps = path.name.split("-")[1]
    changes = [change for change in every_change(description) if "random" not in change[0]]
    for what, record in changes[:: max(1, len(changes) // 12)]:
        path.unlink()
        damaged = save(arrays, {KEY: json.dumps(record)})
        (partial / f"checkpoint-{steps}-{_digest(damaged)}.safetensors").write_bytes(damaged)
        is_orderly(["train", "--resume", str(partial)], capsys, what)
        for folder in (partial, partial.with_suffix("")):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(keep, partial)


def test_every_field_of_a_cross_validation(stripes: Dataset, tmp_path: Path) -> None:
    again = partial_(cross_validate, RECIPE, stripes, n_folds=2, out=tmp_path)
    found = again()
    for name in ("result.json", "env.json"):
        path = found.path / name
        whole = path.read_text()
        for what, record in every_change(json.loads(whole)):
            path.write_text(json.dumps(record))
            orderly(again, f"{name}: {what}")
        path.write_text(whole)


# Predictions, whose size is known before they are read


def written(
    path: Path, arrays: dict[str, np.ndarray], claims: dict[str, str] | None = None
) -> None:
    """An .npz; claims: the header of an array of zeros, which is cut off after a while."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, array)
        for name, shape in (claims or {}).items():
            with archive.open(f"{name}.npy", "w") as file:
                header = {"descr": "<i8", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
                file.write(bytes(1000))


def test_predictions_of_another_size_or_kind(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other, _ = paths(home)
    path = one / "predictions.npz"
    good = dict(np.load(path))
    n, n_classes = good["probabilities"].shape
    cases: dict[str, dict[str, np.ndarray]] = {
        "nothing": {},
        "no labels": {"predicted": good["predicted"]},
        "no predictions": {"labels": good["labels"]},
        "fewer": {name: array[:-1] for name, array in good.items()},
        "as floats": good | {"labels": good["labels"].astype(float)},
        "objects": good | {"labels": good["labels"].astype("U9")},
        "unknown class": good | {"labels": good["labels"] + n_classes},
        "negative": good | {"predicted": good["predicted"] - 1},
        "nan": good | {"probabilities": good["probabilities"] * np.float32(np.nan)},
        "above one": good | {"probabilities": good["probabilities"] + 1},
        "turned": good | {"probabilities": np.asfortranarray(good["probabilities"])},
    }
    for what, arrays in cases.items():
        written(path, arrays)
        with pytest.raises(RunError, match=r"predictions\.npz") as caught:
            ml.compare([open_run(one), open_run(other)], out=home / "compared")
        assert "\n" not in str(caught.value), what
    written(path, {k: v for k, v in good.items() if k != "labels"}, {"labels": (n,)})
    with pytest.raises(RunError, match="not as many bytes as its header says"):
        open_run(one).test_labels()
    written(path, {}, {"labels": (1 << 40,), "predicted": (n,)})
    with pytest.raises(RunError, match=r"labels is int64 \(1099511627776,\)"):
        open_run(one).test_labels()
    for content in (b"", b"PK", b"\x93NUMPY", path.read_bytes()[:-30]):
        path.write_bytes(content)
        with pytest.raises(RunError, match=r"predictions\.npz"):
            open_run(one).predicted()
    capsys.readouterr()


def test_predictions_that_contradict_the_record_are_refused(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, _, _ = paths(home)
    path, words = one / "predictions.npz", commands(home, home)["compare"]
    good = dict(np.load(path))
    wrong = good["predicted"].copy()
    wrong[0] = 1 - wrong[0]
    for predicted in (good["labels"], 1 - good["labels"], wrong):
        written(path, good | {"predicted": predicted})
        if (predicted == good["labels"]).mean() != open_run(one).result["test_accuracy"]:
            said = is_orderly(words, capsys)
            assert "predictions.npz: its predictions have an accuracy of" in said
    written(path, good)
    result = one / "result.json"
    whole = json.loads(result.read_text())
    result.write_text(json.dumps(whole | {"test_accuracy": whole["test_accuracy"] - 1e-12}))
    assert open_run(one).predicted().shape == good["labels"].shape


# Weights


@pytest.fixture
def runs(home: Path) -> tuple[Run, Run]:
    one, other, _ = paths(home)
    return open_run(one), open_run(other)


def test_weights_of_another_run_are_refused_wherever_they_are_used(
    runs: tuple[Run, Run], home: Path, folder: Path
) -> None:
    one, other = runs
    weights = one.path / "model.safetensors"
    own = weights.read_bytes()
    flipped = bytearray(own)
    flipped[-1] ^= 1
    uses: dict[str, Callable[[], Any]] = {
        "classifier": one.classifier,
        "evaluate": lambda: ml.evaluate(one),
        "predict": lambda: ml.predict(one, folder / "new.npz", home / "o.csv"),
        "report": lambda: ml.report(one),
        "resume": lambda: ml.resume(one.path),
        "train": lambda: train(RECIPE, str(folder / "set.npz"), out=home / "runs"),
        "robustness": lambda: measure_robustness(one),
    }
    for content in ((other.path / "model.safetensors").read_bytes(), bytes(flipped), own[:-1]):
        weights.write_bytes(content)
        for name, use in uses.items():
            with pytest.raises(RunError, match="not the weights that were trained here"):
                pytest.fail(f"{name} took them: {use()}")
    weights.write_bytes(own)
    assert one.classifier() is not None


def test_runs_of_before_have_no_hash_and_no_list_of_images(
    runs: tuple[Run, Run], folder: Path
) -> None:
    """Then images trained on are found by the data of the training, as long as they are there."""
    one, _ = runs
    record = json.loads((one.path / "result.json").read_text())
    for name in ("weights_sha256", "computation", "val_balanced_accuracy", "val_macro_f1"):
        del record[name]
    (one.path / "result.json").write_text(json.dumps(record))
    (one.path / "seen.npz").unlink()
    data = json.loads((one.path / "data.json").read_text())
    for name in ("border", "sizes_given", "parts"):
        del data[name]
    (one.path / "data.json").write_text(json.dumps(data))
    old = open_run(one.path)
    whole = np.load(folder / "set.npz")
    again = Dataset("again", whole["images"], whole["labels"].astype(np.int64), ("0", "1"))
    again = again.take(np.arange(len(again))[::-1])
    figures = ml.evaluate(old, again).result["other_data"]
    (of_again,) = (entry for entry in figures.values() if entry["name"] == "again")
    assert of_again["n_left_out"] == old.data["n_train"] + old.data["n_val"]
    (one.path / "data.json").write_text(json.dumps(data | {"source": {}}))
    said: list[str] = []
    ml.evaluate(open_run(one.path), again, on_note=said.append)
    assert len(said) == 1
    assert "could not be left out" in said[0]
