"""The connection between a front and the leading process: records in order, bounded, sealed on the network."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from contextlib import suppress
from typing import Protocol

from core_engine.fronts.sealing import PROOF_BYTES, RANDOM_BYTES, LinkKey, Meeting, Seal

MAX_RECORD_BYTES = 300 * 1024 * 1024
MEETING_SECONDS = 10.0
READ_AHEAD = 1024 * 1024
_TAG_BYTES = 16
_HEAD_BYTES = 4


class StrangerError(Exception):
    """The other side does not have this engine's key, or does not speak as a process of this engine does."""


class Channel(Protocol):
    """One end. After its end nothing more is received, and what is posted is dropped."""

    @property
    def backlog(self) -> int:
        """Bytes that were posted and have not left."""
        ...

    def post(self, record: bytes) -> None:
        """Send a record, without waiting."""
        ...

    async def drain(self) -> None:
        """Wait until most of what was posted has left."""
        ...

    async def receive(self) -> bytes | None:
        """Return the next record, or None at the end; raises ValueError for one that cannot be true."""
        ...

    def close(self) -> None:
        """End the connection."""
        ...


class NetworkChannel:
    """A channel over TCP, after both sides have proven themselves."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, out: Seal, back: Seal, *, most: int
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._out = out
        self._back = back
        self._most = most + _TAG_BYTES

    @property
    def backlog(self) -> int:
        """Bytes that were posted and have not left."""
        return self._writer.transport.get_write_buffer_size()

    def post(self, record: bytes) -> None:
        """Send a record, without waiting."""
        if not self._writer.is_closing():
            sealed = self._out.close(record)
            self._writer.write(len(sealed).to_bytes(_HEAD_BYTES, "big") + sealed)

    async def drain(self) -> None:
        """Wait until most of what was posted has left."""
        with suppress(OSError):
            await self._writer.drain()

    async def receive(self) -> bytes | None:
        """Return the next record, or None at the end; raises ValueError for one that cannot be true."""
        try:
            size = int.from_bytes(await self._reader.readexactly(_HEAD_BYTES), "big")
            if size > self._most:
                raise ValueError(f"a record of {size} bytes is beyond the bound of {self._most}")
            return self._back.open(await self._reader.readexactly(size))
        except (asyncio.IncompleteReadError, OSError):
            return None

    def close(self) -> None:
        """End the connection."""
        self._writer.transport.abort()


async def meet_leader(host: str, port: int, key: LinkKey, epoch: int) -> NetworkChannel:
    """Connect to the leading process of an epoch. Raises OSError, TimeoutError or StrangerError."""
    async with asyncio.timeout(MEETING_SECONDS):
        reader, writer = await asyncio.open_connection(host, port, limit=READ_AHEAD)
        try:
            mine = secrets.token_bytes(RANDOM_BYTES)
            writer.write(mine)
            answer = await reader.readexactly(RANDOM_BYTES + 8 + PROOF_BYTES)
            said = int.from_bytes(answer[RANDOM_BYTES : RANDOM_BYTES + 8], "big")
            meeting = Meeting(mine, answer[:RANDOM_BYTES], said)
            _check_leader(key, meeting, answer[-PROOF_BYTES:], epoch)
            writer.write(key.proof("front", meeting))
        except asyncio.IncompleteReadError as error:
            writer.transport.abort()
            raise StrangerError("the connection was closed before both sides knew each other") from error
        except BaseException:
            writer.transport.abort()
            raise
    out, back = key.seals(meeting)
    return NetworkChannel(reader, writer, out, back, most=MAX_RECORD_BYTES)


def _check_leader(key: LinkKey, meeting: Meeting, proof: bytes, epoch: int) -> None:
    if meeting.epoch != epoch or not key.proves("leader", meeting, proof):
        raise StrangerError("what answers is not the leading process of this engine")


async def meet_front(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: LinkKey, epoch: int, most: int
) -> NetworkChannel:
    """Answer a front that has connected. Raises TimeoutError or StrangerError; the caller closes the connection."""
    try:
        async with asyncio.timeout(MEETING_SECONDS):
            theirs = await reader.readexactly(RANDOM_BYTES)
            meeting = Meeting(theirs, secrets.token_bytes(RANDOM_BYTES), epoch)
            writer.write(meeting.leader + epoch.to_bytes(8, "big") + key.proof("leader", meeting))
            proof = await reader.readexactly(PROOF_BYTES)
    except TimeoutError:
        raise
    except (asyncio.IncompleteReadError, OSError) as error:
        raise StrangerError("the connection was closed before both sides knew each other") from error
    if not key.proves("front", meeting, proof):
        raise StrangerError("it does not have this engine's key")
    back, out = key.seals(meeting)
    return NetworkChannel(reader, writer, out, back, most=most)


class LocalChannel:
    """One end of a channel inside the leading process, to its own clients. Make both with `local_pair`."""

    def __init__(self) -> None:
        self._inbox: deque[bytes] = deque()
        self._bytes = 0
        self._news = asyncio.Event()
        self._taken = asyncio.Event()
        self._closed = False
        self._other = self

    @property
    def backlog(self) -> int:
        """Bytes that were posted and have not been received."""
        return self._other._bytes  # noqa: SLF001 - the other end of the same thing

    def post(self, record: bytes) -> None:
        """Send a record, without waiting."""
        self._other._put(record)  # noqa: SLF001

    async def drain(self) -> None:
        """Wait until most of what was posted has been received."""
        other = self._other
        while other._bytes > READ_AHEAD and not other._closed:  # noqa: SLF001
            other._taken.clear()  # noqa: SLF001
            await other._taken.wait()  # noqa: SLF001

    async def receive(self) -> bytes | None:
        """Return the next record, or None at the end."""
        while not self._inbox:
            if self._closed:
                return None
            self._news.clear()
            await self._news.wait()
        record = self._inbox.popleft()
        self._bytes -= len(record)
        self._taken.set()
        return record

    def close(self) -> None:
        """End the channel, at both ends."""
        for end in (self, self._other):
            end._end()  # noqa: SLF001

    def _put(self, record: bytes) -> None:
        if not self._closed:
            self._inbox.append(record)
            self._bytes += len(record)
            self._news.set()

    def _end(self) -> None:
        self._closed = True
        self._inbox.clear()
        self._bytes = 0
        self._news.set()
        self._taken.set()


def local_pair() -> tuple[LocalChannel, LocalChannel]:
    """Return both ends of a channel that leads nowhere else."""
    first, second = LocalChannel(), LocalChannel()
    first._other, second._other = second, first  # noqa: SLF001
    return first, second
