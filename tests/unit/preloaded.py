"""Processes that need not import torch first: forks of one that has, at a hundredth of the time.

Each is a process of its own, with its own streams, environment, folder and exit status, and runs
the words that `python` would: `-m MODULE` or `-c CODE` with arguments. Variables that libraries
read as they are imported have no effect on it: what is tested with such takes `subprocess`.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

# Of these, threads that would not be in a fork are started by none.
MODULES = (
    "sklearn.metrics",
    "sklearn.model_selection",
    "sklearn.datasets",
    "mnistlab.cli.terminal",
    "mnistlab.tracking",
    "mnistlab.runs",
    "mnistlab.study",
    "mnistlab.studies",
    "mnistlab.tuning",
    "mnistlab.classifiers.torch_classifier",
    "mnistlab.classifiers.scratch_classifier",
    "mnistlab.reporting.study_report",
    "mnistlab.reporting.run_report",
    "mnistlab.reporting.tuning_report",
    "mnistlab.classifiers.storage",
    "mnistlab.cli.learning",
)
TEXT = {"encoding": "utf-8", "errors": "surrogateescape"}


@functools.cache
def _server() -> str:
    """Address of the process that forks; it ends with this one, whose pipe it reads."""
    folder = tempfile.mkdtemp(prefix="pre", dir="/tmp")  # sockets have short names
    process = subprocess.Popen(
        [sys.executable, __file__, f"{folder}/s"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"

    def end() -> None:
        process.communicate()
        shutil.rmtree(folder)

    atexit.register(end)
    return f"{folder}/s"


class Process:
    """As subprocess.Popen with pipes for both streams, in text."""

    returncode: int | None = None

    def __init__(
        self, words: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None
    ) -> None:
        assert words[0] == sys.executable
        request = {
            "words": list(words[1:]),
            "cwd": str(cwd),
            "env": dict(os.environ if env is None else env),
        }
        self.words = list(words)
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._connection.connect(_server())
        pipes = [os.pipe() for _ in range(2)]
        content = json.dumps(request).encode()
        socket.send_fds(
            self._connection, [len(content).to_bytes(8, "little")], [end for _, end in pipes]
        )
        self._connection.sendall(content)
        for _, end in pipes:
            os.close(end)
        self.stdout: IO[str] = os.fdopen(pipes[0][0], "r", **TEXT)
        self.stderr: IO[str] = os.fdopen(pipes[1][0], "r", **TEXT)
        self.pid = int.from_bytes(self._connection.recv(8), "little")

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._connection], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._connection], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.words, timeout or 0)
            status = self._connection.recv(8)
            assert status, "the process that forks has ended"
            self.returncode = os.waitstatus_to_exitcode(int.from_bytes(status, "little"))
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        told: dict[str, str] = {}

        def read(name: str) -> None:
            told[name] = getattr(self, name).read()

        threads = [
            threading.Thread(target=read, args=(n,), daemon=True) for n in ("stdout", "stderr")
        ]
        for thread in threads:
            thread.start()
        self.wait(timeout)
        for thread in threads:
            thread.join(timeout)
        self.close()
        return told["stdout"], told["stderr"]

    def close(self) -> None:
        for stream in (self.stdout, self.stderr, self._connection):
            stream.close()

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.kill()
        self.wait()
        self.close()


def run(
    words: Sequence[str],
    cwd: Path,
    env: Mapping[str, str] | None = None,
    check: bool = False,
    timeout: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """As subprocess.run, with what it said."""
    process = Process(words, cwd, env)
    try:
        out, err = process.communicate(timeout)
    except BaseException:
        process.kill()
        raise
    done = subprocess.CompletedProcess(list(words), process.wait(), out, err)
    if check and done.returncode:
        raise AssertionError(f"{words} ended with {done.returncode}: {err}")
    return done


# In the process that forks


def _accepted(listener: socket.socket) -> dict[str, Any] | None:
    """A request, in the process that is to do it; none at the end of the one that forks."""
    waiting = 0
    while True:
        ready = select.select([listener, sys.stdin], [], [])[0]
        if sys.stdin in ready:
            return None
        while waiting and os.waitpid(-1, os.WNOHANG)[0]:
            waiting -= 1
        connection, _ = listener.accept()
        if os.fork():
            connection.close()
            waiting += 1
            continue
        listener.close()
        length, streams, _, _ = socket.recv_fds(connection, 8, 2)
        content = b""
        while len(content) < int.from_bytes(length, "little"):
            content += connection.recv(1 << 16)
        pid = os.fork()
        if not pid:
            connection.close()
            return json.loads(content) | {"streams": streams}
        for stream in streams:
            os.close(stream)
        connection.sendall(pid.to_bytes(8, "little"))
        status = os.waitpid(pid, 0)[1]
        with contextlib.suppress(OSError):  # nobody asks any more
            connection.sendall(status.to_bytes(8, "little"))
        os._exit(0)


def _do(words: list[str], cwd: str, env: dict[str, str], streams: list[int]) -> None:
    for number, stream in enumerate([os.open(os.devnull, os.O_RDONLY), *streams]):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin, sys.stdout = open(0, **TEXT), open(1, "w", **TEXT)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace")  # noqa: SIM115
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.path[0] = ""
    how, what, *rest = words
    if how == "-m":
        sys.argv = [what, *rest]
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        assert how == "-c"
        sys.argv = ["-c", *rest]
        exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})


def _ended(request: dict[str, Any]) -> int:
    """Does it, and what an interpreter does at its end but for the tearing down of modules."""
    status: object = 0
    try:
        _do(**request)
    except SystemExit as end:
        status = end.code or 0
    except BaseException:
        traceback.print_exc()
        status = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return status if isinstance(status, int) else 1


if __name__ == "__main__":
    for name in MODULES:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a fork that collects would copy all of it
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(sys.argv[1])
        listener.listen()
        print("ready", flush=True)
        request = _accepted(listener)
    if request is not None:
        os._exit(_ended(request))
