"""Pages of the three kinds of study: whole, and in agreement with result.json."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from quick_figures import without_png

from mnistlab.data import Dataset
from mnistlab.evaluation import power_law
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.reporting import run_report
from mnistlab.reporting.comparison_report import comparison_page, comparison_table
from mnistlab.reporting.cost import cost_table, growth_sections
from mnistlab.reporting.page import Figure
from mnistlab.reporting.run_report import report
from mnistlab.reporting.series import repeats, series_of, standing_apart
from mnistlab.reporting.study_report import study_report, summary_lines
from mnistlab.runs import Run
from mnistlab.studies import STUDIES, get_study
from mnistlab.study import (
    AnyResult,
    Arm,
    ArmResult,
    EmbeddingResult,
    EmbeddingStudy,
    GridResult,
    GridStudy,
    Study,
    StudyResult,
    run_study,
)

pytestmark = [pytest.mark.slow, pytest.mark.drawn]

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
NET = Recipe(
    "net",
    "A4",
    "scratch",
    (Phase("momentum", 0.02, 3),),
    model_args={"hidden_sizes": (8,)},
    scaling="min-max",
    batch_size=32,
)
MACHINE = Recipe("machine", "A6", "svm", (), model_args={"C": 2.0}, scaling="min-max")


def cut(recipe: Recipe, n_train: int) -> Recipe:
    return replace(recipe, name=f"{recipe.name}-{n_train}", n_train=n_train)


GROWTH = Study(
    name="costs",
    system="A8",
    question="What does <either> cost?",
    arms=(
        Arm(NET),
        Arm(replace(NET, name="net-cosine", phases=(Phase("momentum", 0.1, 3, "cosine"),))),
        Arm(MACHINE),
        *(Arm(cut(recipe, n)) for recipe in (NET, MACHINE) for n in (100, 200, 9999)),
    ),
    decide=lambda results: f"{len(results)} arms & an answer.",
    confusions=("net", "machine"),
    n_seeds=2,
)
BATCHES = Study(
    name="batches",
    system="A5",
    question="Which batch?",
    arms=(
        *(Arm(replace(NET, name=f"batch-{size}", batch_size=size)) for size in (64, 8, 32)),
        *(
            Arm(replace(NET, name=f"rate-{rate:g}", phases=(Phase("momentum", rate, 3),)))
            for rate in (0.001, 0.1)
        ),
    ),
    decide=lambda results: "All alike.",
    n_seeds=1,
)
PATIENT = (Phase("momentum", 0.1, 20, patience=2), Phase("sgd", 0.05, 20, patience=2))
WAYS = Study(
    name="ways",
    system="C1",
    question="Which way?",
    arms=(Arm(NET), Arm(replace(NET, name="patient", phases=PATIENT))),
    decide=lambda results: "Neither.",
    bars=True,
    n_seeds=3,
)
GRID = GridStudy(
    name="grid",
    system="A6",
    question="Which point?",
    recipe=MACHINE,
    rows=("C", (0.001, 3.0)),
    columns=("gamma", ("scale", 0.05, 0.5)),
    n_folds=2,
    n_search=100,
    decide=lambda result: f"{result.best.mean:.4f} is best.",
)
EMBEDDING = EmbeddingStudy(
    name="points",
    system="A2",
    question="Where do they lie?",
    decide=lambda result: "Here and there.",
    protocol="official",
    n_components=6,
    n_map=70,
)


@pytest.fixture(scope="module", autouse=True)
def no_png() -> Iterator[None]:
    with without_png():
        yield


@pytest.fixture(scope="module")
def hostile(stripes: Dataset) -> Dataset:
    """The stripes in so little light that arms and points differ, and with names that bite."""
    names = (HOSTILE, "$\\frac{1}{0}$", "{{ 7 * 7 }}", "a & b")
    noise = np.random.default_rng(1).integers(0, 120, stripes.images.shape, dtype=np.uint8)
    images = noise + (stripes.images > 120).astype(np.uint8) * 25
    return replace(stripes, images=images, class_names=names)


@pytest.fixture(scope="module")
def results(hostile: Dataset, tmp_path_factory: pytest.TempPathFactory) -> dict[str, AnyResult]:
    out = tmp_path_factory.mktemp("runs")
    return {
        study.name: run_study(study, hostile, out=out, threads=1)
        for study in (GROWTH, BATCHES, GRID, EMBEDDING)
    }


@pytest.fixture(scope="module")
def listed(results: dict[str, AnyResult]) -> Iterator[None]:
    """The studies of these tests are ready-made ones, as those of `mnistlab study`."""
    with pytest.MonkeyPatch.context() as patch:
        for name, result in results.items():
            patch.setitem(STUDIES, name, lambda study=result.study: study)
        yield


@pytest.fixture(scope="module")
def pages(results: dict[str, AnyResult], listed: None) -> dict[str, Read]:
    return {name: Read(study_report(result)) for name, result in results.items()}


@pytest.fixture(scope="module")
def growth(results: dict[str, AnyResult]) -> StudyResult:
    result = results["costs"]
    assert isinstance(result, StudyResult)
    return result


@pytest.fixture(scope="module")
def ways(hostile: Dataset, tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    result = run_study(WAYS, hostile, out=tmp_path_factory.mktemp("ways"), threads=1)
    assert isinstance(result, StudyResult)
    return result


@pytest.fixture(scope="module")
def drawn(growth: StudyResult) -> dict[str, Figure]:
    return {figure.name: figure for figure in comparison_page(growth, "x").figures()}


@pytest.fixture(scope="module")
def drawn_ways(ways: StudyResult) -> dict[str, Figure]:
    return {figure.name: figure for figure in comparison_page(ways, "x").figures()}


class Read(HTMLParser):
    """A page's text, headings, captions and tables, as a reader has them."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.html = path.read_text(encoding="utf-8")
        self.text = ""
        self.tags: list[str] = []
        self.titles: dict[str, list[str]] = {"h2": [], "h3": [], "caption": []}
        self.tables: dict[str, list[list[str]]] = {}
        self.swatches: list[str] = []
        self._open: list[str] = []
        self.feed(self.html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._open.append(tag)
        if tag in self.titles:
            self.titles[tag].append("")
        elif tag == "tr":
            self.tables.setdefault(self.titles["caption"][-1], []).append([])
        elif tag in ("td", "th"):
            self.tables[self.titles["caption"][-1]][-1].append("")
        self.swatches += [value for key, value in attributes if value and "swatch" in value]

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.text += data
        for tag in self._open:
            if tag in self.titles:
                self.titles[tag][-1] += data
            elif tag in ("td", "th"):
                self.tables[self.titles["caption"][-1]][-1][-1] += data

    def table(self, title: str) -> list[dict[str, str]]:
        """The rows of a table as dicts by heading."""
        (found,) = (rows for caption, rows in self.tables.items() if caption.endswith(title))
        return [dict(zip(found[0], row, strict=True)) for row in found[1:]]

    def figures(self) -> list[str]:
        return [re.sub(r"^Figure \d+ ", "", title) for title in self.titles["h3"]]


def kept(result: AnyResult) -> dict[str, Any]:
    return json.loads((result.path / "result.json").read_text())


@pytest.mark.parametrize("name", ["costs", "batches", "grid", "points"])
def test_every_page_says_question_and_answer_and_keeps_its_pictures(
    name: str, results: dict[str, AnyResult], pages: dict[str, Read]
) -> None:
    result, page = results[name], pages[name]
    assert page.path == result.path / "report.html"
    assert kept(result)["question"] in page.text
    assert kept(result)["answer"] in page.text
    assert f"mnistlab study {name} --data stripes" in page.text
    pictures = {path.stem for path in (result.path / "figures").iterdir()}
    assert len(pictures) == len(page.figures()) > 0
    assert len(set(page.figures())) == len(page.figures())


@pytest.mark.parametrize("name", ["grid", "points"])
def test_a_page_is_the_same_again(
    name: str, results: dict[str, AnyResult], pages: dict[str, Read]
) -> None:
    assert study_report(results[name]).read_text(encoding="utf-8") == pages[name].html


def test_a_comparisons_drawings_are_the_same_again(
    pages: dict[str, Read], drawn: dict[str, Figure]
) -> None:
    assert len(drawn) == len(pages["costs"].figures())
    for figure in drawn.values():
        assert figure.svg in pages["costs"].html
        assert figure.narrow_svg in pages["costs"].html


@pytest.mark.parametrize("name", ["costs", "batches", "grid", "points"])
def test_hostile_class_names_are_only_words(name: str, pages: dict[str, Read]) -> None:
    page = pages[name]
    assert page.tags.count("script") == 1
    assert page.tags.count("img") == 0
    assert "7 * 7" in page.html or name == "batches"  # which shows no class
    if name in ("costs", "grid"):
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.html


def test_a_comparisons_numbers_are_those_of_its_json(
    growth: StudyResult, pages: dict[str, Read]
) -> None:
    arms = {arm["arm"]: arm for arm in kept(growth)["arms"]}
    rows = pages["costs"].table("Comparison")
    assert [row["Arm"] for row in rows] == [name for name in arms if not name.endswith("9999")]
    for row in rows:
        arm = arms[row["Arm"]]
        assert row["Row"] == arm["system"]
        assert row["Parameters"] == f"{arm['n_parameters']:,}"
        assert row["Validation"] == f"{np.mean(arm['val_accuracy']):.4f}"
        ends = arm["test_accuracy_interval"]
        interval = "" if ends is None else f" ({ends[0]:.4f} to {ends[1]:.4f})"
        assert row["Test accuracy"] == f"{arm['test_accuracy_mean']:.4f}{interval}"
        assert row["Late swing"] == (
            "–" if arm["late_swing"] is None else f"{arm['late_swing']:.3f}"
        )
        assert len(arm["seeds"]) == (1 if arm["system"] == "A6" else 2)


def test_costs_are_those_of_the_json(growth: StudyResult, pages: dict[str, Read]) -> None:
    arms = {arm["arm"]: arm for arm in kept(growth)["arms"]}
    images = {"net-100": "100", "machine-200": "200", "net": "440", "machine": "440"}
    for row in pages["costs"].table("Cost"):
        arm = arms[row["Arm"]]
        assert row["Images"] == images.get(row["Arm"], row["Images"])
        assert row["Train, s"] == f"{np.mean(arm['train_time_s']):.2f}"
        assert row["Predict, s"] == f"{np.mean(arm['predict_time_s']):.3f}"
        epoch = [s / n for s, n in zip(arm["train_time_s"], arm["epochs"], strict=True) if n]
        assert row["Epoch, s"] == (f"{np.mean(epoch):.3f}" if epoch else "–")


def test_costs_without_epochs_have_no_such_column(growth: StudyResult) -> None:
    machines = replace(growth, arms=growth.arms[2:3])
    titles = [column.title for column in cost_table(machines).columns]
    assert [title for title in titles if title != "Memory, MB"] == [
        "Arm",
        "Images",
        "Train, s",
        "Predict, s",
    ]
    assert "Means over seeds" not in cost_table(machines).note


def test_growth_shows_the_exponents_of_the_json(
    growth: StudyResult, pages: dict[str, Read], drawn: dict[str, Figure]
) -> None:
    arms = {arm["arm"]: arm for arm in kept(growth)["arms"]}
    for key in ("train_time_s", "predict_time_s"):
        figure = drawn[f"growth-{key.replace('_', '-')}"]
        for name in ("net", "machine"):
            members = [arms[f"{name}-100"], arms[f"{name}-200"], arms[name]]
            times = [float(np.mean(member[key])) for member in members]
            exponent, half_width, _ = power_law([100, 200, 440], times)
            rounded = f"{exponent:.2f}".replace("-0.00", "0.00").replace("-", "−")
            said = f"{name}, exponent {rounded} ± {half_width:.2f}"
            assert said in figure.svg
            assert said in pages["costs"].html
    assert "Test accuracy by training images" in pages["costs"].figures()
    means = {
        name: (100 * np.array(arms[name]["test_accuracy"])).mean() for name in ("net-100", "net")
    }
    alt = drawn["growth-test-accuracy"].alt
    assert f"net: {means['net-100']:.3g} % at 100 and {means['net']:.3g} % at 440" in alt


def test_a_cost_the_system_did_not_see_is_left_out(growth: StudyResult) -> None:
    def without_memory(arm: ArmResult) -> ArmResult:
        memory = 3.0 if arm.arm.recipe.model == "svm" else 30.0
        runs = tuple(
            replace(run, result=run.result | {"training_memory_mb": memory}) for run in arm.runs
        )
        return replace(arm, runs=runs)

    some = replace(growth, arms=tuple(map(without_memory, growth.arms)))
    figures = {figure.name: figure for figure in growth_sections(some)[0].figures}
    assert "net" in figures["growth-training-memory-mb"].alt
    assert "machine" not in figures["growth-training-memory-mb"].alt
    assert cost_table(some).columns[-1].title == "Memory, MB"
    assert {row[0]: row[-1] for row in cost_table(some).rows}["net"] == 30
    machines = replace(some, arms=tuple(a for a in some.arms if a.arm.recipe.model == "svm"))
    names = {figure.name for figure in growth_sections(machines)[0].figures}
    assert "growth-training-memory-mb" not in names
    assert "growth-train-time-s" in names
    assert cost_table(machines).columns[-1].title == "Predict, s"
    assert "Memory" not in cost_table(machines).note


def test_an_arm_keeps_its_colour_on_the_whole_page(
    growth: StudyResult, drawn: dict[str, Figure]
) -> None:
    """machine is the third of the arms that stand apart: so in its swatch, so in each figure."""
    assert comparison_table(growth).arms == ("net", "net-cosine", "machine")
    assert set(re.findall(r"--arm-\d", drawn["growth-train-time-s"].svg)) == {
        "--arm-0",
        "--arm-2",
    }
    assert set(re.findall(r"--arm-\d", drawn["learning-curves"].svg)) == {"--arm-0", "--arm-1"}
    by_class = drawn["per-class-accuracy"].svg
    assert set(re.findall(r"--arm-\d", by_class)) == {"--arm-0", "--arm-1", "--arm-2"}


def test_arms_on_fewer_images_are_shown_as_growth_alone(pages: dict[str, Read]) -> None:
    page = pages["costs"]
    assert page.titles["h2"] == [
        "Comparison",
        "Growth",
        "Training",
        "By class",
        "net: by class",
        "machine: by class",
    ]
    assert "a rate that falls to zero" in page.text  # net-cosine's, beside a constant one
    assert page.swatches.count("swatch swatch-2") == 2  # machine, in two tables
    assert len(page.swatches) == 2 * 3
    assert (
        "Left out, for stripes has too few images to set them apart from other arms: net-9999, "
        "machine-9999." in page.text
    )


def test_facts_count_what_was_run(pages: dict[str, Read]) -> None:
    facts = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", pages["costs"].html))
    assert facts["Runs"] == "14"  # five arms with two seeds, four with one
    assert facts["Seeds an arm"] == "2, 1 where nothing is random"
    assert facts["Images"] == "440 / 40 / 120"
    facts = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", pages["batches"].html))
    assert (facts["Runs"], facts["Seeds an arm"]) == ("5", "1")


def test_a_matrix_of_mistakes_for_each_arm_that_asks_for_one(
    growth: StudyResult, pages: dict[str, Read], drawn: dict[str, Figure]
) -> None:
    for arm in (growth.arms[0], growth.arms[2]):
        n_right = round(120 * arm.runs[0].result["test_accuracy"])
        assert f"{n_right} of 120 images" in drawn[f"confusion-{arm.arm.name}"].alt
        assert ("Seed 0" in drawn[f"confusion-{arm.arm.name}"].caption) == (len(arm.runs) > 1)
    assert "confusion-net-cosine" not in drawn
    reports = [title for title in pages["costs"].titles["caption"] if "Classification" in title]
    assert len(reports) == 2


def test_a_study_of_a_script_is_not_said_to_be_a_command(
    hostile: Dataset, tmp_path: Path, listed: None
) -> None:
    own = replace(BATCHES, name="of-a-script", arms=BATCHES.arms[:2])
    text = Read(study_report(run_study(own, hostile, n_seeds=1, out=tmp_path))).text
    assert "mnistlab study" not in text
    assert "ml.study_report(ml.run_study(study, 'stripes'" in text


def test_a_series_has_a_section_and_no_figures_that_say_nothing(
    results: dict[str, AnyResult], pages: dict[str, Read]
) -> None:
    page = pages["batches"]
    assert page.titles["h2"] == ["Comparison", "Batch size", "Learning rate"]
    assert page.figures() == [
        f"{what} by {setting}"
        for setting in ("batch size", "learning rate")
        for what in ("Validation accuracy", "Time per epoch", "Learning curves")
    ]
    assert page.swatches == []
    assert "Arms that differ in their batch size alone: batch-8, batch-32, batch-64." in page.text
    assert "falls to zero" not in page.text  # every rate is constant
    for row in page.table("Comparison"):
        assert "Row" not in row  # all of one system
    arms = {arm["arm"]: arm for arm in kept(results["batches"])["arms"]}
    figures = {f.title: f for f in comparison_page(results["batches"], "x").figures()}
    said = figures["Validation accuracy by batch size"].alt
    for size in (8, 32, 64):
        assert f"{100 * arms[f'batch-{size}']['val_accuracy'][0]:.4g} % at {size}" in said
    epoch = arms["batch-8"]["train_time_s"][0] / 3
    assert f"{epoch:.4g} s at 8" in figures["Time per epoch by batch size"].alt


def test_the_command_says_how_many_seeds_there_were(
    hostile: Dataset, results: dict[str, AnyResult], pages: dict[str, Read]
) -> None:
    assert "--seeds" not in pages["batches"].text
    out = results["batches"].path.parent
    more = run_study(replace(BATCHES, arms=BATCHES.arms[:2]), hostile, n_seeds=2, out=out)
    page = Read(study_report(more))
    assert "mnistlab study batches --data stripes --seeds 2" in page.text
    assert "Line: mean over seeds; band: from the lowest seed to the highest." in page.text


def test_the_losses_of_all_ways_have_a_figure_with_the_epochs_kept(
    ways: StudyResult, drawn_ways: dict[str, Figure]
) -> None:
    figures = drawn_ways
    said = figures["validation-losses"].alt
    for arm in ways.arms:
        logs = [run.log for run in arm.runs]
        kept = [max(log, key=lambda epoch: epoch["val_accuracy"]) for log in logs]
        loss = np.mean([epoch["val_loss"] for epoch in kept])
        assert f"loss {loss:.3f} where kept, in epoch" in said
        assert [run.saved_epoch for run in arm.runs] == [epoch["epoch"] for epoch in kept]
        # The weights kept are those of that epoch: evaluated again they are as good.
        assert arm.each("val_accuracy") == [epoch["val_accuracy"] for epoch in kept]
    assert (
        "A mark per seed at the epoch whose weights were saved."
        in figures["validation-losses"].caption
    )


def test_losses_have_no_figure_of_their_own_elsewhere(drawn: dict[str, Figure]) -> None:
    assert "validation-losses" not in drawn


def test_captions_tell_of_early_stops_and_of_phases(
    ways: StudyResult, drawn: dict[str, Figure], drawn_ways: dict[str, Figure]
) -> None:
    lengths = {len(run.log) for run in ways.arms[1].runs}
    assert len(lengths) > 1, "the seeds should stop at different epochs"
    figures = drawn_ways
    for name in ("learning-curves", "validation-losses"):
        assert "The mean ends where the first seed stops" in figures[name].caption
        assert "Dotted: a new phase begins." in figures[name].caption
        assert f"3 seeds of {min(lengths)} to {max(lengths)} epochs" in figures[name].alt
    assert "Dotted: a new phase begins." in figures["learning-rates"].caption
    assert "Seeds with rates of their own" in figures["learning-rates"].caption
    assert "stops" not in drawn["learning-curves"].caption
    assert "Dotted" not in drawn["learning-curves"].caption


def test_rates_are_shown_where_they_change_or_differ(
    growth: StudyResult, ways: StudyResult, drawn: dict[str, Figure]
) -> None:
    first, second, last = (line["learning_rate"] for line in growth.arms[1].runs[0].log)
    cosine = f"{first:.3g}, from epoch 2 on {second:.3g}, from epoch 3 on {last:.3g}"
    assert drawn["learning-rates"].alt.endswith(f"net: 0.02; net-cosine: {cosine}.")
    alone = replace(ways, arms=ways.arms[:1])  # one rate throughout
    assert "learning-rates" not in {f.name for f in comparison_page(alone, "x").figures()}


def test_a_runs_page_has_the_epoch_kept_and_its_rates(
    ways: StudyResult, hostile: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_report, "evidence_sections", lambda *_: ())  # half of the page
    constant, patient = (arm.runs[1] for arm in ways.arms)
    pages = {run.recipe.name: Read(report(run, hostile)) for run in (constant, patient)}
    assert f"The weights of epoch {patient.saved_epoch}, the best" in pages["patient"].text
    assert "Dotted: a new phase begins." in pages["patient"].text
    assert "Learning rate by epoch" in pages["patient"].figures()
    assert "Learning rate by epoch" not in pages["net"].figures()
    assert "Dotted" not in pages["net"].text


def test_a_grids_numbers_are_those_of_its_json(
    results: dict[str, AnyResult], pages: dict[str, Read]
) -> None:
    result, page = results["grid"], pages["grid"]
    assert isinstance(result, GridResult)
    *points, winner = kept(result)["arms"]
    best = max(points, key=lambda arm: np.mean(arm["val_accuracy"]))
    assert best is not points[0], "the first would be framed by accident"
    framed = f"best {np.mean(best['val_accuracy']):.2%} at C {best['recipe']['model_args']['C']}"
    assert framed in page.html
    assert (
        re.findall(r"font-weight: 700[^>]*>([\d.]+ %)<", page.html)
        == [f"{100 * np.mean(best['val_accuracy']):.2f} %"] * 2
    )
    rows = page.table("Every point")
    assert len(rows) == len(points) == 6
    for row, arm in zip(rows, points, strict=True):
        args = arm["recipe"]["model_args"]
        assert (row["C"], row["gamma"]) == (str(args["C"]), str(args["gamma"]))
        mean, deviation = np.mean(arm["val_accuracy"]), np.std(arm["val_accuracy"], ddof=1)
        assert row["Accuracy"] == f"{mean:.4f}"
        assert row["Deviation of folds"] == f"{deviation:.4f}"
        assert row["Training, s"] == f"{sum(arm['train_time_s']):.2f}"
        assert f">{100 * mean:.2f} %<" in page.html
        assert f">± {100 * deviation:.2f}<" in page.html
    facts = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page.html))
    assert facts["Test accuracy"] == f"{winner['test_accuracy'][0]:.4f}"
    assert facts["Validation accuracy"] == f"{winner['val_accuracy'][0]:.4f}"
    assert facts["Searched on"] == "100 images, 2 folds"
    assert f"{round(120 * winner['test_accuracy'][0])} of 120 images" in page.html
    report = page.table("Classification report")
    assert [row["Images"] for row in report] == ["30"] * 4 + ["120", "120"]
    recalls = [row["Recall"] for row in report[:4]]
    assert recalls == [f"{a:.3f}" for a in result.run.result["per_class_accuracy"]]


