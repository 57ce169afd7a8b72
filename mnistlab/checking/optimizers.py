"""Optimizer classes of a student's file, and the momentum that is asked for."""

from __future__ import annotations

from typing import Any

from mnistlab.checking.naming import bind
from mnistlab.checking.pieces import methods_by_role
from mnistlab.checking.reference import Problem

MOMENTUM = 0.9


def made_optimizer(kind: type, problem: Problem, network: Any) -> Any:
    """An optimizer of the file, for a network or its list of layers."""
    offered = {
        "learning_rate": problem.learning_rate,
        "momentum": MOMENTUM,
        "params": network,
        "sizes": getattr(network, "layers", None),
    }
    return kind(**bind(kind, offered))


def run_optimizer(optimizer: Any, network: Any, returned: Any) -> None:
    """One step of an optimizer, whatever of network, layers and gradients it asks for."""
    step = getattr(optimizer, methods_by_role(optimizer)["update"])
    layers = getattr(network, "layers", None)
    step(**bind(step, {"params": network, "sizes": layers, "grads": returned}))
