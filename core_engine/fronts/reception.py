"""One front at the leading process: its records are taken, its clients held, its silence noticed."""

from __future__ import annotations

import asyncio
import logging

from core_engine.fronts.beating import beat
from core_engine.fronts.channel import Channel
from core_engine.fronts.records import Beat, Command, End, Left, Renew, Sent, encode, read_from_front
from core_engine.fronts.remote import Desk, RemoteClient

MAX_SLICE = 64
_log = logging.getLogger(__name__)


class Reception:
    """Serves one channel: `run` it until it ends, then `close` it."""

    def __init__(self, channel: Channel, desk: Desk, max_clients: int, silence_seconds: float) -> None:
        self._channel = channel
        self._desk = desk
        self._max_clients = max_clients
        self._silence = silence_seconds
        self._over: set[int] = set()
        self.clients: dict[int, RemoteClient] = {}

    async def run(self) -> None:
        """Take records until the front goes, is silent for too long, or says what no front says."""
        beating = asyncio.create_task(beat(self._channel, self._silence), name="front beat")
        count = 0
        try:
            while True:
                async with asyncio.timeout(self._silence):
                    data = await self._channel.receive()
                if data is None:
                    return
                self._take(read_from_front(data))
                count += 1
                if count % MAX_SLICE == 0:
                    await asyncio.sleep(0)  # a channel with a full queue would never wait by itself
        except TimeoutError:
            _log.warning("a front gave no sign of life")
        except ValueError as error:
            _log.warning("a front said what cannot be true", extra={"reason": str(error)[:200]})
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    async def close(self) -> None:
        """Let go of the front and of its clients."""
        self._channel.close()
        clients, self.clients = list(self.clients.values()), {}
        for client in clients:
            client.leave()
        await asyncio.gather(*(client.gone() for client in clients))

    def _take(self, record: Command | Renew | Sent | Left | Beat) -> None:
        match record:
            case Command():
                if client := self._client(record.client):
                    client.take(record)
            case Renew():
                if client := self._client(record.client):
                    client.renew(record)
            case Sent():
                if known := self.clients.get(record.client):
                    known.sent(record.size)
            case Left():
                self._over.discard(record.client)
                if known := self.clients.pop(record.client, None):
                    known.leave()
            case Beat():
                pass

    def _client(self, number: int) -> RemoteClient | None:
        """Return a client, made when it is first heard of; None for one that is being closed."""
        client = self.clients.get(number)
        if client is not None and client.ended:
            del self.clients[number]
            self._over.add(number)
        if number in self._over:
            return None
        if client is None and len(self.clients) >= self._max_clients:
            self._over.add(number)
            self._channel.post(encode(End(number, 1013, "Too many connections")))
            return None
        if client is None:
            client = self.clients[number] = RemoteClient(number, self._channel, self._desk)
        return client
