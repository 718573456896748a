"""The raw WebSocket server: who may connect, how many, and what all of them are told (protocol §4.1)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol, cast
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from core_engine.access.standing import Standing
from core_engine.kernel.ports import Frame
from core_engine.transport.guard import GuardedConnection
from core_engine.transport.origin import OriginRule
from core_engine.transport.peer import Acceptor, Peer, PeerLimits
from shared.clock import Clock
from shared.contract.base import Role
from shared.errors import FloworkError

_log = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 10
PING_SECONDS = 20
CLOSE_SECONDS = 2
MAX_EXCESS = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Door:
    """Where the server listens, as which engine, and whom it lets in."""

    host: str
    port: int
    engine_id: str
    origins: OriginRule
    max_connections: int


class Roles(Protocol):
    """Who knows the roles of addresses on the engine."""

    def role_of(self, address: str) -> Role | None:
        """Return an address's role; None for a stranger."""
        ...

    def ended(self, standing: Standing) -> FloworkError | None:
        """Return why a connection may be told nothing more."""
        ...


class SocketServer:
    """Holds the open connections. `start` it, then `stop_accepting` and `stop`."""

    def __init__(
        self, door: Door, limits: PeerLimits, *, dispatcher: Acceptor, access: Roles, clock: Clock
    ) -> None:
        self._door = door
        self._limits = limits
        self._dispatcher = dispatcher
        self._access = access
        self._clock = clock
        self._peers: set[Peer] = set()
        self._server: Server | None = None

    async def start(self) -> None:
        """Begin to listen; raises OSError when the address is taken."""
        limit = self._limits.max_message_bytes
        self._server = await serve(
            self._serve,
            self._door.host,
            self._door.port,
            process_request=self._admit,
            create_connection=GuardedConnection,
            compression=None,
            server_header=None,
            open_timeout=HANDSHAKE_SECONDS,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            close_timeout=CLOSE_SECONDS,
            # Beyond this the library closes by itself; up to it a message is refused and the connection lives.
            max_size=limit + min(limit + 64 * 1024, MAX_EXCESS),
        )

    @property
    def port(self) -> int:
        """The port the server listens on."""
        if self._server is None:
            raise RuntimeError("the raw WebSocket is not started")
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._peers)

    def broadcast(self, frames: Sequence[Frame]) -> None:
        """Send frames to every connection on which somebody with a role on the engine has signed."""
        for peer in self._peers:
            if any(self._access.role_of(address) for address in peer.caller.addresses):
                peer.send(frames)

    def enforce_access(self) -> None:
        """End every connection on which somebody has signed who has not what he had any more."""
        for peer in list(self._peers):
            if error := self._access.ended(peer.caller.standing):
                facts = {"addresses": sorted(peer.caller.addresses), "reason": error.message}
                _log.info("closed a connection: its right ended", extra=facts)
                peer.end(1008, error.message)

    def stop_accepting(self) -> None:
        """Refuse new connections; the open ones go on."""
        if self._server is not None:
            self._server.close(close_connections=False)

    async def stop(self) -> None:
        """Close every connection with 1001 and wait for their end."""
        self.stop_accepting()
        for peer in list(self._peers):
            peer.end(1001, "The engine stops")
        if self._server is not None:
            await self._server.wait_closed()

    def _peer_of(self, connection: GuardedConnection, *, batch: bool) -> Peer:
        return Peer(connection, self._dispatcher, self._limits, self._clock, batch=batch)

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Look at a handshake before the upgrade."""
        if urlsplit(request.path).path not in {"", "/"}:
            return connection.respond(HTTPStatus.NOT_FOUND, "Not Found\n")
        if not self._door.origins.allows(request.headers.get_all("Origin")):
            _log.info("refused an origin", extra={"origin": request.headers.get_all("Origin")})
            return connection.respond(HTTPStatus.FORBIDDEN, "This origin may not connect to the engine.\n")
        if len(self._peers) >= self._door.max_connections:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "Too many connections.\n")
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        query = parse_qs(urlsplit(connection.request.path if connection.request else "").query)
        if query.get("engineId") != [self._door.engine_id]:
            await connection.close(1008, "Invalid engineId")
            return
        if len(self._peers) >= self._door.max_connections:
            await connection.close(1013, "Too many connections")
            return
        batch = query.get("frames") == ["batch"]
        peer = self._peer_of(cast("GuardedConnection", connection), batch=batch)  # see `start`
        self._peers.add(peer)
        try:
            await peer.run()
        finally:
            self._peers.discard(peer)
