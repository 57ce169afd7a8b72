"""Downloads one file from the first mirror that has it complete and genuine.

A transfer that breaks off leaves a `.part` in the cache, and the next try requests the rest (HTTP
Range). pooch can neither resume nor give up a slow mirror, so this is written over requests.
Without a network everything fails within REACH_TIMEOUT_S: first all mirrors are asked for a bare
connection at once. A mirror that is slower than LEAST_RATE is given up.
"""

from __future__ import annotations

import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mnistlab import atomic
from mnistlab.data.published.progress import show_progress

if TYPE_CHECKING:
    import requests

CONNECT_TIMEOUT_S = 3.0
REACH_TIMEOUT_S = 5.0  # for the name look-up and a connection to any address of a mirror
READ_TIMEOUT_S = 15.0  # between two packets
ANSWER_TIMEOUT_S = 30.0  # until all headers are there, redirects included
LEAST_RATE = 1024  # bytes per second over WINDOW_S; a telephone modem was five times as fast
WINDOW_S = 15.0
N_TRIES = 3
BACK_OFF_S = 0.5  # doubled after every try
MAX_DOWNLOAD_BYTES = 1 << 30  # 1 GiB: twice EMNIST, the largest
CHUNK_BYTES = 1 << 16
PACKED = (".gz", ".bz2", ".zip")


class RefusedError(Exception):
    """A mirror that will not do better if it is asked again."""


class BrokenError(Exception):
    """A transfer that may succeed if it is tried again."""


def download(
    name: str, mirrors: Sequence[str], folder: Path, is_genuine: Callable[[Path], bool]
) -> list[str]:
    """Download the file `name` into `folder`; mirrors are base URLs that end in a slash.

    Returns an empty list, or the answer of every mirror if none had the file. The file gets its
    name only after `is_genuine` has checked it.
    """
    answers = []
    for mirror, reached in zip(mirrors, _reach(mirrors), strict=True):
        try:
            if not reached:
                raise RefusedError("cannot connect")
            _from_mirror(mirror + name, folder / name, is_genuine)
        except (RefusedError, BrokenError) as error:
            answers.append(f"{mirror} ({error})")
        else:
            return []
    return answers


def _reach(mirrors: Sequence[str]) -> list[bool]:
    """Which mirrors accept a connection. Name look-ups have no timeout, hence the threads."""
    reached = [False] * len(mirrors)

    def connect(i: int) -> None:
        reached[i] = _has_proxy(mirrors[i]) or _connects(mirrors[i])

    threads = [threading.Thread(target=connect, args=[i], daemon=True) for i in range(len(mirrors))]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + REACH_TIMEOUT_S
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return list(reached)


def _has_proxy(url: str) -> bool:
    from requests.utils import get_environ_proxies, select_proxy

    return select_proxy(url, get_environ_proxies(url)) is not None


def _connects(url: str) -> bool:
    address = urlsplit(url)
    port = address.port or {"http": 80, "https": 443}[address.scheme]
    try:
        socket.create_connection((address.hostname, port), CONNECT_TIMEOUT_S).close()
    except OSError:
        return False
    return True


def _from_mirror(url: str, path: Path, is_genuine: Callable[[Path], bool]) -> None:
    part = path.with_name(path.name + ".part")
    fault = BrokenError("not tried")
    for i in range(N_TRIES):
        if i:
            time.sleep(BACK_OFF_S * 2 ** (i - 1))
        try:
            resumed = _transfer(url, part)
        except BrokenError as error:
            fault = error
            continue
        if is_genuine(part):
            part.replace(path)
            atomic.fsync_folder(path.parent)
            return
        part.unlink()
        if not resumed:
            raise RefusedError("wrong content")
        fault = BrokenError("wrong content")  # perhaps two halves of different files: again, whole
    raise fault


