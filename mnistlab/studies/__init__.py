"""Ready studies. To add one, write the function and name it in STUDIES."""

from __future__ import annotations

from collections.abc import Callable

from mnistlab.errors import RecipeError
from mnistlab.studies import classical, double_softmax, exercises, portfolio, transfer
from mnistlab.studies.ladder import ladder
from mnistlab.study import AnyStudy

__all__ = ["STUDIES", "get_study"]

STUDIES: dict[str, Callable[[], AnyStudy]] = {
    "ladder": ladder,
    "embedding": classical.embedding,
    "mlp-batch-size": classical.mlp_batch_size,
    "svm-grid": classical.svm_grid,
    "mlp-vs-svm": classical.mlp_vs_svm,
    "pixel-scaling": classical.pixel_scaling,
    "optimizers": exercises.optimizers,
    "lr-schedule": exercises.lr_schedule,
    "augmentation": exercises.augmentation,
    "architectures": exercises.architectures,
    "early-stopping": exercises.early_stopping,
    "batch-size": double_softmax.batch_size,
    "double-softmax": double_softmax.double_softmax,
    "mlp-regularisation": portfolio.mlp_regularisation,
    "cnn-regularisation": portfolio.cnn_regularisation,
    "shuffling": portfolio.shuffling,
    "stratifying": portfolio.stratifying,
    "scaling": portfolio.scaling,
    "final": portfolio.final,
    "final-shortened": portfolio.final_shortened,
    "final-tuned": portfolio.final_tuned,
    "transfer": transfer.transfer,
    "transfer-lite0": transfer.transfer_lite0,
}


def get_study(name: str) -> AnyStudy:
    """The ready study of that name; RecipeError for a name there is not."""
    if name not in STUDIES:
        raise RecipeError(f"unknown study {name!r}; there are: {', '.join(STUDIES)}")
    return STUDIES[name]()
