"""Trainings on a real Ray cluster of two nodes give the folders and figures of this process.

The nodes are real processes. What they find first under the name mnistlab cannot be imported: they
must work with the code they are sent.
"""

from __future__ import annotations

import builtins
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import mnistlab as ml
from benchmarks.ray_cluster import Cluster, cluster
from mnistlab.cli import run_command
from mnistlab.data import Dataset
from mnistlab.errors import RecipeError, RunError, Stopped, TrainingError
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs import Execution, Progress, Run
from mnistlab.scale import Executor, LocalExecutor, executor_of, ray_executor, run_all
from mnistlab.scale.ray_executor import RayExecutor
from mnistlab.scale.worker import Call, Job, Outcome, perform
from mnistlab.space import Range, Space
from mnistlab.study import Arm, ArmResult, Study, StudyResult
from mnistlab.tuning import Trial, tune

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc"),
]

BY_HAND = Recipe(
    "by-hand", "A", "scratch", (Phase("momentum", 0.01, 4),), {"hidden_sizes": (8,)}, batch_size=32
)
TORCH = replace(BY_HAND, name="torch", model="mlp", precision="float32")
LONG = replace(
    BY_HAND,
    name=f"long-{os.getpid()}",
    phases=(Phase("momentum", 1e-3, 1000),),
    checkpoint_steps=100,
)
DIVERGES = replace(BY_HAND, name="diverges", scaling="none", phases=(Phase("sgd", 1e25, 2),))
SPACE = Space({"learning_rate": Range(1e-4, 1.0, logarithmic=True)})
COSTS = ("train_time_s", "predict_time_s", "training_memory_mb")


def first(arms: Sequence[ArmResult]) -> str:
    return f"The first arm reached {arms[0].test_accuracy[0]:.4f}."


def study_of(*recipes: Recipe, n_seeds: int = 3) -> Study:
    return Study("small", "A", "Which?", tuple(map(Arm, recipes)), first, n_seeds=n_seeds)


def ran(study: Study, data: Dataset, out: Path, on: str, **said: Any) -> StudyResult:
    result = ml.run_study(study, data, out=out, on=on, **{"threads": 1, **said})
    assert isinstance(result, StudyResult)
    return result


def table(result: StudyResult) -> dict[str, Any]:
    """result.json without what a machine did to get there."""
    plain = json.loads((result.path / "result.json").read_text())
    for arm in plain["arms"]:
        arm.update(dict.fromkeys(COSTS))
    return plain


def runs_of(result: StudyResult) -> list[Run]:
    return [run for arm in result.arms for run in arm.runs]


def without_times(folder: Path) -> list[dict[str, Any]]:
    """The epochs a run's folder tells of."""
    lines = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    return [{key: value for key, value in line.items() if key != "time_s"} for line in lines]


