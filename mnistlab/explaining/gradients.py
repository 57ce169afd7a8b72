"""Gradients times input: what each pixel adds to a class's score, to first order.

Shrikumar et al. 2016 (arXiv:1605.01713v2). The input is measured from the ground level, so that
the product estimates what the score would lose if the pixel became ground; where the ground is
black, grey level 0, it is their definition.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mnistlab.classifiers import EnsembleClassifier, ScratchClassifier, SVMClassifier
from mnistlab.classifiers.inputs import margins
from mnistlab.classifiers.methods import Classifier
from mnistlab.explaining.scores import Codes, Images, sides
from mnistlab.scratch import Network
from mnistlab.scratch.layer import Array, Layer
from mnistlab.scratch.regularisation import BatchNorm, Dropout

BATCH = 50  # images
BATCH_PIXELS = 1 << 18  # a network holds all activations of a batch, many for each pixel


def gradients_times_input(
    classifier: Classifier, images: Images, codes: Codes, ground: int
) -> NDArray[np.float64]:
    """(N, H, W): the gradient of each image's class score, times grey level less ground.

    The score is the logit of class codes[n]; of a support vector machine the mean of its pairs.
    """
    batch = min(BATCH, max(1, BATCH_PIXELS // images[0].size))
    parts = [
        input_gradients(classifier, images[i : i + batch], codes[i : i + batch])
        for i in range(0, len(images), batch)
    ]
    return np.concatenate(parts) * (images.astype(np.float64) - ground)


def input_gradients(classifier: Classifier, images: Images, codes: Codes) -> NDArray[np.float64]:
    """(N, H, W): the gradient of class score codes[n] by the grey levels of image n."""
    if isinstance(classifier, EnsembleClassifier):
        return of_ensemble(classifier, images, codes)
    if isinstance(classifier, ScratchClassifier):
        return by_backward(classifier.network_, images, codes)
    if isinstance(classifier, SVMClassifier):
        return of_machine(classifier, images, codes)
    return by_torch(classifier, images, codes)


def of_ensemble(
    classifier: EnsembleClassifier, images: Images, codes: Codes
) -> NDArray[np.float64]:
    """The weighted mean of its members' gradients, each divided by the member's temperature."""
    shares = classifier.weights_ / classifier.temperatures_
    by_member = [input_gradients(member, images, codes) for member in classifier.members_]
    return np.tensordot(shares, np.stack(by_member), 1)


def by_torch(classifier: Classifier, images: Images, codes: Codes) -> NDArray[np.float64]:
    """By torch; with test-time augmentation of the mean logit over all views."""
    import torch

    from mnistlab.classifiers.image_tensors import as_tensor, prepared
    from mnistlab.classifiers.network import NetworkSettings
    from mnistlab.training.fixed_views import as_is, views_of

    assert isinstance(classifier, NetworkSettings)
    network = classifier.network_.eval()
    device = next(network.parameters()).device
    around = margins(classifier.image_shape_, classifier.pad_to)
    padded = as_tensor(prepared(images, classifier.image_shape_, around, (as_is,)))
    X = padded.to(device).float().requires_grad_()
    views = views_of(classifier.test_time_augmentation)
    logits = torch.stack([network(view(X)).float() for view in views]).mean(0)
    of_classes = logits.gather(1, torch.from_numpy(codes).to(device)[:, None])
    (gradient,) = torch.autograd.grad(of_classes.sum(), X)
    (top, _), (left, _) = around
    height, width = classifier.image_shape_
    inside = gradient[:, 0, top : top + height, left : left + width]
    return inside.cpu().double().numpy()


def by_backward(network: Network, images: Images, codes: Codes) -> NDArray[np.float64]:
    """By the backward pass of a network by hand, down to its pixels."""
    logits = network.forward(images)
    dX: Array = np.zeros_like(logits)
    dX[np.arange(len(codes)), codes] = 1
    for layer in reversed(network.layers):
        dX = _backward_after_training(layer, dX)
    return dX.reshape(images.shape).astype(np.float64)


def _backward_after_training(layer: Layer, dY: Array) -> Array:
    """dX of a layer as it works after training, where `backward` is that of a training pass."""
    if isinstance(layer, Dropout):
        return dY  # nothing is dropped
    if isinstance(layer, BatchNorm):  # its mean and variance do not depend on the batch
        return np.asarray(dY * (layer.gamma * layer.inverse_deviation))
    return layer.backward(dY)


def of_machine(classifier: SVMClassifier, images: Images, codes: Codes) -> NDArray[np.float64]:
    """Of the RBF decisions: d/dx of a exp(-gamma |x - s|^2) is -2 gamma (x - s) times that."""
    machine = classifier.machine_
    rows = classifier.rows(images.astype(np.float64))  # (N, D)
    vectors = machine.vectors.astype(np.float64)  # (S, D)
    products = rows @ vectors.T - machine.half_squares - (rows**2).sum(1)[:, None] / 2
    kernel = np.exp(np.minimum(2 * machine.gamma * products, 0))  # (N, S)
    sign = -1.0 if len(machine.n_support) == 2 else 1.0  # as in SupportVectors.decision
    of_classes = sign * machine.pair_coefficients @ sides(machine)  # (S, K)
    weights = kernel * of_classes[:, codes].T  # (N, S)
    by_rows = -2 * machine.gamma * (weights.sum(1)[:, None] * rows - weights @ vectors)
    if classifier.features == "hog":
        by_rows = _through_histograms(classifier, images, by_rows)
    return np.asarray(by_rows / classifier.scaling_[1]).reshape(images.shape)


def _through_histograms(
    classifier: SVMClassifier, images: Images, by_features: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Gradients by scaled pixels (N, H * W) from those by features (N, D)."""
    import torch

    from mnistlab.models.hog import HistogramsOfGradients

    shift, scale = classifier.scaling_
    scaled = (images.reshape(len(images), -1).astype(np.float64) - shift) / scale
    X = torch.from_numpy(scaled.reshape(len(images), 1, *classifier.image_shape_))
    (gradient,) = torch.autograd.grad(
        HistogramsOfGradients()(X.requires_grad_()), X, torch.from_numpy(by_features)
    )
    return gradient.flatten(1).numpy()
