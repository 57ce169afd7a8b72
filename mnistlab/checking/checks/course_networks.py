"""The course's two convolutional networks: their layers, and their scores number by number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest

import torch
from torch import Tensor, nn
from torch.nn import functional

from mnistlab.checking.context import Context
from mnistlab.checking.finding import DIFFERS
from mnistlab.checking.torch_parts.making import Made
from mnistlab.checking.torch_parts.tape import DROPOUTS, Op, Tape

TOLERANCE = 1e-4  # float32 against float64, relative to the largest score


@dataclass(frozen=True)
class Wanted:
    """What a task says: output channels, hidden units, dropout before the last layer."""

    channels: tuple[int, ...]
    hidden: tuple[int, ...]
    dropout: float

    def shapes(self, n_classes: int) -> list[tuple[int, ...]]:
        """Weights of all layers, in order; every convolution is 3 x 3 and is halved by a pool."""
        sizes = (1, *self.channels)
        convolutions = [(out, of, 3, 3) for of, out in pairwise(sizes)]
        side = 28 // 2 ** len(self.channels)
        rows = (self.channels[-1] * side * side, *self.hidden, n_classes)
        return [*convolutions, *((out, of) for of, out in pairwise(rows))]

    def n_parameters(self, n_classes: int) -> int:
        """With a bias for every output."""
        shapes = self.shapes(n_classes)
        return sum(torch.Size(shape).numel() + shape[0] for shape in shapes)


COURSE = {
    "SimpleCNN": Wanted((32, 64), (128,), 0.5),  # A9
    "SmallCNN": Wanted((16, 32), (), 0.0),  # E3
}


def check_course_network(context: Context, made: Made, tape: Tape, name: str) -> None:
    """Nothing for a network that the course does not define."""
    wanted = COURSE.get(name)
    if wanted is None:
        return
    what = f"cnn task ({name})"
    context.begin(what)
    n_found = sum(p.numel() for p in made.network.parameters())
    n_wanted = wanted.n_parameters(made.n_classes)
    numbers = f"{n_found:,} parameters instead of {n_wanted:,}" if n_found != n_wanted else ""
    named = _wrong_layer(made, tape, wanted) or _wrong_dropout(made, wanted)
    if named is not None:
        context.found(what, named[0], named[1], "", numbers)
        return
    if numbers:
        context.found(what, DIFFERS, context.line_of_class(name), "", numbers)
        return
    _check_numbers(context, what, made, tape, wanted)


def explain_error(made: Made, tape: Tape) -> tuple[str, int | None] | None:
    """The layer of a network of the course that makes a later one receive another size."""
    wanted = COURSE.get(type(made.network).__name__)
    if wanted is None or len(tape.layers) > len(wanted.shapes(made.n_classes)):
        return None
    found = _wrong_layer(made, tape, wanted)
    return found if found is not None and found[0] != "layer-missing" else None


def _wrong_layer(made: Made, tape: Tape, wanted: Wanted) -> tuple[str, int | None] | None:
    shapes = wanted.shapes(made.n_classes)
    pools = [op for op in tape.ops if "pool" in op.name]
    for op, shape in zip_longest(tape.layers, shapes):
        if op is None:
            return "layer-missing", tape.layers[-1].line if tape.layers else None
        line = made.births.line_of(op.owner) or op.line
        if shape is None:
            return "layer-too-many", line
        weight = op.inputs[1]
        if len(op.inputs) < 3:
            return "layer-bias-missing", line
        if len(shape) == 4 and weight.ndim == 4:
            if tuple(weight.shape[2:]) != (3, 3):
                return "kernel-size", line
            if op.output.shape[-1] != op.inputs[0].shape[-1]:
                return "padding-missing", line
        if weight.ndim != len(shape):
            return ("layer-missing" if len(shape) == 4 else "layer-too-many"), line
        if tuple(weight.shape) != shape:
            if weight.ndim == 2 and len(pools) < len(wanted.channels):
                return "pool-missing", line
            return "layer-size", line
    return None


def _wrong_dropout(made: Made, wanted: Wanted) -> tuple[str, int | None] | None:
    tape = made.forward(is_training=True)
    active = [op for op in tape.named(*DROPOUTS) if op.settings.get("p", 0) > 0]
    if wanted.dropout and not active:
        return "dropout-missing", tape.layers[-1].line
    if wanted.dropout and all(op.settings.get("p") != wanted.dropout for op in active):
        return "dropout-rate", made.births.line_of(active[0].owner) or active[0].line
    return None


Activation = Callable[[Tensor], Tensor]
OTHER_ACTIVATIONS: tuple[Activation, ...] = (
    torch.sigmoid,
    torch.tanh,
    functional.leaky_relu,
    functional.gelu,
    functional.elu,
    functional.silu,
    functional.relu6,
)


def _scores(
    layers: list[Op], images: Tensor, activations: Sequence[Activation], pools: Sequence[Activation]
) -> Tensor:
    """The network in float64, with the student's own weights."""
    x = images.double()
    last = len(layers) - 1
    for i, op in enumerate(layers):
        weight, bias = (each.detach().double() for each in op.inputs[1:3])
        if weight.ndim == 4:
            x = pools[i](activations[i](functional.conv2d(x, weight, bias, padding=1)))
        else:
            x = functional.linear(x.flatten(1), weight, bias)
            x = x if i == last else activations[i](x)
    return x


