"""Downloads against a server that is healthy, slow, cut off, wrong, missing or overloaded."""

from __future__ import annotations

import gc
import gzip
import hashlib
import os
import re
import socket
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from data_server import SLOW_S, DataServer

from mnistlab import locks
from mnistlab.cli import run_command
from mnistlab.data import Dataset, available, fetch, load
from mnistlab.data.published import download, openml, resolve
from mnistlab.data.published.sources import SOURCES, File
from mnistlab.data.readers.binary import idx
from mnistlab.errors import DataError

TRAIN_IMAGES = "train-images-idx3-ubyte.gz"


def _published(n_train: int = 30, n_test: int = 10) -> tuple[dict[str, bytes], Dataset]:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (n_train + n_test, 28, 28), dtype=np.uint8)
    labels = np.arange(n_train + n_test, dtype=np.int64) % 10
    arrays = [images[:n_train], labels[:n_train], images[n_train:], labels[n_train:]]
    names = [file.name for file in SOURCES["mnist"].files]
    files = {
        name: gzip.compress(idx.to_bytes(array.astype(np.uint8)), mtime=0)
        for name, array in zip(names, arrays, strict=True)
    }
    return files, Dataset("mnist", images, labels, SOURCES["mnist"].class_names, n_train)


@pytest.fixture
def small(
    server: DataServer, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[DataServer, Dataset]:
    """SOURCES["mnist"] as a set of forty images, published on the server."""
    files, dataset = _published()
    server.files = {f"/{name}": raw for name, raw in files.items()}
    hashed = tuple(
        File(name, content="sha256:" + hashlib.sha256(gzip.decompress(raw)).hexdigest())
        for name, raw in files.items()
    )
    source = replace(SOURCES["mnist"], n_train=30, n_test=10, files=hashed, mirrors=(server.url,))
    monkeypatch.setitem(SOURCES, "mnist", source)
    monkeypatch.setattr(download, "BACK_OFF_S", 0.01)
    return server, dataset


def _same(found: Dataset, expected: Dataset) -> bool:
    return found.fingerprint == expected.fingerprint and found.n_official_train == 30


def _in(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.rglob("*") if path.is_file())


def test_a_healthy_mirror_fills_the_cache_once(
    small: tuple[DataServer, Dataset], cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server, expected = small
    assert available("mnist") is None
    assert _same(load("mnist"), expected)
    assert fetch("mnist") == [cache / "mnist" / file.name for file in SOURCES["mnist"].files]
    assert len(server.requests) == 4
    assert _in(cache) == sorted(file.name for file in SOURCES["mnist"].files)
    assert available("mnist") == str(cache / "mnist")
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 4
    assert err.startswith(f"downloading {TRAIN_IMAGES} from 127.0.0.1 (0.0 MB)")


@pytest.mark.parametrize("fault", [500, 503, 429, "cut"])
def test_a_passing_fault_is_tried_again(
    small: tuple[DataServer, Dataset], cache: Path, fault: int | str
) -> None:
    server, expected = small
    server.faults["/" + TRAIN_IMAGES] = [fault, fault]
    assert _same(load("mnist"), expected)
    assert not [name for name in _in(cache) if name.endswith(".part")]


def test_a_slow_mirror_is_waited_for(small: tuple[DataServer, Dataset]) -> None:
    server, expected = small
    server.faults["/" + TRAIN_IMAGES] = ["slow"]
    start = time.perf_counter()
    assert _same(load("mnist"), expected)
    assert time.perf_counter() - start >= SLOW_S


def test_a_stalled_mirror_is_given_up(
    small: tuple[DataServer, Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, _ = small
    monkeypatch.setattr(download, "READ_TIMEOUT_S", SLOW_S / 6)
    server.faults["/" + TRAIN_IMAGES] = ["slow"] * download.N_TRIES
    with pytest.raises(DataError, match="no answer in time"):
        load("mnist")


@pytest.mark.parametrize(
    ("fault", "answer"),
    [("drip", r"too slow, \d+ bytes per second"), ("drip headers", "no whole answer within")],
)
def test_a_mirror_that_drips_is_given_up_and_the_next_is_tried(
    small: tuple[DataServer, Dataset],
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    answer: str,
) -> None:
    server, expected = small
    monkeypatch.setattr(download, "WINDOW_S", SLOW_S)
    monkeypatch.setattr(download, "ANSWER_TIMEOUT_S", SLOW_S)
    server.faults["/" + TRAIN_IMAGES] = [fault]
    with pytest.raises(DataError, match=answer) as caught:
        load("mnist")
    assert "\n" not in str(caught.value)
    assert len(server.requests) == 1  # it would be as slow again
    monkeypatch.setattr(download, "ANSWER_TIMEOUT_S", 30)

    server.faults["/first/" + TRAIN_IMAGES] = ["drip"]
    server.files |= {f"/first{path}": raw for path, raw in server.files.items()}
    mirrors = (server.url + "first/", server.url)
    monkeypatch.setitem(SOURCES, "mnist", replace(SOURCES["mnist"], mirrors=mirrors))
    assert _same(load("mnist"), expected)


def test_a_rate_that_is_enough_is_not_given_up(
    small: tuple[DataServer, Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, expected = small
    monkeypatch.setattr(download, "WINDOW_S", 0.0)  # judged after every packet
    monkeypatch.setattr(download, "LEAST_RATE", 0.01)
    assert _same(load("mnist"), expected)


def test_the_least_rate_is_far_below_that_of_any_line() -> None:
    assert download.LEAST_RATE <= 56_000 / 8 / 5
    assert 5 <= download.WINDOW_S <= 60


# requests does not close a connection whose redirect it cannot make sense of.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "address",
    [
        "http://[::1",
        "http://[junk]/",
        "http://a..b/",
        "http://" + "a" * 300 + "/",
        "http://127.0.0.1:junk/",
        "http://127.0.0.1:99999999/",
        "http://",
        "//[",
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "http://\xff\xfe/",
        "http://%zz%00/",
    ],
)
def test_a_redirect_to_a_malformed_address_is_one_line_and_the_next_mirror_is_tried(
    small: tuple[DataServer, Dataset], monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    server, expected = small
    server.faults["/" + TRAIN_IMAGES] = [f"to {address}"] * 100
    with pytest.raises(DataError, match="not found; tried") as caught:
        load("mnist")
    assert "\n" not in str(caught.value)
    server.faults["/first/" + TRAIN_IMAGES] = [f"to {address}"] * 100
    server.faults["/" + TRAIN_IMAGES] = []
    server.files |= {f"/first{path}": raw for path, raw in server.files.items()}
    mirrors = (server.url + "first/", server.url)
    monkeypatch.setitem(SOURCES, "mnist", replace(SOURCES["mnist"], mirrors=mirrors))
    assert _same(load("mnist"), expected)
    gc.collect()  # here, where it is said to be of no account


def test_a_redirect_to_itself_ends(small: tuple[DataServer, Dataset]) -> None:
    server, _ = small
    server.faults["/" + TRAIN_IMAGES] = [f"to {server.url}{TRAIN_IMAGES}"] * 100
    with pytest.raises(DataError, match="leads to no address, TooManyRedirects"):
        load("mnist")


def test_a_redirect_is_followed(small: tuple[DataServer, Dataset]) -> None:
    server, expected = small
    server.faults["/" + TRAIN_IMAGES] = [f"to {server.url}{TRAIN_IMAGES}"]
    assert _same(load("mnist"), expected)


def test_a_cut_transfer_is_resumed_by_range(
    small: tuple[DataServer, Dataset], capsys: pytest.CaptureFixture[str]
) -> None:
    server, expected = small
    server.faults["/" + TRAIN_IMAGES] = ["cut"]
    assert _same(load("mnist"), expected)
    half = len(server.files["/" + TRAIN_IMAGES]) // 2
    assert server.requests[:2] == [
        ("/" + TRAIN_IMAGES, None),
        ("/" + TRAIN_IMAGES, f"bytes={half}-"),
    ]
    assert "from 0.0 MB on" in capsys.readouterr().err


def test_what_was_cut_off_is_kept_for_the_next_run(
    small: tuple[DataServer, Dataset], cache: Path
) -> None:
    server, expected = small
    server.faults["/" + TRAIN_IMAGES] = ["cut"] + [500] * 2
    with pytest.raises(DataError, match="HTTP 500"):
        load("mnist")
    assert _in(cache) == [TRAIN_IMAGES + ".part"]
    server.requests.clear()
    assert _same(load("mnist"), expected)
    half = len(server.files["/" + TRAIN_IMAGES]) // 2
    assert server.requests[0] == ("/" + TRAIN_IMAGES, f"bytes={half}-")


@pytest.mark.parametrize("answer", ["whole", "shifted"])
def test_a_mirror_that_cannot_resume_sends_all_of_it(
    small: tuple[DataServer, Dataset], answer: str
) -> None:
    server, expected = small
    server.faults["/" + TRAIN_IMAGES] = ["cut", answer]
    assert _same(load("mnist"), expected)


@pytest.mark.parametrize("stale", [b"stale", b"\0" * 100_000])
def test_a_part_of_another_file_is_replaced(
    small: tuple[DataServer, Dataset], cache: Path, stale: bytes
) -> None:
    _, expected = small
    (cache / "mnist").mkdir(parents=True)
    (cache / "mnist" / (TRAIN_IMAGES + ".part")).write_bytes(stale)
    assert _same(load("mnist"), expected)


@pytest.mark.parametrize(("fault", "answer"), [("wrong", "wrong content"), (404, "HTTP 404")])
def test_the_next_mirror_is_tried(
    small: tuple[DataServer, Dataset],
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: int | str,
    answer: str,
) -> None:
    server, expected = small
    server.faults["/" + TRAIN_IMAGES] = [fault]
    with pytest.raises(DataError, match=answer) as caught:
        load("mnist")
    assert "\n" not in str(caught.value)
    assert _in(cache) == []
    assert len(server.requests) == 1  # it would answer the same again

    server.faults["/first/" + TRAIN_IMAGES] = [fault]
    server.files |= {f"/first{path}": raw for path, raw in server.files.items()}
    mirrors = (server.url + "first/", server.url)
    monkeypatch.setitem(SOURCES, "mnist", replace(SOURCES["mnist"], mirrors=mirrors))
    assert _same(load("mnist"), expected)


def test_a_mirror_that_never_ends_is_refused(
    small: tuple[DataServer, Dataset], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, _ = small
    monkeypatch.setattr(download, "MAX_DOWNLOAD_BYTES", 1000)
    with pytest.raises(DataError, match=r"offers \d+ bytes"):
        load("mnist")
    assert _in(cache) == []
    server.faults["/" + TRAIN_IMAGES] = ["unmeasured"]
    with pytest.raises(DataError, match="sends more than 1000 bytes"):
        load("mnist")
    assert _in(cache) in ([], [TRAIN_IMAGES + ".part"])


def test_tries_are_spaced_out(
    small: tuple[DataServer, Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, _ = small
    pauses: list[float] = []
    monkeypatch.setattr(download, "BACK_OFF_S", 0.5)
    monkeypatch.setattr(time, "sleep", pauses.append)
    server.faults["/" + TRAIN_IMAGES] = [500] * 9
    with pytest.raises(DataError, match="HTTP 500"):
        load("mnist")
    assert pauses == [0.5, 1.0]
    assert len(server.requests) == download.N_TRIES


def test_a_terminal_shows_a_bar(
    small: tuple[DataServer, Dataset],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    load("mnist")
    out, err = capsys.readouterr()
    assert out == ""
    assert f"{TRAIN_IMAGES} from 127.0.0.1" in err
    assert "downloading" not in err
    assert "━" in err


def test_the_time_to_give_up_without_a_network_is_bounded() -> None:
    assert download.REACH_TIMEOUT_S <= 5


def test_without_a_network_all_places_are_named_at_once(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    mirrors = (f"http://127.0.0.1:{port}/a/", f"http://127.0.0.1:{port}/b/")
    monkeypatch.setitem(SOURCES, "mnist", replace(SOURCES["mnist"], mirrors=mirrors))
    start = time.perf_counter()
    with pytest.raises(DataError) as caught:
        load("mnist")
    assert time.perf_counter() - start < 20
    message = str(caught.value)
    assert "\n" not in message
    for place in (
        str(cache / "mnist"),
        str(tmp_path / "system"),
        *mirrors,
        "MNISTLAB_DATA (not set)",
    ):
        assert place in message
    assert "fashion-mini" in message
    assert _in(cache) == []


def test_mirrors_that_swallow_connections_cost_one_timeout_in_all(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def swallow(address: object, timeout: float) -> socket.socket:
        time.sleep(60)  # were one waited for, the test would take as long
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", swallow)
    monkeypatch.setattr(download, "REACH_TIMEOUT_S", 0.2)
    start = time.perf_counter()
    with pytest.raises(DataError, match="cannot connect"):
        load("fashion-mnist")
    assert time.perf_counter() - start < 30


def test_a_cache_that_cannot_be_written_is_named(
    small: tuple[DataServer, Dataset], cache: Path
) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(DataError, match=re.escape(str(cache))):
        load("mnist")


@pytest.mark.parametrize("variable", ["MNISTLAB_CACHE", "MNISTLAB_DATA"])
@pytest.mark.parametrize("folder", ["~nouser/x", "~nouser", "~/x"])
def test_a_home_of_nobody_is_one_line(
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    folder: str,
) -> None:
    monkeypatch.setenv(variable, folder)
    if folder == "~/x":
        monkeypatch.setattr(Path, "home", lambda: pytest.fail("asks"))
        monkeypatch.delenv("HOME", raising=False)
        monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as without a passwd entry
    for command in ("data list", "data fetch mnist", "data export mnist -o nowhere"):
        assert run_command(command.split()) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line == f"error: {variable}: {folder}: there is no such home folder"


@pytest.mark.parametrize(
    "folder",
    ["/proc/nowhere", "/dev/null", "/dev/null/x", "x" * 300, "/" + "x/" * 3000, "\udcff\n"],
)
def test_a_cache_of_any_kind_is_one_line_or_none(
    small: tuple[DataServer, Dataset],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    folder: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MNISTLAB_CACHE", folder)
    assert run_command(["data", "list"]) == 0
    assert "fashion-mini" in capsys.readouterr().out
    if folder == "\udcff\n":  # odd, and as good as any
        assert _same(load("mnist"), small[1])
        return
    assert run_command(["data", "fetch", "mnist"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert "cannot be written" in line


def test_a_damaged_cache_is_mended(small: tuple[DataServer, Dataset], cache: Path) -> None:
    server, expected = small
    load("mnist")
    (cache / "mnist" / TRAIN_IMAGES).write_bytes(b"damage")
    server.requests.clear()
    assert _same(load("mnist"), expected)
    assert server.requests == [("/" + TRAIN_IMAGES, None)]


def test_a_cache_that_cannot_be_mended_is_an_error(
    small: tuple[DataServer, Dataset], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load("mnist")
    (cache / "mnist" / TRAIN_IMAGES).write_bytes(b"damage")
    monkeypatch.setattr(resolve, "_is_genuine", lambda path, file: True)
    with pytest.raises(DataError, match="is not the published"):
        load("mnist")


def test_what_another_process_brought_is_not_brought_again(
    small: tuple[DataServer, Dataset], cache: Path
) -> None:
    server, _ = small
    load("mnist")
    server.requests.clear()
    resolve._download_all("mnist", SOURCES["mnist"], cache / "mnist")
    assert server.requests == []


def test_openml_gives_the_very_files_of_mnist(
    small: tuple[DataServer, Dataset], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, expected = small
    pixels = expected.images.reshape(40, -1)
    rows = "\n".join(
        ",".join(map(str, [*row, label]))
        for row, label in zip(pixels, expected.labels, strict=True)
    )
    attributes = "".join(f"@ATTRIBUTE pixel{i} real\n" for i in range(1, 785))
    table = (
        f"% a comment\n@RELATION mnist_784\n{attributes}@ATTRIBUTE class {{0,1}}\n@DATA\n{rows}\n"
    )
    server.files = {"/mnist_784.arff": table.encode()}
    server.faults["/mnist_784.arff"] = ["gzip"]
    archive = File("mnist_784.arff", content="md5:" + hashlib.md5(table.encode()).hexdigest())
    source = replace(SOURCES["mnist"], archive=archive)
    monkeypatch.setitem(SOURCES, "mnist_784", source)
    assert _same(load("mnist_784"), expected)
    assert _in(cache) == sorted(file.name.removesuffix(".gz") for file in source.files)
    server.files.clear()
    assert _same(load("mnist"), expected)  # from what OpenML left

    other = replace(
        source, files=(replace(source.files[0], content="sha256:00"), *source.files[1:])
    )
    monkeypatch.setitem(SOURCES, "mnist_784", other)
    server.files = {"/mnist_784.arff": table.encode()}
    with pytest.raises(DataError, match="does not hold the published train-images"):
        load("mnist_784")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("@ATTRIBUTE a real\n1,2\n", "not an ARFF file"),
        ("@ATTRIBUTE class real\n@DATA\n1\n", "has 1 attributes"),
        ("@DATA\n1\n", "has 0 attributes"),
        ("@ATTRIBUTE a real\n@ATTRIBUTE class real\n@DATA\n", "holds no images"),
        ("@ATTRIBUTE a real\n@ATTRIBUTE class real\n@DATA\n1,2\n1,2,3\n", "row 5 has 3 cells"),
        ("@ATTRIBUTE a real\n@ATTRIBUTE class real\n@DATA\n999,2\n", "row 4, column 'a'"),
    ],
)
def test_defects_of_openml_tables(table: str, message: str) -> None:
    with pytest.raises(DataError, match=f"table: .*{message}"):
        openml.parse(bytearray(table.encode()), "table")


def test_only_one_process_downloads_at_a_time(
    small: tuple[DataServer, Dataset], cache: Path
) -> None:
    server, expected = small
    loaded: list[Dataset] = []
    other = threading.Thread(target=lambda: loaded.append(load("mnist")))
    with locks.locked(cache / "mnist" / ".lock"):
        other.start()
        other.join(1)
        assert other.is_alive()
        assert server.requests == []
    other.join(30)
    assert _same(loaded[0], expected)
