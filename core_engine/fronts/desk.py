"""The leading process's side: takes in fronts, and is to the engine what the raw WebSocket server is without them."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Protocol

from core_engine.fronts.channel import Channel, StrangerError, local_pair, meet_front
from core_engine.fronts.places import Place, tell_place
from core_engine.fronts.reception import Reception
from core_engine.fronts.remote import Desk, RemoteClient
from core_engine.fronts.sealing import LinkKey
from core_engine.kernel.ports import Frame
from core_engine.storage import EngineStore

MAX_FRONTS = 64
MAX_MEETINGS = 16
OVERHEAD_BYTES = 1024 * 1024
"""What a record may have beyond a client's message: the longest ones tell of all that a client follows."""
HERE_SECONDS = 86_400.0
"""How long the front in this very process may be silent: it cannot be lost alone."""
_log = logging.getLogger(__name__)


class OwnFront(Protocol):
    """The front of the leading process itself."""

    @property
    def port(self) -> int:
        """Where its clients come in."""
        ...

    def serve_here(self, channel: Channel) -> None:
        """Pass on what clients send over this channel, from now on."""
        ...

    def stop_accepting(self) -> None:
        """Refuse new clients."""
        ...

    async def stop(self) -> None:
        """Close all clients' connections."""
        ...


@dataclass(frozen=True, slots=True)
class DeskDoor:
    """Where fronts come in, how they prove themselves, and what they may bring."""

    host: str
    port: int
    address: str
    key: LinkKey
    max_message_bytes: int
    max_clients: int
    silence_seconds: float


class FrontDesk:
    """Holds the fronts and their clients. `start` it, then `stop_accepting` and `stop`."""

    def __init__(self, door: DeskDoor, desk: Desk, store: EngineStore, own: OwnFront) -> None:
        self._door = door
        self._desk = desk
        self._store = store
        self._own = own
        self._server: asyncio.Server | None = None
        self._receptions: set[Reception] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._meetings = 0

    async def start(self) -> None:
        """Begin to listen and tell the fronts where; raises OSError when the address is taken."""
        self._server = await asyncio.start_server(self._meet, self._door.host, self._door.port)
        place = Place(self._store.epoch, *self._reachable())
        mine, theirs = local_pair()
        self._own.serve_here(theirs)
        self._keep(self._receive(mine, HERE_SECONDS), "front here")
        self._keep(tell_place(self._store, place), "tell the fronts")
        _log.info("fronts may come", extra={"host": place.host, "port": place.port, "epoch": place.epoch})

    @property
    def port(self) -> int:
        """The port that clients connect to."""
        return self._own.port

    @property
    def connections(self) -> int:
        """How many clients of all fronts have signed something."""
        return sum(len(reception.clients) for reception in self._receptions)

    def broadcast(self, frames: Sequence[Frame]) -> None:
        """Send frames to every client on whose connection somebody with a role on the engine has signed."""
        for client in self._clients():
            if any(self._desk.access.role_of(address) for address in client.caller.addresses):
                client.send(frames)

    def enforce_access(self) -> None:
        """End every connection on which somebody has signed who has not what he had any more."""
        for client in list(self._clients()):
            client.enforce_access()

    def stop_accepting(self) -> None:
        """Refuse new clients and new fronts; those that are there go on."""
        self._own.stop_accepting()
        if self._server is not None:
            self._server.close()

    async def stop(self) -> None:
        """Let the fronts go, so that they look for another process, and close the own clients' connections."""
        self.stop_accepting()
        try:
            await self._own.stop()
        finally:
            # also where the own clients take longer than they are given: no front may go on believing in this process
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _clients(self) -> Iterator[RemoteClient]:
        for reception in self._receptions:
            yield from reception.clients.values()

    def _keep(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _reachable(self) -> tuple[str, int]:
        """Return where the fronts reach this process."""
        if self._server is None:
            raise RuntimeError("the desk is not started")
        port = int(self._server.sockets[0].getsockname()[1])
        given, door = self._door.address, self._door
        host, _, own_port = given.rpartition(":") if not given.endswith("]") else (given, "", "")
        if own_port.isdigit() and host:
            return host.strip("[]"), int(own_port)
        if given:
            return given.strip("[]"), port
        everywhere = not door.host or (_is_address(door.host) and ip_address(door.host).is_unspecified)
        return (socket.gethostname() if everywhere else door.host), port

    def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._meetings >= MAX_MEETINGS or len(self._receptions) > MAX_FRONTS:
            _log.warning("a front was turned away: there are too many")
            writer.transport.abort()
            return
        self._keep(self._welcome(reader, writer), "front meeting")

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        most = self._door.max_message_bytes + OVERHEAD_BYTES
        self._meetings += 1
        try:
            channel = await meet_front(reader, writer, self._door.key, self._store.epoch, most)
        except (TimeoutError, StrangerError) as error:
            _log.warning("refused a front", extra={"peer": str(peer), "reason": str(error) or "too slow"})
            writer.transport.abort()
            return
        except BaseException:
            writer.transport.abort()
            raise
        finally:
            self._meetings -= 1
        _log.info("a front has come", extra={"peer": str(peer)})
        try:
            await self._receive(channel, self._door.silence_seconds)
        finally:
            _log.info("a front has gone", extra={"peer": str(peer)})

    async def _receive(self, channel: Channel, silence_seconds: float) -> None:
        reception = Reception(channel, self._desk, self._door.max_clients, silence_seconds)
        self._receptions.add(reception)
        try:
            with suppress(asyncio.CancelledError):
                await reception.run()
        finally:
            self._receptions.discard(reception)
            await reception.close()


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
