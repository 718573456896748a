"""The store of several engine processes on one PostgreSQL schema."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from typing_extensions import override

from core_engine.storage.link import Link, RemoteError
from core_engine.storage.lock import DataLock
from core_engine.storage.parts import Chores, Parts, Taken, delete_rows, settle_row
from core_engine.storage.postgres.link import PostgresLink
from core_engine.storage.postgres.moving import bring_over
from core_engine.storage.postgres.ownership import Ownership
from core_engine.storage.postgres.payloads import PayloadTable
from core_engine.storage.postgres.reader import PostgresReader
from core_engine.storage.postgres.schema import NUMBERS, migrate
from core_engine.storage.postgres.sessions import Silent, Watch, enter, place_of, take_over
from core_engine.storage.postgres.target import Target
from core_engine.storage.postgres.writer import PostgresWriter
from core_engine.storage.store import EngineStore
from core_engine.storage.writer import Writer
from shared.errors import ErrorCode, FloworkError

LEASE_SECONDS = 15.0
_LOW = 2048
_NUMBER_SECONDS = 2.0
_HOLDER = (
    "SELECT s.about FROM run r JOIN run_owner o ON o.number = r.number JOIN session s ON s.number = o.session"
    " WHERE r.id = ? AND o.session <> ?"
)
_UNUSED_WORKFLOWS = "DELETE FROM workflow w WHERE NOT EXISTS (SELECT 1 FROM run r WHERE r.workflow = w.hash)"


class PostgresStore(EngineStore):
    """An `EngineStore` that other processes share. See `core_engine.storage.postgres.sessions` for who has what."""

    def __init__(  # noqa: PLR0913 - what it is made of
        self,
        lock: DataLock,
        parts: Parts,
        watch_link: PostgresLink,
        owners: Ownership,
        lease: float,
        *,
        leads: bool,
    ) -> None:
        """Use `open_postgres`."""
        super().__init__(lock, parts)
        self.shared = True
        self._leads = leads
        self._owners = owners
        self._listener: Callable[[Taken], None] = _nobody
        self._lost: Callable[[FloworkError], None] = _nobody
        self._watch = Watch(watch_link, owners.session, lease, self._take_over, self._tell_lost)

    @property
    @override
    def leads(self) -> bool:
        return self._leads

    @override
    def watch(self, listener: Callable[[Taken], None], lost: Callable[[FloworkError], None]) -> None:
        """Begin to look after the other processes; both are called on other threads.

        ``listener`` hears of what this one took over from them, ``lost`` that they took everything from this one, or
        that nothing can be written any more.
        """
        self._listener, self._lost = listener, lost
        super().watch(listener, lost)
        if not self._watch.is_alive():
            self._watch.start()

    @override
    def holder(self, run_id: str) -> str | None:
        rows = self.reads.query(_HOLDER, (run_id, self._owners.session))
        return str(rows[0][0]) if rows else None

    @override
    def close(self) -> None:
        if self._watch.is_alive():
            self._watch.end()
        self._writer.perform(partial(_leave, self._owners), _ignore)
        super().close()

    def _take_over(self, silent: list[Silent]) -> None:
        def told(taken: Taken | None, error: FloworkError | None) -> None:
            if error is None and taken is not None:
                self._leads = taken.leads
                self.epoch = taken.epoch
                self._listener(taken)

        self._writer.perform(_job(partial(take_over, self._owners, silent)), told)

    def _tell_lost(self) -> None:
        message = "This process was out of contact for too long, and another one took its runs over."
        self._lost(FloworkError(ErrorCode.INTERNAL, message))


class RunNumbers:
    """Numbers for new runs: a block at a time, the next one fetched before the present one is used up."""

    def __init__(self, writer: Writer, first: range) -> None:
        self._writer = writer
        self._left = deque(first)
        self._guard = threading.Condition()
        self._asked = False

    def __call__(self) -> int:
        """Return a number that no run has had; raises STORAGE_FULL when they ran out in an outage."""
        with self._guard:
            if len(self._left) < _LOW and not self._asked:
                self._asked = True
                self._writer.perform(_job(next_block), self._refilled)
            if (
                not self._guard.wait_for(lambda: self._left or not self._asked, _NUMBER_SECONDS)
                or not self._left
            ):
                message = "The engine's database cannot be reached for numbers of new runs."
                raise FloworkError(ErrorCode.STORAGE_FULL, message, retry_after=5.0)
            return self._left.popleft()

    def _refilled(self, block: range | None, _error: FloworkError | None) -> None:
        with self._guard:
            self._asked = False
            self._left.extend(block or ())
            self._guard.notify_all()


def open_postgres(
    target: Target, directory: Path, engine: str = "", lease: float = LEASE_SECONDS
) -> PostgresStore:
    """Open a schema, made when missing, for a process with this data folder; blocks for a moment.

    Raises CONFIGURATION when another process holds the folder, a newer engine wrote the schema, another engine uses
    it or the database cannot be reached.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = DataLock(directory / "engine.lock")
    link = PostgresLink(target, "writer")
    try:
        return _open(target, directory, link, engine, lease)(lock)
    except RemoteError as error:
        lock.release()
        message = f"The engine's database (DATABASE_URL) cannot be used: {error}."
        raise FloworkError(ErrorCode.CONFIGURATION, message) from error
    except BaseException:
        lock.release()
        raise
    finally:
        link.close()


