"""A service as a process: clients of the documentation, slow and rude ones, signals, reloads."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra 'export' is not installed")
pytest.importorskip("httptools", reason="the extra 'serve' is not installed")

from serving_models import CLASSES, expected, picture, write_model

import mnistlab as ml
from benchmarks.ledger import CHECKOUT
from mnistlab.cli import run_command
from mnistlab.errors import RunError
from mnistlab.serving import sources as sources_module
from mnistlab.serving.server import loaded
from mnistlab.serving.sources import page_of, sources_of

DOCUMENT = (CHECKOUT / "docs" / "serving.md").read_text(encoding="utf-8")
HERE = "http://127.0.0.1:8000"
IMAGE = np.random.default_rng(3).integers(0, 256, (28, 28), dtype=np.uint8)
READ_S = 3.0  # of the tests' service: longer than a busy machine halts between two statements
LAUNCH = f"""
import sys
from pathlib import Path
from mnistlab.serving import Limits, ServeSettings
from mnistlab.serving.server import serve
settings = ServeSettings(port=0, reload=True, limits=Limits(read_s={READ_S}, connections=40))
paths = [Path(path) for path in sys.argv[1:]]
serve(paths, settings, on_ready=lambda url, _: print(url, flush=True))
"""


class Served:
    """A process that serves, and its address."""

    def __init__(self, command: list[str], log: Path) -> None:
        self.log = log
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        assert found, log.read_text()
        self.url, self.port = found[0], int(found[1])

    def ask(self, path: str = "/v1/predict", body: bytes | None = None) -> Any:
        kind = {"Content-Type": "application/octet-stream"}
        request = urllib.request.Request(self.url + path, body, kind)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.returncode is None:
            self.stop()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=60)
        finally:
            self.process.kill()
            assert self.process.stdout is not None
            self.process.stdout.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    """One file of mnistlab export stands for the documents' model; another one is replaced."""
    models = [write_model(folder / "model.onnx"), write_model(folder / "other.onnx")]
    with Served([sys.executable, "-c", LAUNCH, *map(str, models)], folder / "log") as served:
        yield served
    lines = [json.loads(line) for line in served.log.read_text().splitlines()]
    assert [line for line in lines if "traceback" in line] == []
    assert lines[-1]["event"] == "stopped"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)


CURLS = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("curl")]


@pytest.mark.parametrize("command", CURLS)
@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
def test_the_documents_curl_works(command: str, served: Served, tmp_path: Path) -> None:
    (tmp_path / "digit.png").write_bytes(picture(IMAGE))
    command = command.replace(HERE, served.url).replace("curl ", "curl --silent --show-error ")
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout
    predictions = json.loads(done.stdout)["predictions"]
    assert {each["label"] for each in predictions} == {CLASSES[expected(IMAGE[None])[0].argmax()]}
    assert len(predictions) == command.count("@digit.png")


