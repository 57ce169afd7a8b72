"""Pretrained networks: their sizes, what freezing leaves alone, that keeping features is fair."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from mnistlab.classifiers import TorchClassifier
from mnistlab.classifiers.storage import load_classifier, save_classifier
from mnistlab.data import Dataset, large
from mnistlab.errors import RecipeError
from mnistlab.models import build, count_parameters
from mnistlab.models.backbones import BACKBONES
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs import train
from mnistlab.training import features
from mnistlab.training.freezing import groups_of

pytestmark = pytest.mark.slow

FRESH = {"weights": "none"}
# By hand: all of the published network but its last layer, which is features * 1000 + 1000.
BODIES = {
    "mobilenet_v2": (3_504_872 - 1_281_000, 1280),
    "resnet18": (11_689_512 - 513_000, 512),
    "efficientnet_b0": (5_288_548 - 1_281_000, 1280),
    "efficientnet_lite0": (4_652_008 - 1_281_000, 1280),
}
# MobileNetV2's last three blocks: two inverted residuals (expand 160 to 960, 3x3 on each channel,
# project), whose normalisations have two numbers a channel, and the convolution to 1280.
EXPANDED = 160 * 960 + 2 * 960 + 9 * 960 + 2 * 960
LAST_BLOCKS = (160 * (960 + 2) + EXPANDED, 320 * (960 + 2) + EXPANDED, 1280 * (320 + 2))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MNISTLAB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "features"


def network(name: str = "mobilenet_v2", **args: Any) -> Any:
    torch.manual_seed(0)
    return build("transfer", (28, 28), 10, FRESH | {"backbone": name} | args)


@pytest.mark.parametrize("name", BODIES)
def test_parameters_are_those_of_the_published_network_and_a_new_head(name: str) -> None:
    body, n_features = BODIES[name]
    assert BODIES.keys() == BACKBONES.keys()
    with torch.device("meta"):
        assert count_parameters(network(name)) == body + 10 * n_features + 10
        assert count_parameters(network(name, channels="learned")) == body + 10 * n_features + 16


def test_unfreezing_says_which_parameters_train() -> None:
    net, head, learned = network(channels="learned"), 12_810, 6
    for n_blocks in range(4):
        net.unfreeze(n_blocks)
        last = sum(LAST_BLOCKS[len(LAST_BLOCKS) - n_blocks :])
        assert count_parameters(net) == head + learned + last
        listed = [p for block in net.trained_by_block() for p in block]
        assert {id(p) for p in listed} == {id(p) for p in net.parameters() if p.requires_grad}
    net.unfreeze(None)
    assert count_parameters(net) == BODIES["mobilenet_v2"][0] + head + learned
    with pytest.raises(RecipeError, match="at most 19, the blocks of mobilenet_v2"):
        net.unfreeze(20)


@pytest.mark.parametrize("name", [*BODIES, "timm/resnet10t"])
@pytest.mark.parametrize("n_blocks", [0, 2])
def test_what_is_frozen_and_the_rest_make_the_whole(name: str, n_blocks: int) -> None:
    net, images = network(name, input_size=32).eval(), torch.rand(3, 1, 28, 28)
    net.unfreeze(n_blocks)
    parts = net.parts()
    if name.startswith("timm/") and n_blocks:
        assert parts is None  # only its authors know how its blocks are joined
        return
    with torch.no_grad():
        torch.testing.assert_close(parts[1](parts[0](images)), net(images))
    assert not any(p.requires_grad for p in parts[0].parameters())
    assert all(p.requires_grad for p in parts[1].parameters())


def test_nothing_is_kept_where_what_is_in_front_learns() -> None:
    net = network(channels="learned")
    net.unfreeze(0)
    assert net.parts() is None


def test_folding_makes_of_grey_what_three_channels_did() -> None:
    """Away from the border, where padding differs; exactly for a backbone of equal channels."""
    images = torch.rand(2, 1, 64, 64)
    for name, margin in (("efficientnet_lite0", 0), ("mobilenet_v2", 1)):
        three, one = network(name).eval(), network(name, channels="folded").eval()
        with torch.no_grad():
            made = [net._blocks[0](net.prepare(images)) for net in (three, one)]
        inside = slice(margin, made[0].shape[2] - margin)
        torch.testing.assert_close(*(m[:, :, inside, inside] for m in made), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["timm/resnet10t", "timm/tf_mobilenetv3_small_minimal_100"])
def test_folding_a_backbone_of_timm_makes_of_grey_what_repeated_channels_did(name: str) -> None:
    pytest.importorskip("timm")
    images = torch.rand(2, 1, 64, 64)
    three, one = network(name).eval(), network(name, channels="folded").eval()
    convolution = next(m for m in three.backbone.modules() if isinstance(m, nn.Conv2d))
    folded = next(m for m in one.backbone.modules() if isinstance(m, nn.Conv2d))
    with torch.no_grad():
        made = convolution(three.prepare(images)), folded(one.prepare(images))
    inside = (..., slice(2, -2), slice(2, -2))  # padding differs
    torch.testing.assert_close(made[0][inside], made[1][inside], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("resnetv2_50x1_bit", "StdConv2d"),
        ("nf_regnet_b0", "ScaledStdConv2d"),
        ("repvgg_a0", "several"),  # side by side
    ],
)
def test_convolutions_that_do_more_than_to_convolve_are_not_folded(name: str, kind: str) -> None:
    pytest.importorskip("timm")
    with (
        torch.device("meta"),
        pytest.raises(RecipeError, match=f"but this backbone has {kind}; --set .*channels=repeat"),
    ):
        network(f"timm/{name}", channels="folded")


# Per network: a side it takes, and one it does not.
TAKEN = {
    "mobilenetv3_small_050": (28, None),  # its features are wider than its last block
    "lcnet_050": (28, None),
    "efficientvit_b0": (28, None),
    "densenet121": (64, 28),  # nothing would be left of smaller images
    "convnext_atto": (64, 28),
    "resmlp_12_224": (224, 64),  # of one size alone
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_backbone_of_timm_trains_or_is_refused_in_one_line(
    name: str, stripes: Dataset, tmp_path: Path
) -> None:
    pytest.importorskip("timm")
    taken, refused = TAKEN[name]
    phases = (Phase("adam", 1e-3, 1, unfrozen=1),)
    args = FRESH | {"backbone": f"timm/{name}"}
    recipe = Recipe("r", "A15", "transfer", phases, args, batch_size=16, precision="float32")
    if refused is not None:
        small = replace(recipe, model_args=args | {"input_size": refused})
        with pytest.raises(RecipeError, match=f"{name} cannot take images of {refused}x") as caught:
            train(small, stripes, out=tmp_path, threads=1)
        assert "\n" not in str(caught.value)
        assert "--set model_args.input_size=" in str(caught.value)
        assert list(tmp_path.iterdir()) == []
    few = replace(recipe, model_args=args | {"input_size": taken}, n_train=16, n_val=8)
    run = train(few, stripes, out=tmp_path, threads=1)
    assert run.result["epochs"] == 1
    assert run.classifier().predict(stripes.images[:3]).shape == (3,)


def test_trying_a_backbone_draws_no_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    network("resnet18")
    tried = torch.rand(3)
    monkeypatch.setattr(sys.modules["mnistlab.models.transfer"], "_check_takes", lambda *_: None)
    network("resnet18")
    assert torch.equal(torch.rand(3), tried)


def test_a_learned_convolution_starts_as_repeating_does() -> None:
    images = torch.rand(2, 1, 28, 28)
    repeated, learned = (network(channels=c).prepare(images) for c in ("repeat", "learned"))
    torch.testing.assert_close(learned, repeated)


def test_images_are_resized_and_normalised_as_photographs_were() -> None:
    grey = torch.full((1, 1, 28, 28), 0.5)
    prepared = network(input_size=40).prepare(grey)
    assert prepared.shape == (1, 3, 40, 40)
    expected = (0.5 - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225])
    torch.testing.assert_close(prepared.mean((0, 2, 3)), expected)
    with pytest.raises(RecipeError, match="input_size must be 8 to 1024"):
        network(input_size=4)


@pytest.fixture(scope="module")
def stripes() -> Dataset:
    """96 images of 28 x 28 in four classes, told apart by where the light is."""
    random = np.random.default_rng(0)
    labels = np.arange(96) % 4
    images = random.integers(0, 80, (96, 28, 28))
    for image, label in zip(images, labels, strict=True):
        image[7 * label : 7 * label + 7] += 150
    return Dataset("stripes", images.astype(np.uint8), labels, ("a", "b", "c", "d"))


def trained(stripes: Dataset, phases: tuple[Phase, ...], **settings: Any) -> TorchClassifier:
    args = FRESH | {"backbone": "resnet18", "dropout": 0.2} | settings.pop("model_args", {})
    classifier = TorchClassifier(
        "transfer",
        args,
        phases=phases,
        batch_size=16,
        scaling="min-max",
        precision="float32",
        random_state=0,
        **settings,
    )
    return classifier.fit(
        stripes.images[:64], stripes.labels[:64], stripes.images[64:], stripes.labels[64:]
    )


HEAD = Phase("adam", 1e-2, 3, unfrozen=0)
BLOCKS = Phase("momentum", 1e-3, 2, "warm-up", unfrozen=2, block_decay=0.5, clip_norm=1.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("phases", "ema_decay"),
    [
        ((HEAD,), 0.0),
        ((HEAD, BLOCKS), 0.5),
        ((BLOCKS, HEAD), 0.0),
        pytest.param((HEAD,), 0.5, marks=pytest.mark.slow),
        pytest.param((HEAD, BLOCKS), 0.0, marks=pytest.mark.slow),
        pytest.param((BLOCKS, HEAD), 0.5, marks=pytest.mark.slow),
    ],
)
def test_keeping_features_gives_the_numbers_of_the_slow_way(
    stripes: Dataset, phases: tuple[Phase, ...], ema_decay: float
) -> None:
    phases = tuple(replace(phase, ema_decay=ema_decay) for phase in phases)
    kept = trained(stripes, phases)
    slow = trained(stripes, tuple(replace(phase, kept_views=0) for phase in phases))
    for mine, theirs in zip(kept.history_, slow.history_, strict=True):
        for key in ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "learning_rate"):
            assert mine[key] == pytest.approx(theirs[key], rel=2e-3, abs=2e-4), key
    for name, array in slow.arrays().items():
        np.testing.assert_allclose(kept.arrays()[name], array, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("kept_views", [0, 1])
def test_frozen_blocks_keep_their_statistics(stripes: Dataset, kept_views: int) -> None:
    before = trained(stripes, ())
    # The first epoch that is judged by another measure is the best so far.
    after = trained(stripes, (HEAD, replace(BLOCKS, kept_views=kept_views, monitor="loss")))
    names = [name for name in before.arrays() if "running" in name]
    changed = {
        name for name in names if not np.array_equal(before.arrays()[name], after.arrays()[name])
    }
    assert changed == {name for name in names if "layer4." in name}


def test_each_block_has_its_own_rate() -> None:
    net = nn.Sequential(nn.Identity(), network("resnet18"))
    net[1].unfreeze(2)
    groups = groups_of(net, BLOCKS)
    assert [group["lr_scale"] for group in groups] == [1, 0.5, 0.25]
    assert [id(p) for p in groups[1]["params"]] == [
        id(p) for p in net[1].backbone.layer4[1].parameters()
    ]
    with pytest.raises(RecipeError, match="muon has one learning rate for all blocks"):
        Phase("muon", block_decay=0.5)


def test_augmented_views_are_taken_in_turn(
    stripes: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = counted(monkeypatch)
    phase = replace(HEAD, epochs=5, kept_views=2)
    trained(stripes, (phase,), augmentation={"shift": 2})
    assert [len(images) for images in computed] == [64, 64, 32]
    assert not torch.equal(computed[0], computed[1])
    trained(stripes, (phase,), augmentation={"mixup": 0.2})
    assert len(computed) == 3  # labels are mixed anew at every step


def counted(monkeypatch: pytest.MonkeyPatch) -> list[torch.Tensor]:
    computed, compute = [], features._computed

    def counting(
        frozen: nn.Module, X: torch.Tensor, autocast: bool, *reported: Any
    ) -> Iterator[torch.Tensor]:
        if len(X) > 1:  # of one it learns how much room the others will take
            computed.append(X)
        return compute(frozen, X, autocast, *reported)

    monkeypatch.setattr(features, "_computed", counting)
    return computed


def test_features_are_computed_once_and_found_again(
    stripes: Dataset, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    computed = counted(monkeypatch)
    first = trained(stripes, (HEAD,))
    assert len(computed) == len(list(cache.iterdir())) == 2
    again = trained(stripes, (replace(HEAD, learning_rate=1e-3),))
    assert len(computed) == 2
    monkeypatch.setattr(features, "LARGE", 0)  # mapped into memory
    mapped = trained(stripes, (HEAD,))
    assert len(computed) == 2
    for name, array in first.arrays().items():
        assert np.array_equal(mapped.arrays()[name], array)
    assert not np.array_equal(again.arrays()["1.head.1.weight"], first.arrays()["1.head.1.weight"])
    for n, other in enumerate(({"backbone": "mobilenet_v2"}, {"input_size": 30}), start=2):
        trained(stripes, (HEAD,), model_args=other)
        assert len(computed) == 2 * n


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x93NUMPY\x01\x00"])
def test_damaged_features_are_computed_anew(
    stripes: Dataset, monkeypatch: pytest.MonkeyPatch, cache: Path, content: bytes
) -> None:
    first = trained(stripes, (HEAD,))
    for path in cache.iterdir():
        path.write_bytes(content)
    computed = counted(monkeypatch)
    second = trained(stripes, (HEAD,))
    assert len(computed) == 2
    assert np.array_equal(first.arrays()["1.head.1.weight"], second.arrays()["1.head.1.weight"])


def test_a_cache_that_cannot_be_written_costs_time_alone(stripes: Dataset, cache: Path) -> None:
    cache.parent.mkdir()
    cache.write_text("a file where the folder should be")
    without = trained(stripes, (HEAD,))
    cache.unlink()
    kept = trained(stripes, (HEAD,))
    assert len(list(cache.iterdir())) == 2
    for name, array in kept.arrays().items():
        assert np.array_equal(without.arrays()[name], array)


def test_the_cache_forgets_what_was_used_longest_ago(
    stripes: Dataset, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    trained(stripes, (HEAD,))
    old = {path.name for path in cache.iterdir()}
    monkeypatch.setattr(features, "MOST", 64 * 512 * 4 + 32 * 512 * 4 + 1000)
    trained(stripes, (HEAD,), model_args={"input_size": 32})
    assert not old & {path.name for path in cache.iterdir()}
    assert len(list(cache.iterdir())) == 2


def test_features_that_take_too_much_room_are_computed_at_every_step(
    stripes: Dataset, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    kept = trained(stripes, (HEAD,))
    for path in cache.iterdir():
        path.unlink()
    monkeypatch.setattr(features, "MOST", 40 * 512 * 4)  # enough for the validation part alone
    computed = counted(monkeypatch)
    slow = trained(stripes, (HEAD,))
    assert not computed
    assert not list(cache.iterdir())
    assert slow.history_[-1]["val_loss"] == pytest.approx(kept.history_[-1]["val_loss"], rel=2e-3)


def test_in_bfloat16_features_are_kept_so(stripes: Dataset, cache: Path) -> None:
    frozen = nn.Sequential(nn.Flatten(), nn.Linear(784, 5))
    images = torch.rand(20, 1, 28, 28)
    made = features.features_of(frozen, images, autocast=True)
    again = features.features_of(frozen, images, autocast=True)
    assert made.dtype == again.dtype == torch.bfloat16
    assert torch.equal(made, again)
    with torch.no_grad():
        torch.testing.assert_close(made.float(), frozen(images), atol=0.02, rtol=0.02)


def test_features_of_images_in_a_mapped_file_are_those_of_images_in_memory(
    stripes: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y = stripes.images[:60], stripes.labels[:60]

    def fitted(images: np.ndarray) -> TorchClassifier:
        return TorchClassifier(
            "transfer",
            {"backbone": "timm/test_efficientnet", "input_size": 16, **FRESH},
            phases=(Phase("sgd", 0.1, 2, unfrozen=0),),
            validation_fraction=0,
            precision="float32",
            random_state=0,
        ).fit(images, y)

    in_memory = fitted(X).arrays()
    monkeypatch.setattr(large, "LARGE", 1)
    mapped = large.joined(iter([X[:30], X[30:]]))
    assert large.rows_of(mapped) is not None
    for name, array in fitted(mapped).arrays().items():
        np.testing.assert_array_equal(array, in_memory[name])


def test_frozen_blocks_say_how_many_images_they_have_seen(cache: Path) -> None:
    frozen, images = nn.Flatten(), torch.rand(600, 1, 4, 4)
    said: list[tuple[int, int]] = []
    for _ in range(2):  # the second time they are kept and see none
        features.features_of(frozen, images, False, lambda *counts: said.append(counts))
    assert said == [(0, 600), (250, 600), (500, 600), (600, 600)]


def test_a_transferred_network_is_stored_and_restored(stripes: Dataset, tmp_path: Path) -> None:
    classifier = trained(stripes, (HEAD, BLOCKS), model_args={"input_size": 32})
    save_classifier(classifier, tmp_path / "model.safetensors")
    restored = load_classifier(tmp_path / "model.safetensors")
    assert np.array_equal(
        restored.predict_proba(stripes.images), classifier.predict_proba(stripes.images)
    )
    assert restored.n_parameters_ == classifier.n_parameters_
    assert (classifier.predict(stripes.images) == stripes.labels).mean() > 0.9


@pytest.mark.parametrize("phase", [Phase(unfrozen=0), Phase(block_decay=0.5)])
@pytest.mark.parametrize("model", ["cnn", "scratch"])
def test_what_has_no_blocks_freezes_none(model: str, phase: Phase) -> None:
    from mnistlab.runs import classifier_of

    with pytest.raises(RecipeError, match=f"model {model} has no blocks"):
        classifier_of(Recipe("r", "A9", model, (phase,)))


def test_a_copy_is_whole() -> None:
    net = network("resnet18")
    twin = copy.deepcopy(net)
    twin.unfreeze(1)
    assert count_parameters(net) == BODIES["resnet18"][0] + 5130
    assert {id(p) for p in twin.parameters()}.isdisjoint(id(p) for p in net.parameters())
    assert count_parameters(twin) < 6e6
