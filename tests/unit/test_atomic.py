from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mnistlab import atomic


def test_a_failed_write_leaves_the_old_content_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic.write_text(path, "old")

    def fail() -> None:
        with atomic.open_aside(path) as file:
            file.write(b"half of the ne")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_json_is_standard_json(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "file.json"
    atomic.write_json(path, {"a": [1, 0.5, None]})
    assert json.loads(path.read_text()) == {"a": [1, 0.5, None]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        atomic.write_json(path, float("nan"))
    assert json.loads(path.read_text()) == {"a": [1, 0.5, None]}


def test_what_killed_processes_wrote_aside_is_cleared(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    path = tmp_path / "a[1].json"
    dead = tmp_path / f".a[1].json.{gone.pid}.aside"
    others = [
        tmp_path / f".a[1].json.{os.getppid()}.aside",  # a process that lives
        tmp_path / ".a[1].json.x.aside",
        tmp_path / f".b.json.{gone.pid}.aside",
    ]
    for file in (dead, *others):
        file.write_text("half")
    atomic.write_text(path, "whole")
    assert {*tmp_path.iterdir()} == {path, *others}


def test_a_folder_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    for content in ("first", "second"):
        aside = tmp_path / "run.partial"
        (aside / "sub").mkdir(parents=True)
        (aside / "sub" / "file").write_text(content)
        atomic.publish_folder(aside, tmp_path / "run")
        assert (tmp_path / "run" / "sub" / "file").read_text() == content
        assert [path.name for path in tmp_path.iterdir()] == ["run"]


WRITER = """
import itertools, pathlib, sys
from mnistlab import atomic
path = pathlib.Path(sys.argv[1])
for n in itertools.count():
    atomic.write_bytes(path, bytes([n % 256]) * 300_000)
    if n == 0: print("ready", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
def test_killed_while_writing_the_file_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for pause in (0.01, 0.023, 0.037, 0.051, 0.068):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(pause)
            writer.send_signal(signal.SIGKILL)
        content = path.read_bytes()
        assert len(content) == 300_000
        assert len(set(content)) == 1


def test_a_lock_is_waited_for_and_given_up_by_the_dead(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    hold = "import sys, time; from pathlib import Path; from mnistlab import atomic\n"
    hold += "with atomic.locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        killer = threading.Timer(0.3, other.kill)
        start = time.monotonic()
        killer.start()
        with atomic.locked(path):
            assert time.monotonic() - start > 0.2
        killer.join()
    with atomic.locked(path):  # and again
        pass