def test_an_embeddings_numbers_are_those_of_its_json(
    results: dict[str, AnyResult], pages: dict[str, Read]
) -> None:
    result, page = results["points"], pages["points"]
    assert isinstance(result, EmbeddingResult)
    rows = page.table("Classes named by the ten nearest neighbours")
    agreement = kept(result)["neighbour_agreement"]
    assert {row["Space"]: row["Correct"] for row in rows} == {
        space: f"{share:.4f}" for space, share in agreement.items()
    }
    assert "t-SNE of 70 training images, perplexity 23." in page.text
    total = sum(kept(result)["explained_variance"])
    assert f"6 for {total:.1%}" in page.html
    assert "70 images as points in two dimensions" in page.html
    facts = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page.html))
    assert facts["Used"] == "the training part alone"
    assert facts["Components fitted on"].startswith("440 images")


def test_summaries_are_the_first_tables(
    results: dict[str, AnyResult], pages: dict[str, Read]
) -> None:
    for name, title in (
        ("costs", "Comparison"),
        ("batches", "Comparison"),
        ("grid", "Every point"),
        ("points", "Classes named by the ten nearest neighbours"),
    ):
        titles, rows = summary_lines(results[name])
        assert [dict(zip(titles, row, strict=True)) for row in rows] == pages[name].table(title)


