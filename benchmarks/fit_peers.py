"""One peer of the fit benchmark, in a process and an environment of its own.

python fit_peers.py METHOD PARTS.npz PREDICTED.npy SECONDS

Imports nothing of mnistlab: a peer's environment has only the peer. Each is given the same images,
the validation part as such where it takes one, and the same seconds, of which its own start counts.
"""

from __future__ import annotations

import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

N_ITERATIONS = 10  # of boosting between two looks at the clock
RESERVED = 0.05  # of the seconds, to predict and to write


def hist_gradient_boosting(parts: dict[str, Any], ends: float) -> Any:
    """scikit-learn's, iteration after iteration until the time is over; validation chooses."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=N_ITERATIONS, warm_start=True, early_stopping=False, random_state=0
    )
    best, score, longest_s = None, -1.0, 0.0
    while best is None or time.monotonic() + longest_s < ends:
        began = time.monotonic()
        model.fit(parts["x_train"], parts["y_train"])
        accuracy = model.score(parts["x_val"], parts["y_val"])
        if accuracy > score:
            best, score = model.predict(parts["x_test"]), accuracy
        longest_s = max(longest_s, time.monotonic() - began)
        model.set_params(max_iter=model.max_iter + N_ITERATIONS)
    return best


def flaml(parts: dict[str, Any], ends: float) -> Any:
    """FLAML's AutoML on pixels."""
    automl = import_module("flaml").AutoML()
    automl.fit(
        parts["x_train"],
        parts["y_train"],
        X_val=parts["x_val"],
        y_val=parts["y_val"],
        task="classification",
        metric="accuracy",
        time_budget=max(1.0, ends - time.monotonic()),
        verbose=0,
    )
    return automl.predict(parts["x_test"])


def autogluon(parts: dict[str, Any], ends: float) -> Any:
    """AutoGluon's TabularPredictor on pixels."""
    pd, tabular = import_module("pandas"), import_module("autogluon.tabular")

    def frame(x: Any, y: Any | None = None) -> Any:
        table = pd.DataFrame(x, columns=[f"p{column}" for column in range(x.shape[1])])
        return table if y is None else table.assign(label=y)

    predictor = tabular.TabularPredictor(label="label", eval_metric="accuracy", verbosity=0)
    predictor.fit(
        frame(parts["x_train"], parts["y_train"]),
        tuning_data=frame(parts["x_val"], parts["y_val"]),
        time_limit=max(1.0, ends - time.monotonic()),
    )
    return predictor.predict(frame(parts["x_test"])).to_numpy()


METHODS = {
    "HistGradientBoosting": hist_gradient_boosting,
    "FLAML": flaml,
    "AutoGluon tabular": autogluon,
}


def main(method: str, source: str, target: str, seconds: str) -> None:
    """Fit, predict the test images and write their classes."""
    ends = time.monotonic() + (1 - RESERVED) * float(seconds)
    with np.load(source) as found:
        parts = {name: found[name] for name in found.files}
    for name in ("x_train", "x_val", "x_test"):
        parts[name] = parts[name].reshape(len(parts[name]), -1)
    np.save(Path(target), np.asarray(METHODS[method](parts, ends)).astype(np.int64))


if __name__ == "__main__":
    main(*sys.argv[1:])