def _max_pool(x: Tensor) -> Tensor:
    return functional.max_pool2d(x, 2)


def _mean_pool(x: Tensor) -> Tensor:
    return functional.avg_pool2d(x, 2)


def _check_numbers(context: Context, what: str, made: Made, tape: Tape, wanted: Wanted) -> None:
    images = made.images[:2]  # enough, and float64 is slow
    found = tape.value[:2].detach().double()
    n = len(tape.layers)
    right = _scores(tape.layers, images, [torch.relu] * n, [_max_pool] * n)
    if is_near(found, right):
        return
    for mistake, op, scores in _variants(tape, images):
        if is_near(found, scores):
            context.found(what, mistake, op.line if op is not None else None)
            return
    error = float((found - right).abs().max() / right.abs().max())
    line = context.line_of_method(type(made.network).__name__, "forward")
    context.found(what, DIFFERS, line, "", f"scores differ by {error:.2g} of the largest")


def _variants(tape: Tape, images: Tensor) -> Iterator[tuple[str, Op | None, Tensor]]:
    """The network with one known mistake each."""
    layers, n = tape.layers, len(tape.layers)
    pools = [op for op in tape.ops if "pool" in op.name]
    means = [op for op in pools if "avg" in op.name] or pools
    largest = [_max_pool] * n
    activated = [op for op in tape.ops if _is_activation(op)]
    first = means[0] if means else None
    relus: list[Activation] = [torch.relu] * n
    for where in [range(n), *([i] for i in range(n))]:
        kinds = [_mean_pool if i in where else _max_pool for i in range(n)]
        yield "average-pool", first, _scores(layers, images, relus, kinds)
    for other in OTHER_ACTIVATIONS:
        named = [op for op in activated if op.name != "relu"] or activated
        op = named[0] if named else None
        for where in [range(n), *([i] for i in range(n))]:
            chosen = [other if i in where else torch.relu for i in range(n)]
            yield "not-relu", op, _scores(layers, images, chosen, largest)
    for i in range(n):
        chosen = [nn.Identity() if j == i else torch.relu for j in range(n)]
        line = layers[min(i + 1, n - 1)]
        yield "relu-missing", line, _scores(layers, images, chosen, largest)


def _is_activation(op: Op) -> bool:
    names = ("relu", "sigmoid", "tanh", "leaky_relu", "gelu", "elu", "silu", "relu6", "hardtanh")
    return op.name in names


def is_near(found: Tensor, wanted: Tensor) -> bool:
    """Equal, but for what float32 rounds."""
    return bool((found - wanted).abs().max() <= TOLERANCE * wanted.abs().max())
