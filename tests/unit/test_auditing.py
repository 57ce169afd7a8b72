"""An audit of real garments with mistakes planted among them."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnistlab.auditing.duplicates import find_duplicates
from mnistlab.auditing.finding import Audit, audit, quick_recipe
from mnistlab.auditing.label_errors import find_label_errors
from mnistlab.auditing.suspects import find_suspects
from mnistlab.data import Dataset, load
from mnistlab.errors import DataError, RecipeError, RunError, TrainingError
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs import Progress

RECIPE = Recipe(
    "quick",
    "E2",
    "mlp",
    (Phase("adam", 0.003, 6, "cosine"),),
    model_args={"hidden_sizes": (48,)},
    precision="float32",
)
N, N_TRAIN = 1800, 1500
FLIPPED = np.arange(7, N, 59)  # 31 of all classes, five of them in the test part
COPIES = {700: 100, 1600: 101, 1601: 1550, 1650: 1602}  # of which 1600 alone is across the parts
CHANGED = {800: 200, 1700: 201}
BLANK = [900, 1750]


@pytest.fixture(scope="module")
def planted() -> Dataset:
    """1,500 + 300 images: labels flipped, images copied, copied and changed, wiped out."""
    mini = load("fashion-mini")
    chosen = np.flatnonzero(find_duplicates(mini.images).twin < 0)[:N]
    images, labels = mini.images[chosen], mini.labels[chosen]
    labels[FLIPPED] = (labels[FLIPPED] + 5) % 10
    for place, original in COPIES.items():
        images[place] = images[original]
        labels[place] = labels[original]
    labels[700] = (labels[700] + 1) % 10
    random = np.random.default_rng(0)
    for place, original in CHANGED.items():
        noise = random.integers(-5, 6, images[0].shape)
        images[place] = (images[original] * 0.9 + noise).clip(0, 255).astype(np.uint8)
        labels[place] = labels[original]
    images[BLANK[0]], images[BLANK[1]] = 0, 255
    return Dataset("planted", images, labels, mini.class_names, n_official_train=N_TRAIN)


@pytest.fixture(scope="module")
def found(planted: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Audit:
    out = tmp_path_factory.mktemp("audits")
    return audit(planted, recipe=RECIPE, n_folds=3, out=out, threads=1)


def test_flipped_labels_are_found(found: Audit, planted: Dataset) -> None:
    likely, doubtful = found.of("label"), found.of("doubtful-label")
    suspects = likely + doubtful
    assert found.suspects[: len(suspects)] == suspects
    first = {suspect.index for suspect in likely[:60]}
    assert len(first & set(FLIPPED.tolist())) >= 20
    assert len(likely) < 250
    for suspect in suspects:
        assert suspect.suggested is not None
        assert suspect.suggested != suspect.label == planted.labels[suspect.index]
        assert suspect.score == found.label_errors.quality[suspect.index]
        assert suspect.twin is None
    true = {int(place): (int(planted.labels[place]) + 5) % 10 for place in FLIPPED}
    named = [
        suspect.suggested == true[suspect.index] for suspect in suspects if suspect.index in true
    ]
    assert np.mean(named) > 0.8
    for some in (likely, doubtful):
        assert len(some) > 50
        scores = [suspect.score for suspect in some]
        assert scores == sorted(scores)
    named_otherwise = found.probabilities.argmax(1) != planted.labels
    assert {suspect.index for suspect in suspects} == set(np.flatnonzero(named_otherwise))
    is_likely = found.label_errors.is_likely
    assert {suspect.index for suspect in likely} == set(np.flatnonzero(is_likely))


def test_the_worst_hundredth_of_every_part_is_listed(planted: Dataset) -> None:
    sure = np.full((N, 10), 0.001, dtype=np.float64)
    sure[np.arange(N), planted.labels] = np.linspace(0.9, 0.99, N)
    errors = find_label_errors(planted.labels, sure)
    listed = find_suspects(planted, errors, find_duplicates(planted.images, N_TRAIN))
    doubtful = [s for s in listed if s.reason == "doubtful-label"]
    assert [s.index for s in doubtful] == [*range(15), 1500, 1501, 1502]
    assert {s.suggested for s in doubtful} == {None}
    assert not [s for s in listed if s.reason == "label"]


def test_copies_are_found_with_their_originals(found: Audit, planted: Dataset) -> None:
    exact, near = found.of("duplicate"), found.of("near-duplicate")
    assert {suspect.index: suspect.twin for suspect in exact} == COPIES
    assert {suspect.index: suspect.twin for suspect in near} == CHANGED
    assert exact[0].index == 1600, "from part to part comes first"
    assert near[0].index == 1700
    assert all(suspect.score == 0 for suspect in exact)
    assert all(0 < suspect.score < 0.1 for suspect in near)
    suggested = {suspect.index: suspect.suggested for suspect in (*exact, *near)}
    assert suggested.pop(700) == planted.labels[100]
    assert set(suggested.values()) == {None}


def test_blank_images_are_found(found: Audit) -> None:
    blank = found.of("blank")
    assert [suspect.index for suspect in blank] == BLANK
    assert all(suspect.score == 0 and suspect.suggested is None for suspect in blank)


def test_parts_are_named_and_counted_from_0(found: Audit) -> None:
    for suspect in found.suspects:
        is_test = suspect.index >= N_TRAIN
        assert suspect.part == ("test" if is_test else "train")
        assert suspect.index_in_part == suspect.index - N_TRAIN * is_test
    order = found.label_errors.order
    ranked = found.ranked("test")
    assert sorted(ranked) == list(range(N - N_TRAIN))
    assert (ranked + N_TRAIN).tolist() == [place for place in order if place >= N_TRAIN]
    assert sorted(found.ranked("train")) == list(range(N_TRAIN))


def test_every_image_is_judged_by_a_classifier_that_has_not_seen_it(
    planted: Dataset, found: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mnistlab.classifiers import ScratchClassifier

    numbered = planted.images[:600].copy()
    numbered[:, 0, 0], numbered[:, 0, 1] = np.divmod(np.arange(600), 250)
    dataset = Dataset("numbered", numbered, planted.labels[:600], planted.class_names)
    seen: dict[str, list[set[int]]] = {"fit": [], "predict_proba": []}

    def watch(method: str) -> None:
        original = getattr(ScratchClassifier, method)

        def watched(self: Any, X: Any, *arguments: Any, **hooks: Any) -> Any:
            numbers = {int(image[0, 0]) * 250 + int(image[0, 1]) for image in np.asarray(X)}
            seen[method].append(numbers)
            return original(self, X, *arguments, **hooks)

        monkeypatch.setattr(ScratchClassifier, method, watched)

    watch("fit")
    watch("predict_proba")
    by_hand = replace(RECIPE, model="scratch", phases=(Phase("sgd", 0.01, 1),), precision="auto")
    result = audit(dataset, recipe=by_hand, n_folds=4, out=tmp_path)
    judged = [numbers for numbers in seen["predict_proba"] if len(numbers) == 150]
    assert len(seen["fit"]) == len(judged) == 4
    for inner, outer in zip(seen["fit"], judged, strict=True):
        assert not inner & outer
        assert len(inner | outer) == 600
    assert set.union(*judged) == set(range(600))
    assert {suspect.part for suspect in result.suspects} <= {"all"}
    np.testing.assert_allclose(result.probabilities.sum(1), 1, atol=1e-5)


def test_the_folder_is_the_contract(found: Audit, planted: Dataset) -> None:
    assert found.path.name.startswith("audit-3-folds-quick-planted-seed0-")
    assert {path.name for path in found.path.iterdir()} == {
        "recipe.json",
        "env.json",
        "probabilities.npz",
        "suspects.csv",
        "result.json",
    }
    with (found.path / "suspects.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(found.suspects)
    for row, suspect in zip(rows, found.suspects, strict=True):
        assert int(row["index"]) == suspect.index
        assert (row["part"], int(row["index_in_part"])) == (suspect.part, suspect.index_in_part)
        assert row["label"] == planted.class_names[suspect.label]
        assert row["reason"] == suspect.reason
        assert float(row["score"]) == pytest.approx(suspect.score, rel=1e-5)
        assert row["twin"] == ("" if suspect.twin is None else str(suspect.twin))
        suggested = "" if suspect.suggested is None else planted.class_names[suspect.suggested]
        assert row["suggested"] == suggested
    kept = json.loads((found.path / "result.json").read_text())
    assert kept == found.to_json()
    n_label, n_doubtful = (len(found.of(reason)) for reason in ("label", "doubtful-label"))
    assert kept["n_suspects"] == {
        "label": n_label,
        "doubtful-label": n_doubtful,
        "duplicate": 4,
        "near-duplicate": 2,
        "blank": 2,
    }
    assert kept["n_suspects_by_part"]["test"]["duplicate"] == 3
    totals = sum(map(Counter, kept["n_suspects_by_part"].values()), Counter())
    assert totals == Counter(kept["n_suspects"])
    assert kept["n_duplicates_across_parts"] == kept["n_near_duplicates_across_parts"] == 1
    assert kept["n_twins_of_other_class"] == 1
    assert (kept["n_images"], kept["n_folds"], kept["engine"]) == (N, 3, "own")
    assert len(kept["accuracy"]) == len(kept["train_time_s"]) == 3
    assert 0.6 < np.mean(kept["accuracy"]) < 1


def test_probabilities_are_used_again_unless_forced(
    found: Audit, planted: Dataset, tmp_path: Path
) -> None:
    started: list[str] = []
    folds, planned = list[tuple[int, float]](), list[int]()
    progress = Progress(
        on_plan=planned.append,
        on_start=lambda recipe, dataset, n_steps: started.append(dataset.name),
        on_fold=lambda recipe, number, accuracy: folds.append((number, accuracy)),
    )
    common: dict[str, Any] = {"recipe": RECIPE, "out": found.path.parent, "progress": progress}
    again = audit(planted, n_folds=3, **common)
    assert again.suspects == found.suspects
    assert again.to_json() == found.to_json()
    assert (started, folds) == ([], list(enumerate(found.accuracy, start=1)))
    assert planned == [3]
    other = audit(planted, n_folds=3, ranking="normalized_margin", max_distance=0, **common)
    assert not started
    assert len(other.of("near-duplicate")) == 0
    assert len(other.of("duplicate")) == 4
    assert {s.index for s in other.of("label")} == {s.index for s in found.of("label")}
    assert json.loads((found.path / "result.json").read_text()) == other.to_json()
    folds.clear()
    forced = audit(planted, n_folds=3, force=True, **common)
    assert (started, len(folds)) == (["planted"] * 3, 3)
    np.testing.assert_array_equal(forced.probabilities, found.probabilities)
    assert forced.suspects == found.suspects


def test_cleanlab_finds_the_same_labels(found: Audit, planted: Dataset) -> None:
    cleanlab = pytest.importorskip("cleanlab.filter")
    ranked = cleanlab.find_label_issues(
        planted.labels,
        found.probabilities.astype(np.float64),
        filter_by="confident_learning",
        return_indices_ranked_by="self_confidence",
        n_jobs=1,
    )
    assert [suspect.index for suspect in found.of("label")] == ranked.tolist()


def test_one_engine_looks_for_labels(planted: Dataset) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'engine'"):
        audit(planted, engine="cleanlab")  # type: ignore[call-arg]


@pytest.mark.parametrize("content", [b"", b"zzz", b"PK\x03\x04" + b"\0" * 40])
def test_damaged_probabilities_are_one_line(
    content: bytes, planted: Dataset, tmp_path: Path
) -> None:
    few = planted.take(slice(0, 300))
    fast = replace(RECIPE, phases=())  # as it was initialised
    first = audit(few, recipe=fast, n_folds=2, out=tmp_path)
    path = first.path / "probabilities.npz"
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"probabilities\.npz: cannot be read: ") as caught:
        audit(few, recipe=fast, n_folds=2, out=tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"probabilities": np.zeros((N, 10), dtype=np.float32)},
        {"probabilities": np.full((N, 10), np.nan, dtype=np.float32)},
        {"probabilities": np.full((N - 1, 10), 0.1, dtype=np.float32)},
        {"accuracy": np.zeros(2)},
        {"accuracy": None},
    ],
    ids=["not probabilities", "not numbers", "too few", "of other folds", "without accuracy"],
)
def test_foreign_probabilities_are_refused(
    change: dict[str, Any], found: Audit, planted: Dataset, tmp_path: Path
) -> None:
    path = tmp_path / found.path.name / "probabilities.npz"
    path.parent.mkdir()
    with np.load(found.path / "probabilities.npz") as arrays:
        content = dict(arrays) | change
    np.savez(path, **{name: array for name, array in content.items() if array is not None})
    with pytest.raises(RunError, match=r"probabilities\.npz: cannot be read: "):
        audit(planted, recipe=RECIPE, n_folds=3, out=tmp_path)


def test_probabilities_whose_bytes_have_rotted_are_refused(
    found: Audit, planted: Dataset, tmp_path: Path
) -> None:
    """The file unpacks no further than to the damaged byte, where zlib stops it."""
    path = tmp_path / found.path.name / "probabilities.npz"
    path.parent.mkdir()
    content = bytearray((found.path / "probabilities.npz").read_bytes())
    content[200:400] = b"\xff" * 200
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"probabilities\.npz: cannot be read: .* decompressing"):
        audit(planted, recipe=RECIPE, n_folds=3, out=tmp_path)


@pytest.mark.parametrize(
    ("change", "settings", "error", "fault"),
    [
        ({"model": "svm", "phases": (), "model_args": {}}, {}, RecipeError, "needs probabilities"),
        ({"model": "zzz"}, {}, RecipeError, "unknown model 'zzz'"),
        ({}, {"n_folds": 1}, RecipeError, "folds must be 2 or more"),
        ({}, {"n_folds": 900}, RecipeError, "folds must be 2 or more, and no more than the"),
        ({}, {"max_distance": -0.1}, RecipeError, "max_distance"),
        ({}, {"max_distance": float("nan")}, RecipeError, "max_distance"),
        ({}, {"ranking": "zzz"}, RecipeError, "unknown ranking 'zzz'"),
    ],
)
def test_what_cannot_be_audited_leaves_nothing(
    change: dict[str, Any],
    settings: dict[str, Any],
    error: type[Exception],
    fault: str,
    planted: Dataset,
    tmp_path: Path,
) -> None:
    with pytest.raises(error, match=fault):
        audit(planted, recipe=replace(RECIPE, **change), out=tmp_path, **settings)
    assert not list(tmp_path.iterdir())


def test_training_that_diverges_leaves_nothing(planted: Dataset, tmp_path: Path) -> None:
    wild = replace(RECIPE, phases=(Phase("sgd", 1e30, 2),), scaling="none")
    with pytest.raises(TrainingError, match="no longer finite"):
        audit(planted, recipe=wild, n_folds=2, out=tmp_path)
    assert not list(tmp_path.iterdir())


def test_data_by_name(tmp_path: Path) -> None:
    untrained = replace(RECIPE, phases=(), n_train=50)
    result = audit("fashion-mini", recipe=untrained, n_folds=2, out=tmp_path)
    assert len(result.probabilities) == 7000, "n_train and the split do not count"
    with pytest.raises(DataError):
        audit("no-such-set", recipe=untrained, n_folds=2, out=tmp_path)


def test_the_quick_recipe_trains_less_on_more_images() -> None:
    small, large = quick_recipe(7_000), quick_recipe(70_000)
    assert sum(phase.epochs for phase in small.phases) == 10
    assert sum(phase.epochs for phase in large.phases) == 4
    assert small.content_hash != large.content_hash
