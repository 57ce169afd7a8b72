"""The catalogue of known mistakes: for each what is wrong, and hints that never give the answer."""

from __future__ import annotations

from mnistlab.checking.mistakes.backward import BACKWARD
from mnistlab.checking.mistakes.estimators import ESTIMATORS
from mnistlab.checking.mistakes.experiments import EXPERIMENTS
from mnistlab.checking.mistakes.forward import FORWARD
from mnistlab.checking.mistakes.loops import LOOPS
from mnistlab.checking.mistakes.mistake import Mistake
from mnistlab.checking.mistakes.networks import NETWORKS
from mnistlab.checking.mistakes.training import TRAINING
from mnistlab.checking.mistakes.transfer import TRANSFER

MISTAKES: dict[str, Mistake] = (
    FORWARD | BACKWARD | TRAINING | NETWORKS | TRANSFER | LOOPS | ESTIMATORS | EXPERIMENTS
)

# The first hint says which quantity to think about: one for each step.
WHERE = {
    "z1": "Look at the sums of the hidden layer: what goes into them, and what shape have they?",
    "a1": "Look at the activation of the hidden layer. Try it on -1, 0 and 2.",
    "z2": "Look at the scores: which values does the last layer receive?",
    "p": "Look at softmax. Print one row of the result, and its sum.",
    "loss": "Look at the loss. Compute it by hand for two images and compare.",
    "dz2": "Look at the first line of the backward pass: how the loss changes with the scores.",
    "dW2": "Look at the gradient of W2. Compare its shape and its size with those of W2.",
    "db2": "Look at the gradient of b2. b2 is added to the scores of every image.",
    "da1": "Look at how the error goes back through W2 to the hidden layer.",
    "dz1": "Look at how the error goes back through the activation of the hidden layer.",
    "dW1": "Look at the gradient of W1. Compare its shape and its size with those of W1.",
    "db1": "Look at the gradient of b1. b1 is added to the sums of every image.",
    "update": "Write down the first two updates of one weight by hand, then compare.",
}
ANY = "Read the line once more, and compare it with the equation."


def hint_for(mistake: str, step: str, level: int) -> str:
    """The hint of a level from 1 to 3; "" for level 0."""
    known = MISTAKES.get(mistake)
    if level <= 0:
        return ""
    first = WHERE.get(step) or (known.where if known else "") or ANY
    if level == 1 or known is None:
        return first
    return known.hints[min(level, 3) - 2]