def _transfer(url: str, part: Path) -> bool:
    """Download the rest of `part`; returns whether some of it was there already."""
    # requests takes 0.1 s to load; only downloads need it.
    import requests
    from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema, TooManyRedirects
    from urllib3.exceptions import HTTPError, LocationValueError, ReadTimeoutError

    n_done = part.stat().st_size if part.exists() else 0
    # Text may come compressed and is saved so; compressed files must not be compressed again.
    headers = {"Accept-Encoding": "identity" if url.endswith(PACKED) else "gzip"}
    if n_done:
        headers["Range"] = f"bytes={n_done}-"
    timeout = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
    try:
        with _in_time(
            lambda: requests.get(url, headers=headers, stream=True, timeout=timeout)
        ) as response:
            n_done = _resume_at(response, part, n_done)
            _append(response, part, n_done)
    except (
        InvalidSchema,
        InvalidURL,
        MissingSchema,
        TooManyRedirects,
        LocationValueError,
    ) as error:
        raise RefusedError(f"leads to no address, {type(error).__name__}") from error
    except (requests.Timeout, ReadTimeoutError) as error:
        raise BrokenError("no answer in time") from error
    except (requests.RequestException, HTTPError) as error:
        raise BrokenError(f"broken off, {type(error).__name__}") from error
    except (
        ValueError
    ) as error:  # what urlsplit and idna say of an address, which requests passes on
        raise RefusedError(f"leads to no address, {type(error).__name__}") from error
    return n_done > 0


def _in_time(ask: Callable[[], requests.Response]) -> requests.Response:
    """The server's answer; RefusedError if its headers, which may come byte by byte, are late."""
    answers: queue.SimpleQueue[requests.Response | Exception] = queue.SimpleQueue()

    def answer() -> None:
        try:
            answers.put(ask())
        except Exception as error:
            answers.put(error)

    # A daemon thread: the program can end while it still waits.
    threading.Thread(target=answer, daemon=True).start()
    try:
        found = answers.get(timeout=ANSWER_TIMEOUT_S)
    except queue.Empty:
        raise RefusedError(f"no whole answer within {ANSWER_TIMEOUT_S:g} s") from None
    if isinstance(found, Exception):
        raise found
    return found


def _resume_at(response: requests.Response, part: Path, n_done: int) -> int:
    """Where the body belongs in `part`: at `n_done`, or at 0 if the server sends the whole file."""
    status = response.status_code
    if status == 200:
        return 0
    if status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {n_done}-"):
        return n_done
    if status in (206, 416):
        part.unlink(missing_ok=True)  # it does not fit what the mirror has
    if status in (206, 408, 416, 429) or status >= 500:
        raise BrokenError(f"HTTP {status}")
    raise RefusedError(f"HTTP {status}")


def _append(response: requests.Response, part: Path, n_done: int) -> None:
    length = response.headers.get("Content-Length", "")
    n_bytes = n_done + int(length) if length.isdecimal() else None
    if (n_bytes or 0) > MAX_DOWNLOAD_BYTES:
        raise RefusedError(f"offers {n_bytes} bytes")
    label = f"{urlsplit(response.url).path.split('/')[-1]} from {urlsplit(response.url).hostname}"
    with part.open("ab") as file, show_progress(label, n_bytes, n_done) as advance:
        file.truncate(n_done)
        for chunk in _not_too_slow(_chunks(response)):
            file.write(chunk)
            advance(len(chunk))
            if file.tell() > MAX_DOWNLOAD_BYTES:
                file.truncate(0)
                raise RefusedError(f"sends more than {MAX_DOWNLOAD_BYTES} bytes")
        file.flush()
        os.fsync(file.fileno())


def _chunks(response: requests.Response) -> Iterator[bytes]:
    """The body, not decoded: a .gz file that is declared as gzip-encoded must stay compressed."""
    # Not `stream`, which waits until CHUNK_BYTES are there, however long that takes.
    while chunk := response.raw.read1(CHUNK_BYTES, decode_content=False):
        yield chunk


def _not_too_slow(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same chunks; RefusedError below LEAST_RATE bytes per second over WINDOW_S."""
    start, n_bytes = time.monotonic(), 0
    for chunk in chunks:
        yield chunk
        n_bytes += len(chunk)
        seconds = time.monotonic() - start
        if seconds >= WINDOW_S:
            if n_bytes < LEAST_RATE * seconds:
                raise RefusedError(f"too slow, {n_bytes / seconds:.0f} bytes per second")
            start, n_bytes = time.monotonic(), 0
