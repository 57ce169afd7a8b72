"""Every kind of classifier as one torch module: uint8 images in, class probabilities out.

Preprocessing, all views of test-time augmentation and the fitted temperature are inside, so that
whoever runs the exported file can forget none of them. Networks written by hand and support vector
machines become modules of the same numbers here, and one exporter serves all three.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mnistlab import scratch
from mnistlab.classifiers import ScratchClassifier, SVMClassifier, TorchClassifier
from mnistlab.classifiers.inputs import margins
from mnistlab.classifiers.methods import Classifier
from mnistlab.errors import RunError
from mnistlab.evaluation.neighbours import N_NEAREST, Reference
from mnistlab.exporting.machine_module import CalibratedMachine
from mnistlab.models.last_layer import parts_of
from mnistlab.models.scaling import Scaling
from mnistlab.scratch import activations, convolution, linear, regularisation, shaping
from mnistlab.training.fixed_views import views_of


class Exported(nn.Module):
    """Images uint8 (N, H, W) to probabilities float32 (N, K), sharpened by the temperature.

    network: images float32 (N, 1, H, W) to logits. views: of each image, the first of them as it
    is; the probabilities are the mean over them. padding: left, right, top, bottom, of 0.
    reference: with it, a second output float32 (N,) is the distance to the nearest training images.
    """

    def __init__(
        self,
        network: nn.Module,
        temperature: float = 1.0,
        views: Sequence[Callable[[Tensor], Tensor]] = (lambda X: X,),
        padding: Sequence[int] = (0, 0, 0, 0),
        reference: Reference | None = None,
    ) -> None:
        super().__init__()
        parts = parts_of(network)
        self.before, self.after, self.are_pixels = parts.before, parts.after, parts.are_pixels
        self.temperature = temperature
        self.views, self.padding = views, list(padding)
        self.distance = None if reference is None else Distance(reference)

    @property
    def network(self) -> nn.Sequential:
        """All layers in a row."""
        return nn.Sequential(*self.before, *self.after)

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Probabilities (N, K), and with a reference distances (N,)."""
        X = images.unsqueeze(1).float()
        if any(self.padding):
            X = nn.functional.pad(X, self.padding)
        features = self.before(X)
        p = self._probabilities(X, self.after(features))
        if self.distance is None:
            return p
        rows = images.float() if self.are_pixels else features
        return p, self.distance(rows.flatten(1))

    def _probabilities(self, X: Tensor, logits: Tensor) -> Tensor:
        if len(self.views) == 1:  # of logits, so that no probability is lost to rounding before
            return (logits / self.temperature).softmax(1)
        others = [self.after(self.before(view(X))) for view in self.views[1:]]
        by_view = [of_view.softmax(1) for of_view in (logits, *others)]
        mean = torch.stack(by_view).mean(0).clamp_min(torch.finfo(torch.float32).tiny)
        return (mean.log() / self.temperature).softmax(1)


class Distance(nn.Module):
    """Features (N, D) to their distance (N,) from the nearest ones of a reference.

    The same as mnistlab.evaluation.neighbours.distances, which says why the nearest are compared
    exactly.
    """

    known: Tensor
    halves: Tensor

    def __init__(self, reference: Reference) -> None:
        super().__init__()
        known = torch.from_numpy(np.ascontiguousarray(reference.features))
        self.n = min(N_NEAREST, len(known))
        self.register_buffer("known", known)
        self.register_buffer("halves", known.square().sum(1) / 2)

    def forward(self, rows: Tensor) -> Tensor:
        """(N, D) of any length to (N,)."""
        lengths = rows.square().sum(1, keepdim=True).sqrt()
        features = rows / lengths.clamp_min(torch.finfo(torch.float32).tiny)
        order = self.halves - features @ self.known.T
        nearest = order.topk(self.n, dim=1, largest=False).indices
        apart = features.unsqueeze(1) - self.known[nearest]  # (N, n, D)
        return apart.square().sum(2).sqrt().mean(1)


class PixelScaling(nn.Module):
    """(x - shift) / scale, as mnistlab.models.scaling has it, without its layout in memory."""

    shift: Tensor
    scale: Tensor

    def __init__(self, shift: NDArray[Any], scale: NDArray[Any]) -> None:
        super().__init__()
        self.register_buffer("shift", torch.as_tensor(np.asarray(shift, np.float32)))
        self.register_buffer("scale", torch.as_tensor(np.asarray(scale, np.float32)))

    def forward(self, X: Tensor) -> Tensor:
        """Any shape to the same."""
        return (X - self.shift) / self.scale


