"""One performance of a student's training loop on the stage, and what it should have given."""

from __future__ import annotations

import contextlib
import inspect
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from mnistlab.checking.attempts import Outcome
from mnistlab.checking.naming import UnboundError, kinds_of, plain
from mnistlab.checking.source import Source
from mnistlab.checking.torch_parts import stage
from mnistlab.checking.torch_parts.events import Event, Log, noted
from mnistlab.checking.torch_parts.scalars import Number, recorded

MODELS = {"model", "net", "network", "cnn", "module", "classifier", "nn", "mlp"}
OTHER_PARTS = ("val", "valid", "test", "dev", "eval")
DATA = ("loader", "dataset", "batches", "trainset", "dl", "data", "set")
RATE = 0.05


@dataclass(eq=False)
class Pass:
    """One pass over the images of a part. batches: the events of each forward pass."""

    part: str
    line: int | None
    weights: dict[str, Tensor]
    events: list[Event] = field(default_factory=list)

    @property
    def batches(self) -> list[list[Event]]:
        """Events from each forward pass to before the next."""
        starts = [i for i, event in enumerate(self.events) if event.kind == "forward"]
        ends = [*starts[1:], len(self.events)]
        return [self.events[a:b] for a, b in zip(starts, ends, strict=True)]

    @property
    def forwards(self) -> list[Event]:
        """The forward passes."""
        return [event for event in self.events if event.kind == "forward"]

    @property
    def is_training(self) -> bool:
        """Whether it means to change the weights."""
        return any(event.kind in ("backward", "step") for event in self.events)


@dataclass
class Performance:
    """A run of the student's function: what was given, what happened, what came back."""

    log: Log
    network: stage.Network
    train: stage.Images
    val: stage.Images
    optimizer: torch.optim.Optimizer
    n_epochs: int
    given: set[str] = field(default_factory=set)  # kinds of values that the function took
    outcome: Outcome = field(default_factory=Outcome)
    numbers: list[Number] = field(default_factory=list)

    @property
    def passes(self) -> list[Pass]:
        """The events, cut at the start of every pass over a loader."""
        has_loaders = bool(self.log.of("pass"))
        found: list[Pass] = []
        for event in self.log.events:
            is_new = event.kind == "pass"
            if not has_loaders and event.kind == "forward":
                is_new = not found or _is_full(found[-1], event)
            if is_new:
                found.append(Pass(event.part, event.line, event.weights))
            if found and event.kind != "pass":
                found[-1].events.append(event)
        return found

    def right_gradient(self, forward: Event, is_softmaxed: bool = False) -> dict[str, Tensor]:
        """The gradient of the mean cross-entropy of a batch, at the weights of that moment."""
        images, labels = self.batch(forward.rows)
        weights = {n: w.clone().requires_grad_() for n, w in forward.weights.items()}
        with torch.enable_grad():
            scores = stage.scores_with(weights, images)
            scores = scores.softmax(1) if is_softmaxed else scores
            loss = functional.cross_entropy(scores, labels)
            found = torch.autograd.grad(loss, list(weights.values()))
        return dict(zip(weights, found, strict=True))

    def batch(self, rows: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        """Images and labels by their numbers."""
        part, first = (
            (self.val, stage.FIRST_VAL) if min(rows) >= stage.FIRST_VAL else (self.train, 0)
        )
        index = torch.tensor(rows) - first
        return part.data[index], part.targets[index]


def _is_full(current: Pass, event: Event) -> bool:
    """Whether a forward pass begins a new pass, where the function cuts its own batches."""
    n = stage.N_VAL if current.part == "val" else stage.N_TRAIN
    n_seen = sum(len(each.rows) for each in current.forwards)
    return current.part != event.part or n_seen + len(event.rows) > n


def prepared(source: Source, n_epochs: int) -> Performance:
    """A fresh network, images and optimizer."""
    log = Log(source.name)
    network = stage.Network(log)
    train = stage.Images(stage.N_TRAIN, 0, 3)
    val = stage.Images(stage.N_VAL, stage.FIRST_VAL, 5)
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE)
    return Performance(log, network, train, val, optimizer, n_epochs)


