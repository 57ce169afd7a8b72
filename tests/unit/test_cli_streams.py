"""Commands whose output nobody can read, in odd environments, on machines that have too little."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import mnistlab as ml
from mnistlab import __main__ as command
from mnistlab import cli
from mnistlab.cli import run_command, streams
from mnistlab.cli.memory import memory_text
from mnistlab.cli.terminal import shown_count, table
from mnistlab.data import Dataset
from mnistlab.errors import DataError
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe

pytestmark = pytest.mark.slow

MNISTLAB = [sys.executable, "-m", "mnistlab"]


def shell(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", script, "bash", *MNISTLAB],
        capture_output=True,
        env=os.environ | environment,
        text=True,
        check=False,
    )


def clean(done: subprocess.CompletedProcess[str]) -> bool:
    return "Traceback" not in done.stderr and "Exception ignored" not in done.stderr


SMALL = Recipe("small", "E2", "mlp", (Phase("adam", 0.01, 1),))


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty images, which are read without scikit-learn."""
    path = tmp_path_factory.mktemp("few") / "few.npz"
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)
    np.savez(path, images=images, labels=np.arange(40) % 2)
    return path


@pytest.mark.parametrize("closed", [">&-", "<&- >&-", ">&- 2>&-", "2>&-"])
def test_closed_streams_cost_nothing(closed: str, few: Path, tmp_path: Path) -> None:
    done = shell(f'exec "$@" data export {few} -o {tmp_path / "out"} {closed}')
    assert (done.returncode, clean(done)) == (0, True)
    assert (tmp_path / "out" / "train.csv").read_text().startswith("pix1,")  # and nothing else


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's full device")
def test_a_full_device_is_one_line() -> None:
    done = shell('exec "$@" data list > /dev/full')
    assert (done.returncode, clean(done)) == (2, True)
    assert done.stderr.startswith("error: standard output")
    assert "No space left on device" in done.stderr
    assert done.stderr.count("\n") == 1
    assert clean(shell('exec "$@" data frobnicate 2> /dev/full'))


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="no /dev/stdout")
@pytest.mark.parametrize("out", ["-", pytest.param("/dev/stdout", marks=pytest.mark.slow)])
def test_predictions_go_through_pipes_with_nothing_else(
    out: str, few: Path, tmp_path: Path
) -> None:
    run = ml.train(SMALL, str(few), out=tmp_path)
    ml.predict(run, few, tmp_path / "p.csv")
    ml.data.export(ml.load(str(few)), tmp_path / "set")
    words = f"predict {run.path} {few} -o {out} --json"
    done = shell(f'cd {tmp_path}; "$@" {words}')
    assert (done.returncode, clean(done)) == (0, True)
    assert done.stdout == (tmp_path / "p.csv").read_text()
    assert "40 images predicted" in done.stderr
    assert not (tmp_path / "-").exists()
    read = shell(f'"$@" predict {run.path} - -o {out} < {tmp_path}/set/train.csv')
    assert (read.returncode, read.stdout.count("\n")) == (0, 41)


def test_a_stream_of_ascii_gets_what_it_can_show(few: Path, tmp_path: Path) -> None:
    folder = tmp_path / "é 名"
    script = f'exec "$@" data export {few} -o "{folder}"'
    done = shell(script, PYTHONIOENCODING="ascii", LC_ALL="C")
    assert (done.returncode, clean(done)) == (0, True)
    assert "? ?" in done.stdout
    assert (folder / "train.csv").exists()


