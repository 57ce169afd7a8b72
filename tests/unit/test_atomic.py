from __future__ import annotations

import errno
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from mnistlab import atomic, locks
from mnistlab.errors import DataError


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
    hold = "import sys, time; from pathlib import Path; from mnistlab import locks\n"
    hold += "with locks.locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        killer = threading.Timer(0.3, other.kill)
        start = time.monotonic()
        killer.start()
        with locks.locked(path):
            assert time.monotonic() - start > 0.2
        killer.join()
    with locks.locked(path):  # and again
        pass


def test_a_claim_excludes_others_and_leaves_no_lock(tmp_path: Path) -> None:
    folder = tmp_path / "run.partial"
    with locks.claimed(folder):
        (folder / "left").write_text("of a process that died")
        with pytest.raises(BlockingIOError), locks.claimed(folder):
            pass
    with locks.claimed(folder, keep="left"):
        assert [path.name for path in folder.iterdir()] == ["left"]
    with locks.claimed(folder):
        assert list(folder.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["run.partial"]


@pytest.mark.skipif(os.name == "nt", reason="flock is POSIX")
@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS])
def test_a_file_system_without_locks_is_used_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    import fcntl

    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with locks.locked(tmp_path / "a.lock"), locks.claimed(tmp_path / "folder"):
        assert (tmp_path / "folder").is_dir()


def put(path: Path, content: bytes, *inputs: Path) -> None:
    with atomic.open_output(path, inputs) as file:
        file.write(content)


def test_an_output_keeps_the_mode_bits_of_the_file_it_replaces(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    for mode in (0o600, 0o664, 0o754):
        path.write_text("older")
        path.chmod(mode)
        put(path, b"new")
        assert stat.S_IMODE(path.stat().st_mode) == mode
        atomic.write_text(path, "newer")
        assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.read_text() == "newer"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_stays_and_what_it_points_to_is_written(tmp_path: Path, is_there: bool) -> None:
    target, link = tmp_path / "elsewhere" / "table.csv", tmp_path / "link.csv"
    target.parent.mkdir()
    if is_there:
        target.write_text("older")
    link.symlink_to("elsewhere/table.csv")
    put(link, b"new")
    assert link.is_symlink()
    assert target.read_text() == "new"


@pytest.mark.parametrize("name", ["", ".", "..", "folder", "/", "folder/../folder"])
def test_an_output_that_is_a_folder_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"^\S+: is a folder; name the file to write$"):
        put(Path(name), b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_an_input_is_never_the_output_by_whatever_name(tmp_path: Path) -> None:
    source = tmp_path / "new.csv"
    source.write_text("my own")
    (tmp_path / "deep").mkdir()
    os.link(source, tmp_path / "hard.csv")
    (tmp_path / "soft.csv").symlink_to(source)
    for name in ("new.csv", "deep/../new.csv", "hard.csv", "soft.csv"):
        with pytest.raises(DataError, match=r"is the input \S+new\.csv; name another") as caught:
            put(tmp_path / name, b"other", tmp_path / "absent", source)
        assert "\n" not in str(caught.value)
        assert source.read_text() == "my own"
    assert (tmp_path / "soft.csv").is_symlink()


def test_what_lies_in_a_folder_of_inputs_is_never_the_output(tmp_path: Path) -> None:
    images = tmp_path / "images"
    (images / "a").mkdir(parents=True)
    image = images / "a" / "1.png"
    image.write_text("an image")
    os.link(image, tmp_path / "hard.csv")
    for path in (image, images / ".." / "images" / "a" / "1.png", tmp_path / "hard.csv"):
        with pytest.raises(DataError, match="input"):
            put(path, b"other", images)
        assert image.read_text() == "an image"
    put(images / "table.csv", b"new", images)  # not there before: it replaces nothing
    assert (images / "table.csv").read_text() == "new"


@pytest.mark.skipif(os.name == "nt", reason="named pipes are POSIX")
def test_a_named_pipe_is_written_through_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        put(pipe, b"a row\n")
        assert os.read(reader, 100) == b"a row\n"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert list(tmp_path.iterdir()) == [pipe]


@pytest.mark.skipif(os.name == "nt", reason="devices are POSIX")
def test_a_device_is_written_to_and_stays(tmp_path: Path) -> None:
    before = Path(os.devnull).stat()
    put(Path(os.devnull), b"gone")
    (tmp_path / "link").symlink_to(os.devnull)
    put(tmp_path / "link", b"gone")
    after = Path(os.devnull).stat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    assert stat.S_ISCHR(after.st_mode)


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="no /dev/stdout")
def test_standard_output_is_gone_on_with(tmp_path: Path) -> None:
    code = "from mnistlab import atomic\nprint('before')\n"
    code += "with atomic.open_output('/dev/stdout') as file: file.write(b'rows\\n')\nprint('after')"
    with (tmp_path / "all").open("wb") as file:
        subprocess.run([sys.executable, "-c", code], stdout=file, check=True)
    assert (tmp_path / "all").read_text() == "before\nrows\nafter\n"


