"""Trainings as tasks of a Ray cluster; nothing else in the project knows Ray.

A task is a generator: what it yields is with the driver at once, so hooks are called here, and one
that raises ends the task, as in a training of this process.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import mnistlab
from mnistlab import atomic
from mnistlab.data import Dataset
from mnistlab.errors import RecipeError, RunError, Stopped
from mnistlab.recipe import Recipe
from mnistlab.runs import Progress, Run
from mnistlab.runs.checkpoints import FILES
from mnistlab.runs.computation import folder_of, precision_used
from mnistlab.runs.making import make
from mnistlab.runs.training import ended
from mnistlab.scale.worker import GRACE_S, LOOK_EVERY_S, Job, Outcome, Told, told

N_RETRIES = 3  # of a task whose process or computer is gone; one that needs more takes them along
NAMESPACE = "mnistlab"
# Processes of a cluster outlive their driver by some seconds, and go on writing.
REMOVER = """
import os, shutil, sys, time
sys.stdin.read()
for _ in range(120):
    shutil.rmtree(sys.argv[1], ignore_errors=True)
    if not os.path.exists(sys.argv[1]):
        break
    time.sleep(0.5)
"""
LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class OnRay:
    """The cluster this process is connected to: one task a training."""

    default_threads: int | None = 1

    def __init__(self, ray: Any) -> None:
        self._ray = ray
        self._lock = threading.Lock()
        self._turns: dict[Path, threading.Lock] = defaultdict(threading.Lock)
        self._datasets: dict[Dataset, Any] = {}
        self._tokens: set[str] = set()  # of jobs that are being done
        self._begun: set[str] = set()
        self._unwanted = _Unwanted()
        self._is_stopped = False

    def n_at_once(self, threads: int | None) -> int:
        """As many as its computers have cores for, as they are now."""
        n_cpus = [int(node["Resources"].get("CPU", 0)) for node in self._nodes() if node["Alive"]]
        threads = threads or 1
        n_at_once = sum(n // threads for n in n_cpus)
        if not n_at_once:
            raise RecipeError(
                f"{threads} threads asked for, but no node of the Ray cluster has so many CPUs; "
                f"they have {', '.join(map(str, n_cpus))}"
            )
        return n_at_once

    def train(
        self,
        recipe: Recipe,
        data: Dataset,
        *,
        out: Path,
        force: bool,
        device: str,
        threads: int | None,
        progress: Progress,
    ) -> Run:
        """A run in OUT, trained by a task or found.

        Raises what `mnistlab.runs.train` raises, and RunError where Ray gives the task up.
        """
        precision = precision_used(recipe, "cpu" if device == "auto" else device)
        path = folder_of(Path(out), recipe, data, precision)
        with self._turn(path):
            if path.exists() and not force:
                atomic.clear_older(path)
            else:
                job = Job(recipe, uuid.uuid4().hex, device, threads or 1, {}, precision)
                make(path, force, lambda folder: self._into(folder, job, data, progress))
            return ended(path, progress)

    def stop(self) -> None:
        """All tasks end after their step, and no more begin."""
        with self._lock:
            self._is_stopped = True
            for token in self._tokens:
                self._unwanted.add(token)

    def _into(self, folder: Path, job: Job, dataset: Dataset, progress: Progress) -> None:
        """The files of a run; the checkpoints that lie there are gone on from."""
        begun = {path.name: path.read_bytes() for path in folder.glob(FILES)}
        try:
            node_id, outcome = self._done(replace(job, begun=begun), dataset, progress)
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

    def _done(self, job: Job, dataset: Dataset, progress: Progress) -> tuple[str, Outcome]:
        """The id of the node that did the job, and what came of it."""
        task = self._ray.remote(
            num_cpus=job.threads,
            num_gpus=int(job.device == "cuda"),
            num_returns="streaming",
            max_retries=N_RETRIES,
        )(_task)
        sent = self._sent(dataset)
        with self._lock:
            if self._is_stopped:
                raise _stopped(job.recipe)
            stream = task.remote(job, sent)
            self._tokens.add(job.token)
        try:
            for node_id, event in self._events(stream, job):
                if isinstance(event, Outcome):
                    return node_id, event
                _tell(event, job.recipe, dataset, progress)
            raise _stopped(job.recipe)
        except self._ray.exceptions.RayTaskError:  # what went wrong in the task, as it is
            raise
        except self._ray.exceptions.RayError as error:
            said = " ".join(str(error).split())
            raise RunError(f"{job.recipe.name}: given up by Ray: {said}") from error
        except KeyboardInterrupt:
            self.stop()
            raise
        except BaseException:
            self._unwanted.add(job.token)
            raise
        finally:
            # To its very end, so that its core is free and its folder gone.
            with contextlib.suppress(Stopped, self._ray.exceptions.RayError):
                for _ in self._events(stream, job):
                    pass
                self._unwanted.discard(job.token)
            with self._lock:
                self._tokens.discard(job.token)

    def _events(self, stream: Any, job: Job) -> Iterator[tuple[str, Told | Outcome]]:
        """What a task yields, until its end; Stopped, where that is not to be waited for.

        A task that waits for a core may do so for hours, and one that trains has its step to end.
        """
        stopped_at = None
        while self._ray.is_initialized():  # else Ray would connect anew
            if self._ray.wait([stream], timeout=LOOK_EVERY_S, fetch_local=False)[0]:
                try:
                    reference = next(stream)
                except StopIteration:
                    return
                with self._lock:
                    self._begun.add(job.token)
                yield self._ray.get(reference)
            elif self._is_stopped:
                stopped_at = stopped_at or time.monotonic()
                waited = time.monotonic() - stopped_at
                if job.token not in self._begun or waited > GRACE_S + LOOK_EVERY_S:
                    break
        raise _stopped(job.recipe)

    def _sent(self, dataset: Dataset) -> Any:
        """The data set in the cluster's memory, put there once."""
        with self._lock:
            if dataset not in self._datasets:
                self._datasets[dataset] = self._ray.put(dataset)
            return self._datasets[dataset]

    def _turn(self, path: Path) -> threading.Lock:
        """Of two trainings of one run the second waits and finds it."""
        with self._lock:
            return self._turns[path]

    def _nodes(self) -> list[dict[str, Any]]:
        nodes: list[dict[str, Any]] = self._ray.nodes()
        return nodes

    def _name_of(self, node_id: str) -> str:
        """What the cluster calls a node: its address, unless it was given a name."""
        names = {node["NodeID"]: node["NodeName"] for node in self._nodes()}
        return str(names.get(node_id, node_id))


