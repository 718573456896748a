"""One connection as the command handlers see it: who speaks on it, what it follows, how much it has going."""

from __future__ import annotations

from collections.abc import Sequence

from core_engine.commands.follow import Follows
from core_engine.kernel.ports import Frame, Pace, Sink, at_once

MAX_ADDRESSES = 16


class Caller:
    """The far end of a connection. Any number of identities may sign on it, up to a bound.

    ``pace`` waits until the connection has room for more, for those who have much to deliver.
    """

    def __init__(self, deliver: Sink, pace: Pace = at_once) -> None:
        self._deliver = deliver
        self.pace = pace
        self.follows = Follows(deliver)
        self.addresses: set[str] = set()
        self.in_flight = 0
        self.gone = False

    def deliver(self, frames: Sequence[Frame]) -> None:
        """Send frames that belong to no run's stream."""
        self._deliver(frames)

    def admit(self, address: str) -> bool:
        """Remember an identity that proved itself here; False when there are too many on one connection."""
        if address not in self.addresses:
            if len(self.addresses) >= MAX_ADDRESSES:
                return False
            self.addresses.add(address)
        return True
