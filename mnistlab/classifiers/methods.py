"""The kinds of model that a recipe can name: torch networks, networks by hand, SVM, ensembles.

Whatever the kinds differ in is a field of Method; no other file asks for a model by its name. To
add a kind, write its function and name it in KINDS; every other name is a torch architecture of
mnistlab.models.MODELS.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self, Unpack, get_type_hints

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mnistlab import machine
from mnistlab.bounds import MOST_FOLDS, MOST_SHIFTED, SMALLEST_C, check_count, check_number, shown
from mnistlab.errors import RecipeError
from mnistlab.phases import CallbackOptions, Phase

ImageShape = tuple[int, int]
CHANGING_IMAGES = ("pad_to", "augmentation", "expansion", "test_time_augmentation")


class Classifier(Protocol):
    """What every classifier of this project has: scikit-learn's contract, and more.

    Only an SVM that is not calibrated lacks predict_proba: ask with hasattr.
    """

    classes_: NDArray[Any]
    image_shape_: ImageShape
    history_: list[dict[str, Any]]
    n_parameters_: int

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        **callbacks: Unpack[CallbackOptions],
    ) -> Self:
        """Train; sample_weight may be given as well, and processes where the method shares."""

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The class of each image (N,)."""

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Class probabilities (N, K), columns in the order of classes_."""

    def score(self, X: ArrayLike, y: ArrayLike) -> float:
        """Accuracy."""

    def get_params(self) -> dict[str, Any]:
        """The arguments it was made with."""

    def set_params(self, **params: Any) -> Self:
        """Change them."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All fitted numbers; `restore` takes them back."""

    def restore(
        self, classes: ArrayLike, image_shape: ImageShape, arrays: Mapping[str, NDArray[Any]]
    ) -> Self:
        """Take fitted state from storage instead of training; ValueError where it does not fit."""


@dataclass(frozen=True)
class Method:
    """What the rest of the project must know of one kind of model.

    arguments: a function whose positional arguments are those of model_args.
    n_parameters: of images (H, W), K classes and model_args; None where training decides.
    make: the untrained classifier. describe: what env.json says of a device and a precision;
    RecipeError where this machine lacks them. n_threads: runs a block with that many threads.
    learns_in_epochs: whether there are epochs to report and a seed that matters.
    shares_batches: whether several processes can train one network.
    extra: the name of the extra that model_args need; None where the core is enough.
    kernels: what computes layers on a device in place of torch's own operations; None: nothing.
    """

    arguments: Callable[..., Any]
    n_parameters: Callable[[ImageShape, int, Mapping[str, Any]], int | None]
    make: Callable[..., Classifier]
    describe: Callable[[str, str], dict[str, Any]]
    n_threads: Callable[[int | None], AbstractContextManager[None]]
    learns_in_epochs: bool = True
    shares_batches: bool = False
    extra: Callable[[Mapping[str, Any]], str | None] = lambda model_args: None
    kernels: Callable[[str], str | None] = lambda device: None


def method_of(model: str) -> Method:
    """The method behind a recipe's model; RecipeError for an unknown model."""
    return KINDS[model]() if model in KINDS else _torch_network(model)


def argument_types(model: str) -> dict[str, Any]:
    """The names model_args may hold, with their types."""
    arguments = method_of(model).arguments
    hints = get_type_hints(arguments)
    return {
        name: hints[name]
        for name, parameter in inspect.signature(arguments).parameters.items()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        and name not in ("image_shape", "n_classes")
    }


def count_parameters(
    model: str, image_shape: ImageShape, n_classes: int, model_args: Mapping[str, Any]
) -> int | None:
    """How many numbers training may change; None where training decides.

    Raises RecipeError for a model that does not exist or cannot be built.
    """
    _check_arguments(model, model_args)
    return method_of(model).n_parameters(image_shape, n_classes, model_args)


def _check_arguments(model: str, model_args: Mapping[str, Any]) -> None:
    from pydantic import TypeAdapter, ValidationError

    types = argument_types(model)
    for name, value in model_args.items():
        if name not in types:
            there = ", ".join(types) or "none"
            raise RecipeError(f"model {model} has no argument {name!r}; there are: {there}")
        adapter: TypeAdapter[Any] = TypeAdapter(types[name])
        try:
            adapter.validate_python(value, strict=True)
        except ValidationError as error:
            reason = error.errors(include_url=False)[0]["msg"]
            raise RecipeError(f"model {model}: {name}: {reason}, got {shown(value)}") from error


