"""A Ray cluster of nodes with one core each on this machine: real processes."""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

STORE_BYTES = 300 * 2**20  # per node, for data sets and results
UP = "Ray runtime started"
END_S = 20.0
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Cluster:
    """address: for RAY_ADDRESS. nodes: the processes that have started its nodes."""

    address: str
    nodes: tuple[subprocess.Popen[str], ...]

    def processes(self) -> list[int]:
        """The processes of all nodes, with those that started the nodes."""
        found = [node.pid for node in self.nodes]
        children = _children()
        for process in found:  # grows while it is gone through
            found += children.get(process, [])
        return found

    def lose(self, number: int) -> None:
        """End all processes of one node at once, as if its computer failed."""
        for process in Cluster(self.address, (self.nodes[number],)).processes():
            _kill(process)

    def tasks(self) -> list[int]:
        """Processes that run a training task now."""
        return [process for process in self.processes() if "ray::_task" in _title(process)]


@contextmanager
def cluster(n_nodes: int, env: Mapping[str, str] | None = None) -> Iterator[Cluster]:
    """A cluster of nodes named node-0, node-1, ... while the block runs. Linux only."""
    # Names of sockets must be short.
    folder = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))
    address = f"127.0.0.1:{_free_port()}"
    # Ray takes 127.0.0.1 for the machine's own address, where others may knock. It reads this once.
    os.environ["RAY_AUTH_MODE"] = "token"
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    nodes: list[subprocess.Popen[str]] = []
    try:
        for number in range(n_nodes):
            nodes.append(_started(number, address, folder, env or {}))
        yield Cluster(address, tuple(nodes))
    finally:
        _end(Cluster(address, tuple(nodes)))
        shutil.rmtree(folder, ignore_errors=True)


def _started(
    number: int, address: str, folder: Path, env: Mapping[str, str]
) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block"]
    command += ["--node-ip-address=127.0.0.1", f"--node-name=node-{number}", "--num-cpus=1"]
    command += ["--num-gpus=0", f"--object-store-memory={STORE_BYTES}", "--disable-usage-stats"]
    command += ["--min-worker-port=0", "--max-worker-port=0", "--include-log-monitor=false"]
    command += ["--no-monitor"]
    if number == 0:
        port = address.partition(":")[2]
        command += ["--head", f"--port={port}", f"--temp-dir={folder}", "--include-dashboard=false"]
    else:
        command += [f"--address={address}"]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | {"RAY_USAGE_STATS_ENABLED": "0"} | dict(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=_end_with_parent,
    )
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if UP in line:
            return process
    process.wait()
    process.stdout.close()
    raise RuntimeError(f"node {number} did not start: {said}")


def _end_with_parent() -> None:
    """Make a node's first process, and so the node, end when this process ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _end(cluster: Cluster) -> None:
    """All processes of the cluster and no others, in any state."""
    ending = cluster.processes()
    for process in ending:
        _kill(process)
    for node in cluster.nodes:
        node.wait()
        if node.stdout is not None:
            node.stdout.close()
    until = time.monotonic() + END_S
    while any(_title(process) for process in ending) and time.monotonic() < until:
        time.sleep(0.05)


def _kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return


def _children() -> dict[int, list[int]]:
    """The processes of this machine by their parent process."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name in brackets may hold anything.
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:  # gone meanwhile
            continue
        children.setdefault(int(fields[1]), []).append(int(path.parent.name))
    return children


def _title(process: int) -> str:
    """The command line of a process; empty after its end."""
    try:
        return Path(f"/proc/{process}/cmdline").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
