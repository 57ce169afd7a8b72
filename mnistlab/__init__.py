"""mnistlab: the workbench for small-image classification.

    import mnistlab as ml

    data = ml.load("fashion-mini")                  # or "mnist", "my.csv", "my-folder/"
    run = ml.train(ml.get_recipe(), data)           # the recommended recipe; a folder under runs/
    run = ml.evaluate(run)                          # looks at the test part
    print(run.result["test_accuracy"], ml.report(run))

This page is the whole public interface. Every name is imported when it is first used,
so that `import mnistlab` costs nothing and loads no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mnistlab.version import __version__

if TYPE_CHECKING:
    from mnistlab import scratch
    from mnistlab.classifiers import ScratchClassifier, SVMClassifier, TorchClassifier
    from mnistlab.classifiers.storage import load_classifier, save_classifier
    from mnistlab.data import Dataset, Split, export, fetch, load, split
    from mnistlab.errors import DataError, MnistlabError, RecipeError, RunError, TrainingError
    from mnistlab.field_paths import set_fields
    from mnistlab.phases import Phase
    from mnistlab.recipe import Recipe, read_recipe
    from mnistlab.recipes import RECIPES, RECOMMENDED, get_recipe
    from mnistlab.reporting.predicting import predict
    from mnistlab.reporting.run_report import report
    from mnistlab.runs import (
        Progress,
        Run,
        compare,
        cross_validate,
        evaluate,
        open_run,
        resume,
        train,
    )
    from mnistlab.studies import STUDIES
    from mnistlab.study import run_study

_HOMES = {
    # data
    "Dataset": "data",
    "Split": "data",
    "load": "data",
    "fetch": "data",
    "split": "data",
    "export": "data",
    # what to train
    "Recipe": "recipe",
    "Phase": "phases",
    "RECIPES": "recipes",
    "RECOMMENDED": "recipes",
    "get_recipe": "recipes",
    "read_recipe": "recipe",
    "set_fields": "field_paths",
    # training, evaluating, reading
    "TorchClassifier": "classifiers",
    "ScratchClassifier": "classifiers",
    "SVMClassifier": "classifiers",
    "save_classifier": "classifiers.storage",
    "load_classifier": "classifiers.storage",
    "Run": "runs",
    "Progress": "runs",
    "train": "runs",
    "resume": "runs",
    "evaluate": "runs",
    "compare": "runs",
    "predict": "reporting.predicting",
    "cross_validate": "runs",
    "open_run": "runs",
    "report": "reporting.run_report",
    # networks by hand
    "scratch": "scratch",
    # questions with several arms
    "STUDIES": "studies",
    "run_study": "study",
    # searches
    "Choice": "space",
    "Layers": "space",
    "Range": "space",
    "Space": "space",
    "read_space": "space",
    "tune": "tuning",
    "tracked": "tracking",
    # what can go wrong
    "MnistlabError": "errors",
    "DataError": "errors",
    "RecipeError": "errors",
    "RunError": "errors",
    "TrainingError": "errors",
}

__all__ = [
    "RECIPES",
    "RECOMMENDED",
    "STUDIES",
    "Choice",
    "DataError",
    "Dataset",
    "Layers",
    "MnistlabError",
    "Phase",
    "Progress",
    "Range",
    "Recipe",
    "RecipeError",
    "Run",
    "RunError",
    "SVMClassifier",
    "ScratchClassifier",
    "Space",
    "Split",
    "TorchClassifier",
    "TrainingError",
    "__version__",
    "compare",
    "cross_validate",
    "evaluate",
    "export",
    "fetch",
    "get_recipe",
    "load",
    "load_classifier",
    "open_run",
    "predict",
    "read_recipe",
    "read_space",
    "report",
    "resume",
    "run_study",
    "save_classifier",
    "scratch",
    "set_fields",
    "split",
    "train",
    "tune",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'mnistlab' has no attribute {name!r}")
    home = import_module(f"mnistlab.{_HOMES[name]}")
    return home if name == _HOMES[name] else getattr(home, name)


def __dir__() -> list[str]:
    return __all__
