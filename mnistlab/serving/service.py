"""The service itself, an ASGI application: who may ask, what, and how much at a time.

Plain ASGI, because each request passes here: nine paths, one kind of error, no framework between.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import NamedTuple
from urllib.parse import parse_qsl

from mnistlab.serving import pages
from mnistlab.serving.answering import shown
from mnistlab.serving.batching import Batcher
from mnistlab.serving.bodies import PREPARE, Asked, is_light, read_images
from mnistlab.serving.description import described
from mnistlab.serving.logs import log, log_bug
from mnistlab.serving.measuring import Meters
from mnistlab.serving.model import Model
from mnistlab.serving.responses import (
    Receive,
    RefusedError,
    Response,
    Scope,
    Send,
    as_json,
    busy,
    error_body,
)
from mnistlab.serving.settings import ServeSettings

HTML = b"text/html; charset=utf-8"
SAFE = [  # of every response: no other site may show it, guess its type, or learn of it
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]
CLOSED = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
STYLED = (
    b"content-security-policy",
    b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
)
FRAMELESS = (b"content-security-policy", b"frame-ancestors 'none'")  # the page has its own policy
ONCE = (b"host", b"authorization", b"content-type", b"content-length")
OPEN = frozenset({"/healthz", "/readyz", "/docs", "/openapi.json"})  # without a token
BUG = Response(500, error_body("an error of the service, which its log describes"))


class Request(NamedTuple):
    """A request whose head was checked."""

    headers: Mapping[bytes, bytes]
    query: bytes
    receive: Receive


class DisconnectedError(Exception):
    """The sender has gone before the request was whole."""


Handler = Callable[[Request], Awaitable[Response]]


class Service:
    """Answers requests for one or more networks, the first of them unless one is named."""

    def __init__(
        self, models: list[Model], settings: ServeSettings, page: bytes | None = None
    ) -> None:
        self.settings = settings
        self.meters = Meters()
        self.is_stopping = False
        self.served = {model.name: self._made(model) for model in models}
        self._default = models[0].name
        self._page = page
        self._hosts = settings.hosts
        self._token = None if settings.token is None else f"Bearer {settings.token}".encode()
        self._n_in_progress = 0
        self.meters.in_progress.set_function(lambda: self._n_in_progress)
        # One thread: what decoding large pictures takes is then bounded, and Pillow's warnings,
        # which belong to the whole process, are caught by one thread at a time.
        self._decoding = ThreadPoolExecutor(1, thread_name_prefix="decode")
        self._routes: dict[str, tuple[str, Handler]] = {
            "/v1/predict": ("POST", self._predict),
            "/v1/models": ("GET", self._models),
            "/healthz": ("GET", self._healthy),
            "/readyz": ("GET", self._ready),
            "/metrics": ("GET", self._metrics),
            "/openapi.json": ("GET", self._openapi),
            "/docs": ("GET", self._docs),
            "/": ("GET", self._start_page),
        }

    def replace(self, model: Model) -> None:
        """Let a new network answer under its name.

        The old one is not closed: requests whose bodies are still arriving refer to it.
        """
        self.served[model.name] = self._made(model)

    def close(self) -> None:
        """End the threads, once nothing is asked any more."""
        self.served.clear()
        self._decoding.shutdown(wait=False, cancel_futures=True)

    def _made(self, model: Model) -> Batcher:
        return Batcher(model, self.settings.limits, self.meters)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request: its response is sent, counted and, where that is wanted, logged."""
        if scope["type"] != "http":
            return
        start = perf_counter()
        self._n_in_progress += 1
        try:
            response = await self._response(scope, receive)
        except DisconnectedError:
            return
        finally:
            self._n_in_progress -= 1
        await _send(send, response)
        self._note(scope, response, perf_counter() - start)

    async def _response(self, scope: Scope, receive: Receive) -> Response:
        try:
            if self._n_in_progress > self.settings.limits.requests:
                raise busy("too many requests at the same time; try again in a second")
            handler, request = self._admitted(scope, receive)
            return await handler(request)
        except RefusedError as refusal:
            return refusal.response
        except TimeoutError:
            sentence = f"not answered within {self.settings.limits.request_s:g} s"
            return Response(503, error_body(sentence), headers=[(b"retry-after", b"1")])
        except (DisconnectedError, asyncio.CancelledError):
            raise
        except Exception as error:  # a bug: the log has its traceback, the sender one sentence
            log_bug(f"{scope['method']} {scope['path']}", error)
            return BUG

    def _admitted(self, scope: Scope, receive: Receive) -> tuple[Handler, Request]:
        """The handler of a request that may be answered; RefusedError for any other."""
        headers = dict(scope["headers"])
        if len(headers) < len(scope["headers"]):
            names = [name for name, _ in scope["headers"]]
            if any(names.count(name) > 1 for name in ONCE):
                raise RefusedError(400, "a header is given twice")
        self._check_host(headers.get(b"host", b""))
        path = scope["path"]
        if self._token is not None and path not in OPEN:
            given = headers.get(b"authorization", b"")
            # Compared in a time that does not say how much of it is right.
            if not hmac.compare_digest(given, self._token):
                raise RefusedError(
                    401,
                    'this needs the header "Authorization: Bearer TOKEN"',
                    [(b"www-authenticate", b"Bearer")],
                )
        route = self._routes.get(path)
        if route is None:
            raise RefusedError(404, "there is no such path; /docs lists what there is")
        method, handler = route
        if scope["method"] != method and (scope["method"], method) != ("HEAD", "GET"):
            raise RefusedError(405, f"use {method}", [(b"allow", method.encode())])
        return handler, Request(headers, scope["query_string"], receive)

    def _check_host(self, given: bytes) -> None:
        if self._hosts and _without_port(given.decode("latin-1").lower()) not in self._hosts:
            raise RefusedError(421, "the header Host names another computer than this one")

    async def _predict(self, request: Request) -> Response:
        limits = self.settings.limits
        query = dict(parse_qsl(request.query.decode("latin-1"))) if request.query else {}
        served = self._served_by(query.get("model"))
        prepare = query.get("prepare", "auto")
        if prepare not in PREPARE:
            raise RefusedError(422, f"prepare must be one of {', '.join(PREPARE)}")
        body = await _body(request, limits.body_bytes)
        content_type = request.headers.get(b"content-type", b"").decode("latin-1")
        asked = Asked(content_type, served.model.facts, prepare, limits)
        async with asyncio.timeout(limits.request_s):
            if is_light(asked, body):
                images = read_images(asked, body)
            else:
                loop = asyncio.get_running_loop()
                images = await loop.run_in_executor(self._decoding, read_images, asked, body)
            predictions = await served.predict(images)
        return Response(200, served.writer.body(predictions))

    def _served_by(self, name: str | None) -> Batcher:
        served = self.served.get(self._default if name is None else name)
        if served is None:
            raise RefusedError(404, f"there is no such model; there are: {', '.join(self.served)}")
        return served

    async def _models(self, request: Request) -> Response:
        models = [shown(each.model) for each in self.served.values()]
        return Response(200, as_json({"models": models, "default": self._default}))

    async def _healthy(self, request: Request) -> Response:
        return Response(200, as_json({"status": "alive"}))

    async def _ready(self, request: Request) -> Response:
        if self.is_stopping:
            return Response(503, error_body("the service is stopping"))
        return Response(200, as_json({"status": "ready", "models": list(self.served)}))

    async def _metrics(self, request: Request) -> Response:
        text, content_type = self.meters.text()
        return Response(200, text, content_type)

    async def _openapi(self, request: Request) -> Response:
        return Response(200, as_json(self._description()))

    async def _docs(self, request: Request) -> Response:
        page = pages.docs_page(self._description())
        return Response(200, page.encode(), HTML, [STYLED])

    async def _start_page(self, request: Request) -> Response:
        if self._page is not None:
            return Response(200, self._page, HTML, [FRAMELESS])
        page = pages.start_page([each.model for each in self.served.values()])
        return Response(200, page.encode(), HTML, [STYLED])

    def _description(self) -> dict[str, object]:
        return described(list(self.served), self.settings)

    def _note(self, scope: Scope, response: Response, seconds: float) -> None:
        """Count a response, and log it where that was asked for or it is an error of ours."""
        path = scope["path"] if scope["path"] in self._routes else "other"
        self.meters.note(path, response.status, seconds)
        if self.settings.log_requests or response.status >= 500:
            log(
                "request",
                "error" if response.status >= 500 else "info",
                method=scope["method"],
                path=scope["path"],
                status=response.status,
                ms=round(1000 * seconds, 3),
                client=(scope.get("client") or [None])[0],
            )


def _without_port(host: str) -> str:
    """The name in a Host header: "localhost" of "localhost:8000", "[::1]" of "[::1]:8000"."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() else host


async def _body(request: Request, most: int) -> bytes:
    """The whole body; RefusedError 413 as soon as it is known to be longer than `most` bytes."""
    refusal = RefusedError(413, f"the body has more than {most} bytes")
    length = request.headers.get(b"content-length", b"0")
    if len(length) > 15 or int(length) > most:
        raise refusal
    message = await request.receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        first: bytes = message["body"]
        if len(first) > most:
            raise refusal
        return first
    pieces, n_bytes = [], 0
    while message["type"] == "http.request":
        n_bytes += len(message["body"])
        if n_bytes > most:
            raise refusal
        pieces.append(message["body"])
        if not message.get("more_body"):
            return b"".join(pieces)
        message = await request.receive()
    raise DisconnectedError


async def _send(send: Send, response: Response) -> None:
    headers = [
        (b"content-type", response.content_type),
        (b"content-length", b"%d" % len(response.body)),
        *SAFE,
        *(response.headers if response.content_type == HTML else (CLOSED, *response.headers)),
    ]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
