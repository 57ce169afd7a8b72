"""The studies of write-ups A, B and C: their arms, their miniatures, the words of an answer."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from quick_figures import drawn, unpainted, without_png

from mnistlab.cli import run_command
from mnistlab.data import Dataset, export
from mnistlab.models import pretrained
from mnistlab.phases import OPTIMIZERS, SCHEDULES, Phase
from mnistlab.recipe import Recipe
from mnistlab.recipes import get_recipe
from mnistlab.reporting.comparison_report import comparison_table, published_table
from mnistlab.reporting.study_report import study_report
from mnistlab.runs import Run
from mnistlab.studies import STUDIES, get_study
from mnistlab.study import Arm, ArmResult, Study, quick, run_study
from mnistlab.study.quick import N_TEST, N_TRAIN, NOTICE, few_images, miniature
from mnistlab.study.wording import (
    against_base,
    best_on_validation,
    correction,
    gain_text,
    gains,
    points,
    seeds,
)
from mnistlab.writeups.c_portfolio.fourteen import CONV_ARMS, DENSE_ARMS

ZOO = {
    "optimizers": "A11",
    "lr-schedule": "A12",
    "augmentation": "A15",
    "architectures": "A15",
    "early-stopping": "A15",
    "batch-size": "B4",
    "double-softmax": "B",
    "mlp-regularisation": "C1",
    "cnn-regularisation": "C8",
    "shuffling": "C",
    "stratifying": "C",
    "scaling": "C",
    "final": "C17",
    "final-shortened": "C17",
    "final-tuned": "C17",
    "transfer": "A14",
    "transfer-lite0": "A15",
}
MINUS = "\N{MINUS SIGN}"
N_IMAGES = 9000  # of the training part in made-up results


@pytest.fixture(scope="module")
def tiny() -> Dataset:
    """64 + 16 images of 12 x 12: as few as the embedding's 50 components allow."""
    random, labels = np.random.default_rng(0), np.arange(80) % 4
    images = random.integers(0, 120, (80, 12, 12), dtype=np.uint8)
    images[np.arange(80), 1 + labels] += 120
    return Dataset("tiny", images, labels, ("a", "b", "c", "d"), n_official_train=64)


# The arms are the rows


def arms_of(name: str) -> dict[str, Recipe]:
    study = get_study(name)
    assert isinstance(study, Study)
    assert len({arm.name for arm in study.arms}) == len(study.arms)
    return {arm.name: arm.recipe for arm in study.arms}


def only_phase(recipe: Recipe) -> Phase:
    (phase,) = recipe.phases
    return phase


@pytest.mark.parametrize("name", ZOO)
def test_every_study_names_its_rows_and_arms_it_has(name: str) -> None:
    study = get_study(name)
    assert (study.name, study.system) == (name, ZOO[name])
    assert study.question.endswith("?")
    assert {*study.gallery, *study.confusions} <= arms_of(name).keys()
    assert len({recipe.content_hash for recipe in arms_of(name).values()}) == len(study.arms)
    for arm in study.arms:
        assert arm.published.keys() == arm.why_it_differs.keys()
        assert arm.recipe.precision == study.arms[0].recipe.precision


def test_optimizers_differ_in_the_optimizer_alone() -> None:
    arms = arms_of("optimizers")
    assert arms.keys() == OPTIMIZERS.keys()
    for name, recipe in arms.items():
        assert only_phase(recipe).optimizer == name
        assert only_phase(recipe).epochs == 10
        same = replace(recipe, name="", phases=())
        assert same == replace(get_recipe("simple-cnn"), name="", system="A11", phases=())


def test_schedules_differ_in_the_schedule_alone() -> None:
    arms = arms_of("lr-schedule")
    assert tuple(arms) == tuple(SCHEDULES)
    bare = {replace(only_phase(recipe), schedule="constant") for recipe in arms.values()}
    assert bare == {Phase("adam", 1e-3, 15)}
    assert not get_study("lr-schedule").bars


def test_early_stopping_stops_by_both_measures() -> None:
    arms = arms_of("early-stopping")
    told = {(only_phase(r).monitor, only_phase(r).patience) for r in arms.values()}
    assert told == {("accuracy", None)} | {(m, p) for m in ("accuracy", "loss") for p in (1, 3, 5)}
    assert {only_phase(recipe).epochs for recipe in arms.values()} == {30}