# Which arms belong together


def made(recipe: Recipe, n_train: int = 440) -> ArmResult:
    run = Run(Path(), recipe, {"n_train": recipe.n_train or n_train}, {}, {})
    return ArmResult(Arm(recipe), (run,))


def names(arms: list[ArmResult]) -> list[str]:
    return [arm.arm.name for arm in arms]


def test_a_series_differs_in_one_number_and_has_three_points() -> None:
    arms = [made(arm.recipe) for arm in BATCHES.arms]
    sizes, rates = series_of(arms)
    assert (rates.setting, rates.values) == ("learning rate", (0.001, 0.02, 0.1))
    assert [arm.arm.name for arm in rates.arms] == ["rate-0.001", "batch-32", "rate-0.1"]
    assert (sizes.setting, sizes.values) == ("batch size", (8, 32, 64))
    assert [arm.arm.name for arm in sizes.arms] == ["batch-8", "batch-32", "batch-64"]
    assert series_of(arms[:2]) == []
    assert standing_apart(arms) == []
    assert names(standing_apart(arms[:2])) == ["batch-64", "batch-8"]


def test_what_differs_in_more_than_a_number_is_no_series() -> None:
    def net(number: int, **changes: Any) -> ArmResult:
        return made(replace(NET, name=f"n{number}", batch_size=8 * number, **changes))

    schedules = [(Phase("momentum", 0.02, 3, schedule),) for schedule in ("cosine", "linear")]
    apart = [net(1), net(2, phases=schedules[0]), net(3, phases=schedules[1])]
    assert series_of(apart) == []
    assert len(series_of([net(1), net(2), net(3), *apart[1:]])) == 1
    assert len(series_of([made(replace(NET, name=f"s{s}", seed=s)) for s in range(3)])) == 0


