"""Which engine process a run belongs to: checked and changed in the very transactions that write the runs.

A process is a *session*. It owns the runs that it has in memory; its writes of any other run are refused. While it
lives, nobody takes a run from it; when it has ended or its lease has run out, its runs go to another session, each
under a new fence, a number that is never used again.
"""

from __future__ import annotations

from collections.abc import Sequence

from core_engine.storage.fence import StaleWriterError
from core_engine.storage.postgres.link import PostgresLink
from core_engine.storage.postgres.target import Target
from core_engine.storage.rows import Write

_CHECK = "SELECT pg_current_xact_id()::text, EXISTS (SELECT 1 FROM session WHERE number = ? AND NOT ended)"
_OWNED = "SELECT number FROM run_owner WHERE session = ? AND number = ANY(?::bigint[])"
_KNOWN = "SELECT 1 FROM run WHERE number = ?"
_TAKE = "INSERT INTO run_owner VALUES (?, ?, nextval('fence')) ON CONFLICT (number) DO NOTHING"
_ADOPT = (
    "UPDATE run_owner SET session = ?, fence = nextval('fence')"
    " WHERE session IN (SELECT number FROM session WHERE ended) RETURNING number"
)
_ABANDONED = (  # unfinished runs that belong to nobody and do not only wait: none, if nobody edits by hand
    "SELECT number FROM run WHERE finished_at IS NULL AND NOT EXISTS (SELECT 1 FROM run_owner o WHERE"
    " o.number = run.number) AND NOT EXISTS (SELECT 1 FROM parked p WHERE p.number = run.number)"
)


class TakenOverError(Exception):
    """Some of the writes are of runs that another session owns."""

    def __init__(self, stale: Sequence[Write]) -> None:
        super().__init__("another engine process has these runs now")
        self.stale = stale


class Ownership:
    """The runs of one session.

    Journal transactions of all sessions share one advisory lock, and everything that changes what they rely on
    (adoption, deletion, changes of the small tables) takes it for itself alone: such a transaction sees no
    journal write half done, and a process whose session was ended finds out before it writes.
    """

    def __init__(self, target: Target, session: int) -> None:
        self.session = session
        self._key = target.lock_key("journal")
        self.transaction = ""

    def check_shared(self, link: PostgresLink) -> None:
        """Begin a journal transaction; raises StaleWriterError after the session was ended by others."""
        link.run("SELECT pg_advisory_xact_lock_shared(?)", (self._key,))
        self._check(link)

    def check_alone(self, link: PostgresLink) -> None:
        """Begin any other writing transaction; no other one of this kind, and none of the journal, runs beside it."""
        link.run("SELECT pg_advisory_xact_lock(?)", (self._key,))
        self._check(link)

    def claim(self, link: PostgresLink, writes: Sequence[Write]) -> None:
        """Take new and waking runs, let parked and ended ones go; raises TakenOverError for runs of others."""
        numbers = sorted({number for write in writes for number in _numbers(write)})
        if not numbers:
            return
        owned = {row[0] for row in link.run(_OWNED, (self.session, numbers)).fetchall()}
        parking: set[int] = set()
        stale = [write for write in writes if not self._may(link, write, owned, parking)]
        if stale:
            raise TakenOverError(stale)
        gone = [number for number in numbers if number not in owned]
        if gone:
            link.run("DELETE FROM run_owner WHERE number = ANY(?::bigint[])", (gone,))

    def adopt(self, link: PostgresLink) -> list[int]:
        """Take over the runs of all ended sessions; the caller holds the transaction. Returns their numbers."""
        numbers = {row[0] for row in link.run(_ADOPT, (self.session,)).fetchall()}
        for (number,) in link.run(_ABANDONED).fetchall():
            link.run(_TAKE, (number, self.session))
            numbers.add(number)
        return sorted(numbers)

    def _check(self, link: PostgresLink) -> None:
        row = link.run(_CHECK, (self.session,)).fetchone()
        self.transaction, alive = row or ("", False)
        if not alive:
            raise StaleWriterError(
                f"this process (session {self.session}) was out of contact for too long,"
                " and another one took its runs over"
            )

    def _may(self, link: PostgresLink, write: Write, owned: set[int], parking: set[int]) -> bool:
        """Follow one write; what earlier ones of the same transaction do is in ``owned`` and ``parking``."""
        for number in write.unparked:
            if number in parking:
                parking.discard(number)
                owned.add(number)
            elif number not in owned and not self._wake(link, number, owned):
                return False
        run, parked = write.run, write.parked
        if run is not None and run.number not in owned:
            known = not write.refusable and link.run(_KNOWN, (run.number,)).fetchone()
            if known or not self._take(link, run.number, owned):
                return False
        if parked is not None:
            if parked.number not in owned:
                return False
            owned.discard(parked.number)
            parking.add(parked.number)
        if run is not None and run.finished_at is not None and run.settled:
            owned.discard(run.number)
        return True

    def _wake(self, link: PostgresLink, number: int, owned: set[int]) -> bool:
        """Take a run that only waits; of several processes that try, the one that deletes the note has it."""
        if not link.run("DELETE FROM parked WHERE number = ?", (number,)).rowcount:
            return False
        return self._take(link, number, owned)

    def _take(self, link: PostgresLink, number: int, owned: set[int]) -> bool:
        taken = link.run(_TAKE, (number, self.session)).rowcount > 0
        if taken:
            owned.add(number)
        return taken


def _numbers(write: Write) -> list[int]:
    named = [write.run.number] if write.run else []
    return [*named, *write.unparked, *([write.parked.number] if write.parked else [])]
