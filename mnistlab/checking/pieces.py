"""What a file offers to be checked, found by names: functions of a role, classes, layers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from mnistlab.checking.naming import plain
from mnistlab.checking.offers import is_estimator, is_torch_class

# Roles and the names that stand for them, in lower case without underscores; the first is the
# name in the course.
ROLE_WORDS = {
    "relu": "relu",
    "relu_derivative": "reluderivative reluprime drelu relugrad relugradient reluderiv "
    "derivativerelu reluder gradrelu relubackward",
    "softmax": "softmax",
    "forward": "forward forwardpass forwardpropagation forwardprop feedforward predictproba "
    "forwardpropagate",
    "loss": "computeloss loss crossentropy crossentropyloss computecost cost "
    "categoricalcrossentropy lossfn lossfunction calculateloss nllloss",
    "backward": "backward backwardpass backwardpropagation backprop backpropagation "
    "backwardprop computegradients gradients backpropagate",
    "update": "update updateparameters updateparams updateweights step sgdstep momentumstep "
    "applygradients sgdmomentum updatewithmomentum sgdupdate momentumupdate gradientstep",
    "train": "train fit trainmodel trainmlp trainnetwork",
    "predict": "predict predictclasses predictlabels",
    "init": "initializeparameters initparams initialize init initialise initializeweights "
    "initweights initialiseparameters initparameters initializeparams makeparams initnetwork "
    "createparameters buildparams",
    "scale": "scale scaledata scaleparts normalize normalise normalizedata normalisedata "
    "preprocess preprocessdata minmaxscale standardize standardise scaleimages scalesplits",
    "init_velocity": "initializevelocity initvelocity initialisevelocity initvelocities "
    "makevelocity initializevelocities",
}
ROLES = {word: role for role, words in ROLE_WORDS.items() for word in words.split()}
LAYER_WORDS = {
    "linear": "linear dense fullyconnected affine linearlayer denselayer fc fullyconnectedlayer "
    "affinelayer",
    "relu": "relu relulayer reluactivation",
    "softmax": "softmax softmaxlayer",
    "loss": "softmaxcrossentropy crossentropy softmaxloss softmaxcrossentropyloss softmaxoutput "
    "crossentropyloss softmaxwithloss softmaxwithcrossentropy",
}
LAYERS = {word: kind for kind, words in LAYER_WORDS.items() for word in words.split()}
OPTIMIZERS = {"sgd", "momentum", "sgdmomentum", "momentumsgd", "optimizer", "momentumoptimizer"}


@dataclass
class Pieces:
    """functions by role, classes of layers by kind, and the classes of whole networks."""

    functions: dict[str, Callable[..., Any]] = field(default_factory=dict)
    layers: dict[str, type] = field(default_factory=dict)
    networks: list[type] = field(default_factory=list)
    optimizers: list[type] = field(default_factory=list)

    @property
    def style(self) -> str:
        """How the code is organised: "class", "layers", "functions", or "" for none of them."""
        if self.networks:
            return "class"
        if "linear" in self.layers:
            return "layers"
        return "functions" if self.functions else ""


def find_pieces(names: Mapping[str, Any], module: str, offered: Container[str] = ()) -> Pieces:
    """All that is defined in the student's module, not what it imports.

    offered: names that another task takes, such as a training loop in PyTorch.
    """
    pieces = Pieces()
    for name, value in names.items():
        if getattr(value, "__module__", None) != module or name in offered:
            continue
        if is_torch_class(value) or is_estimator(value):
            continue
        if inspect.isfunction(value):
            if role := ROLES.get(plain(name)):
                pieces.functions.setdefault(role, value)
        elif inspect.isclass(value):
            _file_class(value, plain(name), pieces)
    return pieces


def _file_class(kind: type, word: str, pieces: Pieces) -> None:
    if word in LAYERS:
        pieces.layers.setdefault(LAYERS[word], kind)
    elif word in OPTIMIZERS:
        pieces.optimizers.append(kind)
    else:
        roles = methods_by_role(kind)
        if "forward" in roles and ("backward" in roles or "train" in roles):
            pieces.networks.append(kind)


def methods_by_role(kind: type | ModuleType | object) -> dict[str, str]:
    """Names of methods by their role, of all classes it inherits from."""
    found: dict[str, str] = {}
    for name in dir(kind):
        role = ROLES.get(plain(name))
        if role and callable(getattr(kind, name, None)):
            found.setdefault(role, name)
    return found


def is_whole(pieces: Pieces) -> bool:
    """Whether there is a network in NumPy, not only single functions."""
    return bool(pieces.networks or pieces.layers) or {"forward", "backward"} <= set(
        pieces.functions
    )