def test_numbers_inside_arguments_make_a_series_too() -> None:
    dropouts = [
        made(replace(NET, name=f"d{d}", model_args={"hidden_sizes": (8,), "dropout": d}))
        for d in (0.5, 0.0, 0.25)
    ]
    widths = [
        made(replace(NET, name=f"w{w}", model_args={"hidden_sizes": (w,)})) for w in (4, 16, 64)
    ]
    assert [(s.setting, s.values) for s in series_of(dropouts)] == [("dropout", (0, 0.25, 0.5))]
    assert [(s.setting, s.values) for s in series_of(widths)] == [("hidden sizes", (4, 16, 64))]


def test_growing_arms_are_no_series_but_do_not_stand_apart() -> None:
    arms = [made(arm.recipe) for arm in GROWTH.arms]
    assert series_of(arms) == []
    assert names(standing_apart(arms)) == ["net", "net-cosine", "machine"]
    lonely = [made(cut(NET, n)) for n in (100, 200)]
    assert standing_apart(lonely) == lonely  # of no whole that is there


def test_repeats_are_arms_that_got_all_images_anyway() -> None:
    arms = [made(NET), made(cut(NET, 100))]
    asked_for_more = ArmResult(
        Arm(cut(NET, 9999)), (Run(Path(), cut(NET, 9999), {"n_train": 440}, {}, {}),)
    )
    assert repeats(arms) == []
    assert repeats([*arms, asked_for_more]) == [asked_for_more]


@pytest.mark.parametrize("study", ["ladder", "mlp-batch-size", "mlp-vs-svm"])
def test_the_ready_studies_fall_into_parts(study: str) -> None:
    arms = [made(arm.recipe, 49_000) for arm in get_study(study).arms]
    found = {series.setting: len(series.arms) for series in series_of(arms)}
    assert (
        found
        == {
            "ladder": {},
            "mlp-batch-size": {"batch size": 5, "learning rate": 5},
            "mlp-vs-svm": {},
        }[study]
    )
    assert len(standing_apart(arms)) == {"ladder": 7, "mlp-batch-size": 0, "mlp-vs-svm": 3}[study]
