from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from sklearn.metrics import f1_score, recall_score
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from mnistlab.errors import RecipeError, TrainingError
from mnistlab.phases import OPTIMIZERS, SCHEDULES, Callbacks, Phase
from mnistlab.phases.optimizers import Maker
from mnistlab.training import hardware
from mnistlab.training.loop import Examples, Settings, batch_sizes, copy_of_weights, train
from mnistlab.training.measuring import measure, predict_logits
from mnistlab.training.optimizers import build_optimizer


def blobs(n: int, seed: int) -> Examples:
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 3
    X = torch.randn(n, 1, 2, 2, generator=generator)
    X[torch.arange(n), 0, y // 2, y % 2] += 3
    return Examples(X, y)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_stay_within_the_rate_and_start_where_they_should(name: str) -> None:
    values = [SCHEDULES[name](t / 100, []) for t in range(100)]
    assert all(0 <= value <= 1 for value in values)
    assert max(values) == pytest.approx(1)
    if name in ("constant", "warm-up", "plateau"):  # the last falls with the losses alone
        assert values[-1] == 1
    else:
        assert values[-1] < 0.02


def test_one_cycle_is_continuous_at_its_top() -> None:
    for name in ("one-cycle", "linear", "warm-up"):
        schedule = SCHEDULES[name]
        assert schedule(0.2 - 1e-9, []) == pytest.approx(schedule(0.2 + 1e-9, []), abs=1e-6)
        assert schedule(0.0, []) == 0.0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("optimizer", "sdg"),
        ("schedule", "cosin"),
        ("learning_rate", 0.0),
        ("learning_rate", math.nan),
        ("weight_decay", -1.0),
        ("weight_decay", math.inf),
        ("epochs", 0),
        ("patience", 0),
        ("monitor", "val_loss"),
        ("min_improvement", -1e-9),
        ("min_improvement", math.nan),
        ("label_smoothing", 1.0),
        ("label_smoothing", -0.1),
        ("label_smoothing", math.nan),
        ("ema_decay", 1.0),
        ("ema_decay", -0.1),
        ("clip_norm", 0.0),
        ("clip_norm", math.inf),
        ("clip_norm", math.nan),
    ],
)
def test_impossible_phases_are_refused(field: str, value: object) -> None:
    with pytest.raises(RecipeError, match=field):
        Phase(**{field: value})


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_learns(optimizer: str) -> None:
    rate = {"muon": 0.05}.get(optimizer, 0.02 if "adam" in optimizer else 0.1)
    history = train(
        network(), blobs(96, 0), blobs(30, 1), [Phase(optimizer, rate, 8)], Settings(16, 0)
    )
    assert history[-1].val_accuracy > 0.9
    assert history[-1].train_loss < history[0].train_loss / 2


def test_steps_follow_the_plain_loop() -> None:
    """Two epochs of SGD written out by hand give the same weights."""
    examples, ours, theirs = blobs(40, 0), network(), network()
    train(ours, examples, None, [Phase("sgd", 0.1, 2, "cosine")], Settings(16, 7))
    shuffler, step = torch.Generator().manual_seed(7), 0
    weights, best = None, math.inf
    for _ in range(2):
        order, loss_sum = torch.randperm(40, generator=shuffler), 0.0
        for start in (0, 16, 32):
            batch = order[start : start + 16]
            loss = nn.functional.cross_entropy(theirs(examples.X[batch]), examples.y[batch])
            theirs.zero_grad()
            loss.backward()
            rate = 0.1 * (1 + math.cos(math.pi * step / 6)) / 2
            with torch.no_grad():
                for p in theirs.parameters():
                    p -= rate * p.grad
            loss_sum, step = loss_sum + loss.item() * len(batch), step + 1
        if loss_sum < best:
            best, weights = loss_sum, [p.detach().clone() for p in theirs.parameters()]
    for a, b in zip(ours.parameters(), weights, strict=True):
        torch.testing.assert_close(a.detach(), b)


