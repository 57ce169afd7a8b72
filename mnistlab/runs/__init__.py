"""Runs: one recipe trained on one data set, kept as a folder.

    recipe.json  env.json  data.json   what was done, where, on what
    log.jsonl                          a line per epoch
    steps.jsonl                        a line per log_steps steps, where the recipe wants them
    model.safetensors                  the best weights, with what is needed to load them
    snapshots.npz                      weights of earlier epochs, where the recipe wants them
    seen.npz                           hashes of the images of training and validation
    result.json  predictions.npz       the figures; test figures only after `evaluate`

A folder under a run's own name is complete. While it trains, and if it fails or is stopped,
its name ends in .partial, and checkpoints lie in it from which `resume` goes on.
"""

from mnistlab.runs.building import classifier_of, count_recipe_parameters, parts_of
from mnistlab.runs.comparing import Comparison, compare
from mnistlab.runs.cross_validation import CrossValidation, cross_validate
from mnistlab.runs.evaluating import evaluate, evaluation
from mnistlab.runs.evaluations import Evaluation, read_evaluation
from mnistlab.runs.folder import Run, dataset_of, open_run, test_part
from mnistlab.runs.predicting import predict
from mnistlab.runs.progress import Progress, TrialEnd
from mnistlab.runs.robustness import measure_robustness
from mnistlab.runs.training import DEFAULT_FOLDER, resume, train

__all__ = [
    "DEFAULT_FOLDER",
    "Comparison",
    "CrossValidation",
    "Evaluation",
    "Progress",
    "Run",
    "TrialEnd",
    "classifier_of",
    "compare",
    "count_recipe_parameters",
    "cross_validate",
    "dataset_of",
    "evaluate",
    "evaluation",
    "measure_robustness",
    "open_run",
    "parts_of",
    "predict",
    "read_evaluation",
    "resume",
    "test_part",
    "train",
]