class _Unwanted:
    """Tokens of jobs whose tasks are to end, where all nodes can look.

    Not `ray.cancel`: of a task that has just come to its end it can bring down this process (Ray
    2.60, "Tried to complete task that was not pending").
    """

    def add(self, token: str) -> None:
        """The task with this token is to end."""
        from ray.experimental.internal_kv import _internal_kv_put

        _internal_kv_put(token, b"", namespace=NAMESPACE)

    def discard(self, token: str) -> None:
        """It has."""
        from ray.experimental.internal_kv import _internal_kv_del

        _internal_kv_del(token, namespace=NAMESPACE)

    def __contains__(self, token: str) -> bool:
        from ray.experimental.internal_kv import _internal_kv_exists

        return bool(_internal_kv_exists(token, namespace=NAMESPACE))


def _stopped(recipe: Recipe) -> Stopped:
    return Stopped(f"{recipe.name}: stopped", signal.SIGINT)


def _tell(event: Told, recipe: Recipe, dataset: Dataset, progress: Progress) -> None:
    if event.hook == "on_start":
        progress.on_start(recipe, dataset, *event.arguments)
    else:
        getattr(progress, event.hook)(*event.arguments)


def _task(job: Job, dataset: Dataset) -> Iterator[tuple[str, Told | Outcome]]:
    """What a worker runs: the node's id with everything it tells."""
    import ray

    node_id = ray.get_runtime_context().get_node_id()
    unwanted = _Unwanted()
    for event in told(job, dataset, lambda: job.token not in unwanted):
        yield node_id, event