def test_best_weights_are_given_back() -> None:
    """A second phase that ruins the network does not cost what the first has reached."""
    net, validation = network(), blobs(60, 1)
    phases = [Phase("sgd", 0.1, 5), Phase("sgd", 30.0, 3)]
    history = train(net, blobs(96, 0), validation, phases, Settings(16, 0))
    assert max(epoch.val_accuracy for epoch in history if epoch.phase == 1) < 0.9
    kept = (net(validation.X).argmax(1) == validation.y).float().mean().item()
    assert kept == pytest.approx(max(epoch.val_accuracy for epoch in history))


def test_each_phase_starts_from_the_best_weights_so_far() -> None:
    """A phase too slow to change anything shows the accuracy it started from."""
    phases = [Phase("sgd", 0.1, 5), Phase("sgd", 30.0, 3), Phase("sgd", 1e-12, 1)]
    history = train(network(), blobs(96, 0), blobs(60, 1), phases, Settings(16, 0))
    assert history[-1].val_accuracy == max(epoch.val_accuracy for epoch in history)


def test_phases_go_on_from_the_best_weights_and_count_epochs_through() -> None:
    history = train(
        network(),
        blobs(96, 0),
        blobs(30, 1),
        [Phase("sgd", 0.1, 2), Phase("adam", 0.01, 3)],
        Settings(32, 0),
    )
    assert [(e.phase, e.epoch) for e in history] == [(0, 1), (0, 2), (1, 3), (1, 4), (1, 5)]


def test_no_phase_leaves_the_network_alone() -> None:
    net, untouched = network(), network()
    assert train(net, blobs(9, 0), None, [], Settings(4, 0)) == []
    assert all(
        torch.equal(a, b) for a, b in zip(net.parameters(), untouched.parameters(), strict=True)
    )


def test_a_loss_that_is_not_finite_stops_and_is_reported() -> None:
    seen = []
    with pytest.raises(TrainingError, match=r"no longer finite in epoch \d.*learning_rate"):
        train(
            network(),
            blobs(96, 0),
            blobs(30, 1),
            [Phase("sgd", 1e30, 9)],
            Settings(16, 0),
            callbacks=Callbacks(on_epoch=seen.append),
        )
    assert not math.isfinite(seen[-1].train_loss)
    assert len(seen) < 9


def test_every_step_is_reported() -> None:
    steps = []
    train(
        network(),
        blobs(33, 0),
        None,
        [Phase(epochs=2)],
        Settings(16, 0),
        callbacks=Callbacks(on_step=lambda: steps.append(1)),
    )
    assert len(steps) == 2 * 3


def test_autocast_trains_too() -> None:
    history = train(
        network(),
        blobs(96, 0),
        blobs(30, 1),
        [Phase("adam", 0.02, 8)],
        Settings(16, 0, autocast=True),
    )
    assert history[-1].val_accuracy > 0.9


def test_devices_and_precisions() -> None:
    cpu = torch.device("cpu")
    assert hardware.pick_device("cpu") == cpu
    assert hardware.pick_device("auto").type in {"cpu", "cuda", "mps"}
    assert hardware.pick_precision("float32", cpu) == "float32"
    automatic = hardware.pick_precision("auto", cpu)
    assert automatic == ("bfloat16" if hardware.has_bfloat16(cpu) else "float32")
    with pytest.raises(RecipeError, match="unknown device 'tpu'"):
        hardware.pick_device("tpu")
    with pytest.raises(RecipeError, match="unknown precision 'half'"):
        hardware.pick_precision("half", cpu)
    if not torch.cuda.is_available():
        with pytest.raises(RecipeError, match="'cuda' asked for"):
            hardware.pick_device("cuda")


