"""What is written is on the disk before it has its name: every call of fsync, in its order."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mnistlab import atomic

pytestmark = pytest.mark.skipif(os.name == "nt", reason="folders cannot be synced on Windows")

Seen = list[tuple[str, str]]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """("fsync", what was synced, by the name it had then) and ("rename", its new name)."""
    calls: Seen = []
    fsync, replace, rename = os.fsync, Path.replace, Path.rename

    def synced(descriptor: int) -> None:
        calls.append(("fsync", Path(f"/proc/self/fd/{descriptor}").readlink().name))
        fsync(descriptor)

    def moved(move: Callable[[Path, Path], Path]) -> Callable[[Path, Path], Path]:
        def moving(self: Path, target: Path) -> Path:
            calls.append(("rename", Path(target).name))
            return move(self, target)

        return moving

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", moved(replace))
    monkeypatch.setattr(Path, "rename", moved(rename))
    return calls


def test_a_file_is_synced_then_named_then_its_folder_is_synced(tmp_path: Path, seen: Seen) -> None:
    atomic.write_bytes(tmp_path / "a.bin", b"content")
    (first, aside), second, third = seen
    assert (first, second, third) == ("fsync", ("rename", "a.bin"), ("fsync", tmp_path.name))
    assert aside.startswith(".a.bin.")


def test_so_is_the_file_that_a_user_named(tmp_path: Path, seen: Seen) -> None:
    with atomic.open_output(tmp_path / "out.csv") as file:
        file.write(b"content")
    assert [call for call, _ in seen] == ["fsync", "rename", "fsync"]


@pytest.mark.parametrize("is_there", [False, True])
def test_a_folder_is_published_when_every_file_in_it_is_synced(
    tmp_path: Path, seen: Seen, is_there: bool
) -> None:
    aside, path = tmp_path / "run.partial", tmp_path / "run"
    (aside / "deeper").mkdir(parents=True)
    for name in ("a", "b", "deeper/c"):
        (aside / name).write_text(name)
    if is_there:
        path.mkdir()
    atomic.publish_folder(aside, path)
    named = seen.index(("rename", "run"))
    assert {name for call, name in seen[:named] if call == "fsync"} == {
        *("a", "b", "c"),
        *("deeper", aside.name),
    }
    assert ("fsync", tmp_path.name) in seen[named:]
