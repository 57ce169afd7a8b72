"""Runs told to a real MLflow server, which may be away for a while, or for good."""

from __future__ import annotations

import builtins
import os
import select
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mnistlab.cli import run_command
from mnistlab.data import Dataset, export, load
from mnistlab.errors import RecipeError, RunError, TrainingError
from mnistlab.phases import Epoch, Phase
from mnistlab.recipe import Recipe
from mnistlab.runs import Progress, Run, train
from mnistlab.tracking import tracked
from mnistlab.tracking.delivery import Delivery
from mnistlab.tracking.store import store_of

# MLflow asks SQLAlchemy for what that will no longer have; its own business.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy"),
]
RECIPE = Recipe(
    "by-hand", "D3", "scratch", (Phase("momentum", 0.02, 6),), {"hidden_sizes": (8,)}, batch_size=64
)


class Server:
    """A real `mlflow server` behind a port that can be closed and opened again."""

    def __init__(self, folder: Path, empty_store: Path) -> None:
        self.folder = folder
        shutil.copy(empty_store, folder / "server.db")
        self.port, self.front = free_port(), free_port()
        self.uri = f"http://127.0.0.1:{self.front}"
        self.listener: socket.socket | None = None
        self.open: list[tuple[socket.socket, threading.Thread]] = []
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "mlflow", "server", "--workers", "1"),
                *("--host", "127.0.0.1", "--port", str(self.port)),
                *("--backend-store-uri", f"sqlite:///{self.folder}/server.db"),
                *("--artifacts-destination", str(self.folder / "artifacts")),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"},
        )
        end = time.monotonic() + 120
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2):
                    break
            except OSError:
                time.sleep(0.2)
        else:
            raise AssertionError("the server does not start")
        self.come_back()

    def come_back(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", self.front))
        threading.Thread(target=self._accept, args=[self.listener], daemon=True).start()

    def go_away(self) -> None:
        """As when it is killed: connections break, and nobody listens."""
        assert self.listener is not None
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes who accepts
        self.listener.close()
        for connection, thread in self.open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()
        self.open.clear()

    def end(self) -> None:
        self.go_away()
        os.killpg(self.process.pid, 9)
        self.process.wait()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._pass_on, args=[connection], daemon=True)
            self.open.append((connection, thread))
            thread.start()

    def _pass_on(self, near: socket.socket) -> None:
        with near, socket.create_connection(("127.0.0.1", self.port)) as far, suppress(OSError):
            other = {near: far, far: near}
            while True:
                for ready in select.select([near, far], [], [])[0]:
                    content = ready.recv(1 << 16)
                    if not content:
                        return
                    other[ready].sendall(content)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An mlflow.db that holds nothing: to make one takes longer than a training."""
    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    client_of(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("mlflow"), empty_store)
    yield server
    server.end()


@pytest.fixture(autouse=True)
def no_uri(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def client_of(uri: str) -> Any:
    from mlflow.tracking import MlflowClient

    return MlflowClient(uri)


def run_at(uri: str, run: Run | str) -> Any:
    """What the server knows of the run of a folder; there must be one of it and no more."""
    client = client_of(uri)
    experiment = client.get_experiment_by_name("mnistlab")
    name = run if isinstance(run, str) else run.path.name
    (found,) = client.search_runs([experiment.experiment_id], f"tags.`mnistlab.run` = '{name}'")
    return found


def curve_at(uri: str, run: Run, key: str) -> list[float]:
    history = client_of(uri).get_metric_history(run_at(uri, run).info.run_id, key)
    assert [metric.step for metric in history] == list(range(1, len(history) + 1))
    return [metric.value for metric in history]


def artifacts_at(uri: str, run: Run, folder: str) -> set[str]:
    found = client_of(uri).list_artifacts(run_at(uri, run).info.run_id, folder)
    return {artifact.path.rpartition("/")[2] for artifact in found}


@contextmanager
def pausing(after: int, action: Any) -> Iterator[Progress]:
    """A Progress that does something after so many epochs."""

    def on_epoch(epoch: Epoch) -> None:
        if epoch.epoch == after:
            action()

    yield Progress(on_epoch=on_epoch)


def told(out: Path, data: Dataset, progress: Progress, said: list[str], **more: Any) -> Run:
    recipe = replace(RECIPE, seed=more.pop("seed", 0))
    with tracked(progress, "mlflow", out=out, say=said.append, **more) as followed:
        return train(recipe, data, out=out, progress=followed)


def check_whole(uri: str, run: Run) -> None:
    """Everything of the run is there, each epoch once."""
    found = run_at(uri, run)
    assert found.info.status == "FINISHED"
    assert found.data.params["phases.0.learning_rate"] == "0.02"
    assert found.data.params["model_args.hidden_sizes"] == "[8]"
    assert found.data.params["data"] == "stripes"
    for key in ("train_loss", "val_accuracy", "val_macro_f1", "learning_rate"):
        assert curve_at(uri, run, key) == pytest.approx([line[key] for line in run.log])
    assert found.data.metrics["best_val_accuracy"] == run.result["val_accuracy"]
    assert {"model.safetensors", "recipe.json", "log.jsonl"} <= artifacts_at(uri, run, "run")
    assert artifacts_at(uri, run, "figures") == {"learning-curves.png"}


@pytest.mark.slow
def test_a_run_is_told_while_it_trains(
    server: Server, stripes: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    said: list[str] = []
    seen: list[int] = []

    def look() -> None:
        client = client_of(server.uri)
        end = time.monotonic() + 120  # on a busy machine; the training waits for this
        while time.monotonic() < end and not seen:
            experiment = client.get_experiment_by_name("mnistlab")
            runs = client.search_runs([experiment.experiment_id]) if experiment else []
            seen.extend(1 for run in runs if "train_loss" in run.data.metrics)
            time.sleep(0.1)

    with pausing(3, look) as progress:
        run = told(tmp_path, stripes, progress, said)
    assert seen  # before its end
    check_whole(server.uri, run)
    assert said == []
    # found complete, it is not told again
    again = told(tmp_path, stripes, Progress(), said)
    assert again.path == run.path
    check_whole(server.uri, run)


@pytest.mark.slow
def test_a_server_that_comes_back_gets_what_it_missed(
    server: Server, stripes: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    said: list[str] = []
    back = threading.Timer(1.0, server.come_back)

    def stop_and_restart_later() -> None:
        server.go_away()
        back.start()

    with pausing(2, stop_and_restart_later) as progress:
        run = told(tmp_path, stripes, progress, said, seed=1, patience_s=120)
    back.join()
    check_whole(server.uri, run)
    assert len(said) == 1
    assert said[0].startswith("mlflow: ")
    assert said[0].endswith("training continues")


def test_what_is_lost_is_said(
    stripes: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = f"http://127.0.0.1:{free_port()}"  # nobody listens there
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    said: list[str] = []
    start = time.monotonic()
    run = told(tmp_path, stripes, Progress(), said, patience_s=2)
    assert time.monotonic() - start < 100
    assert run.result["val_accuracy"] > 0.5  # training went on
    n_messages = 1 + 6 + 2 + 3  # parameters, epochs, figures of the run, files, curve and end
    assert f"{n_messages} of {n_messages} messages to {uri} are lost" in said[-1]


def test_without_a_server_runs_are_told_to_a_file(stripes: Dataset, tmp_path: Path) -> None:
    said: list[str] = []
    run = told(tmp_path, stripes, Progress(), said)
    assert said == []
    check_whole(f"sqlite:///{tmp_path}/mlflow.db", run)
    assert list((tmp_path / "mlflow-artifacts").rglob("model.safetensors"))


def test_a_training_that_ends_badly_is_told_so_and_gone_on_with(
    stripes: Dataset, tmp_path: Path, empty_store: Path
) -> None:
    shutil.copy(empty_store, tmp_path)
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    recipe = replace(RECIPE, checkpoint_steps=2)

    def stop() -> None:
        raise KeyboardInterrupt

    with (
        pausing(2, stop) as progress,
        pytest.raises(KeyboardInterrupt),
        tracked(progress, "mlflow", out=tmp_path) as followed,
    ):
        train(recipe, stripes, out=tmp_path, progress=followed)
    (partial,) = tmp_path.glob("*.partial")
    assert run_at(uri, partial.stem).info.status == "KILLED"
    with tracked(Progress(), "mlflow", out=tmp_path) as followed:
        run = train(recipe, stripes, out=tmp_path, progress=followed)
    assert run_at(uri, run).info.status == "FINISHED"
    steps = {
        m.step
        for m in client_of(uri).get_metric_history(run_at(uri, run).info.run_id, "train_loss")
    }
    assert steps == {1, 2, 3, 4, 5, 6}
    diverging = replace(RECIPE, phases=(Phase("sgd", 1e30, 2),), scaling="none")
    with (
        pytest.raises(TrainingError),
        tracked(Progress(), "mlflow", out=tmp_path) as followed,
    ):
        train(diverging, stripes, out=tmp_path, progress=followed)
    (failed,) = (path for path in tmp_path.glob("*.partial") if path != partial)
    assert run_at(uri, failed.stem).info.status == "FAILED"


def stopped(out: Path, data: Dataset) -> Path:
    """The folder of a tracked run that was stopped after two of its six epochs."""

    def stop() -> None:
        raise KeyboardInterrupt

    with (
        pausing(2, stop) as progress,
        pytest.raises(KeyboardInterrupt),
        tracked(progress, "mlflow", out=out) as followed,
    ):
        train(replace(RECIPE, checkpoint_steps=2), data, out=out, progress=followed)
    (partial,) = out.glob("*.partial")
    return partial


def steps_at(uri: str, run: Run | str) -> set[int]:
    run_id = run_at(uri, run).info.run_id
    return {m.step for m in client_of(uri).get_metric_history(run_id, "train_loss")}


@pytest.fixture
def data(stripes: Dataset, tmp_path: Path) -> Dataset:
    """A set that can be loaded again."""
    export(stripes, tmp_path / "data", format="npz")
    return load(tmp_path / "data")


def test_a_resumed_run_is_tracked_beside_it_wherever_the_command_is_given(
    data: Dataset,
    tmp_path: Path,
    empty_store: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    shutil.copy(empty_store, out)
    partial = stopped(out, data)
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    other = f"sqlite:///{elsewhere}/other.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", other)
    assert run_command(["train", "--resume", str(partial), "--track", "mlflow"]) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("mlflow:")]
    assert said == [
        "mlflow: resumes where it began, in mlflow.db beside the run (experiment mnistlab), "
        f"not {other} (experiment mnistlab)"
    ]
    uri = f"sqlite:///{out}/mlflow.db"
    assert run_at(uri, partial.stem).info.status == "FINISHED"
    assert steps_at(uri, partial.stem) == {1, 2, 3, 4, 5, 6}
    assert list(elsewhere.iterdir()) == []


def test_a_run_that_began_at_a_named_store_goes_on_there_or_not_at_all(
    data: Dataset,
    tmp_path: Path,
    empty_store: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copy(empty_store, tmp_path / "named.db")
    named = f"sqlite:///{tmp_path}/named.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", named)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "mnistlab")
    partial = stopped(tmp_path / "out", data)
    resume = ["train", "--resume", str(partial), "--track", "mlflow"]
    before = sorted(path.name for path in partial.iterdir())
    for other in (None, f"sqlite:///{tmp_path}/other.db"):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", other or "")
        assert run_command(resume) == 2
        shown = capsys.readouterr()
        error = shown.err.splitlines()[-1]
        assert f"was tracked at {named}, but MLFLOW_TRACKING_URI is {other or 'not set'}" in error
        assert sorted(path.name for path in partial.iterdir()) == before
    monkeypatch.setenv("MLFLOW_TRACKING_URI", named)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "renamed since")
    assert run_command(resume) == 0
    assert "resumes where it began" in capsys.readouterr().err
    assert run_at(named, partial.stem).info.status == "FINISHED"
    assert steps_at(named, partial.stem) == {1, 2, 3, 4, 5, 6}
    assert not (tmp_path / "other.db").exists()


@pytest.mark.parametrize(
    "content", ["", "[]", '{"uri": 3, "experiment": "x"}', '{"uri": null}', "[" * 99_999]
)
def test_a_damaged_record_of_tracking_is_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "tracking.json").write_text(content)
    with pytest.raises(RunError, match=r"tracking\.json: ") as caught:
        store_of(tmp_path, print)
    assert "\n" not in str(caught.value)


def test_a_relative_store_is_that_of_the_folder_it_was_named_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///runs.db")
    assert store_of(tmp_path, print).uri == f"sqlite:///{tmp_path}/runs.db"
    (tmp_path / "deeper").mkdir()
    monkeypatch.chdir(tmp_path / "deeper")
    with pytest.raises(RunError, match="was tracked at"):
        store_of(tmp_path, print)


def test_commands_take_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = f"train softmax --set n_train=200 --set epochs=1 --out {tmp_path} --track"
    assert run_command([*command.split(), "mlflow"]) == 0
    assert "mlflow:" not in capsys.readouterr().err
    assert (tmp_path / "mlflow.db").is_file()
    assert run_command([*command.split(), "wandb"]) == 2
    assert capsys.readouterr().err == "error: unknown tracker 'wandb'; there are: mlflow\n"
    assert run_command(["study", "ladder", "--track", "mlflow", "--on", "ray"]) == 2
    assert "not those on ray" in capsys.readouterr().err

    def no_mlflow(name: str, *rest: Any) -> Any:
        if name.startswith("mnistlab.tracking.mlflow_runs"):
            raise ModuleNotFoundError("No module named 'mlflow'")
        return real(name, *rest)

    real = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", no_mlflow)
    with pytest.raises(RecipeError, match=r"pip install 'mnistlab\[track\]'"):
        tracked(Progress(), "mlflow", out=tmp_path).__enter__()


# The thread that delivers


def test_calls_are_made_in_order_and_again_until_they_succeed() -> None:
    made: list[int] = []
    left = iter([True, True, False, False, False])

    def call(number: int) -> None:
        if number == 1 and next(left):
            raise OSError("away")
        made.append(number)

    troubles: list[str] = []
    delivery = Delivery(lambda error: isinstance(error, OSError), troubles.append)
    for number in range(3):
        delivery.put(lambda number=number: call(number))
    assert delivery.close(30) == 0
    assert made == [0, 1, 2]
    assert troubles == ["away"]
    assert (delivery.n_done, delivery.n_lost) == (3, 0)


def test_a_call_that_is_refused_is_given_up_and_the_next_is_made() -> None:
    made: list[int] = []

    def refuse() -> None:
        raise ValueError("no such thing")

    troubles: list[str] = []
    delivery = Delivery(lambda error: isinstance(error, OSError), troubles.append)
    delivery.put(refuse)
    delivery.put(refuse)
    delivery.put(lambda: made.append(1))
    assert delivery.close(30) == 2
    assert made == [1]
    assert troubles == ["no such thing"]


def test_a_call_that_hangs_does_not_hold_up_the_end() -> None:
    release = threading.Event()
    delivery = Delivery(lambda error: True, lambda said: None)
    delivery.put(lambda: release.wait(60))
    start = time.monotonic()
    assert delivery.close(0.2) == 1
    assert time.monotonic() - start < 30
    release.set()
