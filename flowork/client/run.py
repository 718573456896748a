"""A run as the client follows it: an iterator of events without a gap and without a repeat."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Protocol

from flowork.client.deadline import Deadline
from flowork.client.socket import ConnectionLostError
from shared.contract.base import Event
from shared.contract.run import RunStatus, StatusData, WorkflowStatusUpdate

BUFFERED_EVENTS = 10_000


class Follower(Protocol):
    """What a run needs of the session it belongs to."""

    def pump(self, deadline: Deadline) -> None:
        """Take in one frame and hand it to whom it belongs."""
        ...

    def reconnect(self, deadline: Deadline) -> None:
        """Make a new connection after the old one was lost."""
        ...

    def subscribe(self, job_id: str, after_seq: int) -> None:
        """Ask for the events after a number, past ones first."""
        ...

    def stop(self, job_id: str) -> WorkflowStatusUpdate:
        """Stop the run."""
        ...


class Run:
    """A run that is being followed. Iterate it once: it yields every event until the final status.

    A lost connection is made again and the events go on where they stopped. Iteration raises
    DEADLINE_EXCEEDED when the run has not ended in time, ENGINE_UNAVAILABLE when the engine stays away.
    """

    def __init__(self, follower: Follower, job_id: str, deadline: Deadline) -> None:
        self.job_id = job_id
        self.state: StatusData | None = None
        self._follower = follower
        self._deadline = deadline
        self._buffer: deque[Event] = deque()
        self._last_seq = 0
        self._behind = False
        self._asked_after: int | None = None

    @property
    def status(self) -> RunStatus | None:
        """The status as of the last event that was yielded."""
        return self.state.status if self.state else None

    def __iter__(self) -> Iterator[Event]:
        while not (self.status and self.status.final):
            if self._buffer:
                event = self._buffer.popleft()
                if isinstance(event, WorkflowStatusUpdate):
                    self.state = event.status_data
                yield event
            else:
                self._advance()

    def wait(self) -> StatusData:
        """Follow the run to its end, whatever happens in between, and return its final state."""
        for _ in self:
            pass
        if self.state is None:
            raise RuntimeError("a run that ended has a state")
        return self.state

    def stop(self) -> WorkflowStatusUpdate:
        """Stop the run; go on iterating to see its last events."""
        return self._follower.stop(self.job_id)

    def feed(self, event: Event, seq: int) -> None:
        """Take in an event of this run; called by the session."""
        if seq <= self._last_seq:
            return
        # What is still missing after it was asked for cannot be had; the rest is worth more than an endless loop.
        gap = seq > self._last_seq + 1 and self._asked_after != self._last_seq
        if gap or len(self._buffer) >= BUFFERED_EVENTS:
            self._behind = True
            return
        self._buffer.append(event)
        self._last_seq = seq

    def lost(self) -> None:
        """Note that the connection, and with it the subscription, is gone; called by the session."""
        self._behind = True

    def _advance(self) -> None:
        try:
            if self._behind:
                self._follower.subscribe(self.job_id, self._last_seq)
                self._behind = False
                self._asked_after = self._last_seq
            else:
                self._follower.pump(self._deadline)
        except ConnectionLostError:
            self._behind = True
            self._follower.reconnect(self._deadline)