@contextlib.contextmanager
def connected() -> Iterator[OnRay]:
    """The cluster of RAY_ADDRESS, else one on this machine's cores that ends with the block.

    A connection that is there already is used as it is, its code included. Raises RecipeError
    without Ray, RunError where no cluster answers.
    """
    ray = _imported()
    with contextlib.ExitStack() as ending:
        hear = ending.enter_context(_signals())
        if not ray.is_initialized():
            folder = ending.enter_context(_temporary_folder())
            ending.callback(ray.shutdown)
            _connect(ray, folder)
        hear()
        yield OnRay(ray)


@contextlib.contextmanager
def _temporary_folder() -> Iterator[Path]:
    """A folder that is gone after the block, and also when this process is killed in it.

    A process of its own removes it: it waits for the end of its input, which ends with this one.
    """
    folder = Path(tempfile.mkdtemp(prefix="mnistlab-"))
    remover = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", REMOVER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder.anchor,
        start_new_session=True,  # Ctrl-C, or a kill of the group, is not for it
    )
    try:
        yield folder
    finally:
        remover.communicate()


def _imported() -> Any:
    """Ray, which reads what is set here when it is imported.

    It sends no statistics to its makers. A cluster of this machine alone, to which whoever reaches
    it may send code, is to listen to this machine alone: elsewhere than on Windows and macOS Ray
    takes 127.0.0.1 for the machine's own address, unless it is told that it is there.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    is_told = not os.environ.get("RAY_ADDRESS") and LOOPBACK not in os.environ
    if is_told:
        os.environ[LOOPBACK] = "0"
    try:
        import ray
    except ImportError as error:
        raise RecipeError("--on ray needs Ray: pip install 'mnistlab[scale]'") from error
    finally:
        if is_told:
            del os.environ[LOOPBACK]
    return ray


def _connect(ray: Any, folder: Path) -> None:
    """Begin a connection whose workers use this very package, whatever they have themselves."""
    package, code = Path(mnistlab.__file__).parent, folder / "code"
    shutil.copytree(package, code / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    address = os.environ.get("RAY_ADDRESS") or "local"
    if address.startswith("ray://"):
        raise RunError(f"RAY_ADDRESS={address}: say HOST:PORT, on a computer of the cluster")
    own = {
        "_node_ip_address": "127.0.0.1",
        "_temp_dir": str(folder / "ray"),
        "include_dashboard": False,
    }
    runtime_env: dict[str, Any] = {"working_dir": str(code)}
    if address == "local":  # what tasks leave there goes with the folder, however they end
        tasks = folder / "tasks"
        tasks.mkdir()
        runtime_env["env_vars"] = {"TMPDIR": str(tasks)}
    try:
        ray.init(
            address=address,
            # Ray has workers look in this process's folder first unless they have one of theirs.
            runtime_env=runtime_env,
            log_to_driver=False,
            logging_level=logging.ERROR,
            **(own if address == "local" else {}),
        )
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise RunError(f"RAY_ADDRESS={address}: no Ray cluster answers: {said}") from error


@contextlib.contextmanager
def _signals() -> Iterator[Callable[[], None]]:
    """A function after which SIGINT and SIGTERM stop what is on the cluster, until the block ends.

    A second does what it always did. To be called once Ray is connected, which then answers SIGTERM
    itself, with a status of its own.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return

    def stop(number: int, frame: FrameType | None) -> None:
        is_interrupt = number == signal.SIGINT
        signal.signal(number, signal.default_int_handler if is_interrupt else signal.SIG_DFL)
        raise Stopped("stopped; the same command goes on after the runs that are whole", number)

    def hear() -> None:
        for number in SIGNALS:
            if before[number] is not signal.SIG_IGN:
                signal.signal(number, stop)

    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield hear
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
