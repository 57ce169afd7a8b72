"""A web server on the loopback that misbehaves to order."""

from __future__ import annotations

import contextlib
import gzip
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

SLOW_S = 0.3
DRIP_S = 0.02  # between two bytes


class DataServer:
    """Serves `files`; `faults[path]` are used up first, one a request.

    A fault is a status, or "cut" (ends half-way), "slow" (pauses half-way, then
    goes on), "wrong" (other bytes), "whole" (ignores Range), "gzip" (packs on
    the way), "shifted" (answers another range than was asked for), "unmeasured"
    (does not say how much will come), "drip" and "drip headers" (a byte at a time) or
    "to ADDRESS" (a redirect).
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[int | str]] = defaultdict(list)
        self.requests: list[tuple[str, str | None]] = []  # path and Range
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}/"

    def __enter__(self) -> DataServer:
        threading.Thread(target=self._http.serve_forever, args=[0.02], daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.shutdown()
        self._http.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path, asked = request.path, request.headers.get("Range")
        self.requests.append((path, asked))
        fault = self.faults[path].pop(0) if self.faults[path] else ""
        if path not in self.files or isinstance(fault, int):
            request.send_error(fault if isinstance(fault, int) else 404)
            return
        if fault.startswith("to "):
            request.send_response(302)
            request.send_header("Location", fault.removeprefix("to "))
            request.end_headers()
            return
        if fault == "drip headers":
            _drip(request, b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000)
            return
        body = self.files[path]
        if fault == "wrong":
            body = b"<html>sign in first</html>"
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and fault != "whole" else 0
        if start >= len(body):
            request.send_error(416)
            return
        self._send(request, body, start, fault)

    def _send(self, request: BaseHTTPRequestHandler, body: bytes, start: int, fault: str) -> None:
        rest = gzip.compress(body) if fault == "gzip" else body[start:]
        request.send_response(206 if start else 200)
        if start:
            shown = start - 1 if fault == "shifted" else start
            request.send_header("Content-Range", f"bytes {shown}-{len(body) - 1}/{len(body)}")
        if fault == "gzip":
            request.send_header("Content-Encoding", "gzip")
        if fault != "unmeasured":
            request.send_header("Content-Length", str(len(rest)))
        request.end_headers()
        if fault == "drip":
            _drip(request, rest)
            return
        half = len(rest) // 2
        request.wfile.write(rest[:half])
        if fault == "cut":
            return
        if fault == "slow":
            time.sleep(SLOW_S)
        with contextlib.suppress(ConnectionError):  # a client that would not wait
            request.wfile.write(rest[half:])


def _drip(request: BaseHTTPRequestHandler, raw: bytes) -> None:
    with contextlib.suppress(ConnectionError):  # a client that has given up
        for place in range(len(raw)):
            request.wfile.write(raw[place : place + 1])
            threading.Event().wait(DRIP_S)  # not time.sleep, which tests replace
