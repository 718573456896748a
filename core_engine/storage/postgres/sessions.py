"""The processes that share one schema: each is entered as a session, and gives a sign of life again and again.

A session is over when its process says so, when a process that holds the same data folder starts, or when another
process has watched it for a whole lease without a sign of life. The watcher's own clock decides, and only while
the watcher itself has contact: after an outage of the database everybody has a whole lease to come back.
"""

from __future__ import annotations

import logging
import os
import platform
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from typing_extensions import override

from core_engine.storage.link import RemoteError
from core_engine.storage.postgres.link import PostgresLink
from core_engine.storage.postgres.ownership import Ownership
from shared.errors import ErrorCode, FloworkError
from shared.ids import new_id

LEAD = "lead"
_LOG = logging.getLogger(__name__)
_BEATS_PER_LEASE = 5
_OTHERS = (
    "SELECT s.engine, s.about FROM session s JOIN beat b ON b.session = s.number"
    " WHERE NOT s.ended AND s.engine <> ? AND b.at > now() - make_interval(secs => ?) LIMIT 1"
)
_FORGET = (
    "DELETE FROM session s WHERE ended AND NOT EXISTS (SELECT 1 FROM run_owner o WHERE o.session = s.number)"
)
_ENTER = "INSERT INTO session (engine, place, about) VALUES (?, ?, ?) RETURNING number"
_LEAD = (
    "INSERT INTO duty VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET session = excluded.session"
    " WHERE NOT EXISTS (SELECT 1 FROM session s WHERE s.number = duty.session AND NOT s.ended)"
)
_END = (
    "UPDATE session SET ended = true WHERE number = ?"
    " AND EXISTS (SELECT 1 FROM beat WHERE session = ? AND count = ?)"
)
_BEAT = "UPDATE beat SET count = count + 1, at = now() WHERE session = ?"
_LOOK = (
    "SELECT s.number, s.ended, coalesce(b.count, 0) FROM session s LEFT JOIN beat b ON b.session = s.number"
)
_FREE = (
    "SELECT EXISTS (SELECT 1 FROM run_owner o JOIN session s ON s.number = o.session WHERE s.ended)"
    " OR NOT EXISTS (SELECT 1 FROM duty d JOIN session s ON s.number = d.session WHERE d.name = ? AND NOT s.ended)"
)


class Silent(NamedTuple):
    """A session that gave no sign of life for a lease, and its last count."""

    session: int
    beats: int


class Taken(NamedTuple):
    """What a session took over: runs by their numbers, and whether it leads (now or as before)."""

    runs: list[int]
    leads: bool


def place_of(directory: Path) -> str:
    """Return the name of a data folder whose lock is held; a copy of the folder has another one."""
    path = directory / "place"
    if not path.exists():
        draft = path.with_suffix(".new")
        draft.write_text(new_id(), encoding="ascii")
        draft.chmod(0o600)
        draft.rename(path)
    found = path.stat()
    return f"{path.read_text(encoding='ascii').strip()}:{found.st_dev}:{found.st_ino}"


def enter(
    link: PostgresLink, lock: Callable[[PostgresLink], None], engine: str, place: str, lease: float
) -> int:
    """Begin a session and return its number. Raises CONFIGURATION while another engine's processes use the schema."""
    link.begin(check=lock)
    try:
        link.run("UPDATE session SET ended = true WHERE place = ? AND NOT ended", (place,))
        _refuse_beside(engine, link.run(_OTHERS, (engine, 4 * lease)).fetchall())
        link.run(_FORGET)
        about = f"{platform.node()}, process {os.getpid()}"
        row = link.run(_ENTER, (engine, place, about)).fetchone()
        number = int(row[0]) if row else 0
        link.run("DELETE FROM beat b WHERE NOT EXISTS (SELECT 1 FROM session s WHERE s.number = b.session)")
        link.run("INSERT INTO beat VALUES (?, 0, now())", (number,))
    except FloworkError:
        link.roll_back()
        raise
    link.execute("COMMIT")
    return number


def _refuse_beside(engine: str, others: list[tuple[str, str]]) -> None:
    for name, about in others:
        message = (
            f"The engine {name} ({about}) works with this database schema; set another ENGINE_DATABASE_SCHEMA"
            f" for {engine}."
        )
        raise FloworkError(ErrorCode.CONFIGURATION, message)


def take_over(owners: Ownership, silent: list[Silent], link: PostgresLink) -> Taken:
    """End silent sessions, take the runs of all ended ones, and lead where nobody does; commits."""
    link.begin(check=owners.check_alone)
    for session, count in silent:
        if link.run(_END, (session, session, count)).rowcount:
            _LOG.warning(
                "An engine process gave no sign of life; its runs are taken over.", extra={"session": session}
            )
    runs = owners.adopt(link)
    link.run(_LEAD, (LEAD, owners.session))
    row = link.run("SELECT session FROM duty WHERE name = ?", (LEAD,)).fetchone()
    link.execute("COMMIT")
    return Taken(runs, leads=row is not None and row[0] == owners.session)


class Watch(threading.Thread):
    """Gives the sign of life of a session, and looks for those of the others; a thread and a connection of its own.

    ``on_silent`` is called, on this thread, when there is something to take over, ``on_lost`` once when the session
    was ended by others.
    """

    def __init__(
        self,
        link: PostgresLink,
        session: int,
        lease: float,
        on_silent: Callable[[list[Silent]], None],
        on_lost: Callable[[], None],
    ) -> None:
        super().__init__(name="journal-lease", daemon=True)
        self._link = link
        self._session = session
        self._lease = lease
        self._on_silent = on_silent
        self._on_lost = on_lost
        self._over = threading.Event()
        self._seen: dict[int, tuple[int, float]] = {}

    @override
    def run(self) -> None:
        """Beat until `end`."""
        while not self._over.wait(self._lease / _BEATS_PER_LEASE):
            try:
                if not self._beat():
                    self._on_lost()
                    break
            except RemoteError as error:
                self._seen.clear()
                _LOG.warning("The database cannot be reached.", extra={"reason": str(error)})
        self._link.close()

    def end(self) -> None:
        """Beat no more."""
        self._over.set()
        self.join(10)

    def _beat(self) -> bool:
        self._link.run(_BEAT, (self._session,))
        now, counts, alive = time.monotonic(), {}, False
        for session, ended, count in self._link.run(_LOOK).fetchall():
            if session == self._session:
                alive = not ended
            elif not ended:
                counts[session] = count
        fresh = {session: (count, now) for session, count in counts.items()}
        kept = {session: seen for session, seen in self._seen.items() if seen[0] == counts.get(session)}
        self._seen = fresh | kept
        silent = [
            Silent(which, count) for which, (count, since) in self._seen.items() if now - since >= self._lease
        ]
        row = self._link.run(_FREE, (LEAD,)).fetchone()
        if alive and (silent or (row and row[0])):
            self._on_silent(silent)
        return alive
