"""Neural networks by hand, in NumPy alone: read these files to learn how a network learns.

layer              what a layer is           linear, activations, convolution,
network            a list of layers          regularisation, shaping: the layers
loss               softmax, cross-entropy    initialisation: the first weights
optimizers         how weights change        gradients: is backward right?
training           the loop                  state: what a checkpoint holds
building           whole networks by name

from mnistlab import scratch

random = np.random.default_rng(0)
network = scratch.Network([scratch.Linear(784, 128, random), scratch.ReLU(),
                           scratch.Linear(128, 10, random)])
print(scratch.check_gradients(network, X[:16], y[:16]))
"""

from mnistlab.scratch.activations import ACTIVATIONS, LeakyReLU, ReLU, Sigmoid, Tanh
from mnistlab.scratch.building import build, check_buildable
from mnistlab.scratch.convolution import Conv2d, MaxPool2d
from mnistlab.scratch.gradients import GradientCheck, check_gradients
from mnistlab.scratch.initialisation import INITIALISATIONS, he, xavier
from mnistlab.scratch.layer import Layer
from mnistlab.scratch.linear import Linear
from mnistlab.scratch.loss import SoftmaxCrossEntropy, softmax
from mnistlab.scratch.network import Network
from mnistlab.scratch.optimizers import (
    OPTIMIZERS,
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Momentum,
    Nesterov,
    Optimizer,
    RMSprop,
)
from mnistlab.scratch.regularisation import BatchNorm, Dropout
from mnistlab.scratch.shaping import Flatten, Reshape, Scaling
from mnistlab.scratch.state import Examples
from mnistlab.scratch.training import Settings, check_optimizers, train

__all__ = [
    "ACTIVATIONS",
    "INITIALISATIONS",
    "OPTIMIZERS",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "BatchNorm",
    "Conv2d",
    "Dropout",
    "Examples",
    "Flatten",
    "GradientCheck",
    "Layer",
    "LeakyReLU",
    "Linear",
    "MaxPool2d",
    "Momentum",
    "Nesterov",
    "Network",
    "Optimizer",
    "RMSprop",
    "ReLU",
    "Reshape",
    "Scaling",
    "Settings",
    "Sigmoid",
    "SoftmaxCrossEntropy",
    "Tanh",
    "build",
    "check_buildable",
    "check_gradients",
    "check_optimizers",
    "he",
    "softmax",
    "train",
    "xavier",
]
