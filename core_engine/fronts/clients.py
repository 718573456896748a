"""One client's connection at a front: what it waits for, what it follows, and what it was sent."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeVar

from typing_extensions import override

from core_engine.commands.answers import Ids
from core_engine.commands.follow import MAX_RUNS
from core_engine.fronts.records import AtPreset, Followed, Mark, Renew, Speaker
from core_engine.transport.guard import GuardedConnection
from core_engine.transport.peer import REFUSED_COST, Acceptor, Peer, PeerLimits
from shared.clock import Clock

TOLD_BYTES = 64 * 1024
Value = TypeVar("Value")


class FrontClient(Peer):
    """A connection whose messages are carried out elsewhere.

    ``tell_sent`` is called with the bytes that left for the client, many at a time.
    """

    def __init__(  # noqa: PLR0913 - what it is wired with
        self,
        socket: GuardedConnection,
        acceptor: Acceptor,
        limits: PeerLimits,
        clock: Clock,
        *,
        batch: bool,
        number: int,
        tell_sent: Callable[[FrontClient, int], None],
    ) -> None:
        super().__init__(socket, acceptor, limits, clock, batch=batch)
        self.number = number
        self.pending: dict[int, Ids] = {}
        self.held = 0
        self.speakers: list[Speaker] = []
        """Who speaks here, as the process that led last knew them."""
        self.seats: list[AtPreset] = []
        """The presets that the client has open, as the process that led last knew them."""
        self._tell_sent = tell_sent
        self._untold = 0
        self._commands = 0
        self._runs: OrderedDict[str, int] = OrderedDict()
        self._families: OrderedDict[str, None] = OrderedDict()

    def next_number(self) -> int:
        """Return the number of the client's next command."""
        self._commands += 1
        return self._commands

    def wants_children(self, run_id: str, *, wanted: bool) -> None:
        """Remember whether a run is followed with the runs that it starts."""
        self._families.pop(run_id, None)
        if wanted:
            _enter(self._families, run_id, None)

    def give(self, frames: Sequence[bytes], marks: Sequence[Mark | None]) -> None:
        """Send frames to the client, and remember what it has of which run."""
        self._outbox.put_encoded(frames)
        for mark in filter(None, marks):
            if mark.ended:
                self._runs.pop(mark.run, None)
                self._families.pop(mark.run, None)
            else:
                _enter(self._runs, mark.run, mark.seq)

    def renewal(self) -> Renew | None:
        """Return what another leading process must know of this client; None where there is nothing."""
        if not self.speakers:
            return None
        runs = [Followed(run, seq, run in self._families) for run, seq in self._runs.items()]
        return Renew(self.number, self.speakers, runs, self.seats)

    def penalise(self) -> None:
        """Have the client pay for a message that could not be used."""
        self._bucket.penalise(REFUSED_COST)

    def forget_untold(self) -> None:
        """Forget what left for the client: another process counts from here on."""
        self._untold = 0

    @override
    def _note_sent(self, size: int) -> None:
        before = self._outbox.unsent_bytes
        super()._note_sent(size)
        self._untold += before - self._outbox.unsent_bytes
        if self._untold >= TOLD_BYTES or (self._untold and not self._outbox.unsent_bytes):
            self._tell_sent(self, self._untold)
            self._untold = 0


def _enter(table: OrderedDict[str, Value], key: str, value: Value) -> None:
    """Enter a value as the newest one; the oldest goes where there are too many."""
    table[key] = value
    table.move_to_end(key)
    if len(table) > MAX_RUNS:
        table.popitem(last=False)
