"""mnistlab: the workbench for small-image classification.

    import mnistlab as ml

    data = ml.load("fashion-mini")                  # or "mnist", "my.csv", "my-folder/"
    run = ml.train(ml.get_recipe("simple-cnn"), data)   # a folder under runs/
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
    from mnistlab.classifiers import TorchClassifier
    from mnistlab.data import Dataset, Split, export, fetch, load, split
    from mnistlab.errors import DataError, MnistlabError, RecipeError, RunError, TrainingError
    from mnistlab.recipe import Recipe, read_recipe, set_fields
    from mnistlab.recipes import RECIPES, get_recipe
    from mnistlab.reporting.run_report import report
    from mnistlab.run import Progress, Run, evaluate, open_run, train
    from mnistlab.studies import STUDIES
    from mnistlab.study import run_study
    from mnistlab.phases import Phase

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
    "get_recipe": "recipes",
    "read_recipe": "recipe",
    "set_fields": "recipe",
    # training, evaluating, reading
    "TorchClassifier": "classifiers",
    "Run": "run",
    "Progress": "run",
    "train": "run",
    "evaluate": "run",
    "open_run": "run",
    "report": "reporting.run_report",
    # questions with several arms
    "STUDIES": "studies",
    "run_study": "study",
    # what can go wrong
    "MnistlabError": "errors",
    "DataError": "errors",
    "RecipeError": "errors",
    "RunError": "errors",
    "TrainingError": "errors",
}

__all__ = [
    "RECIPES",
    "STUDIES",
    "DataError",
    "Dataset",
    "MnistlabError",
    "Phase",
    "Progress",
    "Recipe",
    "RecipeError",
    "Run",
    "RunError",
    "Split",
    "TorchClassifier",
    "TrainingError",
    "__version__",
    "evaluate",
    "export",
    "fetch",
    "get_recipe",
    "load",
    "open_run",
    "read_recipe",
    "report",
    "run_study",
    "set_fields",
    "split",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'mnistlab' has no attribute {name!r}")
    return getattr(import_module(f"mnistlab.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
