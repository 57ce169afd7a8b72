"""How a service listens, whom it answers, and how much it takes on."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field
from pathlib import Path

from mnistlab.errors import DataError, reason

TOKEN_VARIABLE = "MNISTLAB_TOKEN"
SHORTEST_TOKEN, LONGEST_TOKEN = 16, 4096  # characters


@dataclass(frozen=True)
class Limits:
    """What one service takes on; what exceeds it is refused, never stored.

    body_bytes, pixels, images: of one request, its pictures taken together. batch: images of one
    run of a network. queue: images that wait for one network. requests: that are answered at the
    same time. request_s: until a request that was read must be answered. read_s: until a request
    must be read, and an answer taken. idle_s: without a request until a connection is closed.
    """

    body_bytes: int = 8 << 20
    pixels: int = 1 << 24  # as many as a photograph of a phone
    images: int = 256
    batch: int = 64
    queue: int = 1024
    requests: int = 512
    connections: int = 1024
    head_bytes: int = 32 << 10
    request_s: float = 10.0
    read_s: float = 15.0
    idle_s: float = 30.0
    drain_s: float = 30.0  # after SIGTERM, for the requests that were accepted


@dataclass(frozen=True)
class ServeSettings:
    """Where to listen and for whom.

    token: what requests must carry as "Authorization: Bearer TOKEN"; None: nothing. anyone: serve
    other computers without a token. allowed_hosts: names under which browsers may reach it,
    besides the loopback's. Raises DataError for an address open to others without a token.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    anyone: bool = False
    allowed_hosts: tuple[str, ...] = ()
    reload: bool = False
    log_requests: bool = False
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if not self.is_loopback and self.token is None and not self.anyone:
            raise DataError(
                f"--host {self.host} opens the service to other computers: name a file that holds "
                f"a token with --token-file, or set {TOKEN_VARIABLE}, or add --anyone"
            )

    @property
    def is_loopback(self) -> bool:
        """Whether only this computer can reach the service."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:  # some other name
            return False

    @property
    def hosts(self) -> frozenset[str]:
        """The host names that a request may name; empty: all.

        A page of another site can make a browser ask the loopback (DNS rebinding), but then the
        request names that site as its host.
        """
        if not self.is_loopback and not self.allowed_hosts:
            return frozenset()
        own = ("localhost", "127.0.0.1", "[::1]", self.host)
        return frozenset(name.lower() for name in (*own, *self.allowed_hosts))


def read_token(file: Path | None) -> str | None:
    """The token in the file, else in MNISTLAB_TOKEN, else None; DataError for an unsafe one."""
    where, text = TOKEN_VARIABLE, os.environ.get(TOKEN_VARIABLE)
    if file is not None:
        where = str(file)
        try:
            with file.open("rb") as opened:
                text = opened.read(LONGEST_TOKEN + 2).decode("ascii").strip()
        except (OSError, ValueError) as error:
            raise DataError(f"{file}: holds no token: {reason(error)}") from error
    if text is None:
        return None
    is_shown = text.isascii() and text.isprintable() and " " not in text
    if not is_shown or not SHORTEST_TOKEN <= len(text) <= LONGEST_TOKEN:
        raise DataError(
            f"{where}: a token has {SHORTEST_TOKEN} to {LONGEST_TOKEN} letters, digits or signs"
        )
    return text
