"""What is logged to MLflow: parameters, each epoch at its end, then the files and a figure."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path

# Before MLflow is imported: nothing is sent to anyone else or printed, and a server that is away
# is asked again by Delivery, not for minutes inside one call.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # --json ends it
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")

from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from mnistlab.data import Dataset
from mnistlab.field_paths import flattened
from mnistlab.phases import Epoch
from mnistlab.recipe import Recipe
from mnistlab.runs import Run
from mnistlab.tracking.delivery import Delivery
from mnistlab.tracking.store import Store, current_store, store_of

RUN_TAG = "mnistlab.run"  # the name of the run's folder, by which a resumed run is found
PASSING = ("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED")
OF_EPOCHS = tuple(each.name for each in fields(Epoch) if each.name not in ("phase", "epoch"))
OF_RUNS = ("n_parameters", "train_time_s", "peak_memory_mb")
LONGEST_PARAM = 500  # characters


def may_pass(error: Exception) -> bool:
    """Whether an error is the server's absence and not its answer."""
    if isinstance(error, MlflowException):
        return error.error_code in PASSING
    return isinstance(error, OSError)


class MlflowRuns:
    """Logs one run after another; nothing here waits for the server."""

    def __init__(self, out: Path, delivery: Delivery, say: Callable[[str], None]) -> None:
        self._out, self._delivery, self._say = out, delivery, say
        self._experiments: dict[Store, str] = {}
        self._store, self._name = current_store(), ""
        self._run: dict[str, str] | None = None  # holds "id" once the server has given it

    @property
    def uri(self) -> str:
        """The store that runs are logged to now."""
        return self._store.uri or f"sqlite:///{self._out.resolve()}/mlflow.db"

    def folder(self, partial: Path) -> None:
        """The next training is in this folder; RunError where it cannot be tracked."""
        self._store = store_of(partial, self._say)
        self._name = partial.name.removesuffix(".partial")

    def begin(self, recipe: Recipe, dataset: Dataset, n_steps: int) -> None:
        """A training begins, or is resumed."""
        run: dict[str, str] = {}
        params = flattened(recipe.to_json()) | {"data": dataset.name, "n_steps": n_steps}
        tags = {
            RUN_TAG: self._name,
            "recipe_hash": recipe.content_hash,
            "data_fingerprint": dataset.fingerprint,
        }

        def call() -> None:
            client = self._client()
            run.setdefault("id", self._opened(client, recipe.name, tags))
            listed = [Param(key, str(value)[:LONGEST_PARAM]) for key, value in params.items()]
            client.log_batch(run["id"], params=listed)

        self._run = run
        self._delivery.put(call)

    def epoch(self, epoch: Epoch) -> None:
        """An epoch is over."""
        values = {name: getattr(epoch, name) for name in OF_EPOCHS}
        self._log_metrics({k: v for k, v in values.items() if v is not None}, epoch.epoch)

    def end(self, run: Run) -> None:
        """The run is complete; one that was found complete is not logged."""
        if self._run is None:
            return
        self._log_metrics({key: run.result[key] for key in OF_RUNS if run.result.get(key)}, 0)
        if run.result["val_accuracy"] is not None:
            self._log_metrics({"best_val_accuracy": run.result["val_accuracy"]}, 0)
        ids = self._run
        self._delivery.put(lambda: self._client().log_artifacts(ids["id"], str(run.path), "run"))
        if run.log:
            self._delivery.put(lambda: self._log_curves(ids["id"], run))
        self.close("FINISHED")

    def close(self, status: str) -> None:
        """The current run has ended with this status; nothing where there is none."""
        ids, self._run = self._run, None
        if ids is not None:
            self._delivery.put(lambda: self._client().set_terminated(ids["id"], status))

    def _log_metrics(self, values: Mapping[str, float], step: int) -> None:
        now, ids = int(1000 * time.time()), self._run
        if ids is not None:
            metrics = [Metric(key, float(value), now, step) for key, value in values.items()]
            self._delivery.put(lambda: self._client().log_batch(ids["id"], metrics=metrics))

    def _log_curves(self, run_id: str, run: Run) -> None:
        from mnistlab.reporting.training_curves import curves_figure  # loads matplotlib

        figure = curves_figure(run)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{figure.name}.png"
            path.write_bytes(figure.png)
            self._client().log_artifact(run_id, str(path), "figures")

    def _client(self) -> MlflowClient:
        return MlflowClient(self.uri)

    def _opened(self, client: MlflowClient, name: str, tags: Mapping[str, str]) -> str:
        """The id of the unfinished run with that tag, or of a new run."""
        experiment = self._experiments.get(self._store) or self._experiment_id(client)
        self._experiments[self._store] = experiment
        unfinished = f"tags.`{RUN_TAG}` = '{tags[RUN_TAG]}' and attributes.status != 'FINISHED'"
        found = client.search_runs([experiment], unfinished, max_results=1)
        if found:
            run_id: str = found[0].info.run_id
            client.update_run(run_id, "RUNNING")
            return run_id
        created: str = client.create_run(experiment, tags=dict(tags), run_name=name).info.run_id
        return created

    def _experiment_id(self, client: MlflowClient) -> str:
        name = self._store.experiment
        found = client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        is_local = self.uri.startswith("sqlite:")
        place = (self._out / "mlflow-artifacts").resolve().as_uri() if is_local else None
        return str(client.create_experiment(name, artifact_location=place))
