from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from quick_figures import without_png

from mnistlab.data import Dataset
from mnistlab.evaluation import one_against_rest, reliability
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.reporting.evidence import evidence_sections
from mnistlab.reporting.figures.growth import severity_curves
from mnistlab.reporting.figures.probabilities import reliability_diagram, roc_curves
from mnistlab.reporting.page import Section, cell_text
from mnistlab.runs import Run, evaluate, measure_robustness, read_evaluation, train

pytestmark = pytest.mark.drawn

NET = Recipe("net", "A4", "scratch", (Phase("momentum", 0.02, 3),), scaling="min-max")
MACHINE = Recipe("machine", "A6", "svm", (), scaling="min-max")
WORDS = {"caption": "c", "command": "mnistlab evaluate x"}


@pytest.fixture(scope="module", autouse=True)
def no_png() -> Iterator[None]:
    with without_png():
        yield


@pytest.fixture(scope="module")
def evaluated(stripes: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A network with all its evidence."""
    run = evaluate(train(NET, stripes, out=tmp_path_factory.mktemp("net")), stripes)
    return measure_robustness(run, stripes)


@pytest.fixture(scope="module")
def evidence(evaluated: Run, stripes: Dataset) -> dict[str, Section]:
    sections = evidence_sections(read_evaluation(evaluated, stripes))
    return {section.title: section for section in sections}


def sections_of(recipe: Recipe, dataset: Dataset, out: Path) -> dict[str, Section]:
    run = evaluate(train(recipe, dataset, out=out), dataset)
    sections = evidence_sections(read_evaluation(run, dataset))
    return {section.title: section for section in sections}


def test_a_network_shows_all_its_evidence(evaluated: Run, evidence: dict[str, Section]) -> None:
    run, sections = evaluated, evidence
    assert list(sections) == [
        "Metrics",
        "By class",
        "Probabilities",
        "Mistakes",
        "Predictions",
        "Robustness",
    ]
    (table,) = sections["Metrics"].tables
    told = {str(row[0]): cell_text(row[1], table.columns[1]) for row in table.rows}
    assert told["Accuracy"].startswith(f"{run.result['test_accuracy']:.4f} (")
    assert told["Log loss"] == f"{run.result['log_loss']:.4f}"
    assert told["Temperature"] == f"{run.result['temperature']:.4f}"
    assert f"{100 * run.result['mean_corruption_error']:.2f} %" in sections["Robustness"].text
    by_name = {figure.name for section in sections.values() for figure in section.figures}
    assert by_name >= {"roc", "reliability", "predictions-by-class", "corruptions", "severities"}
    assert told["Memory"].endswith(" MB")


def test_what_has_no_probabilities_shows_none(stripes: Dataset, tmp_path: Path) -> None:
    sections = sections_of(MACHINE, stripes, tmp_path)
    assert "Probabilities" not in sections
    titles = [row[0] for row in sections["Metrics"].tables[0].rows]
    assert "Log loss" not in titles
    assert "F1" in titles


def test_mistakes_are_named_and_their_absence_is_said(
    evidence: dict[str, Section], stripes: Dataset, tmp_path: Path
) -> None:
    perfect = evidence["Mistakes"]
    assert perfect.text == "There are none."
    assert not perfect.figures
    untrained = replace(NET, phases=())
    blind = sections_of(untrained, stripes, tmp_path)["Mistakes"]
    (table,) = blind.tables
    counts = [row[2] for row in table.rows]
    assert counts == sorted(counts, reverse=True)
    assert blind.figures[0].name == "mistakes"


def test_runs_evaluated_long_ago_still_have_a_page(evaluated: Run, stripes: Dataset) -> None:
    run = evaluated
    kept = ("test_accuracy", "test_accuracy_ci", "n_test", "per_class_accuracy", "n_parameters")
    old = Run(run.path, run.recipe, run.data, run.env, {key: run.result[key] for key in kept})
    sections = evidence_sections(read_evaluation(old, stripes))
    assert [row[0] for row in sections[0].tables[0].rows] == ["Accuracy"]


def test_of_many_classes_the_hardest_curves_are_drawn() -> None:
    random = np.random.default_rng(0)
    labels = np.arange(300) % 30
    p = random.dirichlet(np.ones(30), 300)
    p[np.arange(300), labels] += np.linspace(0, 1, 30)[labels]  # the later the easier
    p /= p.sum(1, keepdims=True)
    curves = one_against_rest(labels, p)
    names = [f"class {k}" for k in range(30)]
    figure = roc_curves(names, curves, **WORDS)
    drawn = [name for name in names if f"{name} 0." in figure.svg or f"{name} 1." in figure.svg]
    order = sorted(names, key=lambda name: curves[names.index(name)].area)
    assert sorted(drawn) == sorted(order[:12])
    assert order[0] in figure.alt


def test_curves_that_cannot_be_drawn_are_refused() -> None:
    with pytest.raises(ValueError, match="2 curves for 3 classes"):
        roc_curves(["a", "b", "c"], [None, None], **WORDS)
    with pytest.raises(ValueError, match="2 curves for 2 classes"):
        roc_curves(["a", "b"], [None, None], **WORDS)
    with pytest.raises(ValueError, match="nothing to show"):
        reliability_diagram({}, **WORDS)


def test_a_diagram_of_reliability_says_how_far_off_it_is() -> None:
    p = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.55, 0.45]])
    found = reliability(np.array([0, 1, 1, 0]), p)
    figure = reliability_diagram({"as it is": found}, **WORDS)
    assert f"calibration error {found.ece:.4f}" in figure.alt
    assert figure.svg.count("<svg") == figure.narrow_svg.count("<svg") == 1


def test_accuracy_by_severity_tells_where_it_ends() -> None:
    families = {"noise": np.array([[0.9, 0.5], [0.7, 0.3]]), "edges": np.array([[0.2, 0.1]])}
    figure = severity_curves(0.95, families, **WORDS)
    assert "95.0 % on images as they are" in figure.alt
    assert "40.0 % under noise, 10.0 % under edges, 30.0 % on average" in figure.alt


@pytest.mark.parametrize(
    "families",
    [
        {},
        {"noise": np.array([0.5, 0.5])},
        {"noise": np.empty((0, 5))},
        {"noise": np.full((1, 5), 0.5), "edges": np.full((1, 4), 0.5)},
        {"noise": np.full((1, 5), np.nan)},
        {"noise": np.full((1, 5), 50.0)},
    ],
)
def test_severities_that_cannot_be_drawn_are_refused(families: dict[str, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="figure "):
        severity_curves(0.9, families, **WORDS)
