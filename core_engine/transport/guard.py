"""The library's connection, with one more bound, one mistake less, and many messages sent in one piece."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

from typing_extensions import override
from websockets.asyncio.server import ServerConnection
from websockets.frames import Frame, Opcode
from websockets.protocol import Event, Protocol, State

from core_engine.transport.rate import TokenBucket

CONTROL_FRAMES_PER_SECOND = 100
_CONTROL = frozenset({Opcode.PING, Opcode.PONG})
_OPEN = State.OPEN  # on Python 3.11 naming an enum member costs a call each time
_TEXT = 0x80 | Opcode.TEXT  # a whole message in one frame


class GuardedConnection(ServerConnection):
    """A flood of pings ends it: each is answered with a pong that a hostile peer does not read.

    A client that is refused and sent nonsense behind its request is no mistake of ours: the library would end our side
    twice then, and log its own assertion with a trace each time.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.protocol.send_eof = partial(_end_once, self.protocol)  # type: ignore[method-assign]
        self._control = TokenBucket(CONTROL_FRAMES_PER_SECOND, self.loop.time())

    @override
    def process_event(self, event: Event) -> None:
        """Count control frames, then do what the library does."""
        control = isinstance(event, Frame) and event.opcode in _CONTROL
        if control and self._control.take(self.loop.time()):
            self.transport.abort()
            return
        super().process_event(event)

    async def send_texts(self, messages: Sequence[bytes]) -> None:
        """Send whole messages of UTF-8 text in one write; returns when the connection has room for more.

        Raises ConnectionClosed as the library's `send` does. Extensions are not negotiated (``compression=None``),
        and nothing is ever sent in fragments, so that these are the bytes that the library would send one by one.
        """
        pieces = [b""] * (2 * len(messages))
        pieces[::2] = map(_head, map(len, messages))
        pieces[1::2] = messages
        data = b"".join(pieces)
        if self.protocol.state is _OPEN and not (self.protocol.writes or self.transport.is_closing()):
            self.transport.write(data)
            if self.paused:
                await self.drain()
            return
        async with self.send_context():
            self.protocol.writes.append(data)


@lru_cache(maxsize=4096)
def _head(size: int) -> bytes:
    """Return what stands before an unmasked text message of so many bytes (RFC 6455 §5.2)."""
    if size < 126:
        return bytes((_TEXT, size))
    if size < 1 << 16:
        return bytes((_TEXT, 126, size >> 8, size & 0xFF))
    return bytes((_TEXT, 127)) + size.to_bytes(8, "big")


def _end_once(protocol: Protocol) -> None:
    if not protocol.eof_sent:
        type(protocol).send_eof(protocol)
