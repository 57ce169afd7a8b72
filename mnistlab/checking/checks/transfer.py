"""Transfer learning: what is frozen, what trains, and what `unfreeze_layers` changes."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from mnistlab.checking.attempts import attempt
from mnistlab.checking.checks import cnn, cnn_errors, cnn_layers
from mnistlab.checking.checks.unfreezing import check_unfreezing
from mnistlab.checking.context import Context
from mnistlab.checking.naming import plain
from mnistlab.checking.torch_parts import pretrained
from mnistlab.checking.torch_parts.making import Made, made_network

N_IMAGES, SIDE = 4, 32


def check_transfer(context: Context, kind: type) -> None:
    """Every check on one class with a pretrained part."""
    name = kind.__name__
    what = f"transfer network ({name})"
    pretrained.ASKED.clear()
    made = made_network(context, kind, what)
    if made is None:
        return
    frozen = library_parameters(made)
    if not frozen:
        context.note(f"{name} has no pretrained part of torchvision: it was checked as a network")
        cnn.check_cnn(context, kind)
        return
    context.begin(what)
    if not pretrained.ASKED:
        context.found(what, "no-pretrained-weights", context.line_of_method(name, "__init__"))
    if not _check_forward(context, what, made):
        return
    _check_frozen(context, made, frozen)
    _check_modes(context, made)
    if not context.findings:
        cnn_layers.check_gradients(context, made, name, "transfer")
    if not context.has_found(f"transfer freezing ({name})"):
        check_unfreezing(context, made, frozen)


def library_parameters(made: Made) -> dict[str, nn.Parameter]:
    """The parameters of the pretrained part, by name."""
    own = {id(module) for module in made.births.of_library()}
    within = [m for m in made.network.modules() if id(m) in own]
    kept = {id(p) for module in within for p in module.parameters(recurse=False)}
    return {name: p for name, p in made.network.named_parameters() if id(p) in kept}


def _check_forward(context: Context, what: str, made: Made) -> bool:
    """Whether there are scores: of grey images, else of colour images."""
    torch.manual_seed(2)
    made.images = torch.rand(N_IMAGES, 1, SIDE, SIDE)
    tape = made.forward()
    failed = tape.failed
    is_first = failed is not None and failed.name == "conv2d" and not tape.layers
    if failed is not None and is_first and failed.inputs[1].shape[1] == 3:
        made.images = made.images.expand(-1, 3, -1, -1)
        tape = made.forward()
    if tape.error is not None:
        cnn_errors.name_error(context, what, made, tape)
        return False
    if not cnn.check_shape(context, what, made, tape):
        return False
    cnn.check_scores(context, what, made)
    return True


def _check_frozen(context: Context, made: Made, frozen: dict[str, nn.Parameter]) -> None:
    name = type(made.network).__name__
    what = f"transfer freezing ({name})"
    context.begin(what)
    free = [key for key, p in frozen.items() if p.requires_grad]
    freeze = [each for each in dir(made.network) if plain(each).startswith("freeze")]
    for method in freeze:
        if free and callable(getattr(made.network, method)):
            attempt(getattr(made.network, method))
            free = [key for key, p in frozen.items() if p.requires_grad]
    line = context.line_in(name, "__init__", r"requires_grad|freeze")
    line = line or context.line_of_method(name, "__init__")
    if free:
        numbers = f"{len(free)} of {len(frozen)} arrays have requires_grad"
        context.found(what, "not-frozen", line, "", numbers)
    for key, parameter in made.network.named_parameters():
        if key not in frozen and not parameter.requires_grad:
            context.found(what, "head-frozen", line, "", f"{key} does not train")
            return


def statistics(made: Made, frozen: dict[str, nn.Parameter]) -> dict[str, Tensor]:
    """Copies of the running averages that belong to frozen parameters."""
    found = {}
    for name, module in made.network.named_modules():
        own = dict(module.named_parameters(recurse=False))
        is_norm = isinstance(module, nn.modules.batchnorm._BatchNorm)
        is_frozen = f"{name}.weight" in frozen and not any(p.requires_grad for p in own.values())
        if is_norm and is_frozen and torch.is_tensor(module.running_mean):
            found[name] = module.running_mean.clone()
    return found


def moves_statistics(made: Made, frozen: dict[str, nn.Parameter]) -> bool:
    """Whether a forward pass in training mode changes running averages of frozen blocks."""
    before = statistics(made, frozen)
    made.forward(is_training=True)
    after = statistics(made, frozen)
    return any(not torch.equal(before[name], after[name]) for name in before)


def _check_modes(context: Context, made: Made) -> None:
    name = type(made.network).__name__
    what = f"transfer modes ({name})"
    context.begin(what)
    line = context.line_of_method(name, "train")
    if made.network.train() is None:
        context.found(what, "train-returns-nothing", line)
        return
    made.network.eval()
    if any(module.training for module in made.network.modules()):
        context.found(what, "evaluation-mode-broken", line)
        return
    frozen = library_parameters(made)
    if all(not p.requires_grad for p in frozen.values()) and moves_statistics(made, frozen):
        freezing = context.line_in(name, "__init__", r"requires_grad|freeze|\.eval\(")
        has_own = "train" in vars(type(made.network))
        context.found(what, "frozen-statistics", line if has_own else freezing or line)


def copied(made: Made) -> Made:
    """The same network again, so that a check leaves the first one as it is."""
    again = copy.deepcopy(made.network)
    births = copy.copy(made.births)
    partner = dict(zip(made.network.modules(), again.modules(), strict=True))
    births.made = [
        type(each)(partner[each.module], each.line, each.is_library)
        for each in made.births.made
        if each.module in partner
    ]
    return Made(made.context, again, births, made.images, made.n_classes)
