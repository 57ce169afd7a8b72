"""Trainings as tasks of a Ray cluster.

A task is a generator: whatever it yields reaches the driver at once. So callbacks are called in
this process, and one that raises ends the task, as it ends a training of this process.
"""

from __future__ import annotations

import contextlib
import json
import math
import signal
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from mnistlab import atomic
from mnistlab.data import Dataset
from mnistlab.errors import RecipeError, RunError, Stopped
from mnistlab.recipe import Recipe
from mnistlab.runs import Execution, Progress, Run
from mnistlab.runs.checkpoints import FILES
from mnistlab.runs.computation import folder_of, precision_used
from mnistlab.runs.making import make
from mnistlab.runs.trainer import completed
from mnistlab.scale.worker import GRACE_S, POLL_S, Call, Job, Outcome, perform

N_RETRIES = 3  # of a task whose process or computer is gone; one that needs more takes them along
NAMESPACE = "mnistlab"


class RayExecutor:
    """The cluster that this process is connected to; one task per training."""

    default_threads: int | None = 1

    def __init__(self, ray: Any) -> None:
        self._ray = ray
        self._lock = threading.Lock()
        self._path_locks: dict[Path, threading.Lock] = defaultdict(threading.Lock)
        self._datasets: dict[Dataset, Any] = {}
        self._tokens: set[str] = set()  # of the jobs that are under way
        self._started: set[str] = set()  # those of them that a core is working on
        self._cancelled = _Cancelled()
        self._is_stopped = False

    def n_at_once(self, threads: int | None) -> int:
        """As many as the nodes have cores for; asked anew each time, for nodes come and go."""
        n_cpus = [int(node["Resources"].get("CPU", 0)) for node in self._nodes() if node["Alive"]]
        threads = threads or 1
        n_at_once = sum(n // threads for n in n_cpus)
        if not n_at_once:
            raise RecipeError(
                f"{threads} threads asked for, but no node of the Ray cluster has so many CPUs; "
                f"they have {', '.join(map(str, n_cpus))}"
            )
        return n_at_once

    def train(self, recipe: Recipe, dataset: Dataset, execution: Execution) -> Run:
        """A run, trained by a task or found.

        Raises what `mnistlab.runs.train` raises, and RunError where Ray gives the task up.
        """
        device = execution.device
        precision = precision_used(recipe, "cpu" if device == "auto" else device)
        path = folder_of(execution.out, recipe, dataset, precision)
        # Of two trainings of the same run the second waits, and finds it.
        with self._lock_of(path):
            if path.exists() and not execution.force:
                atomic.clear_older(path)
            else:
                token = uuid.uuid4().hex
                job = Job(recipe, token, device, execution.threads or 1, {}, precision)
                progress = execution.progress
                make(
                    path, execution.force, lambda folder: self._into(folder, job, dataset, progress)
                )
            return completed(path, execution.progress)

    def stop(self) -> None:
        """All tasks end after their current step, and no more start."""
        with self._lock:
            self._is_stopped = True
            for token in self._tokens:
                self._cancelled.add(token)

    def _into(self, folder: Path, job: Job, dataset: Dataset, progress: Progress) -> None:
        """Write the files of a run; the task resumes from checkpoints that lie in the folder."""
        checkpoints = {path.name: path.read_bytes() for path in folder.glob(FILES)}
        try:
            job = replace(job, checkpoints=checkpoints)
            node_id, outcome = self._outcome(job, dataset, progress)
        except KeyboardInterrupt:
            with contextlib.suppress(OSError):
                folder.rmdir()  # nothing came of it, unless checkpoints lie there
            raise
        for name, content in outcome.files.items():
            atomic.write_bytes(folder / name, content)
        if outcome.error is not None:
            raise outcome.error
        env = json.loads(outcome.files["env.json"])
        atomic.write_json(folder / "env.json", env | {"node": self._name_of(node_id)})
        for path in folder.glob(FILES):
            path.unlink()

    def _outcome(self, job: Job, dataset: Dataset, progress: Progress) -> tuple[str, Outcome]:
        """The id of the node that did the job, and its outcome."""
        stream = self._submitted(job, dataset)
        try:
            for node_id, event in self._events(stream, job):
                if isinstance(event, Outcome):
                    return node_id, event
                _call(event, job.recipe, dataset, progress)
            raise _stopped(job.recipe)
        except self._ray.exceptions.RayTaskError:  # an error in the task itself, raised as it is
            raise
        except self._ray.exceptions.RayError as error:
            said = " ".join(str(error).split())
            raise RunError(f"{job.recipe.name}: given up by Ray: {said}") from error
        except KeyboardInterrupt:
            self.stop()
            raise
        except BaseException:
            self._cancelled.add(job.token)
            raise
        finally:
            with contextlib.suppress(self._ray.exceptions.RayError):
                self._await_end(stream, job)
            with self._lock:
                self._tokens.discard(job.token)

    def _submitted(self, job: Job, dataset: Dataset) -> Any:
        """The stream of what a new task yields; Stopped once no more are to start."""
        task = self._ray.remote(
            num_cpus=job.threads,
            num_gpus=int(job.device == "cuda"),
            num_returns="streaming",
            max_retries=N_RETRIES,
        )(_task)
        with self._lock:
            if dataset not in self._datasets:  # into the memory of the cluster, once
                self._datasets[dataset] = self._ray.put(dataset)
            # Under the lock: `stop` cancels every task that has started, or none starts after it.
            if self._is_stopped:
                raise _stopped(job.recipe)
            self._tokens.add(job.token)
            return task.remote(job, self._datasets[dataset])

    def _events(self, stream: Any, job: Job) -> Iterator[tuple[str, Call | Outcome]]:
        """What a task yields, until its end; Stopped once all are to stop.

        Short epochs come faster than they are reported. After Ctrl-C those in the queue are left
        unreported, or it would take as long to stop as to catch up.
        """
        while self._ray.is_initialized() and not self._is_stopped:  # else Ray would connect anew
            if self._ray.wait([stream], timeout=POLL_S, fetch_local=False)[0]:
                try:
                    reference = next(stream)
                except StopIteration:
                    return
                with self._lock:
                    self._started.add(job.token)
                yield self._ray.get(reference)
        raise _stopped(job.recipe)

    def _await_end(self, stream: Any, job: Job) -> None:
        """Wait for the very end of a task, so that its core is free and its folder removed.

        Once all are to stop not for long: a step may take minutes, and a task that still waits for
        a core would wait for hours.
        """
        end = math.inf
        while self._ray.is_initialized() and time.monotonic() < end:
            if self._is_stopped:
                if job.token not in self._started:
                    return
                end = min(end, time.monotonic() + GRACE_S + POLL_S)
            if self._ray.wait([stream], timeout=POLL_S, fetch_local=False)[0]:
                try:
                    next(stream)
                except StopIteration:
                    self._cancelled.discard(job.token)
                    return

    def _lock_of(self, path: Path) -> threading.Lock:
        with self._lock:
            return self._path_locks[path]

    def _nodes(self) -> list[dict[str, Any]]:
        nodes: list[dict[str, Any]] = self._ray.nodes()
        return nodes

    def _name_of(self, node_id: str) -> str:
        """What the cluster calls a node: its address, unless it was given a name."""
        names = {node["NodeID"]: node["NodeName"] for node in self._nodes()}
        return str(names.get(node_id, node_id))


class _Cancelled:
    """Tokens of jobs whose tasks are to end, stored where all nodes can look.

    Not `ray.cancel`: for a task that is just ending it can bring down this process (Ray 2.60,
    "Tried to complete task that was not pending").
    """

    def add(self, token: str) -> None:
        """The task with this token is to end."""
        from ray.experimental.internal_kv import _internal_kv_put

        _internal_kv_put(token, b"", namespace=NAMESPACE)

    def discard(self, token: str) -> None:
        """It has ended."""
        from ray.experimental.internal_kv import _internal_kv_del

        _internal_kv_del(token, namespace=NAMESPACE)

    def __contains__(self, token: str) -> bool:
        from ray.experimental.internal_kv import _internal_kv_exists

        return bool(_internal_kv_exists(token, namespace=NAMESPACE))


def _stopped(recipe: Recipe) -> Stopped:
    return Stopped(f"{recipe.name}: stopped", signal.SIGINT)


def _call(call: Call, recipe: Recipe, dataset: Dataset, progress: Progress) -> None:
    if call.callback == "on_start":
        progress.on_start(recipe, dataset, *call.arguments)
    else:
        getattr(progress, call.callback)(*call.arguments)


def _task(job: Job, dataset: Dataset) -> Iterator[tuple[str, Call | Outcome]]:
    """What a worker runs; the id of its node stands beside everything it yields."""
    import ray

    node_id = ray.get_runtime_context().get_node_id()
    cancelled = _Cancelled()
    for event in perform(job, dataset, lambda: job.token not in cancelled):
        yield node_id, event
