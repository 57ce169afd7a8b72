"""The connection to a Ray cluster: Ray itself, the code its workers use, what is left behind."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import mnistlab
from mnistlab.errors import RecipeError, RunError, Stopped

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


@contextlib.contextmanager
def connected() -> Iterator[Any]:
    """Ray, connected to the cluster of RAY_ADDRESS, else to one on the cores of this machine.

    The latter ends with the block. A connection that is there already is used as it is, its code
    included. Raises RecipeError without Ray, RunError where no cluster answers.
    """
    ray = _imported()
    with contextlib.ExitStack() as ending:
        handle_signals = ending.enter_context(_signals())
        if not ray.is_initialized():
            folder = ending.enter_context(_temporary_folder())
            ending.callback(ray.shutdown)
            _connect(ray, folder)
        handle_signals()
        yield ray


@contextlib.contextmanager
def _temporary_folder() -> Iterator[Path]:
    """A folder that is removed after the block, and also when this process is killed in it.

    A process of its own removes it, at the end of its input, which ends with this process.
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
    takes 127.0.0.1 for the machine's own address, unless a setting says that it is there.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    is_set_here = not os.environ.get("RAY_ADDRESS") and LOOPBACK not in os.environ
    if is_set_here:
        os.environ[LOOPBACK] = "0"
    try:
        import ray
    except ImportError as error:
        raise RecipeError("--on ray needs Ray: pip install 'mnistlab[scale]'") from error
    finally:
        if is_set_here:
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
    """A function after which SIGINT and SIGTERM raise Stopped, until the block ends.

    A second signal does what it always did. To be called once Ray is connected: on connecting it
    takes over SIGTERM, with an exit status of its own.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return

    def stop(number: int, frame: FrameType | None) -> None:
        is_interrupt = number == signal.SIGINT
        signal.signal(number, signal.default_int_handler if is_interrupt else signal.SIG_DFL)
        raise Stopped(
            "stopped; the same command resumes and trains only what is unfinished", number
        )

    def handle() -> None:
        for number in SIGNALS:
            if before[number] is not signal.SIG_IGN:
                signal.signal(number, stop)

    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield handle
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
