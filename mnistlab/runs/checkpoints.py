"""Checkpoints of a training in its folder: the last two, each whole or absent.

The name of a file holds the hash of its content. Where the hash shows that the newest is damaged,
the one before is used.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

from pydantic import BaseModel, Field
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from mnistlab import atomic, machine
from mnistlab.errors import MnistlabError, RunError, Stopped
from mnistlab.phases import Checkpoint, TrainState

FILES = "checkpoint-*.safetensors"
KEY = "mnistlab.checkpoint/1"
EVERY_S = 60.0  # where the recipe sets no checkpoint_steps
N_SAVED = 2
LARGEST_COUNT = 2**53  # of steps or images; beyond, floats skip whole numbers
# What a file that is no checkpoint may raise when it is read.
DAMAGE = (OSError, SafetensorError, ValueError, TypeError, LookupError, RecursionError)


class Checkpoints:
    """A Checkpointer: saves a checkpoint every so many steps, and when the training must stop.

    every: steps; None for about once a minute. of: what identifies the training; a checkpoint of
    another one is refused. n_steps: how many steps are done, those before a stop included;
    seconds_before: how long they took. n_damaged: checkpoints that could not be used.
    """

    def __init__(self, folder: Path, every: int | None, of: Mapping[str, str]) -> None:
        self.folder, self.every, self.of = folder, every, dict(of)
        self.n_steps, self.n_damaged, self.seconds_before = 0, 0, 0.0
        self._signal: int | None = None  # the one that asked this training to stop
        self._writer = ThreadPoolExecutor(1)
        self._writing: Future[None] | None = None
        self._began = self._saved_at = time.monotonic()
        self._last = self._newest()

    def last(self) -> Checkpoint | None:
        """The newest checkpoint that is whole."""
        return self._last

    def is_due(self) -> bool:
        """Called after every step."""
        self.n_steps += 1
        if self._signal is not None:
            return True
        if self.every is None:
            return time.monotonic() - self._saved_at > EVERY_S
        return self.n_steps % self.every == 0

    def save(self, checkpoint: Checkpoint) -> None:
        """Write it while training continues; of the older ones only the newest stays.

        Raises RunError where the one before it could not be written, and after a signal Stopped,
        once this one is written.
        """
        description = {
            "of": self.of,
            "seconds": self.seconds_before + time.monotonic() - self._began,
            "position": checkpoint.state.to_plain(),
            "random": checkpoint.random,
        }
        # Into bytes now, for the next step changes the arrays; a thread writes them.
        content = save(checkpoint.arrays, {KEY: json.dumps(description)})
        self._await_writing()
        self._writing = self._writer.submit(self._write, self.n_steps, content)
        self._saved_at = time.monotonic()
        if self._signal is not None:
            self._await_writing()
        self.stop_if_asked()

    def _write(self, n_steps: int, content: bytes) -> None:
        path = self.folder / f"checkpoint-{n_steps:09d}-{_digest(content)}.safetensors"
        try:
            atomic.write_bytes(path, content)
        except OSError as error:
            raise RunError(
                f"{path}: the checkpoint cannot be written: {error.strerror}; the one before it "
                "is as it was"
            ) from error
        for older in self._files()[N_SAVED:]:
            older.unlink(missing_ok=True)

    def _await_writing(self) -> None:
        """Wait until the file is complete; raises the error of its writing."""
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    @contextmanager
    def signals_delayed(self) -> Iterator[None]:
        """SIGINT and SIGTERM wait for the end of a step and its checkpoint; a second one does not.

        Python handles signals in its main thread only; in any other nothing changes.
        """
        self._began = self._saved_at = time.monotonic()
        before = {}
        if threading.current_thread() is threading.main_thread():
            before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, self._on_signal)
        try:
            yield
        except OSError:  # the log found the disk full before the checkpoint's error was read
            self._await_writing()
            raise
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self._writer.shutdown()
        self._await_writing()
        self.stop_if_asked()  # while the last epoch was judged

    def stop_if_asked(self) -> None:
        """Raise Stopped after a signal."""
        if self._signal is not None:
            said = f"{self.folder}: stopped; mnistlab train --resume {self.folder} resumes it"
            raise Stopped(said, self._signal, str(self.folder))

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """An error before the first step of a resumed training is the checkpoint's: RunError."""
        n_before = self.n_steps
        try:
            yield
        except (LookupError, RuntimeError, TypeError, ValueError) as error:
            is_ours = isinstance(error, MnistlabError)
            if self._last is None or self.n_steps > n_before or is_ours:
                raise
            said = " ".join(str(error).split()) or type(error).__name__
            text = f"{self.folder}: its checkpoint cannot be resumed from: {said}"
            raise RunError(text) from error

    def clear(self) -> None:
        """Remove all of them, once the training is over."""
        for path in self._files():
            path.unlink(missing_ok=True)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signal = number
        if not machine.rank():
            _say(b"stopping after this step; a second signal ends it at once\n")
        is_interrupt = number == signal.SIGINT
        signal.signal(number, signal.default_int_handler if is_interrupt else signal.SIG_DFL)

    def _files(self) -> list[Path]:
        """The newest first."""
        return sorted(self.folder.glob(FILES), reverse=True)

    def _newest(self) -> Checkpoint | None:
        for path in self._files():
            try:
                steps, digest = path.stem.split("-")[1:]
                atomic.check_regular(path)
                if _digest(path.read_bytes()) != digest:
                    raise ValueError("its content is not what its name says")
                checkpoint, description = _read(path)
                n_steps, seconds = int(steps), float(description["seconds"])
            except DAMAGE:
                self.n_damaged += 1
                continue
            for name, value in self.of.items():
                found = description["of"].get(name, value)  # earlier versions said less
                if found != value:
                    what = f": its {name} is {found} and not {value}" if name == "precision" else ""
                    raise RunError(f"{path}: a checkpoint of another training{what}")
            self.n_steps, self.seconds_before = n_steps, seconds
            return checkpoint
        return None


