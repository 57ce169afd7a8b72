from __future__ import annotations

import html
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnistlab.cli import run_command
from mnistlab.data import Dataset
from mnistlab.errors import RunError
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs import Run, compare, evaluate, train

GOOD = Recipe(
    name="good",
    system="E2",
    model="mlp",
    model_args={"hidden_sizes": (16,)},
    phases=(Phase("adam", 0.01, 4),),
    precision="float32",
)
BAD = replace(GOOD, name="bad", phases=())  # as initialised


@pytest.fixture(scope="module")
def noisy() -> Dataset:
    """600 images of stripes, blurred so far that no network names all of them rightly."""
    random, labels = np.random.default_rng(0), np.arange(600) % 4
    images = random.integers(0, 160, (600, 12, 12), dtype=np.uint8)
    images[np.arange(600), 2 + labels * 2] += 50
    names = ("a", "b", "c", "d")
    return Dataset("noisy", images, labels.astype(np.int64), names, n_official_train=400)


@pytest.fixture(scope="module")
def runs(noisy: Dataset, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Run]]:
    """Three evaluated seeds of either recipe."""
    out = tmp_path_factory.mktemp("runs")
    return {
        recipe.name: [
            evaluate(train(replace(recipe, seed=seed), noisy, out=out), noisy) for seed in range(3)
        ]
        for recipe in (GOOD, BAD)
    }


def test_one_run_each_is_judged_on_the_images(runs: dict[str, list[Run]], tmp_path: Path) -> None:
    good, bad = runs["good"][0], runs["bad"][0]
    found = compare([bad, good], out=tmp_path)
    assert [contender.name for contender in found.contenders] == ["good", "bad"]
    (verdict,) = found.verdicts
    assert (verdict.better, verdict.worse) == ("good", "bad")
    gain = good.result["test_accuracy"] - bad.result["test_accuracy"]
    assert verdict.difference.mean == pytest.approx(gain)
    assert (verdict.difference.n, verdict.difference.of) == (200, "images")
    assert verdict.shown_on_one_seed is None
    assert found.answer.startswith(f"good beats bad by {100 * gain:.1f} points (95 % interval ")
    more = "to compare the recipes themselves, train several seeds (--seeds 3)."
    assert f"200 images), p < 0.001. One model each was compared; {more}" in found.answer


def test_several_seeds_are_judged_over_seeds(runs: dict[str, list[Run]], tmp_path: Path) -> None:
    found = compare([*runs["good"], *runs["bad"]], out=tmp_path)
    (verdict,) = found.verdicts
    assert (verdict.difference.n, verdict.difference.of) == (3, "seeds")
    assert verdict.shown_on_one_seed is True
    assert "could not have been said" not in found.answer
    assert "One model each" not in found.answer
    kept = json.loads((found.path / "result.json").read_text())
    assert kept == found.to_json()
    assert kept["contenders"][0]["seeds"] == [0, 1, 2]
    assert kept["verdicts"][0]["shown"] is True


def test_seeds_of_one_recipe_are_not_called_different(
    runs: dict[str, list[Run]], tmp_path: Path
) -> None:
    found = compare(runs["good"][:2], out=tmp_path)
    assert {contender.name for contender in found.contenders} == {"good (seed 0)", "good (seed 1)"}
    assert found.answer.startswith("No difference shown between good (seed ")


def test_seeds_that_do_differ_are_said_to_be_of_one_recipe(
    runs: dict[str, list[Run]], tmp_path: Path
) -> None:
    found = compare(runs["good"][:2], out=tmp_path)
    assert "trainings of one recipe" not in found.answer
    (verdict,) = found.verdicts
    shown = replace(verdict.difference, mean=0.02, low=0.01, high=0.03, p=1e-4)
    told = replace(found, verdicts=(replace(verdict, difference=shown),)).answer
    assert told.endswith("p < 0.001. These are trainings of one recipe, which differ by chance.")


def test_only_seeds_that_both_have_are_paired(runs: dict[str, list[Run]], tmp_path: Path) -> None:
    found = compare([*runs["good"], *runs["bad"][1:]], out=tmp_path)
    assert found.verdicts[0].difference.n == 2
    found = compare([*runs["good"][:2], runs["bad"][2]], out=tmp_path)
    assert found.verdicts[0].difference.of == "images"


def test_many_contenders_are_told_from_the_best(
    runs: dict[str, list[Run]], noisy: Dataset, tmp_path: Path
) -> None:
    others = [
        evaluate(
            train(
                replace(GOOD, name=f"width-{n}", model_args={"hidden_sizes": (n,)}),
                noisy,
                out=tmp_path,
            ),
            noisy,
        )
        for n in (15, 17)
    ]
    found = compare([runs["good"][0], runs["bad"][0], *others], out=tmp_path)
    assert len(found.verdicts) == 6
    assert "is right most often" in found.answer
    assert "shown to be better than bad" in found.answer
    assert "(p corrected for 6 comparisons)." in found.answer
    raw = compare([found.contenders[0].runs[0], runs["bad"][0]], out=tmp_path).verdicts[0]
    corrected = next(v for v in found.verdicts if v.worse == "bad" and v.better == raw.better)
    assert corrected.difference.p > raw.difference.p
    assert corrected.difference.low < raw.difference.low
    assert corrected.sentence.count("simultaneous 95 % interval") == 1


def test_what_cannot_be_compared_is_refused(
    runs: dict[str, list[Run]], noisy: Dataset, tmp_path: Path
) -> None:
    run = runs["good"][0]
    with pytest.raises(RunError, match="two runs or more"):
        compare([run], out=tmp_path)
    with pytest.raises(RunError, match="is there twice"):
        compare([run, run], out=tmp_path)
    fresh = train(replace(GOOD, seed=9), noisy, out=tmp_path)
    with pytest.raises(RunError, match="is not evaluated yet"):
        compare([run, fresh], out=tmp_path)
    cut = replace(GOOD, split="shuffled-60-20-20")
    published = replace(noisy, is_published=True)  # else its own test part would be kept
    split = evaluate(train(cut, published, out=tmp_path), published)
    with pytest.raises(RunError, match="not tried on the test images"):
        compare([run, split], out=tmp_path)
    assert not list(tmp_path.glob("comparison-*"))


def test_the_command_prints_the_answer_and_writes_a_page(
    runs: dict[str, list[Run]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [str(run.path) for run in (*runs["good"], *runs["bad"])]
    assert run_command(["compare", *folders, "--out", str(tmp_path), "--json"]) == 0
    shown = capsys.readouterr().out.splitlines()
    told = json.loads(shown[-1])
    assert told["answer"] in shown
    page = (Path(told["path"]) / "report.html").read_text()
    assert html.escape(told["answer"]) in page
    assert run_command(["compare", folders[0]]) == 2
    assert capsys.readouterr().err == "error: to compare needs two runs or more\n"