@pytest.mark.parametrize("variable", ["ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"])
@pytest.mark.parametrize(
    ("allowed", "native"),
    [("AVX2", False), ("avx512_core", False), ("AVX512_CORE_BF16", True), ("ALL", True)],
)
def test_bfloat16_that_onednn_may_not_use_is_not_chosen(
    variable: str, allowed: str, native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    monkeypatch.setenv(variable, allowed)
    wanted = "bfloat16" if native else "float32"
    assert hardware.pick_precision("auto", torch.device("cpu")) == wanted


def test_random_state_and_threads_are_given_back() -> None:
    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    with hardware.seeded(3, torch.device("cpu")), hardware.n_threads(1):
        torch.randn(5)
        assert torch.get_num_threads() == 1
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.get_num_threads() == threads


def test_patience_ends_a_phase_and_the_next_begins() -> None:
    """At a rate too small to change anything the first epoch is the best one."""
    phases = [Phase("sgd", 1e-12, 9, patience=2), Phase("sgd", 1e-12, 2)]
    history = train(network(), blobs(96, 0), blobs(60, 1), phases, Settings(16, 0))
    assert [epoch.phase for epoch in history] == [0, 0, 0, 1, 1]


def test_an_optimizer_named_is_one_a_phase_can_have(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = nn.Linear(3, 2)
    with pytest.raises(RecipeError, match="unknown optimizer 'nadam'"):
        Phase("nadam")
    monkeypatch.setitem(OPTIMIZERS, "nadam", Maker("torch.optim.NAdam", {"momentum_decay": 0.01}))
    phase = Phase("nadam", weight_decay=0.5)
    optimizer = build_optimizer(phase.optimizer, layer.parameters(), 0.25, phase.weight_decay)
    assert isinstance(optimizer, torch.optim.NAdam)
    (group,) = optimizer.param_groups
    assert (group["lr"], group["weight_decay"], group["momentum_decay"]) == (0.25, 0.5, 0.01)
    assert group["params"] == list(layer.parameters())


def normalised() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Flatten(), nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)
    )


def test_label_smoothing_clipping_and_averages_follow_the_plain_loop() -> None:
    """Two epochs written out by hand with torch's own parts; batch normalisation is averaged."""
    examples, validation, ours, theirs = blobs(40, 0), blobs(60, 1), normalised(), normalised()
    phase = Phase("sgd", 0.5, 2, label_smoothing=0.1, clip_norm=0.4, ema_decay=0.8)
    history = train(ours, examples, validation, [phase], Settings(16, 7))
    shuffler = torch.Generator().manual_seed(7)
    optimizer = torch.optim.SGD(theirs.parameters(), 0.5, fused=True)
    average = AveragedModel(theirs, multi_avg_fn=get_ema_multi_avg_fn(0.8), use_buffers=True)
    epochs, norms = [], []
    for _ in range(2):
        theirs.train()
        for batch in torch.randperm(40, generator=shuffler).split(16):
            optimizer.zero_grad()
            logits = theirs(examples.X[batch])
            nn.functional.cross_entropy(logits, examples.y[batch], label_smoothing=0.1).backward()
            norms.append(nn.utils.clip_grad_norm_(theirs.parameters(), 0.4).item())
            optimizer.step()
            average.update_parameters(theirs)
        epochs.append((*measure(average.module, validation)[:2], copy_of_weights(average.module)))
    assert [(e.val_loss, e.val_accuracy) for e in history] == [epoch[:2] for epoch in epochs]
    assert max(norms) > 0.4
    _, _, weights = max(epochs, key=lambda epoch: epoch[1])
    for name, values in ours.state_dict().items():
        torch.testing.assert_close(values, weights[name], rtol=0, atol=0)


def test_the_weights_given_back_are_the_averaged_ones() -> None:
    """At a rate that throws the weights about, they and their average are far apart."""
    examples, validation = blobs(96, 0), blobs(60, 1)
    net = normalised()
    seen: list[dict[str, torch.Tensor]] = []
    history = train(
        net,
        examples,
        validation,
        [Phase("sgd", 3.0, 6, ema_decay=0.95, monitor="loss")],
        Settings(8, 0),
        callbacks=Callbacks(on_epoch=lambda epoch: seen.append(copy_of_weights(net))),
    )
    best = min(history, key=lambda epoch: epoch.val_loss)
    assert measure(net, validation)[:2] == (best.val_loss, best.val_accuracy)
    raw = normalised()
    raw.load_state_dict(seen[best.epoch - 1])
    assert abs(measure(raw, validation)[0] - best.val_loss) > 0.05
    assert not torch.equal(raw[2].running_var, net[2].running_var)