class FollowerCheckpoints(Checkpoints):
    """The Checkpointer of a process that trains beside the writing one, and saves nothing itself.

    Stopped by a signal it continues until the other process stops, for they share every step.
    """

    def is_due(self) -> bool:
        """Never."""
        return False

    @contextmanager
    def signals_delayed(self) -> Iterator[None]:
        """As above; the end of the writing process ends this one too, without an error."""
        with super().signals_delayed():
            try:
                yield
            except RuntimeError:  # of a step that was not shared
                self.stop_if_asked()
                raise


def _say(line: bytes) -> None:
    """A line on standard error; past Python's buffer, in which a handler may have interrupted."""
    with suppress(AttributeError, OSError, ValueError):  # closed, or of a notebook
        os.write(sys.stderr.fileno(), line)


def _read(path: Path) -> tuple[Checkpoint, dict[str, Any]]:
    with safe_open(path, framework="np") as file:
        text = (file.metadata() or {})[KEY]
        names = file.keys()
        arrays = {name: file.get_tensor(name) for name in names}
    _Description.model_validate_json(text, strict=True)  # ValueError for what does not fit
    description = json.loads(text)
    _check_counts(description["position"])
    state = TrainState.from_plain(description["position"])
    return Checkpoint(state, arrays, description["random"]), description


class _Description(BaseModel):
    """The JSON beside the arrays of a checkpoint."""

    of: dict[str, str]
    seconds: Annotated[float, Field(ge=0, le=LARGEST_COUNT, allow_inf_nan=False)]
    position: TrainState
    random: dict[str, Any]


def _check_counts(value: Any) -> None:
    """ValueError for a whole number that no count reaches, anywhere in plain JSON."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            _check_counts(each)
    elif isinstance(value, int) and abs(value) > LARGEST_COUNT:
        raise ValueError("it holds a number that is too large")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
