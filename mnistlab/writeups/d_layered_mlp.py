"""Write-up D: a layered MLP in NumPy, tuned with Optuna.

D1 and D2, its layers and its data, are mnistlab/scratch. Here is D3 before it is tuned; `mnistlab
tune layered-mlp` tunes it and draws D4, the importance of each hyper-parameter.
"""

from __future__ import annotations

from mnistlab import Phase, Recipe


def layered_mlp() -> Recipe:
    """D3 before it is tuned: one narrow layer, a far too small rate.

    Write-up D prints no settings; these are ours, and bad on purpose.
    """
    return Recipe(
        name="layered-mlp",
        expect={"mnist": (0.8, 0.88), "fashion-mnist": (0.69, 0.77)},
        system="D3",
        summary="784-32-10 in NumPy, untuned",
        model="scratch",
        model_args={"hidden_sizes": (32,)},
        scaling="min-max",
        phases=(Phase("momentum", learning_rate=1e-4, epochs=20, schedule="cosine"),),
        batch_size=128,
    )