@pytest.mark.parametrize("kind", [io.StringIO, None])
def test_in_a_process_without_streams(kind: type | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", kind and kind())
    monkeypatch.setattr(sys, "stderr", kind and kind())
    assert run_command(["data", "list"]) == 0
    assert run_command(["data", "frobnicate"]) == 2


class Unread(io.StringIO):
    """A pipe whose reader is gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


def test_progress_that_nobody_reads_ends_no_training(
    stripes: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ml.export(stripes, tmp_path / "csv", format="csv")
    monkeypatch.setattr(sys, "stderr", Unread())
    words = ["train", "softmax", "--data", str(tmp_path / "csv"), "--set", "epochs=2"]
    assert run_command([*words, "--out", str(tmp_path / "runs")]) == 0
    monkeypatch.setattr(sys, "stderr", Unread())
    with shown_count("things", 2) as done:
        done("first")
    streams.say("nothing")


@pytest.mark.parametrize(
    "environment",
    [
        {"WORLD_SIZE": "junk"},
        {"WORLD_SIZE": "0"},
        {"WORLD_SIZE": "-3"},
        {"WORLD_SIZE": "9" * 30},
        {"WORLD_SIZE": "2", "RANK": "x"},
        {"WORLD_SIZE": "2", "RANK": "7"},
    ],
)
def test_odd_process_numbers_are_one_line(
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert run_command(["data", "list"]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("error: ")
    assert shown.count("\n") == 1


def test_several_processes_that_nobody_started_are_one_line(
    few: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    command = ["train", "softmax", "--data", str(few), "--out", str(tmp_path)]
    assert run_command([*command, "--set", "epochs=1"]) == 2
    shown = capsys.readouterr().err
    assert "error: WORLD_SIZE is 2, but RANK is not set: only torchrun should set" in shown
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "environment",
    [{"WORLD_SIZE": ""}, {"RANK": "3"}, {"RANK": ""}, {"WORLD_SIZE": " 1 ", "RANK": "1"}],
)
def test_a_lone_process_is_the_first(
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert run_command(["data", "list"]) == 0
    assert "fashion-mini" in capsys.readouterr().out


@pytest.mark.parametrize(
    "settings",
    ["COLUMNS=1", "COLUMNS=x", "TERM=dumb", "NO_COLOR=1", "-u HOME", "TMPDIR=/nowhere"],
)
def test_odd_terminals_and_homes(settings: str, tmp_path: Path) -> None:
    done = shell(f'exec env {settings} "$@" tune --help')
    assert (done.returncode, clean(done)) == (0, True)
    assert "Example: mnistlab tune" in done.stdout


def test_figures_are_drawn_whatever_backend_is_named(few: Path, tmp_path: Path) -> None:
    script = f'exec "$@" data profile {few} --no-map --out {tmp_path}'
    done = shell(script, MPLBACKEND="junk", TMPDIR="/nowhere", COLUMNS="1")
    assert (done.returncode, clean(done)) == (0, True)
    assert list(tmp_path.glob("profile-*/profile.html"))


def failing(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> int:
    def app(*arguments: object, **named: object) -> None:
        raise error

    monkeypatch.setattr(cli, "app", app)
    return run_command([])


def refused_allocations() -> list[BaseException]:
    found: list[BaseException] = [MemoryError(), RuntimeError("can't start new thread")]
    found.append(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."))
    for attempt in (lambda: np.zeros(2**59, dtype="u1"), lambda: torch.empty(2**59)):
        with contextlib.suppress(AssertionError):
            try:
                attempt()
            except (MemoryError, RuntimeError) as error:
                found.append(error)
    return found


def test_what_memory_refuses_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = refused_allocations()
    assert len(refused) == 5
    for error in refused:
        assert failing(error, monkeypatch) == 2
        shown = capsys.readouterr().err
        assert shown.count("\n") == 1
        assert "smaller" in shown or "--threads" in shown
    text = memory_text(
        RuntimeError("can't allocate memory: you tried to allocate 3221225472 bytes")
    )
    assert text is not None
    assert text.startswith("not enough memory for 3 GiB;")


@pytest.mark.parametrize(
    "bug",
    [
        RecursionError("maximum recursion depth exceeded"),
        RuntimeError("shapes differ"),
        ValueError("figure x: shapes differ"),
        OSError("raised by a library of itself"),
        OSError(errno.EBADF, "Bad file descriptor"),
    ],
    ids=lambda bug: type(bug).__name__,
)
def test_a_bug_is_no_fault_of_the_user(bug: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(type(bug)):
        failing(bug, monkeypatch)


def test_a_file_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for error in (OSError(errno.ENOSPC, "No space left", "a/file"), DataError("a/file: empty")):
        assert failing(error, monkeypatch) == 2
        assert capsys.readouterr().err.startswith("error: a/file: ")


@pytest.mark.parametrize(
    "words",
    [
        "train softmax --threads 1000000",
        "train softmax --threads 0",
        "train softmax --threads -3",
        "train softmax --size 0",
        "train softmax --size 100000",
        "train softmax --size 28x999999999999999999999",
        "tune softmax --trials 10000000",
        "tune softmax --seeds 1000000",
        "tune softmax --seed -1",
        "tune softmax --seed 4294967296",
        "tune softmax --processes 100000",
        "data audit digits --folds 1000000",
        "data export digits -o out --hold-out nan",
        "data export digits -o out --hold-out inf",
        "data export digits -o out --hold-out 1",
        "data export digits -o out --hold-out -0.1",
    ],
)
def test_numbers_have_bounds(
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command(words.split()) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_table_stands_in_columns_whatever_is_in_it() -> None:
    from rich.cells import cell_len

    names = ["digit", "手写数字", "한글", "👩‍🔬", "a\nb", "עברית", "\tx", "\udce9.png"]
    lines = table(["name", "n"], [(name, 7) for name in names]).split("\n")
    assert len(lines) == 2 + len(names)
    where = {cell_len(line) - 1 for line in lines[2:]}
    assert where == {max(cell_len(name) for name in names) + 2}
    assert "a b" in lines[6]


@pytest.mark.parametrize(
    "words",
    [
        "study optimizers --quick --data digits",
        "tune softmax --data digits",
        "data profile digits",
        "data audit digits",
    ],
)
def test_a_folder_that_cannot_be_written_is_noticed_before_the_work(
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    assert run_command([*words.split(), "--out", "file/runs"]) == 2
    shown = capsys.readouterr().err
    assert "file" in shown
    assert shown.count("\n") == 1  # nothing was said of any work
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_interrupt_while_the_command_line_is_loaded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted:
        def find_spec(self, name: str, *rest: object) -> None:
            if name == "mnistlab.cli":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "mnistlab.cli")
    monkeypatch.delattr("mnistlab.cli")
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    with pytest.raises(SystemExit) as caught:
        command.main()
    assert (caught.value.code, capsys.readouterr().err) == (130, "")
