"""A service as a process of a benchmark: started, watched, ended; and peers' environments."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import site
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import mnistlab as ml
from benchmarks.environments import environment

START_LIMIT_S = 120.0


class Arguments(NamedTuple):
    """The command-line arguments that all benchmarks of the service share."""

    model: Path | None  # a run's folder, or an ONNX file
    environments: Path | None  # where pip's environments are kept
    seconds: float
    n_bodies: int


def arguments() -> Arguments:
    """The command line's words."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path, nargs="?")
    parser.add_argument("--environments", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--bodies", type=int, default=10_000)
    parser.add_argument("--record", action="store_true")  # read by run_benchmark
    given = parser.parse_args()
    return Arguments(given.model, given.environments, given.seconds, given.bodies)


def small_run(folder: Path) -> Path:
    """A run to serve where none is named: a small network, trained for one epoch."""
    recipe = ml.set_fields(ml.get_recipe("cnn-small"), {"epochs": "1"})
    return ml.train(recipe, ml.load("fashion-mini"), out=folder).path


class ServiceProcess:
    """A command that serves at `url`; as a context manager it is ended with the block."""

    def __init__(
        self, command: Sequence[str], url: str, log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.url, self.log = url, log
        start = time.perf_counter()
        while self._answers():  # another one, which is just ending
            if time.perf_counter() - start > START_LIMIT_S:
                raise RuntimeError(f"{url} is another service's")
            time.sleep(0.1)
        start = time.perf_counter()
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                stdout=output,
                stderr=output,
                env=None if env is None else dict(env),
                start_new_session=True,  # its processes are ended together
            )
        while not self._answers():
            if self.process.poll() is not None or time.perf_counter() - start > START_LIMIT_S:
                self._kill_all()
                raise RuntimeError(f"{command[0]} does not serve: {log.read_text()[-500:]}")
            time.sleep(0.01)
        self.start_s = time.perf_counter() - start

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url, timeout=5):
                return True
        except urllib.error.HTTPError:  # some answer
            return True
        except OSError:
            return False

    def resident_mb(self) -> float:
        """The memory of the process and its children, in MB (2**20 bytes)."""
        return sum(_resident_mb(pid) for pid in [self.process.pid, *_children(self.process.pid)])

    def n_open_files(self) -> int:
        """Open file descriptors, connections among them."""
        return sum(1 for _ in Path(f"/proc/{self.process.pid}/fd").iterdir())

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait; what has not ended after a minute is killed."""
        self.process.send_signal(how)
        try:
            return self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.end()
        self._kill_all()

    def _kill_all(self) -> None:
        """What the command has started, and leaves behind, as LitServe does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    direct = [int(word) for word in found.stdout.split()]
    return direct + [below for child in direct for below in _children(child)]


def _resident_mb(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    found = re.search(r"VmRSS:\s+(\d+)", text)
    return int(found[1]) / 2**10 if found else 0.0


def environment_with_ours(folder: Path, packages: Sequence[str]) -> Path:
    """The Python of a peer's environment that also sees our packages: it serves our network."""
    ours = [*site.getsitepackages(), *(path for path in sys.path if path.endswith("-packages"))]
    return environment(folder, packages, also_sees=ours)