def assert_same(one: StudyResult, other: StudyResult) -> None:
    assert table(one) == table(other)
    for here, there in zip(runs_of(one), runs_of(other), strict=True):
        names = {path.name for path in here.path.iterdir()}
        assert {path.name for path in there.path.iterdir()} == names
        assert without_times(here.path) == without_times(there.path)
        for name in ("model.safetensors", "recipe.json", "data.json"):
            assert (here.path / name).read_bytes() == (there.path / name).read_bytes()


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two nodes with one core each, to which this process is connected as `executor_of` does it."""
    old = tmp_path_factory.mktemp("old") / "mnistlab"
    old.mkdir()
    (old / "__init__.py").write_text("raise ImportError('an older version')\n")
    with cluster(2, {"PYTHONPATH": str(old.parent)}) as running, pytest.MonkeyPatch.context() as m:
        m.setenv("RAY_ADDRESS", running.address)
        with executor_of("ray"):  # held, so that tests share the connection and its processes
            yield running


@pytest.fixture(scope="module")
def executor(nodes: Cluster) -> Iterator[Executor]:
    with executor_of("ray") as ray_executor:
        yield ray_executor


@pytest.mark.slow
def test_a_study_on_two_nodes_is_that_of_one_process(
    nodes: Cluster, stripes: Dataset, tmp_path: Path
) -> None:
    study = study_of(BY_HAND, TORCH)
    begun: list[str] = []
    ended: list[str] = []
    progress = Progress(
        on_start=lambda recipe, dataset, n_steps: begun.append(f"{recipe.name} {recipe.seed}"),
        on_end=lambda run: ended.append(f"{run.recipe.name} {run.recipe.seed}"),
    )
    here = ran(study, stripes, tmp_path / "here", "local")
    there = ran(study, stripes, tmp_path / "there", "ray", progress=progress, threads=None)
    assert_same(here, there)
    expected = {f"{name} {seed}" for name in ("by-hand", "torch") for seed in range(3)}
    assert set(begun) == set(ended) == expected
    assert len(begun) == len(ended) == 6
    assert {run.env["node"] for run in runs_of(there)} == {"node-0", "node-1"}
    for one, other in zip(runs_of(here), runs_of(there), strict=True):
        assert one.env == {name: fact for name, fact in other.env.items() if name != "node"}
    # what is there is not trained again, wherever it was trained
    begun.clear()
    assert_same(here, ran(study, stripes, tmp_path / "here", "ray", progress=progress))
    assert not begun


def as_soon_as_there_is_a_checkpoint(do: Callable[[], None]) -> threading.Thread:
    """Of a training of LONG in a task: a thread that waits for it, does that and ends."""

    def wait() -> None:
        temporary = Path(tempfile.gettempdir())
        while not list(temporary.glob(f"mnistlab-*/{LONG.name}-*.partial/checkpoint-*")):
            time.sleep(0.01)
        do()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


@pytest.fixture(scope="module")
def long_here(stripes: Dataset, tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    out = tmp_path_factory.mktemp("long")
    return ran(study_of(LONG, n_seeds=2), stripes, out, "local")


@pytest.mark.slow
def test_a_killed_worker_costs_time_alone(
    nodes: Cluster, long_here: StudyResult, stripes: Dataset, tmp_path: Path
) -> None:
    killed: list[int] = []

    def kill() -> None:
        killed.append(nodes.tasks()[0])
        os.kill(killed[0], signal.SIGKILL)

    killer = as_soon_as_there_is_a_checkpoint(kill)
    there = ran(study_of(LONG, n_seeds=2), stripes, tmp_path, "ray")
    killer.join()
    assert killed
    assert_same(long_here, there)


def test_an_error_of_a_task_is_that_of_a_training(
    executor: Executor, stripes: Dataset, tmp_path: Path
) -> None:
    """It ends the other tasks and is the same line; the folder with its log stays."""
    with np.errstate(all="ignore"), pytest.raises(TrainingError) as here:
        ran(study_of(DIVERGES), stripes, tmp_path / "here", "local")
    endless = replace(LONG, phases=(Phase("momentum", 1e-3, 10**6),))
    with pytest.raises(TrainingError) as there:
        ran(study_of(endless, DIVERGES, n_seeds=1), stripes, tmp_path / "there", "ray")
    assert str(there.value) == str(here.value)
    (partial,) = (tmp_path / "there").glob("diverges-*.partial")
    (like,) = (tmp_path / "here").glob("diverges-*.partial")
    assert {path.name for path in partial.iterdir()} == {path.name for path in like.iterdir()}
    assert without_times(partial) == without_times(like)
    ends = time.monotonic() + 60  # its process, told to stop, takes away its folder itself
    while list(Path(tempfile.gettempdir()).glob(f"mnistlab-*/{LONG.name}-*")):
        assert time.monotonic() < ends
        time.sleep(0.1)
    with pytest.raises(RecipeError, match="nonsense"):
        ran(study_of(replace(TORCH, model_args={"nonsense": 1})), stripes, tmp_path / "bad", "ray")
    assert not list((tmp_path / "bad").iterdir())


def test_a_training_that_was_stopped_here_goes_on_there(
    executor: Executor, stripes: Dataset, tmp_path: Path
) -> None:
    class EnoughError(Exception):
        pass

    def stop(epoch: Any) -> None:
        if epoch.epoch == 3:
            raise EnoughError

    recipe = replace(BY_HAND, checkpoint_steps=10)
    said: dict[str, Any] = {"device": "cpu", "threads": 1}
    with pytest.raises(EnoughError):
        ml.train(recipe, stripes, out=tmp_path, progress=Progress(on_epoch=stop), **said)
    resumed: list[int] = []
    progress = Progress(on_resume=lambda n_steps, n_damaged: resumed.append(n_steps))
    run = executor.train(recipe, stripes, Execution(tmp_path, progress=progress, **said))
    assert resumed
    assert resumed[0] >= 10
    whole = ml.train(recipe, stripes, out=tmp_path / "whole", **said)
    assert without_times(run.path) == without_times(whole.path)
    assert {path.name for path in run.path.iterdir()} == {p.name for p in whole.path.iterdir()}


def test_a_run_that_is_trained_there_is_not_begun_here(
    executor: Executor, stripes: Dataset, tmp_path: Path
) -> None:
    refused: list[str] = []
    said: dict[str, Any] = {"out": tmp_path, "device": "cpu", "threads": 1}

    def try_here(recipe: Recipe, dataset: Dataset, n_steps: int) -> None:
        with pytest.raises(RunError) as caught:
            ml.train(recipe, dataset, **said)
        refused.append(str(caught.value))

    run = executor.train(BY_HAND, stripes, Execution(progress=Progress(on_start=try_here), **said))
    assert refused == [f"{run.path}: another process is training this run"]
    assert [path.name for path in tmp_path.iterdir()] == [run.path.name]


def told_of(trials: Sequence[Trial]) -> list[Trial]:
    return [replace(trial, time_s=None) for trial in trials]


@pytest.mark.slow
def test_a_search_on_two_nodes(nodes: Cluster, stripes: Dataset, tmp_path: Path) -> None:
    recipe = replace(BY_HAND, phases=(Phase("momentum", 0.02, 8),))
    found = tune(recipe, stripes, n_trials=20, space=SPACE, n_seeds=2, out=tmp_path, on="ray")
    assert [trial.number for trial in found.trials] == list(range(20))
    assert {trial.state for trial in found.trials} <= {"complete", "pruned"}
    for trial in found.trials:
        if trial.is_complete:
            assert len(trial.curve) == 8
            assert trial.accuracy == max(trial.curve)
        else:
            assert len(trial.curve) < 8
    assert not list(found.path.glob("trial-*"))
    assert {run.env["node"] for run in runs_of(found.comparison)} <= {"node-0", "node-1"}
    best = ml.read_recipe(found.path / "best.json")
    assert best == found.recipe


class OneAtATime:
    """A cluster that is given one training at a time."""

    default_threads = 1

    def __init__(self, executor: Executor) -> None:
        self.train, self.stop = executor.train, executor.stop

    def n_at_once(self, threads: int | None) -> int:
        return 1


def test_one_at_a_time_the_trials_are_those_of_one_process(
    executor: Executor, stripes: Dataset, tmp_path: Path
) -> None:
    from mnistlab.tuning.search import Search

    recipe = replace(BY_HAND, phases=(Phase("momentum", 0.02, 8),))
    execution = Execution(tmp_path / "here", "cpu", 1)
    search = Search(recipe, stripes, SPACE, 14, "tpe", 0, execution)
    there = replace(
        search,
        execution=replace(execution, out=tmp_path / "there"),
        executor=OneAtATime(executor),
    )
    here_trials, there_trials = (one.wait() for one in (search, there))
    assert told_of(there_trials) == told_of(here_trials)
    assert any(trial.state == "pruned" for trial in here_trials)


@pytest.mark.slow
def test_too_many_threads_are_one_line(
    nodes: Cluster, stripes: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = "study mlp-batch-size --quick --on ray --threads 2 --out"
    assert run_command([*command.split(), str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        "error: 2 threads asked for, but no node of the Ray cluster has so many CPUs; "
        "they have 1, 1\n"
    )


def wait_for_tasks(nodes: Cluster, n_tasks: int, driver: subprocess.Popen[str] | None) -> None:
    """Until exactly so many tasks run; the driver that waits for them must not end."""
    until = time.monotonic() + 300
    while len(nodes.tasks()) != n_tasks:
        assert driver is None or driver.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.slow
def test_ctrl_c_ends_the_tasks_and_the_same_command_goes_on(
    nodes: Cluster, stripes: Dataset, tmp_path: Path
) -> None:
    """Trials never end of themselves, and their epochs come faster than they are reported."""
    endless = replace(LONG, phases=(Phase("momentum", 1e-3, 10**6),))
    (tmp_path / "space.json").write_text(json.dumps(SPACE.to_json()))
    (tmp_path / "long.json").write_text(json.dumps(endless.to_json()))
    ml.export(stripes, tmp_path / "data", format="npz")
    command = [sys.executable, "-m", "mnistlab", "tune", "long.json", "--space", "space.json"]
    command += ["--data", "data", "--trials", "4", "--seeds", "1", "--on", "ray"]
    wait_for_tasks(nodes, 0, None)  # those of earlier tests are over
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(ml.__file__).parents[1])},
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for_tasks(nodes, 2, process)
    process.send_signal(signal.SIGINT)
    errors = process.communicate(timeout=200)[1]
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert "stopped; the same command resumes" in errors
    assert not list(tmp_path.glob("runs/tune-*/trial-*/*"))
    wait_for_tasks(nodes, 0, None)


@pytest.mark.slow
def test_a_lost_node_costs_time_alone(
    nodes: Cluster, long_here: StudyResult, stripes: Dataset, tmp_path: Path
) -> None:
    """The last test of these nodes: one remains."""
    loser = as_soon_as_there_is_a_checkpoint(lambda: nodes.lose(1))
    there = ran(study_of(LONG, n_seeds=2), stripes, tmp_path, "ray")
    loser.join()
    assert nodes.nodes[1].poll() is not None
    assert_same(long_here, there)
    assert {run.env["node"] for run in runs_of(there)} == {"node-0"}
    for left in Path(tempfile.gettempdir()).glob(f"mnistlab-*/{LONG.name}-*"):
        shutil.rmtree(left.parent)  # by the task that was lost


# Without a cluster


def test_an_unknown_executor_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("study ladder", "tune layered-mlp"):
        assert run_command([*command.split(), "--on", "moon", "--out", str(tmp_path)]) == 2
        assert capsys.readouterr().err == "error: unknown executor 'moon'; there are: local, ray\n"


def test_without_ray_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    real = builtins.__import__

    def refusing(name: str, *others: Any) -> Any:
        if name == "ray":
            raise ImportError(name)
        return real(name, *others)

    monkeypatch.setattr(builtins, "__import__", refusing)
    assert run_command(["study", "ladder", "--on", "ray", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "error: --on ray needs Ray: pip install 'mnistlab[scale]'\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("study svm-grid --on ray", "runs here alone"),
        ("tune layered-mlp --on ray --processes 2", "processes are of this machine"),
    ],
)
def test_what_cannot_be_on_ray(
    command: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command([*command.split(), "--out", str(tmp_path)]) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert len(shown.splitlines()) == 1


DRIVER = """
import sys, threading
from dataclasses import replace
from pathlib import Path
import mnistlab as ml
from mnistlab.phases import Phase
from mnistlab.runs import Execution, Progress
from mnistlab.scale import executor_of
recipe = replace(
    ml.get_recipe("softmax"), phases=(Phase("sgd", 1e-4, 10_000),), checkpoint_steps=10
)
said = Progress(on_epoch=lambda epoch: print("trains", flush=True))
with executor_of("ray") as executor:
    executor.train(recipe, ml.load("digits"), Execution(Path(sys.argv[1]), "cpu", 1, progress=said))
