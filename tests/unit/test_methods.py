"""What the rest of the project is told of the kinds of model, and which settings they refuse."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from mnistlab import machine
from mnistlab.classifiers import ScratchClassifier, SVMClassifier, TorchClassifier
from mnistlab.classifiers.methods import KINDS, argument_types, count_parameters, method_of
from mnistlab.errors import RecipeError
from mnistlab.models import MODELS
from mnistlab.phases import Phase

SETTINGS = {
    "phases": (Phase("momentum", 0.01, 1),),
    "batch_size": 16,
    "scaling": "standard",
    "precision": "auto",
    "device": "auto",
    "random_state": 3,
}
BY_HAND = ("scratch", "svm")  # what NumPy and scikit-learn work on


def test_arguments_are_those_a_recipe_may_set() -> None:
    assert argument_types("scratch").keys() == {
        "hidden_sizes",
        "channels",
        "activation",
        "initialisation",
        "batch_norm",
        "dropout",
    }
    types = argument_types("svm")
    settings = {"calibrated", "n_calibration_folds", "features", "virtual_shift"}
    assert types.keys() == {"C", "gamma"} | settings
    assert (types["C"], types["calibrated"], types["n_calibration_folds"]) == (float, bool, int)
    assert argument_types("mlp").keys() == {
        "hidden_sizes",
        "dropout",
        "batch_norm",
        "softmax_output",
    }


@pytest.mark.parametrize("model", BY_HAND)
def test_every_argument_is_one_of_the_classifier(model: str) -> None:
    classifier = {"scratch": ScratchClassifier, "svm": SVMClassifier}[model]()
    assert argument_types(model).keys() <= classifier.get_params().keys()


def test_defaults_of_a_recipe_are_those_of_the_classifier() -> None:
    """A model named without arguments is the classifier made without arguments."""
    for model, classifier in (("scratch", ScratchClassifier()), ("svm", SVMClassifier())):
        made = method_of(model).make(model_args={}, **SETTINGS)
        for name in argument_types(model):
            assert getattr(made, name) == getattr(classifier, name)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, 784 * 128 + 128 + 128 * 10 + 10),  # A4
        ({"hidden_sizes": ()}, 7850),
        ({"hidden_sizes": [20, 30]}, 784 * 20 + 20 + 20 * 30 + 30 + 30 * 10 + 10),
        ({"hidden_sizes": (), "channels": (16, 32)}, 20_490),  # E3
        ({"batch_norm": True}, 101_770 + 2 * 128),
        ({"dropout": 0.5, "activation": "tanh", "initialisation": "xavier"}, 101_770),
    ],
)
def test_parameters_of_a_network_by_hand_are_counted(arguments: dict, expected: int) -> None:
    assert count_parameters("scratch", (28, 28), 10, arguments) == expected


def test_counted_parameters_are_those_that_are_trained() -> None:
    X = np.random.default_rng(0).random((20, 8, 8))
    y = np.arange(20) % 4
    arguments = {"channels": (3,), "hidden_sizes": (5,), "batch_norm": True}
    made = method_of("scratch").make(model_args=arguments, **SETTINGS)
    assert made.fit(X, y).n_parameters_ == count_parameters("scratch", (8, 8), 4, arguments)


def test_how_large_a_support_vector_machine_is_training_decides() -> None:
    assert count_parameters("svm", (28, 28), 10, {"C": 10.0, "gamma": "scale"}) is None
    assert count_parameters("svm", (28, 28), 10, {"C": 10, "gamma": 1}) is None


@pytest.mark.parametrize(
    ("model", "arguments", "error"),
    [
        ("scratch", {"widths": 3}, "has no argument 'widths'; there are: hidden_sizes, channels"),
        ("scratch", {"seed": 3}, "has no argument 'seed'"),
        ("scratch", {"dtype": "float64"}, "has no argument 'dtype'"),
        ("scratch", {"image_shape": (2, 2)}, "has no argument 'image_shape'"),
        ("scratch", {"hidden_sizes": 16}, "hidden_sizes: .*, got 16"),
        ("scratch", {"hidden_sizes": "16"}, "hidden_sizes: .*, got '16'"),
        ("scratch", {"hidden_sizes": (1.5,)}, "hidden_sizes: .*, got"),
        ("scratch", {"hidden_sizes": (True,)}, "hidden_sizes: .*, got"),
        ("scratch", {"hidden_sizes": (0,)}, "must be at least 1"),
        ("scratch", {"channels": (-1,)}, "must be at least 1"),
        ("scratch", {"channels": (1,) * 5}, "too small to be halved 5 times"),
        ("scratch", {"activation": "zzz"}, "unknown activation 'zzz'; there are: "),
        ("scratch", {"activation": 3}, "activation: .*, got 3"),
        ("scratch", {"initialisation": "zzz"}, "unknown initialisation 'zzz'; there are: "),
        ("scratch", {"batch_norm": 1}, "batch_norm: .*, got 1"),
        ("scratch", {"dropout": "0.1"}, "dropout: .*, got '0.1'"),
        ("scratch", {"dropout": 1.0}, "dropout must be in"),
        ("scratch", {"dropout": math.nan}, "dropout must be in"),
        ("svm", {"kernel": "rbf"}, "has no argument 'kernel'; there are: C, gamma"),
        ("svm", {"C": "1"}, "C: .*, got '1'"),
        ("svm", {"C": True}, "C: .*, got True"),
        ("svm", {"C": 0.0}, "C must be positive"),
        ("svm", {"C": math.nan}, "C must be a finite number, got nan"),
        ("svm", {"C": math.inf}, "C must be a finite number, got inf"),
        ("svm", {"gamma": "zzz"}, "gamma: .*, got 'zzz'"),
        ("svm", {"gamma": -1.0}, "gamma must be positive"),
        ("svm", {"gamma": math.inf}, "gamma must be a finite number, got inf"),
        ("svm", {"calibrated": 1}, "calibrated: .*, got 1"),
        ("svm", {"n_calibration_folds": 1}, "n_calibration_folds must be at least 2"),
        ("svm", {"n_calibration_folds": 2.5}, "n_calibration_folds: .*, got 2.5"),
        ("mlp", {"widths": 3}, "has no argument 'widths'"),
        ("cnn", {"channels": ("a",)}, "channels: .*, got"),
    ],
)
def test_arguments_that_cannot_be_are_refused(model: str, arguments: dict, error: str) -> None:
    with pytest.raises(RecipeError, match=error) as caught:
        count_parameters(model, (28, 28), 10, arguments)
    assert "\n" not in str(caught.value)


def test_a_model_there_is_not_is_answered_with_all_there_are() -> None:
    for ask in (method_of, argument_types, lambda m: count_parameters(m, (28, 28), 10, {})):
        with pytest.raises(RecipeError, match="unknown model 'zzz'") as caught:
            ask("zzz")
        named = str(caught.value).partition("there are: ")[2].split(", ")
        assert set(named) == {*MODELS, *KINDS}


def test_settings_of_a_recipe_reach_the_classifier() -> None:
    network = method_of("scratch").make(
        model_args={"hidden_sizes": (5,), "dropout": 0.1}, **SETTINGS | {"precision": "float64"}
    )
    assert isinstance(network, ScratchClassifier)
    assert (network.hidden_sizes, network.dropout) == ((5,), 0.1)
    for name in ("phases", "batch_size", "scaling", "random_state"):
        assert getattr(network, name) == SETTINGS[name]
    assert network.precision == "float64"
    svm = method_of("svm").make(model_args={"C": 3.0, "calibrated": True}, **SETTINGS)
    assert isinstance(svm, SVMClassifier)
    assert (svm.C, svm.calibrated, svm.scaling, svm.random_state) == (3.0, True, "standard", 3)
    torch_network = method_of("mlp").make(model_args={"dropout": 0.1}, **SETTINGS)
    assert isinstance(torch_network, TorchClassifier)
    assert (torch_network.model, torch_network.model_args) == ("mlp", {"dropout": 0.1})


@pytest.mark.parametrize("model", BY_HAND)
@pytest.mark.parametrize("device", ["cuda", "mps", "tpu"])
def test_what_runs_in_numpy_runs_on_the_cpu_alone(model: str, device: str) -> None:
    method = method_of(model)
    with pytest.raises(RecipeError, match=f"device '{device}' asked for.*CPU alone"):
        method.describe(device, "auto")
    with pytest.raises(RecipeError, match=f"device '{device}' asked for.*CPU alone"):
        method.make(model_args={}, **SETTINGS | {"device": device})


@pytest.mark.parametrize("model", BY_HAND)
@pytest.mark.parametrize("precision", ["bfloat16", "half", ""])
def test_precisions_that_numpy_does_not_have_are_refused(model: str, precision: str) -> None:
    with pytest.raises(RecipeError, match=f"precision '{precision}' asked for.*auto, float32"):
        method_of(model).describe("cpu", precision)


@pytest.mark.parametrize("model", BY_HAND)
def test_what_env_json_says(model: str) -> None:
    described = method_of(model).describe("auto", "auto")
    assert json.loads(json.dumps(described, allow_nan=False)) == described
    assert (described["device"], described["precision"]) == ("cpu", "float32")
    assert described["threads"] == machine.threads_in_use()
    assert "torch" not in described
    assert ("scikit-learn" in described) == (model == "svm")
    assert machine.describe().items() <= described.items()


def test_env_json_says_which_precision_a_network_by_hand_has() -> None:
    assert method_of("scratch").describe("cpu", "float64")["precision"] == "float64"


def test_the_svm_does_not_claim_a_precision_it_does_not_work_in() -> None:
    with pytest.raises(RecipeError, match=r"precision 'float64' asked for.*: auto, float32$"):
        method_of("svm").describe("cpu", "float64")
    assert method_of("svm").describe("cpu", "float32")["precision"] == "float32"


def test_env_json_names_intelex_only_where_it_is(monkeypatch) -> None:
    from importlib import metadata

    described = method_of("svm").describe("cpu", "auto")
    installed = {dist.metadata["name"] for dist in metadata.distributions()}
    assert ("scikit-learn-intelex" in described) == ("scikit-learn-intelex" in installed)
    real = metadata.version

    def without(package: str) -> str:
        if package == "scikit-learn-intelex":
            raise metadata.PackageNotFoundError(package)
        return real(package)

    monkeypatch.setattr(metadata, "version", without)
    described = method_of("svm").describe("cpu", "auto")
    assert "scikit-learn-intelex" not in described
    assert described["scikit-learn"] == real("scikit-learn")


@pytest.mark.parametrize("model", BY_HAND)
def test_threads_of_what_runs_in_numpy_are_numpys(model: str) -> None:
    with threadpool_limits(2):
        with method_of(model).n_threads(1):
            assert method_of(model).describe("cpu", "auto")["threads"] == 1
        assert machine.threads_in_use() == 2


def test_only_machines_and_ensembles_learn_without_epochs() -> None:
    without = [m for m in (*MODELS, *KINDS) if not method_of(m).learns_in_epochs]
    assert without == ["svm", "ensemble"]


def test_asking_about_them_loads_no_torch() -> None:
    finished = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys\n"
            "from mnistlab.classifiers.methods import argument_types, count_parameters, method_of\n"
            "for model in ('scratch', 'svm'):\n"
            "    argument_types(model), count_parameters(model, (28, 28), 10, {})\n"
            "    method_of(model).describe('cpu', 'auto')\n"
            "print(sorted({'torch', 'torchvision', 'sklearnex'} & set(sys.modules)))\n",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout.strip() == "[]"
