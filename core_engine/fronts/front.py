"""A process's own clients: their sockets stay open whether it stands by, is promoted, or leads from the start."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Coroutine
from typing import Any

from typing_extensions import override

from core_engine.access.standing import Standing
from core_engine.fronts.channel import Channel
from core_engine.fronts.clients import FrontClient
from core_engine.fronts.courier import Courier
from core_engine.fronts.desk import HERE_SECONDS
from core_engine.fronts.link import LeaderLink
from core_engine.transport.guard import GuardedConnection
from core_engine.transport.peer import Peer, PeerLimits
from core_engine.transport.server import Door, SocketServer
from shared.clock import Clock
from shared.contract.base import Role
from shared.errors import FloworkError

_log = logging.getLogger(__name__)


class _Nobody:
    """Knows no roles: the process that leads does."""

    def role_of(self, address: str) -> Role | None:
        """Return nothing."""
        del address
        return None

    def ended(self, standing: Standing) -> FloworkError | None:
        """Return nothing."""
        del standing
        return None


class FrontServer(SocketServer):
    """The raw WebSocket of a front."""

    def __init__(self, door: Door, limits: PeerLimits, courier: Courier, clock: Clock) -> None:
        super().__init__(door, limits, dispatcher=courier, access=_Nobody(), clock=clock)
        self._courier = courier
        self._numbers = itertools.count(1)

    @override
    def _peer_of(self, connection: GuardedConnection, *, batch: bool) -> Peer:
        client = FrontClient(
            connection,
            self._courier,
            self._limits,
            self._clock,
            batch=batch,
            number=next(self._numbers),
            tell_sent=self._courier.tell_sent,
        )
        self._courier.join(client)
        return client


class Front:
    """Takes clients and passes their messages on. `start` it; `close` it after everything else."""

    def __init__(self, server: FrontServer, courier: Courier, link: LeaderLink) -> None:
        self._server = server
        self._courier = courier
        self._link = link
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Begin to listen; raises OSError when the address is taken."""
        await self._server.start()
        self._begin("front sweep", self._courier.sweep())

    def seek(self) -> None:
        """Look for the process that leads, which is another one."""
        self._begin("front link", self._link.seek())

    async def lead(self) -> None:
        """Look for no other process any more: this one leads, and takes messages soon."""
        if task := self._tasks.pop("front link", None):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @property
    def linked(self) -> bool:
        """Whether messages reach the process that leads."""
        return self._courier.linked

    @property
    def port(self) -> int:
        """Where clients come in."""
        return self._server.port

    def figures(self) -> dict[str, int]:
        """Return what is counted: connections, messages passed on, frames given to clients, messages held."""
        courier = self._courier
        return {
            "connections": self._server.connections,
            "forwarded": courier.forwarded,
            "delivered": courier.delivered,
            "held": courier.held,
        }

    def serve_here(self, channel: Channel) -> None:
        """Pass on what clients send over this channel, from now on: this process leads."""
        self._begin("front here", self._link.serve(channel, HERE_SECONDS))

    def stop_accepting(self) -> None:
        """Refuse new clients."""
        self._server.stop_accepting()

    async def stop(self) -> None:
        """Close all clients' connections."""
        await self._server.stop()

    async def close(self) -> None:
        """Close the connections and end everything."""
        await self.stop()
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _begin(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._tasks[name] = asyncio.create_task(work, name=name)
