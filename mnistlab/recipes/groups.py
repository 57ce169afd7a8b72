"""What each ready recipe is for, in the order in which one would look for it.

A recipe says what it computes; this table says when to choose it. Every recipe of RECIPES is in
exactly one group, which a test checks. Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mnistlab.classifiers.methods import method_of
from mnistlab.recipe import Recipe


class Group(NamedTuple):
    """A heading, and what each recipe under it is for, by the recipe's name."""

    title: str
    purposes: Mapping[str, str]


GROUPS = (
    Group("start here", {"resnet-small": "your own images, whatever they show"}),
    Group(
        "write-up E's ladder and write-up A's SimpleCNN",
        {
            "softmax": "the simplest baseline, as published",
            "softmax-tuned": "the simplest baseline, tuned",
            "mlp": "one hidden layer, as published",
            "mlp-tuned": "the best of one hidden layer, in seconds",
            "cnn-small": "a first convolutional network, as published",
            "cnn-small-tuned": "the best of 20,490 parameters",
            "simple-cnn": "a usual network with Adam, to measure the loop by",
            "simple-cnn-tuned": "MNIST and Fashion-MNIST without augmentation",
        },
    ),
    Group(
        "by hand, in NumPy",
        {
            "scratch-mlp": "to read how a network learns, as published",
            "scratch-mlp-tuned": "to see what tuning is worth by hand",
            "scratch-cnn": "to read how convolutions learn",
            "layered-mlp": "to be tuned: bad on purpose",
        },
    ),
    Group(
        "support vector machine",
        {"svm": "few images, no seed to worry about; slow beyond 50,000 images"},
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
            "simple-cnn-plateau": "a rate that falls when the loss stands still",
            "simple-cnn-early-stopping": "to stop when nothing is gained",
            "simple-cnn-augmented": "what shifted images are worth",
            "simple-cnn-wide": "what twice the channels are worth",
            "simple-cnn-deep": "what twice the convolutions are worth",
            "simple-cnn-5x5": "what larger filters are worth",
        },
    ),
    Group(
        "write-up B's double softmax and full batch",
        {
            "double-softmax": "a common mistake, as published",
            "double-softmax-logits": "the same, mended",
            "double-softmax-slow": "the mistake at a tenth of the rate",
            "double-softmax-slow-logits": "the same, mended",
            "full-batch": "one step per epoch, as published",
            "full-batch-logits": "the same with the correct loss",
            "full-batch-long": "2,001 steps of the whole set, as published",
            "full-batch-long-logits": "the same with the correct loss",
        },
    ),
    Group(
        "write-up C's portfolio",
        {
            "dense-base": "the feed-forward network the next six vary",
            "dense-wide": "wider layers",
            "dense-deep": "more layers",
            "dense-sgd": "plain SGD",
            "dense-decay": "weight decay",
            "dense-norm": "batch normalisation",
            "dense-dropout": "dropout",
            "conv-base": "the convolutional network the next six vary",
            "conv-wide": "a wider linear layer",
            "conv-deep": "more channels and layers",
            "conv-sgd": "plain SGD",
            "conv-decay": "weight decay",
            "conv-norm": "batch normalisation",
            "conv-dropout": "dropout",
            "final": "the published final model; days on two cores",
            "final-tuned": "the best of write-up C's layers; half an hour",
        },
    ),
)


def needs(recipe: Recipe) -> str | None:
    """The extra that must be installed to train the recipe; None where the core is enough."""
    return method_of(recipe.model).extra(recipe.model_args)
