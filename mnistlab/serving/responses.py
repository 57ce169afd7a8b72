"""What a service answers, and how it says no: one sentence as JSON, never a traceback."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple

# As the ASGI specification has them: https://asgi.readthedocs.io
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

JSON = b"application/json"


class Response(NamedTuple):
    """A whole response; headers: what is added to those of every response."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: Headers = []  # noqa: RUF012  # never changed


class RefusedError(Exception):
    """A request that is refused: the status, and one sentence for whoever sent it."""

    def __init__(self, status: int, sentence: str, headers: Headers | None = None) -> None:
        super().__init__(sentence)
        self.response = Response(status, error_body(sentence), JSON, headers or [])


def busy(sentence: str) -> RefusedError:
    """Status 429: more is asked than is taken on; the sender shall try again in a second."""
    return RefusedError(429, sentence, [(b"retry-after", b"1")])


def error_body(sentence: str) -> bytes:
    """The JSON of an error."""
    return json.dumps({"error": " ".join(sentence.split())}).encode()


def as_json(content: object) -> bytes:
    """Standard JSON, without NaN."""
    return json.dumps(content, allow_nan=False).encode()
