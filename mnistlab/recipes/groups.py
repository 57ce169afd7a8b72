"""What each ready recipe is for, in the order in which one would look for it.

A recipe says what it computes; this table says when to choose it. A test checks that every recipe
of RECIPES is in exactly one group. Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mnistlab.classifiers.methods import method_of
from mnistlab.recipe import Recipe


class Group(NamedTuple):
    """A heading, and the purpose of each recipe under it, by the recipe's name."""

    title: str
    purposes: Mapping[str, str]


GROUPS = (
    Group("start here", {"resnet-small": "your own images, of any kind"}),
    Group(
        "write-up E's three models and write-up A's SimpleCNN",
        {
            "softmax": "the simplest baseline, as published",
            "softmax-tuned": "the simplest baseline, tuned",
            "mlp": "one hidden layer, as published",
            "mlp-tuned": "one hidden layer, tuned; trains in seconds",
            "cnn-small": "a first convolutional network, as published",
            "cnn-small-tuned": "a first convolutional network, tuned",
            "simple-cnn": "a usual network with Adam; the speed benchmark trains it",
            "simple-cnn-tuned": "MNIST and Fashion-MNIST, tuned, without augmentation",
        },
    ),
    Group(
        "by hand, in NumPy",
        {
            "scratch-mlp": "to read how a network learns, as published",
            "scratch-mlp-tuned": "to see how much tuning gains",
            "scratch-cnn": "to read how convolutions learn",
            "layered-mlp": "to practise tuning: its settings are bad on purpose",
        },
    ),
    Group(
        "support vector machine",
        {"svm": "few images; no random seed; slow beyond 50,000 images"},
    ),
    Group(
        "transfer: networks trained on photographs",
        {
            "transfer-lite0": "photographs of things, at 96 x 96; slow",
            "transfer-mobilenet": "write-up A's transfer learning, as published",
            "transfer-resnet18": "another backbone, to compare",
            "transfer-efficientnet-b0": "another backbone, to compare",
        },
    ),
    Group(
        "write-up A's experiments on SimpleCNN",
        {
            "simple-cnn-plateau": "a learning rate that falls when the loss stops falling",
            "simple-cnn-early-stopping": "training that ends when the loss stops falling",
            "simple-cnn-augmented": "the gain from shifted images",
            "simple-cnn-wide": "the gain from twice the channels",
            "simple-cnn-deep": "the gain from twice the convolutions",
            "simple-cnn-5x5": "the gain from larger filters",
        },
    ),
    Group(
        "write-up B's double softmax and full batch",
        {
            "double-softmax": "a common mistake, as published",
            "double-softmax-logits": "the same with the correct loss",
            "double-softmax-slow": "the mistake at a tenth of the learning rate",
            "double-softmax-slow-logits": "the same with the correct loss",
            "full-batch": "one step per epoch, as published",
            "full-batch-logits": "the same with the correct loss",
            "full-batch-long": "2,001 steps of the whole set, as published",
            "full-batch-long-logits": "the same with the correct loss",
        },
    ),
    Group(
        "write-up C's portfolio",
        {
            "dense-base": "the feed-forward network that the next six change",
            "dense-wide": "wider layers",
            "dense-deep": "more layers",
            "dense-sgd": "plain SGD",
            "dense-decay": "weight decay",
            "dense-norm": "batch normalisation",
            "dense-dropout": "dropout",
            "conv-base": "the convolutional network that the next six change",
            "conv-wide": "a wider linear layer",
            "conv-deep": "more channels and layers",
            "conv-sgd": "plain SGD",
            "conv-decay": "weight decay",
            "conv-norm": "batch normalisation",
            "conv-dropout": "dropout",
            "final": "the published final model; days on two cores",
            "final-tuned": "the same layers, tuned; half an hour",
        },
    ),
    Group(
        "records: an accuracy in seconds, see mnistlab records",
        {
            "records-mnist-99": "99 % of MNIST as fast as two cores can",
            "records-mnist-995": "99.5 % of MNIST",
            "records-fashion-916": "91.6 % of Fashion-MNIST, the write-ups' best accuracy",
            "records-fashion-93": "93 % of Fashion-MNIST",
            "records-fashion-94": "94 % of Fashion-MNIST",
            "records-mnist-mlp": "98.9 % of MNIST without convolutions",
            "records-fashion-mlp": "91 % of Fashion-MNIST without convolutions",
            "records-mnist-numpy": "99 % of MNIST by hand, in NumPy",
            "records-mnist-svm": "99.4 % of MNIST by a support vector machine",
            "records-fashion-svm": "92.6 % of Fashion-MNIST by a support vector machine",
        },
    ),
)


def needs(recipe: Recipe) -> str | None:
    """The extra that must be installed to train the recipe; None where the core is enough."""
    return method_of(recipe.model).extra(recipe.model_args)