def test_an_average_of_the_best_starts_the_next_phase() -> None:
    phases = [Phase("sgd", 0.5, 4, ema_decay=0.9), Phase("sgd", 1e-12, 1)]
    net, validation = network(), blobs(60, 1)
    history = train(net, blobs(96, 0), validation, phases, Settings(16, 0))
    best = max(history[:4], key=lambda epoch: epoch.val_accuracy)
    assert history[4].val_loss == pytest.approx(best.val_loss, abs=1e-6)


def test_a_plateau_lowers_the_rate_by_the_losses_on_validation() -> None:
    """Nothing changes, so the fifth epoch is the fourth in a row without a gain."""
    for validation in (blobs(60, 1), None):
        phases = [Phase("sgd", 1e-9, 10, "plateau"), Phase("sgd", 1e-9, 1, "plateau")]
        history = train(network(), blobs(96, 0), validation, phases, Settings(16, 0))
        rates = [epoch.learning_rate for epoch in history]
        assert rates == pytest.approx([1e-9] * 5 + [1e-10] * 4 + [1e-11] + [1e-9], rel=1e-9)


def test_the_monitored_loss_decides_which_weights_are_kept() -> None:
    net, validation = network(), blobs(60, 1)
    phases = [Phase("sgd", 0.5, 12, monitor="loss")]
    history = train(net, blobs(96, 0), validation, phases, Settings(16, 0))
    lowest = min(history, key=lambda epoch: epoch.val_loss)
    assert measure(net, validation)[:2] == (lowest.val_loss, lowest.val_accuracy)
    highest = max(history, key=lambda epoch: epoch.val_accuracy)
    assert lowest.epoch != highest.epoch


def test_what_counts_all_classes_alike_is_scikit_learns_and_chosen_by() -> None:
    examples, validation = blobs(96, 0), blobs(60, 1)
    rare = Examples(validation.X[:45], torch.where(validation.y[:45] == 1, 0, validation.y[:45]))
    for monitor in ("balanced_accuracy", "macro_f1"):  # class 1 does not occur, and is predicted
        net = network()
        history = train(
            net, examples, rare, [Phase("sgd", 0.5, 8, monitor=monitor)], Settings(16, 0)
        )
        best = max(history, key=lambda epoch: getattr(epoch, f"val_{monitor}"))
        y, predicted = rare.y.numpy(), predict_logits(net, rare.X).argmax(1).numpy()
        recall = recall_score(y, predicted, labels=[0, 2], average="macro")
        f1 = f1_score(y, predicted, labels=[0, 2], average="macro")
        assert (predicted == 1).any()
        assert best.val_balanced_accuracy == pytest.approx(recall, abs=1e-12)
        assert best.val_macro_f1 == pytest.approx(f1, abs=1e-12)
        assert best.val_accuracy == pytest.approx((y == predicted).mean(), abs=1e-12)


def test_a_batch_larger_than_the_set_is_the_set() -> None:
    histories = [
        train(network(), blobs(30, 0), None, [Phase("sgd", 0.1, 4)], Settings(size, 0))
        for size in (30, 1_000_000)
    ]
    for some, other in zip(*histories, strict=True):
        assert replace(some, time_s=0) == replace(other, time_s=0)


@pytest.mark.parametrize(
    ("n", "batch_size", "plain", "normalised"),
    [
        (7, 3, [3, 3, 1], [3, 4]),
        (8, 3, [3, 3, 2], [3, 3, 2]),
        (6, 3, [3, 3], [3, 3]),
        (2, 5, [2], [2]),
        (1, 5, [1], [1]),
        (3, 1, [1] * 3, [1] * 3),
    ],
)
def test_an_image_left_alone_joins_the_batch_before(
    n: int, batch_size: int, plain: list[int], normalised: list[int]
) -> None:
    assert batch_sizes(network(), n, batch_size) == plain
    assert batch_sizes(nn.Sequential(nn.BatchNorm1d(4)), n, batch_size) == normalised


def test_batch_normalisation_survives_an_image_left_alone() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 3))
    history = train(net, blobs(33, 0), blobs(9, 1), [Phase(epochs=1)], Settings(16, 0))
    assert math.isfinite(history[0].train_loss)
