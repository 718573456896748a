"""The library's connection, with one more bound and one mistake less."""

from __future__ import annotations

from functools import partial
from typing import Any

from typing_extensions import override
from websockets.asyncio.server import ServerConnection
from websockets.frames import Frame, Opcode
from websockets.protocol import Event, Protocol

from core_engine.transport.rate import TokenBucket

CONTROL_FRAMES_PER_SECOND = 100


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
        control = isinstance(event, Frame) and event.opcode in {Opcode.PING, Opcode.PONG}
        if control and self._control.take(self.loop.time()):
            self.transport.abort()
            return
        super().process_event(event)


def _end_once(protocol: Protocol) -> None:
    if not protocol.eof_sent:
        type(protocol).send_eof(protocol)
