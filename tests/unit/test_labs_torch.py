"""Solutions of chapters 6 to 11 against the functions of scikit-learn, statsmodels and PyTorch."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix as sklearn_confusion
from sklearn.metrics import log_loss, precision_recall_fscore_support
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.proportion import proportion_confint
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.ledger import CHECKOUT

sys.path.insert(0, str(CHECKOUT / "labs"))  # as `python labs/03_mlp_by_hand.py` has it

from solutions import (
    cnn,
    comparison,
    convolution,
    evidence,
    final,
    loop,
    regularisation,
    torch_mlp,
    transfer,
    winner,
)

X = np.random.default_rng(0).normal(size=(12, 20))
Y = np.arange(12) % 5


# Chapters 6 to 9


def test_torch_networks_have_the_published_sizes() -> None:
    sizes = {
        torch_mlp.MLP: ((1, 28, 28), 79_510),
        cnn.SmallCNN: ((1, 28, 28), 20_490),
        cnn.SimpleCNN: ((1, 28, 28), 421_642),
        final.FinalModel: ((1, 32, 32), 4_798_986),
    }
    for make, (shape, n_parameters) in sizes.items():
        network = make()
        assert sum(each.numel() for each in network.parameters()) == n_parameters
        assert network.eval()(torch.zeros(2, *shape)).shape == (2, 10)


def test_the_loss_of_double_softmax_is_torchs() -> None:
    perfect = torch.zeros(1, 10)
    perfect[0, 3] = 1
    loss = functional.cross_entropy(perfect, torch.tensor([3])).item()
    assert torch_mlp.smallest_loss_of_double_softmax() == pytest.approx(loss, abs=1e-6)


def batches(n: int = 30, size: int = 8) -> DataLoader:
    torch.manual_seed(1)
    part = TensorDataset(torch.randn(n, 1, 28, 28), torch.arange(n) % 10)
    return DataLoader(part, batch_size=size)


def lower(optimizer: torch.optim.Optimizer, seen: list[float], loss: float) -> None:
    """What a scheduler does at each call."""
    seen.append(loss)
    optimizer.param_groups[0]["lr"] /= 10


def test_the_loop_trains_and_measures() -> None:
    """Its numbers are those of scikit-learn on the trained network; dropout is off for them."""
    torch.manual_seed(0)
    model, loader = cnn.SimpleCNN(), batches()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    seen: list[float] = []
    scheduler = SimpleNamespace(step=lambda loss: lower(optimizer, seen, loss))
    history = loop.train_model(
        model, loader, loader, nn.CrossEntropyLoss(), optimizer, 3, scheduler
    )
    assert {len(values) for values in history.values()} == {3}
    assert history["train_loss"][-1] < history["train_loss"][0]
    assert history["learning_rate"] == pytest.approx([1e-3, 1e-4, 1e-5])
    assert history["val_loss"] == seen
    images, labels = loader.dataset.tensors
    with torch.no_grad():
        scores = model.eval()(images)
    loss = log_loss(labels, scores.double().softmax(1), labels=range(10))
    assert history["val_loss"][-1] == pytest.approx(loss, rel=1e-4)
    assert history["val_accuracy"][-1] == (scores.argmax(1) == labels).double().mean()


def test_optimizers_are_compared_from_the_same_weights() -> None:
    first_losses = []
    made = []

    def make_model() -> nn.Module:
        made.append(cnn.SmallCNN())
        first_losses.append(functional.cross_entropy(made[-1](images), labels).item())
        return made[-1]

    loader = batches(16)
    images, labels = loader.dataset.tensors
    histories = comparison.compare_optimizers(make_model, loader, loader, 1)
    assert list(histories) == ["SGD", "momentum", "RMSprop", "Adam", "AdamW"]
    assert len(set(first_losses)) == 1
    assert len({history["val_loss"][0] for history in histories.values()}) > 3


def test_a_convolution_is_torchs() -> None:
    image, kernel = X, X[:3, :2]
    theirs = functional.conv2d(torch.tensor(image)[None, None], torch.tensor(kernel)[None, None])
    np.testing.assert_allclose(convolution.convolve(image, kernel), theirs[0, 0])


def test_dropout_keeps_the_mean() -> None:
    dropped = regularisation.dropout(np.ones((300, 300)), 0.3, np.random.default_rng(0))
    np.testing.assert_allclose(np.unique(dropped), [0, 1 / 0.7])
    assert dropped.mean() == pytest.approx(1, abs=0.02)


def test_shifted_images_are_rolled_ones() -> None:
    images = np.zeros((40, 9, 9))
    images[:, 3:6, 3:6] = np.arange(1, 10).reshape(3, 3)  # never pushed outside by two pixels
    shifted = regularisation.random_shift(images, 2, np.random.default_rng(0))
    moves = set()
    for image in shifted:
        down, right = np.argwhere(image)[0] - 3
        np.testing.assert_array_equal(image, np.roll(images[0], (down, right), (0, 1)))
        moves.add((down, right))
    assert {abs(int(d)) for d, _ in moves} == {abs(int(r)) for _, r in moves} == {0, 1, 2}


def test_early_stopping_keeps_the_best_weights() -> None:
    model, stopping = nn.Linear(1, 1), regularisation.EarlyStopping(patience=2)
    for value, stops in ((0.5, False), (0.7, False), (0.7, False), (0.6, True)):
        assert stopping.should_stop(value, model) is stops
        with torch.no_grad():
            model.weight.fill_(value) if value == 0.5 else model.weight.add_(1)
    stopping.restore(model)
    assert model.weight.item() == 0.5


@pytest.fixture(scope="module")
def transferred() -> tuple[transfer.TransferLearningModel, dict[str, Tensor]]:
    torch.manual_seed(0)
    model = transfer.TransferLearningModel(pretrained=False)
    model.unfreeze_layers(3)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    trained = [each for each in model.parameters() if each.requires_grad]
    loop.train_model(
        model, batches(), batches(8), nn.CrossEntropyLoss(), torch.optim.Adam(trained, 0.01), 1
    )
    return model, before


def test_frozen_blocks_stay_as_they_are(
    transferred: tuple[transfer.TransferLearningModel, dict[str, Tensor]],
) -> None:
    """Weights, and the statistics of batch normalisation too."""
    model, before = transferred
    after = model.state_dict()
    changed = {name for name, value in before.items() if not torch.equal(value, after[name])}
    blocks = {int(name.split(".")[1]) for name in changed if name.startswith("features")}
    assert blocks == {16, 17, 18}
    assert any("running_mean" in name for name in changed)
    assert {"head.weight", "to_three_channels.weight"} <= changed


def test_only_new_layers_train_at_first() -> None:
    model = transfer.TransferLearningModel(pretrained=False)
    trained = [name for name, each in model.named_parameters() if each.requires_grad]
    assert {name.split(".")[0] for name in trained} == {"to_three_channels", "head"}
    assert not any(module.training for module in model.train().features.modules())


# Chapters 10 and 11


@pytest.mark.parametrize(("n_correct", "n"), [(0, 9), (10, 10), (84, 100), (8401, 10_000)])
def test_wilsons_interval_is_statsmodels(n_correct: int, n: int) -> None:
    expected = proportion_confint(n_correct, n, method="wilson")
    np.testing.assert_allclose(evidence.wilson_interval(n_correct, n), expected, atol=1e-6)


def test_mcnemars_test_is_statsmodels() -> None:
    rng = np.random.default_rng(0)
    for accuracy in (0.5, 0.7, 0.9):
        a, b = rng.random(200) < accuracy, rng.random(200) < 0.7
        table = [[(a & b).sum(), (a & ~b).sum()], [(~a & b).sum(), (~a & ~b).sum()]]
        expected = statsmodels_mcnemar(table, exact=True).pvalue
        assert evidence.mcnemar(a, b) == pytest.approx(expected)
    assert evidence.mcnemar(a, a) == 1


def test_metrics_per_class_are_scikit_learns() -> None:
    predicted = np.array([0, 1, 1, 3, 0, 0, 1, 2, 3, 3, 0, 2])  # class 4 is never predicted
    counts = evidence.confusion_matrix(Y, predicted, 5)
    np.testing.assert_array_equal(counts, sklearn_confusion(Y, predicted))
    expected = precision_recall_fscore_support(Y, predicted, zero_division=0)[:3]
    np.testing.assert_allclose(evidence.precision_recall_f1(counts), expected)


def test_results_are_a_table(tmp_path: Path) -> None:
    winner.write_results(tmp_path / "results.csv", [3, 4], [7, 9])
    rows = list(csv.reader((tmp_path / "results.csv").read_text().splitlines()))
    assert rows == [["ID", "label"], ["3", "7"], ["4", "9"]]


def test_saliency_is_the_slope_of_the_highest_score() -> None:
    torch.manual_seed(0)
    model, image = torch_mlp.MLP().double(), torch.rand(1, 28, 28, dtype=torch.float64)
    found = winner.saliency(model, image)
    label = model(image[None]).argmax().item()
    for row, column in ((3, 5), (20, 14)):
        nudge = torch.zeros_like(image)
        nudge[0, row, column] = 1e-6
        slope = (model((image + nudge)[None]) - model((image - nudge)[None]))[0, label] / 2e-6
        assert found[row, column].item() == pytest.approx(abs(slope.item()), rel=1e-4)
    assert not image.requires_grad
