"""What the readers say of a set is in the run's data.json as well, in the same words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mnistlab as ml
from mnistlab.cli import run_command
from mnistlab.data import load

Y = np.arange(24) % 2
X = np.random.default_rng(0).integers(0, 100, (24, 4, 4), dtype=np.uint8)
X[np.arange(24), 1 + Y] += 100


def _pictures(root: Path) -> None:
    """Class folders with 16 bits, transparency of both kinds, and files that are left out."""
    for i, (image, label) in enumerate(zip(X, Y, strict=True)):
        (root / f"k{label}").mkdir(parents=True, exist_ok=True)
        path = root / f"k{label}" / f"{i:02d}.png"
        if i % 4 == 0:
            Image.fromarray(image.astype(np.uint16) * 257).save(path)
        elif i % 4 == 1:
            ink = np.full((4, 4), 0 if i % 8 == 1 else 255, np.uint8)
            Image.merge("LA", [Image.fromarray(ink), Image.fromarray(image)]).save(path)
        else:
            Image.fromarray(image).save(path)
    (root / "labels.ods").write_bytes(b"PK")
    Image.fromarray(X[0]).save(root / "beside.png")


def _arrays(root: Path) -> None:
    root.mkdir()
    for name, array in {"X": X / 255, "y": Y, "score": X[:, 0]}.items():
        np.save(root / f"{name}.npy", array)


def _table(root: Path) -> None:
    """Columns that are no pixels, labels that are guessed, dark levels."""
    root.mkdir()
    names = ["kind", *(f"p{i}" for i in range(16)), "weight"]
    rows = [[*("ab"[y],), *(x.ravel() // 4), 0.5] for x, y in zip(X, Y, strict=True)]
    lines = [",".join(map(str, row)) for row in [names, *rows]]
    (root / "set.csv").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_pictures, ["left out: 1 file", "16 bits", "dark strokes", "labels.ods", "beside"]),
        (_arrays, ["its arrays are read", "left out: 1 file", "floats 0 to"]),
        (_table, ["only file of data", "left out", "are read as they are, dark"]),
    ],
)
def test_the_command_says_what_the_run_keeps(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    make: object,
    words: list[str],
) -> None:
    assert callable(make)
    monkeypatch.chdir(tmp_path)
    make(Path("set"))
    training = ["train", "softmax", "--data", "set", "--set", "epochs=1", "--threads", "1"]
    assert run_command(training) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: set")]
    (path,) = Path("runs").iterdir()
    kept = json.loads((path / "data.json").read_text(encoding="utf-8"))["notes"]
    assert [f"note: {line}" for line in kept] == said
    for word in words:
        assert any(word in line for line in kept), word
    assert ml.open_run(path).data["notes"] == kept


def test_each_note_is_kept_once_and_none_of_another_set(tmp_path: Path) -> None:
    _arrays(tmp_path / "noted")
    assert len(load(tmp_path / "noted").notes) == 3
    np.savez(tmp_path / "quiet.npz", images=X, labels=Y)
    assert load(tmp_path / "quiet.npz").notes == ()
