"""What a service does with clients that nobody wants: bodies, bombs, slow ones, signals.

python -m benchmarks.serving_abuse [MODEL.onnx] [--bodies 10000] [--environments DIR] [--record]

Counts what must be zero: errors of the service (5xx), tracebacks in its log, accepted requests that
got no answer; and what must not grow: memory and open files. schemathesis, in an environment of its
own, asks what the OpenAPI description allows; where pip cannot install it, it is skipped by name.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections import Counter
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from benchmarks.ledger import CHECKOUT, run_benchmark
from benchmarks.service_process import (
    ServiceProcess,
    arguments,
    environment_with_ours,
    small_run,
)
from mnistlab.exporting import export_onnx
from mnistlab.runs import open_run

PORT = 8438
URL = f"http://127.0.0.1:{PORT}"
KINDS = ("image/png", "application/octet-stream", "application/json", "text/plain", "")
N_ROUNDS = 3
N_SLOW, N_HALF, N_BOMBS, N_CLIENTS = 200, 500, 200, 16
SLOW_S = 20.0  # the service waits for 15
LEVELS = bytes(784)


def png(side: int, n_bytes: int) -> bytes:
    """A picture of side x side pixels whose data are n_bytes zeros, packed."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(bytes(n_bytes), 9))
    return b"\x89PNG\r\n\x1a\n" + head + data + chunk(b"IEND", b"")


def generated(random_: random.Random) -> tuple[str, bytes]:
    """A content type and a body: noise, damaged pictures, JSON of any shape, damaged multipart."""
    kind = random_.choice([*KINDS, "multipart/form-data; boundary=x"])
    noise = random_.randbytes(random_.choice([1, 30, 784, 785, 5000]))
    rows = [[random_.randint(-1, 260) for _ in range(random_.randint(0, 9))] for _ in range(9)]
    nested: Any = random_.choice([rows, None, 1e400, "x", {}, [rows], [[]], ["AAAA"]])
    part = b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n'
    picture = bytearray(png(60, 61 * 60))
    for _ in range(random_.randint(0, 3)):
        picture[random_.randrange(len(picture))] = random_.randrange(256)
    bodies = [
        noise,
        bytes(picture),
        json.dumps({"images": nested}).encode(),
        json.dumps({"images": [rows, nested]}).encode()[: random_.randint(1, 400)],
        part + noise + b"\r\n--x--\r\n",
        part + bytes(picture) + b"\r\n" + part[: random_.randint(1, 60)],
        b"[" * random_.randint(1, 50_000),
    ]
    return kind, random_.choice(bodies)


def ask_bodies(n: int, seed: int) -> Counter[int]:
    """Statuses of n generated bodies, sent on connections that are used again."""
    random_, statuses = random.Random(seed), Counter[int]()
    connection = HTTPConnection("127.0.0.1", PORT, timeout=30)
    for _ in range(n):
        kind, body = generated(random_)
        query = random_.choice(["", "?prepare=yes", "?prepare=no", "?model=x", "?prepare=%00"])
        connection.request("POST", f"/v1/predict{query}", body, {"Content-Type": kind})
        answer = connection.getresponse()
        content = answer.read()
        assert b"Traceback" not in content
        statuses[answer.status] += 1
    connection.close()
    return statuses


def _connected() -> socket.socket:
    return socket.create_connection(("127.0.0.1", PORT), timeout=30)


def be_rude() -> dict[str, int]:
    """Slow, half-closed and broken connections; how many of them were ended by the service."""
    head = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 784\r\n"
    slow = [_connected() for _ in range(N_SLOW)]
    for place, connection in enumerate(slow):
        connection.sendall([b"", b"P", head, head + b"\r\nhalf"][place % 4])
    end = time.monotonic() + SLOW_S
    while time.monotonic() < end:
        for connection in slow[2::4]:  # a header now and then, for ever
            with contextlib.suppress(OSError):
                connection.sendall(b"X: y\r\n")
        time.sleep(1)
    n_ended = 0
    for connection in slow:
        with contextlib.suppress(OSError):
            connection.settimeout(5)
            n_ended += b"408" in connection.recv(4096)
        connection.close()
    whole = head + b"Content-Type: application/octet-stream\r\n\r\n" + LEVELS
    n_answered = 0
    for place in range(N_HALF):
        with _connected() as connection:
            connection.sendall(whole if place % 2 else whole[:-1])
            connection.shutdown(socket.SHUT_WR)
            with contextlib.suppress(OSError):
                content = b"".join(iter(lambda: connection.recv(4096), b""))
                n_answered += b"predictions" in content
    return {"slow_ended": n_ended, "half_closed_answered": n_answered}


