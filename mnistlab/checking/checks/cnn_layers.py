"""The layers of a network in PyTorch: registered, used, activated, reached by gradients."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mnistlab.checking.context import Context
from mnistlab.checking.torch_parts.making import Made
from mnistlab.checking.torch_parts.tape import DROPOUTS, Op, Tape, gradients_of

# Calls through which a linear result stays linear, as far as activations are concerned.
LINEAR = (
    *("flatten", "view", "reshape", "squeeze", "unsqueeze", "contiguous", "permute", "transpose"),
    *("max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d", "batch_norm"),
    *("mean", "pad", "float", "to", "_max_pool2d", "lp_pool2d", *DROPOUTS),
)


def check_layers(context: Context, made: Made, tape: Tape, name: str) -> None:
    """Layers of the forward pass in evaluation mode, then gradients in training mode."""
    what = f"cnn layers ({name})"
    for op in unactivated(tape):
        context.found(what, "relu-missing", op.line)
    check_gradients(context, made, name)


def check_registered(context: Context, made: Made, tape: Tape, name: str) -> bool:
    """Whether every weight that the forward pass uses is one of the network's parameters."""
    what, n_before = f"cnn layers ({name})", len(context.findings)
    context.begin(what)
    _check_registered(context, what, made, tape)
    return len(context.findings) == n_before


def _check_registered(context: Context, what: str, made: Made, tape: Tape) -> None:
    for each in tape.made.made:
        if list(each.module.parameters()):
            context.found(what, "layer-made-in-forward", each.line)
            return
    known = {id(p) for p in (*made.network.parameters(), *made.network.buffers())}
    for op in tape.ops:
        for weight in op.inputs[1:]:
            if id(weight) in known or not weight.is_leaf:
                continue
            if isinstance(weight, nn.Parameter):
                line = made.births.line_of(op.owner) or op.line
                context.found(what, "not-registered", line)
            elif weight.requires_grad or _is_attribute(made.network, weight):
                context.found(what, "tensor-for-parameter", op.line)


def _is_attribute(network: nn.Module, weight: Tensor) -> bool:
    is_own = any(value is weight for module in network.modules() for value in vars(module).values())
    return is_own and weight.ndim == 2 and weight.dtype.is_floating_point


def unactivated(tape: Tape) -> list[Op]:
    """Layers whose input comes from another layer without any activation between."""
    pending: dict[int, Op] = {}  # by the identity of a tensor: the layer that it comes from
    found = []
    for op in tape.ops:
        if not isinstance(op.output, Tensor):
            continue
        before = pending.get(id(op.inputs[0])) if op.inputs else None
        if op.weight is not None:
            if before is not None and _is_plain(before) and _is_plain(op):
                found.append(op)
            pending[id(op.output)] = op
        elif op.name in LINEAR and before is not None:
            pending[id(op.output)] = before
        else:
            pending.pop(id(op.output), None)
    return found


def _is_plain(op: Op) -> bool:
    """No part of a separable convolution: those have no activation between on purpose."""
    weight = op.weight
    assert weight is not None
    return weight.ndim == 2 or (weight.shape[-1] > 1 and weight.shape[1] == op.inputs[0].shape[1])


def check_gradients(context: Context, made: Made, name: str, task: str = "cnn") -> None:
    """One backward pass of cross-entropy, in training mode."""
    what = f"{task} gradients ({name})"
    context.begin(what)
    tape = made.forward(is_training=True)
    if tape.error is not None:
        context.failed(what, tape.error)
        return
    for op in tape.named("batch_norm") if task == "cnn" else ():
        if op.settings.get("training") is False and any(p.requires_grad for p in op.inputs):
            context.found(what, "norm-never-trained", op.line)
    labels = torch.arange(len(made.images)) % made.n_classes
    error = gradients_of(tape, made.network, labels)
    cut = cut_line(tape)
    if error is not None and "does not require grad" not in str(error):
        context.failed(what, error)
        return
    used = {id(weight) for op in tape.ops for weight in op.inputs}
    for module in made.network.modules():
        for parameter in module.parameters(recurse=False):
            if parameter.grad is not None or not parameter.requires_grad:
                continue
            if id(parameter) not in used and not _is_used(module, tape):
                context.found(what, "layer-unused", made.births.line_of(module))
            elif cut is not None:
                context.found(what, "gradient-cut", cut)


def _is_used(module: nn.Module, tape: Tape) -> bool:
    return any(op.owner is module for op in tape.ops)


def cut_line(tape: Tape) -> int | None:
    """The first call that takes something with a gradient and gives something without."""
    for op in tape.ops:
        takes = any(each.requires_grad for each in op.inputs)
        gives = isinstance(op.output, Tensor) and op.output.dtype.is_floating_point
        if takes and gives and not op.output.requires_grad:
            return op.line
        if op.name in ("numpy", "tolist", "item") and takes:
            return op.line
    return None