def _torch_network(model: str) -> Method:
    from mnistlab.models import MODELS, WITH_BLOCKS, WITH_KERNELS, extra_of
    from mnistlab.training import hardware, kernels

    if model not in MODELS:
        raise RecipeError(f"unknown model {model!r}; there are: {', '.join([*MODELS, *KINDS])}")

    def n_parameters(shape: ImageShape, n_classes: int, args: Mapping[str, Any]) -> int:
        import torch

        from mnistlab.models import build, count_parameters

        with torch.device("meta"):  # takes no memory
            return count_parameters(build(model, shape, n_classes, args))

    def make(model_args: Mapping[str, Any], **settings: Any) -> Classifier:
        from mnistlab.classifiers.torch_classifier import TorchClassifier
        from mnistlab.training import augmentation, fixed_views

        if model not in WITH_BLOCKS:
            check_whole(model, settings.get("phases") or ())
        augmentation.check(settings.get("augmentation") or {})
        fixed_views.expansion_of(settings.get("expansion"))
        fixed_views.views_of(settings.get("test_time_augmentation", ()))
        return TorchClassifier(model=model, model_args=model_args, **settings)

    def kernels_on(device: str) -> str | None:
        fits = model in WITH_KERNELS and hardware.pick_device(device).type == "cpu"
        return kernels.version() if fits else None

    return Method(
        MODELS[model],
        n_parameters,
        make,
        hardware.describe,
        hardware.n_threads,
        shares_batches=True,
        extra=lambda model_args: extra_of(model_args.get("backbone")),
        kernels=kernels_on,
    )


def _scratch() -> Method:
    from mnistlab.scratch import build, check_buildable, check_optimizers

    def n_parameters(shape: ImageShape, n_classes: int, args: Mapping[str, Any]) -> int:
        return check_buildable(shape, n_classes, **args)

    def make(model_args: Mapping[str, Any], device: str, **settings: Any) -> Classifier:
        from mnistlab.classifiers.scratch_classifier import ScratchClassifier

        machine.check_cpu_only(device)
        check_optimizers(settings["phases"])
        check_whole("scratch", settings["phases"])
        return ScratchClassifier(**model_args, **_on_images_as_they_are("scratch", settings))

    return Method(build, n_parameters, make, _describe_numpy, machine.n_threads)


def check_whole(model: str, phases: Sequence[Phase]) -> None:
    """RecipeError where a phase freezes blocks; for models without any."""
    if any(phase.needs_blocks for phase in phases):
        raise RecipeError(
            f"model {model} has no blocks; unfrozen and block_decay are for model transfer"
        )


def _svm() -> Method:
    def make(
        model_args: Mapping[str, Any],
        device: str,
        scaling: str,
        random_state: int,
        class_weight: str | None = None,
        **others: Any,
    ) -> Classifier:
        from mnistlab.classifiers.svm_classifier import SVMClassifier

        machine.check_cpu_only(device)
        _on_images_as_they_are("svm", others)
        return SVMClassifier(
            **model_args, scaling=scaling, class_weight=class_weight, random_state=random_state
        )

    return Method(
        _svm_arguments,
        lambda shape, n_classes, args: _svm_arguments(**args),
        make,
        _describe_svm,
        machine.n_threads,
        learns_in_epochs=False,
    )


def _ensemble() -> Method:
    from mnistlab.classifiers.ensemble_method import ensemble_method

    return ensemble_method()


def _on_images_as_they_are(model: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings without those that change images; RecipeError where one of them is set."""
    for name in CHANGING_IMAGES:
        if settings.get(name):
            raise RecipeError(f"model {model} has no {name}; torch networks have")
    return {name: value for name, value in settings.items() if name not in CHANGING_IMAGES}


def _svm_arguments(
    C: float = 1.0,
    gamma: float | Literal["scale", "auto"] = "scale",
    calibrated: bool = False,
    n_calibration_folds: int = 5,
    features: Literal["pixels", "hog"] = "pixels",
    virtual_shift: int = 0,
) -> None:
    """RecipeError for numbers that an SVM cannot have."""
    check_number("C", C, positive=True)
    check_number("C", C, low=SMALLEST_C)
    if not isinstance(gamma, str):
        check_number("gamma", gamma, positive=True)
    check_count("n_calibration_folds", n_calibration_folds, 2, MOST_FOLDS)
    check_count("virtual_shift", virtual_shift, 0, MOST_SHIFTED)


def _describe_cpu(device: str, precision: str, precisions: Collection[str]) -> dict[str, Any]:
    machine.check_cpu_only(device)
    if precision not in precisions:
        raise RecipeError(
            f"precision {precision!r} asked for; this model has: {', '.join(precisions)}"
        )
    return machine.describe() | {
        "threads": machine.threads_in_use(),
        "device": "cpu",
        "precision": "float32" if precision == "auto" else precision,
    }


def _describe_numpy(device: str, precision: str) -> dict[str, Any]:
    from mnistlab.classifiers.scratch_classifier import PRECISIONS

    return _describe_cpu(device, precision, PRECISIONS)


def _describe_svm(device: str, precision: str) -> dict[str, Any]:
    from importlib.metadata import PackageNotFoundError, version

    described = _describe_cpu(device, precision, ("auto", "float32"))
    for package in ("scikit-learn", "scikit-learn-intelex"):
        with suppress(PackageNotFoundError):  # the second, which trains faster, is an extra
            described[package] = version(package)
    return described


KINDS: dict[str, Callable[[], Method]] = {
    "scratch": _scratch,
    "svm": _svm,
    "ensemble": _ensemble,
}
