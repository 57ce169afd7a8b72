"""Runs: one recipe trained on one data set, stored as a folder.

    recipe.json  env.json  data.json   the recipe, the machine, the data
    log.jsonl                          a line per epoch
    steps.jsonl                        a line per log_steps steps, where the recipe wants them
    model.safetensors                  the best weights, with what is needed to load them
    snapshots.npz                      weights of earlier epochs, where the recipe wants them
    seen.npz                           hashes of the images of training and validation
    result.json  predictions.npz       the metrics; test metrics only after `evaluate`

A folder under a run's own name is complete. While a run trains, and if it fails or is stopped,
the name ends in .partial, and `resume` resumes from the checkpoints in it.
"""

from mnistlab.runs.building import classifier_of, count_recipe_parameters, parts_of
from mnistlab.runs.comparing import Comparison, compare
from mnistlab.runs.cross_validation import CrossValidation, cross_validate
from mnistlab.runs.evaluating import evaluate, evaluation
from mnistlab.runs.evaluations import Evaluation, read_evaluation
from mnistlab.runs.execution import (
    DEFAULT_FOLDER,
    Execution,
    ExecutionOptions,
    execution_of,
)
from mnistlab.runs.folder import Run, open_run, opened
from mnistlab.runs.predicting import predict
from mnistlab.runs.progress import Progress, TrialEnd
from mnistlab.runs.robustness import measure_robustness
from mnistlab.runs.run_data import dataset_of, test_part
from mnistlab.runs.training import resume, train

__all__ = [
    "DEFAULT_FOLDER",
    "Comparison",
    "CrossValidation",
    "Evaluation",
    "Execution",
    "ExecutionOptions",
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
    "execution_of",
    "measure_robustness",
    "open_run",
    "opened",
    "parts_of",
    "predict",
    "read_evaluation",
    "resume",
    "test_part",
    "train",
]