def test_the_documents_python_works(served: Served) -> None:
    (program,) = blocks("python")
    command = [sys.executable, "-c", program.replace(HERE, served.url)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{CLASSES[0]} 0.333333 False"] * 2


def has_fetch() -> bool:
    node = shutil.which("node")
    asked = [node or "", "-p", "typeof fetch"]
    return bool(node) and "function" in subprocess.run(asked, capture_output=True, text=True).stdout


@pytest.mark.skipif(not has_fetch(), reason="no node with fetch")
def test_the_documents_javascript_works(served: Served, tmp_path: Path) -> None:
    (program,) = blocks("js")
    (tmp_path / "client.mjs").write_text(program.replace(HERE, served.url))
    done = subprocess.run(["node", str(tmp_path / "client.mjs")], capture_output=True, text=True)
    assert done.stdout.strip() == f"{CLASSES[0]} 0.333333", done.stderr


def test_the_documents_limits_are_those_of_the_service() -> None:
    from mnistlab.serving import Limits

    limits = Limits()
    row = f"| {limits.body_bytes >> 20} MiB, {limits.images}, {limits.pixels / 1e6:.1f} million |"
    assert row in DOCUMENT
    assert f"| {limits.queue:,}, {limits.requests}, {limits.connections:,} |" in DOCUMENT
    for words in (
        f"seconds until a request is sent | {limits.read_s:g} |",
        f"seconds until it is answered | {limits.request_s:g} |",
        f"headers | {limits.head_bytes >> 10} KiB",
        f"without a request on a connection | {limits.idle_s:g} |",
    ):
        assert words in DOCUMENT


REQUEST = (
    b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n"
)
WHOLE = REQUEST + b"Content-Length: 784\r\n\r\n" + IMAGE.tobytes()


def received(connection: socket.socket) -> bytes:
    """Everything until the service closes the connection."""
    content = b""
    try:
        while piece := connection.recv(1 << 16):
            content += piece
    except ConnectionResetError:
        pass
    return content


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"hello\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400"),
        (REQUEST + b"Content-Length: -1\r\n\r\n", b"400"),
        (REQUEST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", b"400"),
        (REQUEST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 40_000, b"431"),
        (b"CONNECT localhost:22 HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400"),
        (b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", b"421"),
    ],
)
def test_clients_that_speak_no_http(sent: bytes, status: bytes, served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(sent)
        answer = received(connection)
    check_refused(answer, status)
    assert served.ask("/healthz") == {"status": "alive"}


def test_clients_that_are_slow(served: Served) -> None:
    """All at once: each is told so after READ_S, however far it got."""
    before = served.connect()
    before.sendall(WHOLE)
    sent = (
        b"",
        b"GET /hea",
        REQUEST + b"Content-Length: 784\r\n\r\nhalf",
        REQUEST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhal",
    )
    connections = [served.connect() for _ in sent]
    for connection, content in zip(connections, sent, strict=True):
        connection.sendall(content)
    answer = b""
    while not answer.endswith(b"]}"):
        answer += before.recv(1 << 16)
    assert answer.startswith(b"HTTP/1.1 200")
    before.sendall(b"\r\n")
    for connection in (before, *connections):
        check_refused(received(connection), b"408")
        connection.close()


def check_refused(answer: bytes, status: bytes) -> None:
    assert answer.startswith(b"HTTP/1.1 " + status), answer
    assert list(json.loads(answer.split(b"\r\n\r\n", 1)[1])) == ["error"]


def test_a_client_that_sends_no_more_still_gets_its_answer(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(WHOLE)
        connection.shutdown(socket.SHUT_WR)
        assert b'"predictions"' in received(connection)
    with served.connect() as connection:  # nor is half a request waited for
        connection.sendall(WHOLE[:-1])
        connection.shutdown(socket.SHUT_WR)
        assert received(connection) == b""


def test_requests_one_after_another_on_one_connection(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(
            WHOLE * 3 + REQUEST + b"Content-Length: 3\r\nConnection: close\r\n\r\nabc"
        )
        answer = received(connection)
    assert answer.count(b"HTTP/1.1 200") == 3
    assert answer.count(b"HTTP/1.1 422") == 1


def test_connections_too_many_are_told_so(served: Served) -> None:
    idle = [served.connect() for _ in range(45)]
    answers = [received(connection) for connection in idle]
    assert all(b" 429 " in answer for answer in answers[40:])
    assert all(b" 408 " in answer for answer in answers[:40])
    for connection in idle:
        connection.close()
    assert served.ask("/healthz") == {"status": "alive"}


def test_a_changed_file_is_served_and_no_request_is_lost(served: Served, folder: Path) -> None:
    p = expected(IMAGE[None])[0]
    old, new = CLASSES[p.argmax()], CLASSES[p.argmin()]
    labels: list[str] = []

    def label() -> str:
        answer = served.ask("/v1/predict?model=other", IMAGE.tobytes())
        labels.append(answer["predictions"][0]["label"])
        return labels[-1]

    assert label() == old
    (folder / "other.onnx").write_bytes(b"damaged")
    until = time.monotonic() + 300
    while "not reloaded" not in served.log.read_text() and time.monotonic() < until:
        assert label() == old
    write_model(folder / "new.onnx", sign=-1.0).replace(folder / "other.onnx")
    while label() != new and time.monotonic() < until:
        pass
    assert label() == new
    assert set(labels) == {old, new}
    assert served.ask("/v1/predict", IMAGE.tobytes())["predictions"][0]["label"] == old


def asking(port: int, outcomes: list[str]) -> None:
    """Requests on one connection until it is closed; a request that was sent must be answered."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    answered = time.monotonic()
    while True:
        if connection.sock is None:
            try:
                connection.connect()
            except OSError:  # it listens no more
                break
        is_late = time.monotonic() - answered > 0.5  # this thread has waited: it may be closed
        try:
            connection.request(
                "POST", "/v1/predict", IMAGE.tobytes(), {"Content-Type": "application/octet-stream"}
            )
            answer = connection.getresponse()
            outcomes.append(f"{answer.status} {len(json.loads(answer.read())['predictions'])}")
            answered = time.monotonic()
        except Exception as error:
            outcomes.append("late" if is_late else repr(error))
            break
    connection.close()


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_sigterm_under_load_loses_no_accepted_request(folder: Path) -> None:
    model = write_model(folder / "own.onnx")
    command = [sys.executable, "-m", "mnistlab", "serve", str(model), "--port", "0"]
    outcomes: list[list[str]] = [[] for _ in range(8)]
    with Served(command, folder / "log-own") as served:
        clients = [threading.Thread(target=asking, args=(served.port, each)) for each in outcomes]
        for client in clients:
            client.start()
        while min(map(len, outcomes)) < 20 and all(client.is_alive() for client in clients):
            time.sleep(0.01)
        status = served.stop()
        for client in clients:
            client.join()
    assert {"200 1"} <= {outcome for each in outcomes for outcome in each} <= {"200 1", "late"}
    assert all(each[:20] == ["200 1"] * 20 for each in outcomes)
    assert status == -signal.SIGTERM
    events = [json.loads(line)["event"] for line in served.log.read_text().splitlines()]
    assert events == ["started", "stopping", "stopped"]


def test_a_run_is_exported_and_its_page_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exports run in this process, which has loaded torch; the service finds them cached."""
    monkeypatch.setenv("MNISTLAB_CACHE", str(tmp_path / "cache"))
    recipe = ml.set_fields(ml.get_recipe("softmax-tuned"), {"epochs": "1", "n_train": "500"})
    run = ml.evaluate(ml.train(recipe, out=tmp_path, threads=1))
    commands = []

    def here(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, run_command(command[3:]), "", "")

    sources = sources_of([run.path])
    monkeypatch.setattr(sources_module.subprocess, "run", here)
    model = loaded(sources[0])
    page = page_of(sources, None)
    monkeypatch.undo()
    assert [command[:4] for command in commands] == [
        [sys.executable, "-m", "mnistlab", "export"]
    ] * 2
    assert model.facts.test_accuracy == run.result["test_accuracy"]

    monkeypatch.setenv("MNISTLAB_CACHE", str(tmp_path / "cache"))
    before = sorted((tmp_path / "cache" / "served").iterdir())
    command = [sys.executable, "-m", "mnistlab", "serve", str(run.path), "--port", "0"]
    images = ml.load("fashion-mini").images[-8:]
    with Served(command, tmp_path / "log") as served:
        found = served.ask("/v1/predict", images.tobytes())
        with urllib.request.urlopen(served.url, timeout=60) as answer:
            assert answer.read() == page
        libraries = Path(f"/proc/{served.process.pid}/maps")
        if libraries.exists():
            assert "torch" not in libraries.read_text()
    assert found["model"] == run.path.name
    assert [each["label"] for each in found["predictions"]] == [
        run.data["class_names"][code] for code in run.classifier("cpu").predict(images)
    ]
    assert {each["unusual"] for each in found["predictions"]} <= {True, False}
    assert sorted((tmp_path / "cache" / "served").iterdir()) == before


def test_a_run_that_cannot_be_exported_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNISTLAB_CACHE", str(tmp_path / "cache"))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "result.json").write_text("{}")
    with pytest.raises(RunError, match=r"run: cannot be exported: .*(recipe|data)\.json"):
        loaded(sources_of([tmp_path / "run"])[0])
