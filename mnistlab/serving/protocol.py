"""uvicorn's HTTP protocol with what it lacks: time limits for slow clients, bounded heads.

uvicorn alone waits for ever for a request that never becomes whole, and for a client that does not
take its answer.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from mnistlab.serving.responses import error_body
from mnistlab.serving.settings import Limits

DRAIN_IDLE_S = 1.0  # a client may have sent its next request when the service is told to stop


def protocol_class(limits: Limits) -> type[HttpToolsProtocol]:
    """The class of one service's connections."""

    class Connection(BoundedConnection):
        bounds = limits

    return Connection


class BoundedConnection(HttpToolsProtocol):
    """A connection that is ended once it takes too long, or sends too much."""

    bounds = Limits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._reading_since: float | None = None
        self._full_since: float | None = None  # since when the client takes nothing
        self._n_bytes = 0  # of this request
        self._is_in_head = True
        self._is_stopping = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; a connection too many is told so and closed."""
        super().connection_made(transport)
        self._reading_since = self.loop.time()
        if len(self.connections) > self.bounds.connections:
            self._end(429, "too many connections; try again in a second")

    def data_received(self, data: bytes) -> None:
        """Count what a request has, and let uvicorn read it."""
        if self.transport.is_closing():
            return
        if self._reading_since is None:
            self._reading_since = self.loop.time()
        self._n_bytes += len(data)
        super().data_received(data)
        if self._is_in_head and self._n_bytes > self.bounds.head_bytes:
            self._end(431, "the headers are too long")
        # Twice: a body in small chunks has as many bytes again around them.
        elif self._n_bytes > 2 * self.bounds.body_bytes + self.bounds.head_bytes:
            self._end(413, "the body is too long")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._is_in_head = True
        self._reading_since = self.loop.time()

    def on_headers_complete(self) -> None:
        """The head of a request is whole."""
        self._is_in_head = False
        super().on_headers_complete()
        if self._is_stopping:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """A request is whole."""
        self._reading_since = None
        self._is_in_head = True
        self._n_bytes = 0
        super().on_message_complete()

    def eof_received(self) -> bool:  # type: ignore[override]
        """The client sends no more; it still gets the answer to a request that was whole."""
        waits = self._is_answering() and not self.cycle.more_body
        if waits:
            self.cycle.keep_alive = False
        return bool(waits)

    def pause_writing(self) -> None:
        """The client does not take what it was sent."""
        self._full_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """The client takes it again."""
        self._full_since = None
        super().resume_writing()

    def check_time(self, now: float) -> None:
        """End the connection where reading or writing has taken too long; called now and then."""
        longest = self.bounds.read_s
        if self._full_since is not None and now - self._full_since > longest:
            self.transport.abort()
        elif self._reading_since is not None and now - self._reading_since > longest:
            self._reading_since = now  # once more, should closing take as long
            self._end(408, "the request was not sent in time")

    def shutdown(self) -> None:
        """The service stops: answer what was asked or is just being sent, then close."""
        self._is_stopping = True
        if self._is_answering():
            self.cycle.keep_alive = False
        else:
            self.loop.call_later(DRAIN_IDLE_S, self._close_idle)

    def send_400_response(self, msg: str) -> None:
        """What uvicorn answers to what is no HTTP."""
        self._end(400, "this is no HTTP request")

    def _close_idle(self) -> None:
        if not self._is_answering() and not self.transport.is_closing():
            self.transport.close()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _end(self, status: int, sentence: str) -> None:
        """Say why, unless an answer has begun, and close the connection."""
        if self.transport.is_closing():
            self.transport.abort()
            return
        if not (self._is_answering() and self.cycle.response_started):
            body = error_body(sentence)
            head = b"content-type: application/json\r\nconnection: close\r\nretry-after: 1\r\n"
            length = b"content-length: %d\r\n\r\n" % len(body)
            self.transport.write(STATUS_LINE[status] + head + length + body)
        if self._is_answering():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()
