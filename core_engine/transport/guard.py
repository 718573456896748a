"""The library's connection with one more bound: a flood of pings ends it."""

from __future__ import annotations

from typing import Any

from typing_extensions import override
from websockets.asyncio.server import ServerConnection
from websockets.frames import Frame, Opcode
from websockets.protocol import Event

from core_engine.transport.rate import TokenBucket

CONTROL_FRAMES_PER_SECOND = 100


class GuardedConnection(ServerConnection):
    """Each ping is answered with a pong that a hostile peer does not read; so their rate is limited."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._control = TokenBucket(CONTROL_FRAMES_PER_SECOND, self.loop.time())

    @override
    def process_event(self, event: Event) -> None:
        """Count control frames, then do what the library does."""
        control = isinstance(event, Frame) and event.opcode in {Opcode.PING, Opcode.PONG}
        if control and self._control.take(self.loop.time()):
            self.transport.abort()
            return
        super().process_event(event)