def test_batch_sizes_are_those_of_b4_over_five_seeds() -> None:
    arms = arms_of("batch-size")
    *b4, b5 = arms.values()
    assert [recipe.batch_size for recipe in b4] == [2, 4, 6, 10, 15, 20]
    assert {only_phase(recipe) for recipe in b4} == {Phase("sgd", 0.1, 10, keep="last")}
    assert arms["double-softmax"] == b4[3] == get_recipe("double-softmax")  # B3, trained once
    assert (b5.batch_size, only_phase(b5)) == (10, Phase("sgd", 0.01, 20, keep="last"))
    assert {recipe.split for recipe in arms.values()} == {"train-test"}
    assert get_study("batch-size").n_seeds == 5
    assert all(arm.published["fashion-mnist"] for arm in get_study("batch-size").arms)


def test_every_mistake_has_its_correction_beside_it() -> None:
    arms = arms_of("double-softmax")
    phases = {
        "double-softmax": Phase("sgd", 0.1, 10, keep="last"),
        "double-softmax-slow": Phase("sgd", 0.01, 20, keep="last"),
        "full-batch": Phase("sgd", 0.01, 10, keep="last"),
        "full-batch-long": Phase("sgd", 0.1, 2001, keep="last", snapshot_epochs=100),
    }
    assert list(arms) == [name for wrong in phases for name in (wrong, f"{wrong}-logits")]
    for wrong, phase in phases.items():
        twice, once = arms[wrong], arms[f"{wrong}-logits"]
        assert only_phase(twice) == only_phase(once) == phase
        assert twice.scaling == once.scaling == "symmetric"
        assert twice.split == once.split == "train-test"
        assert twice.batch_size == once.batch_size == (10 if "double" in wrong else 1_000_000)
        assert twice.model_args == {"hidden_sizes": (64,), "softmax_output": True}
        assert once.model_args == {"hidden_sizes": (64,)}


def test_what_b2_prints_stands_beside_the_steps_that_are_measured() -> None:
    by_name = {arm.name: arm for arm in get_study("double-softmax").arms}
    listing = by_name["full-batch-long"].published_by_epoch["fashion-mnist"]
    phase = only_phase(by_name["full-batch-long"].recipe)
    measured = [epoch for epoch in range(1, 2002) if phase.is_snapshot(epoch)]
    assert measured == list(range(1, 2002, 100))
    assert listing.keys() <= {*measured}
    assert (listing[101], listing[201], listing[801]) == (0.67, 0.74, 0.79)
    assert {listing[epoch] for epoch in measured if epoch > 1200} == {0.8}


@pytest.mark.parametrize(
    ("name", "first", "figures"),
    [
        ("mlp-regularisation", 1, [0.833, 0.839, 0.853, 0.843, 0.810, 0.843, 0.788]),
        ("cnn-regularisation", 8, [0.875, 0.862, 0.878, 0.869, 0.869, 0.881, 0.874]),
    ],
)
def test_every_row_of_c_is_an_arm_with_its_published_figure(
    name: str, first: int, figures: list[float]
) -> None:
    study = get_study(name)
    assert isinstance(study, Study)
    for row, (arm, figure) in enumerate(zip(study.arms, figures, strict=True), start=first):
        recipe, phase = arm.recipe, only_phase(arm.recipe)
        assert recipe.system == f"C{row}"
        assert arm.published["fashion-mnist"].startswith(f"val {figure:.3f}")
        optimizer = "sgd" if "sgd" in arm.name else "adam"
        decay = 1e-2 if "decay" in arm.name else 0.0
        assert phase == Phase(optimizer, 1e-3, 30, weight_decay=decay, patience=3)
        assert (recipe.pad_to, recipe.expansion, recipe.scaling) == (32, "flip-and-zoom", "none")
        assert (recipe.batch_size, recipe.order) == (256, "file")
        assert recipe.split == "test-first-60-20-20"


def test_c17_has_three_phases() -> None:
    final = get_recipe("final")
    assert [(p.optimizer, p.weight_decay) for p in final.phases] == [
        ("adam", 1e-3),
        ("sgd", 1e-3),
        ("sgd", 0),
    ]
    assert {(p.patience, p.epochs, p.learning_rate) for p in final.phases} == {(4, 200, 1e-3)}
    assert [p.keep for p in final.phases] == ["last", "last", "best"]
    assert (final.order, final.split) == ("file", "test-first-60-20-20")
    assert (final.pad_to, final.expansion, final.scaling) == (32, "flip-and-zoom", "none")