def test_a_socket_is_no_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # addresses of sockets are short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s")
        with pytest.raises(DataError, match="s: is neither a file, a pipe nor a character device"):
            put(Path("s"), b"new")


def test_an_output_that_cannot_be_written_is_noticed_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file where the folder should be")
    (tmp_path / "loop").symlink_to("loop")
    for path in (
        tmp_path / "file" / "table.csv",
        tmp_path / "file" / "deep" / "table.csv",
        tmp_path / ("long" * 100),
        tmp_path / "a\0b",
        tmp_path / "loop" / "table.csv",
        Path("/proc/nowhere/table.csv"),
    ):
        with (
            pytest.raises(DataError, match=r"cannot be written: .") as caught,
            atomic.open_output(path),
        ):
            pytest.fail("the work has begun")
        assert "\n" not in str(caught.value)
    assert (tmp_path / "file").read_text() == "a file where the folder should be"


def test_links_in_a_circle_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "self.csv").symlink_to("self.csv")
    (tmp_path / "a.csv").symlink_to("b.csv")
    (tmp_path / "b.csv").symlink_to(tmp_path / "a.csv")
    (tmp_path / "into.csv").symlink_to("self.csv")
    for name in ("self.csv", "a.csv", "b.csv", "into.csv"):
        with pytest.raises(DataError, match=f"{name}: cannot be written: Too many"):
            put(tmp_path / name, b"new")
    assert all(link.is_symlink() for link in tmp_path.iterdir())


def test_a_read_only_file_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "table.csv"
    path.write_text("older")
    path.chmod(0o444)
    monkeypatch.setattr(os, "access", lambda file, mode: False)  # root may write anything
    with pytest.raises(DataError, match=r"table\.csv: cannot be written: it is read-only"):
        put(path, b"new")
    assert path.read_text() == "older"


def test_folders_are_made_and_go_again_if_nothing_comes_of_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "table.csv"
    with pytest.raises(OSError, match="of the work"), atomic.open_output(path):
        raise OSError("of the work")  # and not called one of the output
    assert list(tmp_path.iterdir()) == []
    put(path, b"new")
    assert path.read_text() == "new"


def test_half_a_table_replaces_nothing(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("older")

    def stop_half_way() -> None:
        with atomic.open_output(path) as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        stop_half_way()
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_can_be_written_into_is_left_as_it_is(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "deep" / "er", tmp_path / "a" / ".." / "b"):
        atomic.check_writable(folder)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_into_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    for folder in (
        tmp_path / "file",
        tmp_path / "file" / "deep",
        tmp_path / ("long" * 100),
        tmp_path / "a\0b",
        tmp_path / "loop",
        Path("/proc/nowhere/runs"),
    ):
        with pytest.raises(DataError) as caught:
            atomic.check_writable(folder)
        assert str(caught.value).startswith(f"{folder}: cannot be written into: ")
        assert "\n" not in str(caught.value)

    def refuse(**_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)  # root may write anywhere
    with pytest.raises(DataError, match="new: cannot be written into: Permission denied"):
        atomic.check_writable(tmp_path / "new")