def _open(
    target: Target, directory: Path, link: PostgresLink, engine: str, lease: float
) -> Callable[[DataLock], PostgresStore]:
    migrate(link, target, partial(bring_over, directory))
    session = enter(link, partial(_lock, target.lock_key("journal")), engine, place_of(directory), lease)
    owners = Ownership(target, session)
    found = take_over(owners, [], link)
    numbers = next_block(link)
    reads = PostgresReader(PostgresLink(target, "reads", patience=4), session)
    writing = PostgresLink(target, "writer", check=owners.check_alone)
    blobs = PayloadTable(reads, writing)
    writer = PostgresWriter(writing, owners, blobs)
    parts = Parts(
        writer=writer,
        reads=reads,
        archive=PostgresReader(PostgresLink(target, "archive"), session),
        blobs=blobs,
        epoch=found.epoch,
        numbers=RunNumbers(writer, numbers),
        chores=Chores(_delete, _delete_workflows, _settle),
    )
    watching = PostgresLink(target, "lease")
    return lambda lock: PostgresStore(lock, parts, watching, owners, lease, leads=found.leads)


def next_block(link: PostgresLink) -> range:
    """Return numbers of runs that no process has had."""
    row = link.run("SELECT nextval('run_number')").fetchone()
    first = int(row[0]) if row else 1
    return range(first, first + NUMBERS)


def _lock(key: int, link: PostgresLink) -> None:
    link.run("SELECT pg_advisory_xact_lock(?)", (key,))


def _job(work: Callable[[PostgresLink], Any]) -> Callable[[Link], Any]:
    def job(link: Link) -> Any:
        if not isinstance(link, PostgresLink):
            raise TypeError("this is for PostgreSQL")
        return work(link)

    return job


def _delete(numbers: Sequence[int], link: Link) -> None:
    link.execute("BEGIN IMMEDIATE")
    for name in delete_rows(link, numbers):
        link.execute("DELETE FROM payload WHERE name = ?", (name,))
    link.execute("DELETE FROM run_owner WHERE number = ANY(?::bigint[])", (list(numbers),))
    link.execute("COMMIT")


def _delete_workflows(link: Link) -> None:
    link.execute(_UNUSED_WORKFLOWS)


def _settle(run_id: str, link: Link) -> None:
    link.execute("BEGIN IMMEDIATE")
    settle_row(run_id, link)
    link.execute("DELETE FROM run_owner WHERE number = (SELECT number FROM run WHERE id = ?)", (run_id,))
    link.execute("COMMIT")


def _leave(owners: Ownership, link: Link) -> None:
    """End the session: whoever is left takes its runs over at once."""
    with suppress(RemoteError):
        link.execute("UPDATE session SET ended = true WHERE number = ?", (owners.session,))


def _nobody(_news: object) -> None:
    pass


def _ignore(_value: object, _error: object) -> None:
    pass