def module_of(
    classifier: Classifier, temperature: float | None, reference: Reference | None = None
) -> Exported:
    """One classifier as a module in evaluation mode; RunError for one without probabilities.

    Not for ensembles: see ensemble_module.exported_module.
    """
    if isinstance(classifier, TorchClassifier):
        module = _of_torch(classifier, temperature or 1.0, reference)
    elif isinstance(classifier, ScratchClassifier):
        network = by_hand(classifier.network_)
        module = Exported(network, temperature or 1.0, reference=reference)
    elif isinstance(classifier, SVMClassifier):
        if not classifier.calibrated:
            raise RunError(
                "a support vector machine has no probabilities to export unless it is calibrated; "
                "train it with --set calibrated=true"
            )
        machine = CalibratedMachine(classifier)
        module = Exported(machine, temperature or 1.0, reference=reference)
    else:
        raise AssertionError(f"{type(classifier).__name__} is no classifier of this project")
    return module.eval()


def _of_torch(
    classifier: TorchClassifier, temperature: float, reference: Reference | None
) -> Exported:
    scaling, network = classifier.network_.cpu()
    assert isinstance(scaling, Scaling)
    numbers = (scaling.shift.numpy(), scaling.scale.numpy())
    (top, bottom), (left, right) = margins(classifier.image_shape_, classifier.pad_to)
    return Exported(
        nn.Sequential(PixelScaling(*numbers), network),
        temperature,
        views_of(classifier.test_time_augmentation),
        (left, right, top, bottom),
        reference,
    )


def by_hand(network: scratch.Network) -> nn.Sequential:
    """A network of mnistlab.scratch as torch layers with the same numbers.

    Channels stand last there and first here; where images are flattened, the rows of the next
    linear layer are put into the order that torch flattens in.
    """
    layers: list[nn.Module] = []
    n_channels, flattens_channels = 1, False
    for layer in network.layers:
        if isinstance(layer, shaping.Scaling):
            layers.append(PixelScaling(layer.shift, layer.scale))
        elif isinstance(layer, shaping.Flatten):
            layers.append(nn.Flatten())
            flattens_channels = n_channels > 1
        elif isinstance(layer, shaping.Reshape | regularisation.Dropout):
            continue  # images have their channel already; nothing is dropped after training
        elif isinstance(layer, linear.Linear):
            layers.append(_linear(layer, n_channels if flattens_channels else 1))
            flattens_channels = False
        elif isinstance(layer, convolution.Conv2d):
            layers.append(_convolution(layer, n_channels))
            n_channels = len(layer.b)
        elif isinstance(layer, convolution.MaxPool2d):
            layers.append(nn.MaxPool2d(layer.size))
        elif isinstance(layer, regularisation.BatchNorm):
            is_flat = any(isinstance(before, nn.Flatten) for before in layers)
            layers.append(_batch_norm(layer, nn.BatchNorm1d if is_flat else nn.BatchNorm2d))
        else:
            layers.append(ACTIVATIONS[type(layer)]())
    return nn.Sequential(*layers)


ACTIVATIONS: dict[type, Callable[[], nn.Module]] = {
    activations.ReLU: nn.ReLU,
    activations.LeakyReLU: nn.LeakyReLU,
    activations.Tanh: nn.Tanh,
    activations.Sigmoid: nn.Sigmoid,
}


def _linear(layer: linear.Linear, n_channels: int) -> nn.Linear:
    n_in, n_out = layer.W.shape
    weights = layer.W.reshape(n_in // n_channels, n_channels, n_out).swapaxes(0, 1)
    made = nn.Linear(n_in, n_out)
    _fill(made.weight, weights.reshape(n_in, n_out).T)
    _fill(made.bias, layer.b)
    return made


def _convolution(layer: convolution.Conv2d, n_in: int) -> nn.Conv2d:
    k, n_out = layer.kernel_size, len(layer.b)
    made = nn.Conv2d(n_in, n_out, k, padding=layer.padding)
    _fill(made.weight, layer.W.reshape(k, k, n_in, n_out).transpose(3, 2, 0, 1))
    _fill(made.bias, layer.b)
    return made


def _batch_norm(
    layer: regularisation.BatchNorm, kind: type[nn.BatchNorm1d] | type[nn.BatchNorm2d]
) -> nn.Module:
    made = kind(len(layer.gamma), layer.epsilon)
    _fill(made.weight, layer.gamma)
    _fill(made.bias, layer.beta)
    _fill(made.running_mean, layer.running_mean)
    _fill(made.running_var, layer.running_variance)
    return made


def _fill(tensor: Tensor | None, values: NDArray[Any]) -> None:
    assert tensor is not None
    with torch.no_grad():
        tensor.copy_(torch.from_numpy(np.ascontiguousarray(values, np.float32)))
