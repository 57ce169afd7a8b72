"""From files to a service that listens."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import uvicorn

from mnistlab.errors import DataError, MnistlabError, reason
from mnistlab.serving.logs import log, take_over
from mnistlab.serving.model import Model, open_model
from mnistlab.serving.protocol import BoundedConnection, protocol_class
from mnistlab.serving.service import Service
from mnistlab.serving.settings import ServeSettings
from mnistlab.serving.sources import Source, onnx_file, page_of, sources_of

BACKLOG = 2048  # connections that the system holds until they are accepted
WATCH_S = 1.0  # between two looks at the files, with --reload
TICKS_PER_CHECK = 5  # of a tenth of a second each


def serve(
    paths: Sequence[Path | str],
    settings: ServeSettings | None = None,
    page: Path | str | None = None,
    on_ready: Callable[[str, Service], None] = lambda url, service: None,
) -> None:
    """Serve runs and ONNX files until SIGINT or SIGTERM; accepted requests are still answered.

    page: an exported page to draw on; of run folders one is made. on_ready: called with the
    address when requests are accepted. Raises DataError or RunError before it answers.
    """
    settings = settings or ServeSettings()
    take_over()
    sources = sources_of([Path(path) for path in paths])
    listening = listen(settings.host, settings.port)
    with listening:
        with ThreadPoolExecutor(2) as pool:  # exports are processes of their own
            drawing = pool.submit(page_of, sources, None if page is None else Path(page))
            models = list(pool.map(loaded, sources))
            service = Service(models, settings, _page(drawing, is_needed=page is not None))
        url = address_of(listening, settings.host)
        config = uvicorn.Config(
            service,
            http=protocol_class(settings.limits),
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_keep_alive=settings.limits.idle_s,  # type: ignore[arg-type]
            timeout_graceful_shutdown=settings.limits.drain_s,  # type: ignore[arg-type]
        )
        watched = sources if settings.reload else []
        server = Server(config, service, watched, lambda: on_ready(url, service))
        server.run(sockets=[listening])


def loaded(source: Source) -> Model:
    """The network of a source, exported first where it is a run."""
    return open_model(onnx_file(source), source.name)


def _page(drawing: Future[bytes | None], is_needed: bool) -> bytes | None:
    """The page to draw on; None where it cannot be had: a service can do without."""
    try:
        return drawing.result()
    except MnistlabError as error:
        if is_needed:
            raise
        log("no page", "warning", error=str(error))
        return None


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; DataError where the address is another's or cannot be had."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, address = found[0]
        listening = socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except (OSError, UnicodeError, OverflowError) as error:
        raise DataError(f"cannot listen on {host} port {port}: {reason(error)}") from error
    listening.setblocking(False)
    # Inherited: else the body of an answer would wait until its head is acknowledged, for 40 ms.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def address_of(listening: socket.socket, host: str) -> str:
    """The URL under which a listening socket is reached."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listening.getsockname()[1]}"


class Server(uvicorn.Server):
    """uvicorn's server, which also ends slow connections, watches files and says when it stops."""

    def __init__(
        self,
        config: uvicorn.Config,
        service: Service,
        watched: Sequence[Source],
        on_ready: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._service = service
        self._watched = watched
        self._on_ready = on_ready
        self._watching: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept requests."""
        await super().startup(sockets)
        if self._watched:
            self._watching = asyncio.create_task(watch(self._watched, self._service))
        log("started", models=list(self._service.served))
        self._on_ready()

    async def on_tick(self, counter: int) -> bool:
        """Called every tenth of a second: end what takes too long."""
        if counter % TICKS_PER_CHECK == 0:
            self._check_times()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what was accepted, then end."""
        log("stopping", in_progress=len(self.server_state.tasks))
        self._service.is_stopping = True
        if self._watching is not None:
            self._watching.cancel()
        checking = asyncio.create_task(self._keep_checking())
        await super().shutdown(sockets)
        checking.cancel()
        self._service.close()
        log("stopped")

    async def _keep_checking(self) -> None:
        while True:  # ticks have ended
            self._check_times()
            await asyncio.sleep(TICKS_PER_CHECK / 10)

    def _check_times(self) -> None:
        now = asyncio.get_running_loop().time()
        for connection in list(self.server_state.connections):
            if isinstance(connection, BoundedConnection):
                connection.check_time(now)


async def watch(sources: Sequence[Source], service: Service) -> None:
    """Replace a network whenever its files have changed and then stayed the same for a while."""
    served = {source: source.state() for source in sources}
    seen = dict(served)
    while True:
        await asyncio.sleep(WATCH_S)
        for source in sources:
            state = await asyncio.to_thread(source.state)
            is_whole = state and state == seen[source]
            seen[source] = state
            if is_whole and state != served[source]:
                served[source] = state
                await _reload(source, service)


async def _reload(source: Source, service: Service) -> None:
    """Load in another thread; a file that cannot be served leaves the old network at work."""
    try:
        model = await asyncio.to_thread(loaded, source)
    except MnistlabError as error:
        log("not reloaded", "error", model=source.name, error=str(error))
    else:
        service.replace(model)
        log("reloaded", model=source.name, weights=model.facts.weights_sha256)
