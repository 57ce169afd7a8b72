"""Ready studies by name. To add one, write a function that returns one; name it in STUDIES."""

from __future__ import annotations

from collections.abc import Callable

from mnistlab.errors import RecipeError
from mnistlab.study import AnyStudy
from mnistlab.writeups import b_double_softmax, e_case_study
from mnistlab.writeups.a_course import by_hand, simple_cnn, transfer
from mnistlab.writeups.c_portfolio import final, fourteen

STUDIES: dict[str, Callable[[], AnyStudy]] = {
    "ladder": e_case_study.ladder_study,
    "embedding": by_hand.embedding_study,
    "mlp-batch-size": by_hand.mlp_batch_size_study,
    "svm-grid": by_hand.svm_grid_study,
    "mlp-vs-svm": by_hand.mlp_vs_svm_study,
    "pixel-scaling": by_hand.pixel_scaling_study,
    "optimizers": simple_cnn.optimizers_study,
    "lr-schedule": simple_cnn.lr_schedule_study,
    "augmentation": simple_cnn.augmentation_study,
    "architectures": simple_cnn.architectures_study,
    "early-stopping": simple_cnn.early_stopping_study,
    "batch-size": b_double_softmax.batch_size_study,
    "double-softmax": b_double_softmax.double_softmax_study,
    "mlp-regularisation": fourteen.mlp_regularisation_study,
    "cnn-regularisation": fourteen.cnn_regularisation_study,
    "shuffling": fourteen.shuffling_study,
    "stratifying": fourteen.stratifying_study,
    "scaling": fourteen.scaling_study,
    "final": final.final_study,
    "final-shortened": final.final_shortened_study,
    "final-tuned": final.final_tuned_study,
    "transfer": transfer.transfer_study,
    "transfer-lite0": transfer.transfer_lite0_study,
}


def get_study(name: str) -> AnyStudy:
    """The ready study of that name; RecipeError for an unknown name."""
    if not isinstance(name, str) or name not in STUDIES:
        raise RecipeError(f"unknown study {name!r}; there are: {', '.join(STUDIES)}")
    return STUDIES[name]()
