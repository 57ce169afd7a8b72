"""What a student's code may do while it is checked: an audit hook of Python, limits of the system.

This stops mistakes and simple mischief. It is no wall: code that is written to break out of it can,
because it runs in the same interpreter as the hook. docs/checking.md says what is not stopped.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

MEMORY_BYTES = 3 << 30
FILE_BYTES = 16 << 20
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
NETWORK = ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg")
NAMES = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
PROGRAMS = (
    *("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork"),
    *("os.forkpty", "pty.spawn", "os.startfile", "os.kill", "signal.pthread_kill", "os.killpg"),
)
CHANGES = (
    *("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate"),
    *("os.chmod", "os.chown", "os.utime", "os.chflags", "os.setxattr", "os.removexattr"),
)


class TimeIsUpError(BaseException):
    """The time is up; no `except Exception` of a student catches it."""

    def __init__(self, line: int | None, cpu_s: float) -> None:
        super().__init__(line)
        self.line, self.cpu_s = line, cpu_s


def limit_resources() -> None:
    """Memory, file size and core dumps, where the system has such limits (not on Windows)."""
    try:
        import resource
    except ImportError:
        return
    for name, value in (
        ("RLIMIT_DATA", MEMORY_BYTES),
        ("RLIMIT_FSIZE", FILE_BYTES),
        ("RLIMIT_CORE", 0),
    ):
        with contextlib.suppress(AttributeError, ValueError, OSError):
            resource.setrlimit(getattr(resource, name), (value, value))


def forbid(scratch: str, student: str) -> None:
    """From now on: no network, no other programs, no writing outside `scratch`."""
    folder = Path(scratch).resolve()

    def is_inside(path: Any) -> bool:
        if isinstance(path, int) or path is None:
            return True
        real = os.path.realpath(os.fsdecode(path))
        return real == os.devnull or Path(real).is_relative_to(folder)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in NETWORK or event in NAMES:
            raise PermissionError("the checker gives no network")
        if event in PROGRAMS:
            raise PermissionError("the checker starts and ends no other programs")
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & WRITES and not is_inside(path):
                raise PermissionError("the checker writes no files outside its own folder")
        elif event in CHANGES:
            if not all(is_inside(path) for path in arguments if isinstance(path, str | bytes)):
                raise PermissionError("the checker changes no files outside its own folder")
        elif event.startswith("ctypes.dlopen") and _is_called_by(student):
            raise PermissionError("the checker loads no libraries for a student's code")

    sys.addaudithook(hook)


def _is_called_by(student: str) -> bool:
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and "ctypes" in frame.f_code.co_filename:
        frame = frame.f_back
    return frame is not None and frame.f_code.co_filename == student


def set_timer(seconds: float, student: str) -> Callable[[], None]:
    """Raise TimeIsUpError after some seconds of real time; the function returned stops the timer.

    Does nothing on systems without such a timer, where the parent process ends this one.
    """
    if not hasattr(signal, "setitimer"):
        return lambda: None

    begun = time.process_time()

    def ring(_: int, frame: FrameType | None) -> None:
        while frame is not None and frame.f_code.co_filename != student:
            frame = frame.f_back
        line = frame.f_lineno if frame is not None else None
        raise TimeIsUpError(line, time.process_time() - begun)

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)  # again, for code that caught the first

    def stop() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)

    return stop