def arguments(
    function: Callable[..., Any], source: Source, played: Performance, is_judged: bool = False
) -> dict[str, Any]:
    """What each parameter of the function receives; UnboundError where that is not clear."""
    loaders = {
        "train": stage.Loader(played.log, "train", played.train),
        "val": (stage.Judged if is_judged else stage.Loader)(played.log, "val", played.val),
    }
    found: dict[str, Any] = {}
    makes_loaders = "DataLoader(" in _text_of(function, source)
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        kind, value = _value(plain(name), name, played, loaders, makes_loaders)
        is_needed = parameter.default is parameter.empty
        if kind and (is_needed or kind not in ("learning rate", "device", "optional")):
            played.given.add(kind)
            found[name] = value
        elif is_needed:
            raise UnboundError(f"it is not clear what {name} should receive")
    return found


def _text_of(function: Callable[..., Any], source: Source) -> str:
    lines = source.text.splitlines()
    for node in source.functions:
        if node.name == function.__name__:
            return "\n".join(lines[node.lineno - 1 : node.end_lineno])
    return ""


def _value(
    word: str, name: str, played: Performance, loaders: dict[str, Any], makes_loaders: bool
) -> tuple[str, Any]:
    part = "val" if any(each in word for each in OTHER_PARTS) else "train"
    images = {"train": played.train, "val": played.val}[part]
    if word in MODELS:
        return "model", played.network
    if word in ("optimizer", "optim", "opt", "optimiser"):
        return "optimizer", played.optimizer
    if "sched" in word:
        return "scheduler", stage.Scheduler(played.log, played.optimizer)
    if word in ("criterion", "loss", "lossfn", "lossfunction", "lossfunc", "crit"):
        return "criterion", nn.CrossEntropyLoss()
    if "epoch" in word:
        return "epochs", played.n_epochs
    if "batchsize" in word or word == "bs":
        return "batch size", stage.BATCH
    if any(each in word for each in DATA):
        is_set = makes_loaders and "loader" not in word
        return part, images if is_set else loaders[part]
    kinds = kinds_of(name)
    if {"X", "X_val"} & set(kinds):
        return f"{part} images", images.data
    if {"y", "y_val"} & set(kinds):
        return f"{part} labels", images.targets
    return _setting(word)


def _setting(word: str) -> tuple[str, Any]:
    if word in ("lr", "learningrate", "eta", "rate", "alpha"):
        return "learning rate", RATE
    if word == "device":
        return "device", torch.device("cpu")
    for part, value in (("patience", 1000), ("path", "best.pt"), ("file", "best.pt"), ("seed", 0)):
        if part in word:
            return "optional", value
    if word in ("verbose", "printevery", "logevery", "loginterval"):
        return "optional", 1000
    return "", None


def play(
    function: Callable[..., Any], source: Source, n_epochs: int, is_judged: bool = False
) -> Performance:
    """Run the function once; UnboundError where its parameters are not clear."""
    played = prepared(source, n_epochs)
    if is_judged:
        played.optimizer.param_groups[0]["lr"] = 0.01
    given = arguments(function, source, played, is_judged)
    if is_judged:
        _judge(given)
    torch.manual_seed(1)
    with noted(played.log), quiet():
        played.log.events.clear()
        n_calls = 1 if "epochs" in played.given else n_epochs

        def work() -> Any:
            values = [function(**given) for _ in range(n_calls)]
            return values[0] if "epochs" in played.given else values

        played.outcome, played.numbers = recorded(source.name, work)
    return played


def _judge(given: dict[str, Any]) -> None:
    for value in given.values():
        if isinstance(value, stage.Judged):
            value.n_right = (3, 7, 0, 4)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """What the student's code prints is dropped."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
