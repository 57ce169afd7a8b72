"""`log_steps`: the mean loss of every so many steps, by both loops, stopped or not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from mnistlab.data import Dataset
from mnistlab.errors import RunError
from mnistlab.field_paths import set_fields
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.reporting.step_figure import step_figures
from mnistlab.runs import Progress, classifier_of, evaluate, parts_of, train
from mnistlab.runs.logs import STEPS, step_losses

SOFTMAX = Recipe(
    "softmax",
    "E1",
    "mlp",
    (Phase("sgd", 0.05, 2, keep="last"), Phase("sgd", 0.01, 1)),
    {"hidden_sizes": ()},
    scaling="min-max",
    order="file",
    precision="float32",
    log_steps=3,
)
BY_HAND = replace(SOFTMAX, name="by-hand", model="scratch", precision="auto")
N_EPOCHS, N_BATCHES = 3, 7  # 440 images, 64 a batch


class KillError(Exception):
    """In place of a kill, just after a step."""


def stopped_after(n_steps: int) -> Progress:
    left = iter(range(n_steps - 1, -1, -1))

    def on_step() -> None:
        if not next(left):
            raise KillError

    return Progress(on_step=on_step)


def test_it_is_the_running_loss_that_a_plain_torch_loop_prints(
    stripes: Dataset, tmp_path: Path
) -> None:
    part = parts_of(SOFTMAX, stripes).train
    untrained = classifier_of(replace(SOFTMAX, phases=())).fit(part.images, part.labels)
    network, expected = untrained.network_, []
    X, y = torch.from_numpy(part.images)[:, None], torch.from_numpy(part.labels)
    for rate in (0.05, 0.05, 0.01):
        optimizer, running = torch.optim.SGD(network.parameters(), lr=rate), []
        for images, labels in zip(X.split(64), y.split(64), strict=True):
            loss = cross_entropy(network(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            running.append(loss.item())
        expected += [np.mean(running[k : k + 3]) for k in range(0, len(running), 3)]
    lines = step_losses(train(SOFTMAX, stripes, out=tmp_path).path)
    np.testing.assert_allclose([line["loss"] for line in lines], expected, rtol=1e-5)


@pytest.mark.parametrize("recipe", [SOFTMAX, BY_HAND], ids=lambda recipe: recipe.name)
def test_every_step_is_in_one_line(stripes: Dataset, tmp_path: Path, recipe: Recipe) -> None:
    run = train(recipe, stripes, out=tmp_path / "3")
    lines = step_losses(run.path)
    ends = [end + N_BATCHES * epoch for epoch in range(N_EPOCHS) for end in (3, 6, 7)]
    assert [line["step"] for line in lines] == ends
    assert [line["n_steps"] for line in lines] == [3, 3, 1] * N_EPOCHS
    assert [(line["epoch"], line["phase"]) for line in lines[::3]] == [(1, 0), (2, 0), (3, 1)]
    each = step_losses(train(replace(recipe, log_steps=1), stripes, out=tmp_path / "1").path)
    sizes = [64] * (N_BATCHES - 1) + [run.data["n_train"] - 64 * (N_BATCHES - 1)]
    for epoch, log in enumerate(run.log):
        losses = [line["loss"] for line in each[epoch * N_BATCHES : (epoch + 1) * N_BATCHES]]
        assert np.average(losses, weights=sizes) == pytest.approx(log["train_loss"], rel=1e-5)


@pytest.mark.parametrize("recipe", [SOFTMAX, BY_HAND], ids=lambda recipe: recipe.name)
def test_stopped_and_resumed_no_line_is_missing_or_there_twice(
    stripes: Dataset, tmp_path: Path, recipe: Recipe
) -> None:
    recipe = replace(recipe, checkpoint_steps=4)
    whole = train(recipe, stripes, out=tmp_path / "whole")
    for n_steps in (6, 5, 1, 9):  # from checkpoints within a mean, after one, and in a new phase
        with pytest.raises(KillError):
            train(recipe, stripes, out=tmp_path / "out", progress=stopped_after(n_steps))
    run = train(recipe, stripes, out=tmp_path / "out")
    assert (run.path / STEPS).read_bytes() == (whole.path / STEPS).read_bytes()
    assert (run.path / "model.safetensors").read_bytes() == (
        whole.path / "model.safetensors"
    ).read_bytes()


def test_off_it_leaves_no_file_and_on_no_other_numbers(stripes: Dataset, tmp_path: Path) -> None:
    off = replace(SOFTMAX, log_steps=None)
    assert off.content_hash == SOFTMAX.content_hash
    one, other = (train(r, stripes, out=tmp_path / str(r.log_steps)) for r in (off, SOFTMAX))
    assert not (one.path / STEPS).exists()
    assert (one.path / "model.safetensors").read_bytes() == (
        other.path / "model.safetensors"
    ).read_bytes()
    assert step_figures(one) == ()
    assert set_fields(off, {"log_steps": "3"}).log_steps == 3


def test_the_page_shows_it(stripes: Dataset, tmp_path: Path) -> None:
    run = evaluate(train(BY_HAND, stripes, out=tmp_path), stripes)
    lines = step_losses(run.path)
    (figure,) = step_figures(run)
    assert f"over {N_EPOCHS * N_BATCHES} steps in {N_EPOCHS} epochs" in figure.alt
    assert f"{lines[0]['loss']:.4g} nats at first" in figure.alt
    assert "every 3 steps" in figure.caption


@pytest.mark.parametrize("fault", ["twice", "field", "no JSON"])
def test_damage_is_one_line(stripes: Dataset, tmp_path: Path, fault: str) -> None:
    run = train(BY_HAND, stripes, out=tmp_path)
    path = run.path / STEPS
    first, *rest = path.read_text().splitlines()
    begin = {"twice": [first, first], "field": [first.replace("n_steps", "n")], "no JSON": ["{"]}
    path.write_text("\n".join([*begin[fault], *rest]))
    with pytest.raises(RunError, match=r"steps\.jsonl") as caught:
        step_figures(run)
    assert "\n" not in str(caught.value)