def send_bombs() -> Counter[int]:
    """Pictures that are far larger than their bytes, and those just within the limit."""
    statuses = Counter[int]()
    pictures = [png(30_000, 1 << 20), png(4096, 4097 * 4096), png(4000, 1 << 20)]
    for place in range(N_BOMBS):
        connection = HTTPConnection("127.0.0.1", PORT, timeout=60)
        picture = pictures[place % 3]
        connection.request("POST", "/v1/predict", picture, {"Content-Type": "image/png"})
        statuses[connection.getresponse().status] += 1
        connection.close()
    return statuses


def stop_under_load(service: ServiceProcess) -> dict[str, Any]:
    """SIGTERM while clients ask without a pause: every request that was sent must be answered."""
    outcomes, lock = Counter[str](), threading.Lock()

    def ask() -> None:
        connection = HTTPConnection("127.0.0.1", PORT, timeout=30)
        headers = {"Content-Type": "application/octet-stream"}
        while True:
            try:
                if connection.sock is None:
                    connection.connect()
            except OSError:
                return  # it listens no more
            try:
                connection.request("POST", "/v1/predict", LEVELS, headers)
                answer = connection.getresponse()
                answer.read()
                outcome = str(answer.status)
            except (OSError, HTTPException) as error:
                outcome = type(error).__name__
            with lock:
                outcomes[outcome] += 1
            if not outcome.isdecimal():
                return

    clients = [threading.Thread(target=ask) for _ in range(N_CLIENTS)]
    for client in clients:
        client.start()
    time.sleep(3)
    service.end(signal.SIGTERM)
    for client in clients:
        client.join()
    return dict(outcomes)


def ask_schemathesis(environments: Path, folder: Path) -> str:
    """How many cases schemathesis generated and how it ended, or why it did not run."""
    try:
        python = environment_with_ours(environments / "schemathesis", ("schemathesis",))
    except subprocess.CalledProcessError as error:
        return f"skipped: {error}"
    command = [str(python.parent / "schemathesis"), "run", f"{URL}/openapi.json"]
    command += [
        "--max-examples",
        "300",
        "--checks",
        "not_a_server_error,response_schema_conformance",
    ]
    command += ["--no-color"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=500)
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    print(done.stdout, file=sys.stderr)
    n_cases = next((line.strip() for line in lines if " generated, " in line), "")
    return f"exit {done.returncode}: {n_cases}"


def abuse(service: ServiceProcess, n: int, seed: int) -> dict[str, Any]:
    """One round of everything; memory and open files at its end must not grow from round to round.

    The first round grows: libraries are loaded, and the largest pictures find their memory.
    """
    statuses, bombs, rude = ask_bodies(n, seed), send_bombs(), be_rude()
    time.sleep(1)  # until the last connections are closed
    found = {
        "statuses": dict(statuses),
        "bombs": dict(bombs),
        **rude,
        "resident_mb": service.resident_mb(),
        "open_files": service.n_open_files(),
    }
    print(found, file=sys.stderr)
    return found


def bench() -> dict[str, Any]:
    """All of it against one service, which is stopped, killed and started at the end."""
    given = arguments()
    n = given.n_bodies
    env = os.environ | {"PYTHONPATH": str(CHECKOUT)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = given.model or folder / "model.onnx"
        if given.model is None:
            export_onnx(open_run(small_run(folder)), model)
        command = [sys.executable, "-m", "mnistlab", "serve", str(model), "--port", str(PORT)]
        log = folder / "log"
        with ServiceProcess(command, f"{URL}/readyz", log, env) as service:
            rounds = [abuse(service, n, seed) for seed in range(N_ROUNDS)]
            described = ask_schemathesis(given.environments or folder, folder)
            with urlopen(f"{URL}/metrics") as answer:
                counted = answer.read().decode()
            stopped = stop_under_load(service)
        with ServiceProcess(command, f"{URL}/readyz", log, env) as service:
            service.end(signal.SIGKILL)
        start = time.perf_counter()
        with ServiceProcess(command, f"{URL}/readyz", log, env):
            restart_s = time.perf_counter() - start
        text = log.read_text(encoding="utf-8")
    server_errors = [line for line in counted.splitlines() if 'status="5' in line]
    return {
        "n_bodies": n,  # of each round
        "rounds": rounds,
        "schemathesis": described,
        "server_errors": server_errors,
        "n_tracebacks": text.count("traceback"),
        "outcomes_at_sigterm": stopped,
        "restart_s": restart_s,
    }


if __name__ == "__main__":
    run_benchmark("serving_abuse", bench)