def test_shuffling_is_the_only_change_of_the_shuffling_study() -> None:
    study = get_study("shuffling")
    assert isinstance(study, Study)
    arms = {arm.name: arm.recipe for arm in study.arms}
    assert [recipe.system for recipe in arms.values()] == [
        f"C{number}" for number in range(1, 15) for _ in ("file", "shuffled")
    ]
    for name, make in (DENSE_ARMS | CONV_ARMS).items():
        shuffled = arms[f"{name}-shuffled"]
        assert shuffled.order == "shuffled"
        assert replace(shuffled, name=name, order="file", expect=make().expect) == make()
        assert arms[name] == make()
    assert study.together == tuple((name, f"{name}-shuffled") for name in DENSE_ARMS | CONV_ARMS)


def test_the_split_is_the_only_change_of_the_stratifying_study() -> None:
    arms = arms_of("stratifying")
    for base, make in (("dense-base", DENSE_ARMS), ("conv-base", CONV_ARMS)):
        other = arms[f"{base}-stratified"]
        assert other.split == "stratified-60-20-20"
        as_published = replace(other, name=base, split="test-first-60-20-20")
        assert replace(as_published, expect=make[base]().expect) == arms[base] == make[base]()


def test_scaling_is_the_only_change_of_the_scaling_study() -> None:
    arms = arms_of("scaling")
    for base, make in (("dense-base", DENSE_ARMS), ("conv-base", CONV_ARMS)):
        for scaling in ("min-max", "standard"):
            scaled = replace(arms[f"{base}-{scaling}"], name=base, scaling="none")
            assert scaled == arms[base] == make[base]()


# Miniatures


FEW_CHANNELS = {"channels": (8, 8, 16, 16), "hidden_sizes": (16, 16, 16, 16)}


