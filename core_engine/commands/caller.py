"""One connection as the command handlers see it: who speaks on it, what it follows, how much it has going."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from core_engine.access.standing import Standing
from core_engine.commands.follow import Follows
from core_engine.kernel.ports import Frame, Pace, Sink, at_once


class Caller:
    """The far end of a connection. Any number of identities may sign on it, up to a bound.

    ``pace`` waits until the connection has room for more, for those who have much to deliver.
    """

    def __init__(self, deliver: Sink, pace: Pace = at_once) -> None:
        self._deliver = deliver
        self.pace = pace
        self.follows = Follows(deliver)
        self.standing = Standing()
        self.in_flight = 0
        self.gone = False

    @property
    def addresses(self) -> Collection[str]:
        """The identities that proved themselves here."""
        return self.standing.grounds

    def deliver(self, frames: Sequence[Frame]) -> None:
        """Send frames that belong to no run's stream."""
        self._deliver(frames)