"""


@pytest.mark.slow
def test_a_driver_that_is_killed_leaves_no_temporary_folder() -> None:
    with tempfile.TemporaryDirectory(prefix="k", dir="/tmp") as folder:  # sockets have short names
        temporary = Path(folder, "t")
        temporary.mkdir()
        env = os.environ | {
            "TMPDIR": str(temporary),
            "PYTHONPATH": str(Path(ml.__file__).parents[1]),
        }
        env.pop("RAY_ADDRESS", None)
        with subprocess.Popen(
            [sys.executable, "-c", DRIVER, f"{folder}/runs"],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as driver:
            assert driver.stdout is not None
            assert driver.stdout.readline() == b"trains\n"
            assert list(temporary.glob("mnistlab-*"))
            driver.kill()
        until = time.monotonic() + 30
        while list(temporary.iterdir()) and time.monotonic() < until:
            time.sleep(0.2)
        assert not list(temporary.iterdir())


def test_a_job_tells_as_it_goes_and_leaves_nothing(stripes: Dataset, tmp_path: Path) -> None:
    job = Job(BY_HAND, "told", "cpu", 1, {}, "float32")
    *events, outcome = perform(job, stripes, lambda: True)
    hooks = [event.callback for event in events if isinstance(event, Call)]
    assert hooks == ["on_start"] + 4 * ["on_epoch"]
    assert isinstance(outcome, Outcome)
    assert outcome.error is None
    run = ml.train(BY_HAND, stripes, out=tmp_path, device="cpu", threads=1)
    assert outcome.files.keys() == {path.name for path in run.path.iterdir()}
    endless = replace(LONG, phases=(Phase("momentum", 1e-3, 10**6),))
    looks = iter([True, True])
    unwanted = perform(replace(job, recipe=endless), stripes, lambda: next(looks, False))
    assert all(isinstance(event, Call) for event in unwanted)
    assert not (Path(tempfile.gettempdir()) / "mnistlab-told").exists()
    assert not [thread for thread in threading.enumerate() if thread.name == "told"]


class EndlessRay:
    """As much of Ray as a RayExecutor asks for; its tasks yield epochs without end, at once."""

    class exceptions:  # noqa: N801  # Ray's name
        class RayError(Exception):
            pass

        class RayTaskError(RayError):
            pass

    def is_initialized(self) -> bool:
        return True

    def put(self, value: Any) -> Any:
        return value

    def get(self, reference: int) -> tuple[str, Call]:
        return "node", Call("on_epoch", (reference,))

    def wait(self, streams: list[Any], **said: Any) -> tuple[list[Any], list[Any]]:
        return streams, []

    def remote(self, **said: Any) -> Any:
        return lambda function: SimpleNamespace(remote=lambda job, dataset: itertools.count())


def test_after_a_stop_no_queued_epoch_is_reported(
    stripes: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_executor, "GRACE_S", 0.1)
    executor = RayExecutor(EndlessRay())
    monkeypatch.setattr(executor, "_cancelled", set())
    reported: list[Any] = []

    def on_epoch(epoch: Any) -> None:
        reported.append(epoch)
        if epoch == 2:
            executor.stop()

    execution = Execution(tmp_path, "cpu", 1, progress=Progress(on_epoch=on_epoch))
    with pytest.raises(Stopped):
        executor.train(BY_HAND, stripes, execution)
    assert reported == [0, 1, 2]
    assert not list(tmp_path.iterdir())
    with pytest.raises(Stopped):  # and none is started
        executor.train(replace(BY_HAND, seed=1), stripes, execution)


def test_the_first_error_ends_the_others() -> None:
    ended = threading.Event()

    class Waiting(LocalExecutor):
        def stop(self) -> None:
            ended.set()

    def wait_for_end() -> None:
        assert ended.wait(10)
        raise RunError("stopped")

    def fail() -> None:
        raise RecipeError("wrong")

    with pytest.raises(RecipeError, match="wrong"):
        run_all(Waiting(), 2, [wait_for_end, fail, wait_for_end])
    assert run_all(LocalExecutor(), 2, [lambda: 1, lambda: 2, lambda: 3]) == [1, 2, 3]