def cheaper(study: Study) -> Study:
    """The large networks smaller, since golden tests train them at their own size; backbones once.

    Arms on 100 images and more would all be on the few there are, as the arm on all of them.
    """
    names, arms = {arm.name for arm in study.arms}, []
    for arm in study.arms:
        whole, _, number = arm.name.rpartition("-")
        is_backbone = arm.recipe.model == "transfer"
        if is_backbone and number.isdigit() and whole in names:
            continue
        own = {"input_size": 32} if is_backbone else FEW_CHANNELS if study.system == "C17" else {}
        args = {**arm.recipe.model_args, **own}
        arms.append(replace(arm, recipe=replace(arm.recipe, model_args=args)))
    return replace(study, arms=tuple(arms))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all miniatures: what several studies have in common is trained once."""
    return tmp_path_factory.mktemp("runs")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name == "ladder" else [pytest.mark.slow]) for name in STUDIES],
)
def test_the_miniature_of_every_study_runs_and_says_what_it_is(
    name: str, tiny: Dataset, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick, "FRACTION_OF_EPOCHS", 0)  # of 200 epochs 20, of 2,001 as many as 200
    monkeypatch.setattr(quick, "MOST_EPOCHS", 2)
    study = get_study(name)
    if isinstance(study, Study):
        study = cheaper(study)
    result = run_study(study, tiny, quick=True, out=runs)
    assert result.path == runs / f"study-{name}-quick-tiny"
    kept = json.loads((result.path / "result.json").read_text())
    assert kept["answer"] == result.answer
    assert kept["question"] == get_study(name).question
    assert result.answer.startswith("Miniature: a few images and short trainings.")
    assert "mean little" in result.answer
    assert len(result.answer) > len(NOTICE) + 40
    assert "nan" not in result.answer
    if name in ZOO:
        assert {len(arm.runs) for arm in result.arms} == {1}
        assert all(0 <= arm.test_accuracy[0] <= 1 for arm in result.arms)
        assert isinstance(study, Study)
        assert [arm.arm.name for arm in result.arms] == [arm.name for arm in study.arms]


def test_a_miniature_changes_the_length_of_phases_and_nothing_else() -> None:
    for name in STUDIES:
        study = get_study(name)
        small = miniature(study)
        assert small.name == f"{name}-quick"
        if not isinstance(study, Study):
            assert replace(small, name=name, decide=study.decide) == study
            continue
        assert isinstance(small, Study)
        assert small.n_seeds == 1
        for ours, theirs in zip(small.arms, study.arms, strict=True):
            for short, whole in zip(ours.recipe.phases, theirs.recipe.phases, strict=True):
                assert replace(short, epochs=whole.epochs) == whole
                assert short.epochs == min(whole.epochs, max(3, round(0.1 * whole.epochs)))
            same = replace(ours.recipe, phases=theirs.recipe.phases)
            assert replace(ours, recipe=same) == theirs
    assert {recipe.phases[0].epochs for recipe in arms_of("optimizers").values()} == {10}


def test_a_miniature_sees_images_from_all_over_the_set(stripes: Dataset) -> None:
    """Folders come class by class: the first images would be of few classes."""
    order = np.argsort(np.arange(9000) % 10, kind="stable")
    labels = (np.arange(9000) % 10)[order]
    images = np.zeros((9000, 2, 2), dtype=np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.arange(9000) % 256, np.arange(9000) // 256
    names = tuple("0123456789")
    by_class = Dataset("by-class", images, labels, names, of_characters=True)
    few = few_images(by_class)
    assert len(few) == N_TRAIN + N_TEST
    assert np.bincount(few.labels).tolist() == [300] * 10
    assert (few.n_official_train, few.of_characters) == (None, True)
    official = few_images(replace(by_class, n_official_train=6000))
    assert (len(official), official.n_official_train) == (3000, 2400)
    numbers = official.images[:, 0, 0] + 256 * official.images[:, 0, 1].astype(int)
    assert numbers[:2400].max() < 6000 <= numbers[2400:].min()
    assert len(np.unique(numbers)) == 3000
    assert few_images(stripes).fingerprint == stripes.fingerprint
    assert few_images(stripes).n_official_train == 480


def test_a_folder_that_comes_class_by_class_can_be_tried_out(tmp_path: Path) -> None:
    labels = np.repeat(np.arange(4), 1000)
    images = np.random.default_rng(0).integers(0, 120, (4000, 6, 6), dtype=np.uint8)
    images[np.arange(4000), 1 + labels] += 120
    sorted_set = Dataset("sorted", images, labels, ("a", "b", "c", "d"))
    study = Study("one", "E1", "?", (Arm(get_recipe("softmax")),), lambda results: "So.")
    result = run_study(study, sorted_set, quick=True, out=tmp_path)
    assert result.answer == f"{NOTICE}So."
    assert (result.arms[0].runs[0].data["n_train"]) == 2100


def test_a_miniature_leaves_the_study_itself_alone(tiny: Dataset, tmp_path: Path) -> None:
    """Both lie side by side, whichever came first."""
    study = replace(get_study("batch-size"), arms=get_study("batch-size").arms[3:4])
    study = replace(study, decide=lambda results: "Ten.")
    whole = run_study(study, tiny, n_seeds=1, out=tmp_path)
    small = run_study(study, tiny, quick=True, out=tmp_path)
    assert (whole.answer, small.answer) == ("Ten.", f"{NOTICE}Ten.")
    assert whole.path != small.path
    assert [len(r.arms[0].runs[0].log) for r in (whole, small)] == [10, 3]
    again = run_study(study, tiny, n_seeds=1, out=tmp_path)
    assert again.arms[0].runs[0].path == whole.arms[0].runs[0].path


@unpainted()
def test_the_command_has_it_too_and_its_page_says_so(
    tiny: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(tiny, tmp_path / "tiny", format="csv")
    arguments = ["study", "lr-schedule", "--data", str(tmp_path / "tiny"), "--quick", "--json"]
    assert run_command([*arguments, "--out", str(tmp_path / "runs")]) == 0
    shown = capsys.readouterr().out
    assert json.loads(shown.splitlines()[-1])["answer"].startswith(NOTICE)
    assert "Miniature: " in shown
    page = tmp_path / "runs" / "study-lr-schedule-quick-tiny" / "report.html"
    assert "Miniature: a few images and short trainings" in page.read_text(encoding="utf-8")


# The words of an answer


def result_of(
    arm: Arm | str,
    test: Sequence[float],
    val: Sequence[float] | None = None,
    epochs: int = 3,
    log: Sequence[Mapping[str, float]] = (),
) -> ArmResult:
    if isinstance(arm, str):
        arm = Arm(Recipe(arm, "E1", "mlp", ()))

    class Logged(Run):
        pass

    Logged.log = property(lambda self: list(log))  # type: ignore[assignment]
    figures = zip(test, val or test, strict=True)
    n_train = min(arm.recipe.n_train or N_IMAGES, N_IMAGES)
    runs = tuple(
        Logged(
            Path(),
            arm.recipe,
            {"n_train": n_train},
            {},
            {"test_accuracy": t, "val_accuracy": v, "epochs": epochs, "train_time_s": 60.0},
        )
        for t, v in figures
    )
    return ArmResult(arm, runs)


def results_of(name: str, test: Mapping[str, Sequence[float]], **more: object) -> list[ArmResult]:
    """Of all arms of a study; those not named are 0.5."""
    n = len(next(iter(test.values())))
    study = get_study(name)
    assert test.keys() <= {arm.name for arm in study.arms}
    return [result_of(arm, test.get(arm.name, [0.5] * n), **more) for arm in study.arms]


def gain(arm: ArmResult, base: ArmResult) -> str:
    return gain_text(arm.gain_over(base))


def told(*pairs: tuple[ArmResult, ArmResult]) -> list[str]:
    return [gain_text(each) for each in gains(pairs)]


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        (0.013, "+1.3 points"),
        (-0.0131, f"{MINUS}1.3 points"),
        (0.0, "+0.0 points"),
        (0.25, "+25.0 points"),
        (-1.0, f"{MINUS}100.0 points"),
    ],
)
def test_points(difference: float, words: str) -> None:
    assert points(difference) == words


def test_a_gain_is_of_pairs_with_its_interval_and_a_verdict() -> None:
    base = result_of("base", [0.80, 0.85, 0.90])
    # Differences 2.0, 2.1 and 1.9 points: deviation 0.1, half-width 4.303 * 0.1 / sqrt(3) = 0.25.
    better = result_of("better", [0.82, 0.871, 0.919])
    assert gain(better, base) == "+2.0 points (95 % interval +1.8 to +2.2)"
    assert gain(base, better) == f"{MINUS}2.0 points (95 % interval {MINUS}2.2 to {MINUS}1.8)"
    # Differences 1, 2 and 3 points: half-width 4.303 / sqrt(3) = 2.48, more than the mean.
    perhaps = result_of("perhaps", [0.81, 0.87, 0.93])
    assert gain(perhaps, base) == (
        f"+2.0 points (95 % interval {MINUS}0.5 to +4.5; no difference shown)"
    )
    assert gain(base, base) == "+0.0 points (the same for every seed; no difference shown)"
    found = perhaps.gain_over(base)
    half_width = 4.303 * 0.01 / math.sqrt(3)
    assert (found.mean, found.high - found.mean) == pytest.approx((0.02, half_width), rel=1e-3)


def test_gains_told_together_are_corrected_together() -> None:
    base = result_of("base", [0.80, 0.85, 0.90])
    better, perhaps = result_of("b", [0.82, 0.871, 0.919]), result_of("p", [0.81, 0.87, 0.93])
    # Of two at 95 %: 6.205 in the place of 4.303.
    both = gains([(better, base), (perhaps, base)])
    assert [gain_text(each) for each in both] == [
        "+2.0 points (interval +1.6 to +2.4)",
        f"+2.0 points (interval {MINUS}1.6 to +5.6; no difference shown)",
    ]
    assert correction(both).startswith(" Corrected for 2 comparisons: tests by Holm's method")
    assert correction([better.gain_over(base)]) == ""


def test_what_does_not_learn_in_epochs_is_the_same_for_every_seed() -> None:
    machine = result_of(Arm(Recipe("svm", "A8", "svm", ())), [0.85])
    network = result_of("network", [0.80, 0.82, 0.81])
    found = machine.gain_over(network)
    assert (found.n, found.mean) == (3, pytest.approx(0.04))
    half_width = 4.303 * 0.01 / math.sqrt(3)
    assert network.gain_over(machine).high == pytest.approx(-0.04 + half_width, rel=1e-3)
    assert machine.gain_over(machine).n == 1


def test_one_seed_shows_nothing() -> None:
    one, other = result_of("one", [0.9]), result_of("other", [0.8])
    assert gain(one, other) == "+10.0 points"
    assert seeds([one]) == "one seed and so no intervals"
    assert seeds([result_of("three", [0.5] * 3)]) == "3 seeds"


def test_seeds_that_are_not_paired_are_no_gain() -> None:
    with pytest.raises(ValueError, match="zip"):
        gain(result_of("two", [0.5, 0.6]), result_of("one", [0.5]))


def test_the_best_is_chosen_on_validation_and_of_equal_ones_the_first() -> None:
    a = result_of("a", [0.1, 0.1], [0.8, 0.9])
    b = result_of("b", [0.9, 0.9], [0.9, 0.8])
    c = result_of("c", [0.9, 0.9], [0.7, 0.8])
    assert best_on_validation([c, a, b]).arm.name == "a"


def test_an_answer_against_the_base() -> None:
    base = result_of("as-is", [0.90, 0.92, 0.94])
    flip = result_of("flip", [0.92, 0.941, 0.959], [0.2, 0.2, 0.2])
    assert against_base([base, flip]) == (
        "On the test part, against as-is (0.9200, 3 seeds): flip +2.0 points (95 % "
        "interval +1.8 to +2.2). Best on validation: as-is."
    )
    assert "Corrected for 2 comparisons" in against_base([base, flip, flip])
    base, flip = result_of("as-is", [0.9]), result_of("flip", [0.91])
    assert against_base([base, flip]) == (
        "On the test part, against as-is (0.9000, one seed and so no intervals): flip +1.0 points. "
        "Best on validation: flip."
    )


def test_batch_sizes_answer_six_or_ten() -> None:
    results = results_of(
        "batch-size",
        {
            "batch-6": [0.83, 0.84, 0.85],
            "double-softmax": [0.82, 0.79, 0.81],
            "batch-20": [0.86, 0.86, 0.86],
        },
    )
    answer = get_study("batch-size").decide(results)
    six, ten = results[2], results[3]
    assert f"Batch 6 against batch 10: {gain(six, ten)} on the test part over 3 seeds" in answer
    assert "from 0.7900 to 0.8200 (batch 10)" in answer
    assert "validation" not in answer  # there is none


def test_the_double_softmax_answers_what_it_costs() -> None:
    log = [{"train_loss": 1.8}, {"train_loss": 1.61}, {"train_loss": 1.7}]
    test = {"full-batch": [0.1, 0.1], "full-batch-logits": [0.4, 0.42]}
    results = results_of("double-softmax", test, log=log)
    answer = get_study("double-softmax").decide(results)
    assert "never fell below 1.6100 nats (it cannot fall below 1.4612" in answer
    assert "full-batch +31.0 points (interval " in answer
    assert len(re.findall("points", answer)) == 4
    assert "(2 seeds)" in answer


def test_optimizers_answer_who_is_fast_and_who_gets_far() -> None:
    results = results_of("optimizers", {"adam": [0.9, 0.91], "sgd": [0.3, 0.3]})
    fast = [{"val_accuracy": 0.7}, {"val_accuracy": 0.1}]
    slow = [{"val_accuracy": 0.6}, {"val_accuracy": 0.99}]
    results = [
        result_of(r.arm, [0.6, 0.6], log=fast)
        if r.arm.name == "muon"
        else result_of(r.arm, r.each("test_accuracy"), r.each("val_accuracy"), log=slow)
        for r in results
    ]
    answer = get_study("optimizers").decide(results)
    assert "After one epoch muon leads with 0.7000" in answer
    assert "within 10 epochs adam gets furthest (0.9050 on validation, 0.9050 on the" in answer
    assert "mean of 2 seeds) and sgd least far (0.3000)" in answer


def test_early_stopping_answers_time_and_accuracy() -> None:
    arms = get_study("early-stopping").arms
    results = [result_of(arms[0], [0.92, 0.92], epochs=30)]
    results += [result_of(arm, [0.91, 0.91], epochs=12) for arm in arms[1:]]
    answer = get_study("early-stopping").decide(results)
    assert "Of 30 epochs, whose best on validation reaches 0.9200" in answer
    assert f"accuracy-patience-1 60 % for {told((results[1], results[0]))[0]};" in answer
    assert answer.count("60 %") == 6


def test_every_way_to_transfer_is_tried_at_every_size() -> None:
    arms = arms_of("transfer")
    for family in ("simple-cnn", "two-stage", "head-only", "fine-tuned", "random-weights"):
        for n in (100, 1000, 10_000, None):
            recipe = arms[family if n is None else f"{family}-{n}"]
            assert (recipe.n_train, recipe.n_val) == (n, None if n is None else 1000)
            few = 10 if family == "simple-cnn" else 0  # the small one never trains for less
            lengths = {max(few, {100: 40, 1000: 30, 10_000: 8, None: 3}[n])}
            assert {phase.epochs for phase in recipe.phases} == lengths
    every_epoch = {
        name for name, r in arms.items() if any(phase.snapshot_epochs for phase in r.phases)
    }
    assert every_epoch == {"simple-cnn", "two-stage"}
    assert {p.snapshot_epochs for n in every_epoch for p in arms[n].phases} == {1}
    two_stages, fresh = arms["two-stage"], arms["random-weights"]
    assert {**two_stages.model_args, "weights": "none"} == fresh.model_args
    assert [phase.unfrozen for phase in two_stages.phases] == [0, 5]
    assert [phase.unfrozen for phase in arms["head-only"].phases] == [0]
    assert [phase.unfrozen for phase in fresh.phases] == [None]


def test_the_recipe_as_it_is_has_few_images_and_all() -> None:
    arms = arms_of("transfer-lite0")
    recipe = get_recipe("transfer-lite0")
    assert arms["transfer-lite0"] == recipe
    few = arms["transfer-lite0-1000"]
    assert few == replace(recipe, name="transfer-lite0-1000", n_train=1000, expect={})
    answer = get_study("transfer-lite0").decide(
        results_of("transfer-lite0", {"transfer-lite0": [0.92]})
    )
    assert "; 0.9200 on the test part with 9,000 images" in answer
    assert "one seed" in answer


def test_other_backbones_have_what_weights_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    for there, weights, n_phases in ((False, "none", 1), (True, "imagenet", 2)):
        monkeypatch.setattr(pretrained, "weights_at_hand", lambda backbone, there=there: there)
        recipe = arms_of("transfer")["mobilenet-1000"]
        assert recipe.model_args.get("weights", "imagenet") == weights
        assert len(recipe.phases) == n_phases


def test_transfer_answers_for_every_size() -> None:
    answer = get_study("transfer").decide(
        results_of(
            "transfer",
            {
                "two-stage-100": [0.70, 0.72, 0.71],
                "simple-cnn-100": [0.65, 0.6701, 0.6599],
                "random-weights-100": [0.49, 0.5101, 0.4999],
                "two-stage": [0.9, 0.9, 0.9],
                "simple-cnn": [0.92, 0.9201, 0.9202],
            },
        )
    )
    assert "100 images it pays: 0.710, +5.0 points (interval +4.9 to +5.1) and +21" in answer
    assert "with 1,000 images it is not shown to pay: 0.500, +0.0 points" in answer
    assert f"with all images it does not pay: 0.900, {MINUS}2.0 points" in answer
    assert "Corrected for 6 comparisons" in answer
    assert "10,000 images" not in answer  # there were no more than 9,000


def test_transfer_says_which_sizes_had_one_seed() -> None:
    results = results_of("transfer", {"two-stage": [0.9, 0.9]})
    alone = [
        replace(result, runs=result.runs[:1]) if result.arm.n_seeds == 1 else result
        for result in results
    ]
    answer = get_study("transfer").decide(alone)
    assert "random weights (2 seeds): " in answer
    assert "with all images it was ahead: 0.900, +40.0 points and +40.0 points (one seed" in answer
    answer = get_study("transfer").decide(
        [replace(result, runs=result.runs[:1]) for result in results]
    )
    assert answer.count("seed") == 1


def test_scaling_answers_for_both_networks() -> None:
    accuracies = {"dense-base": [0.8, 0.801, 0.802], "conv-base-standard": [0.9, 0.901, 0.902]}
    answer = get_study("scaling").decide(results_of("scaling", accuracies))
    down, up = f"dense-base {MINUS}30.1 points", "conv-base +40.1 points"
    assert f"{down} (interval {MINUS}30.6 to {MINUS}29.6) by min-max" in answer
    assert f"{up} (interval +39.6 to +40.6) by standard (3 seeds)" in answer


def test_stratifying_answers_for_both_networks_and_says_what_else_differs() -> None:
    results = results_of("stratifying", {"dense-base-stratified": [0.7, 0.71, 0.72]})
    answer = get_study("stratifying").decide(results)
    first, _ = gains([(results[1], results[0]), (results[3], results[2])])
    assert f"dense-base {gain_text(first)}; conv-base" in answer
    assert answer.endswith(correction([first]))
    assert "test images of their own" in answer


def test_the_final_model_answers_in_the_measure_that_is_published() -> None:
    """C publishes the accuracy on four versions of each validation image."""
    (arm,) = get_study("final").arms
    result = result_of(arm, [0.9, 0.92], [0.91, 0.93], log=[{"phase": 0}, {"phase": 2}])
    for run, expanded in zip(result.runs, (0.911, 0.915), strict=True):
        run.result["expanded_val_accuracy"] = expanded
    assert get_study("final").decide([result]) == (
        "0.9200 on validation (0.9130 on four versions of each image) and 0.9100 on the test part "
        "(2 seeds), after 2, 0, 2 epochs of its phases."
    )
    plain = result_of(get_study("final-tuned").arms[0], [0.9], log=[{"phase": 0}])
    assert get_study("final-tuned").decide([plain]).startswith("0.9000 on validation and 0.9000")


def test_shuffling_answers_for_each_network_and_how_far_plain_sgd_falls() -> None:
    rising, swinging = ([{"val_accuracy": v} for v in curve] for curve in ((1, 2, 3), (3, 1, 2)))
    results = [
        result_of(arm, [0.7, 0.7] if arm.name == "dense-sgd-shuffled" else [0.5, 0.5])
        for arm in get_study("shuffling").arms
    ]
    place = next(i for i, result in enumerate(results) if result.arm.name == "dense-sgd")
    for result, log in zip(results[place : place + 2], (rising, swinging), strict=True):
        fallen = [{"val_accuracy": line["val_accuracy"] / 100} for line in log]
        results[results.index(result)] = result_of(
            result.arm, result.each("test_accuracy"), log=fallen
        )
    answer = get_study("shuffling").decide(results)
    told = gains(list(zip(results[1::2], results[::2], strict=True)))
    assert f"dense-sgd {gain_text(told[place // 2])};" in answer
    assert f"conv-dropout {gain_text(told[-1])} (2 seeds)" in answer
    assert "Corrected for 14 comparisons" in answer
    assert "falls by at most 0.0 points in file order, shuffled by up to 2.0." in answer


def test_arms_that_are_drawn_together_have_a_figure_that_says_how_many_seeds(
    tiny: Dataset, tmp_path: Path
) -> None:
    whole = get_study("shuffling")
    assert isinstance(whole, Study)
    names = ("dense-sgd", "dense-sgd-shuffled")
    assert names in whole.together
    arms = tuple(arm for arm in whole.arms if arm.name in names)
    study = replace(whole, arms=arms, together=(names,), decide=lambda results: "So.")
    result = run_study(study, tiny, quick=True, out=tmp_path)
    text = study_report(result).read_text(encoding="utf-8")
    assert "dense-sgd: 1 seed of 3 epochs; dense-sgd-shuffled: 1 seed of 3 epochs." in text
    drawn = {path.stem for path in (result.path / "figures").glob("*.png")}
    assert "learning-curves-dense-sgd" in drawn
    assert not drawn & {"learning-curves", "per-class-accuracy"}


@without_png()
def test_the_page_of_a_miniature_says_how_it_is_made(tiny: Dataset, tmp_path: Path) -> None:
    named = replace(tiny, name="fashion-mnist")
    result = run_study(get_study("mlp-regularisation"), named, quick=True, out=tmp_path)
    with drawn():
        text = study_report(result).read_text(encoding="utf-8")
    command = re.sub("<[^>]*>", "", re.findall("<footer>.*</footer>", text, re.DOTALL)[0])
    assert "mnistlab study mlp-regularisation --quick --data" in command
    assert "Best validation accuracy, %" in text  # write-up C's bars
    assert "Best validation accuracy on the expanded images: a bar up to the mean" in text
    (shown,) = set(re.findall(r"by arm, mean of seeds: dense-base ([\d.]+)%", text))
    assert shown == f"{100 * result.arms[0].mean('expanded_val_accuracy'):.1f}"
    table = published_table(result)
    assert table is not None
    for (_, published, measured, _), arm in zip(table.rows, result.arms, strict=True):
        assert published.startswith("val ")  # so what is measured beside it is of that part
        assert measured.text == f"val {arm.mean('expanded_val_accuracy'):.4f}"
        (run,) = arm.runs  # of one phase: the best on the fourfold part
        assert arm.each("expanded_val_accuracy") == [max(e["val_accuracy"] for e in run.log)]
    columns = [column.title for column in comparison_table(result).columns]
    assert "Validation, expanded" in columns


@pytest.mark.parametrize("n_classes", [10, 62])
def test_few_images_of_a_set_in_turns_have_all_classes(n_classes: int) -> None:
    """As the embedded data comes: every so many-th image would miss some classes."""
    labels = np.arange(7000, dtype=np.int64) % n_classes
    names = tuple(map(str, range(n_classes)))
    whole = Dataset("turns", np.zeros((7000, 4, 4), np.uint8), labels, names, 6000)
    few = few_images(whole)
    n_train = few.n_official_train
    assert (n_train, len(few)) == (N_TRAIN, N_TRAIN + N_TEST)
    for part in (few.labels[:n_train], few.labels[n_train:]):
        counts = np.bincount(part, minlength=n_classes)
        assert counts.max() - counts.min() <= 1
