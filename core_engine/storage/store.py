"""The engine's storage as the rest of the engine sees it: one object per data folder."""

from __future__ import annotations

import asyncio
import concurrent.futures
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from core_engine.storage.embedded import open_parts
from core_engine.storage.link import Link
from core_engine.storage.lock import DataLock
from core_engine.storage.parts import Parts, Taken
from core_engine.storage.rows import Write
from core_engine.storage.writer import Done, Job, judge
from shared.errors import ErrorCode, FloworkError

_DELETE_CHUNK = 200
_PATIENCE = 30.0


class EngineStore:
    """The journal (`submit`), what was written, large payloads (`blobs`) and small values.

    ``reads`` is for quick reads on the event loop, ``archive`` for long ones on other threads.

    ``new_run_number`` returns a number that no run has had, ``shared`` tells that other processes use the same data.
    ``epoch`` grows by one at every start on the same data; work handed out under an older epoch is stale, and what
    an engine of an older one still wants to write is refused (`core_engine.storage.fence`).
    """

    def __init__(self, lock: DataLock, parts: Parts) -> None:
        """Use `EngineStore.open`, or `core_engine.storage.opening`."""
        self._lock = lock
        self.shared = False
        self.blobs = parts.blobs
        self.reads = parts.reads
        self.archive = parts.archive
        self.epoch = parts.epoch
        self.new_run_number = parts.numbers
        self._chores = parts.chores
        self._writer = parts.writer
        self._writer.start()

    @classmethod
    def open(cls, directory: Path) -> EngineStore:
        """Open ``<data>/engine``, made when missing; blocks for a moment.

        Raises CONFIGURATION when another engine runs on it or a newer one wrote it, JOURNAL_CORRUPT when its
        database is damaged as a whole, STORAGE_FULL or INTERNAL where the disk is full or fails. A damaged run is
        found when that run is read.
        """
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = DataLock(directory / "engine.lock")
        try:
            return cls(lock, open_parts(directory))
        except sqlite3.Error as error:
            lock.release()
            raise judge(error) from error
        except BaseException:
            lock.release()
            raise

    def submit(self, writes: Sequence[Write], done: Done) -> None:
        """Have writes stored; see `Writer.submit`."""
        self._writer.submit(writes, done)

    @property
    def blocked(self) -> bool:
        """Whether the journal waits for room on the disk."""
        return self._writer.blocked

    @property
    def failure(self) -> FloworkError | None:
        """Why nothing can be written any more; the engine should end then."""
        return self._writer.failure

    def holder(self, run_id: str) -> str | None:  # noqa: ARG002 - other stores know others
        """Say which other process of this engine has a run in its memory."""
        return None

    def watch(
        self,
        listener: Callable[[Taken], None],  # noqa: ARG002 - other stores know others
        lost: Callable[[FloworkError], None],
    ) -> None:
        """Call ``lost`` on another thread when nothing can be written any more: the engine should end then.

        ``listener`` hears of other processes of this engine, where there can be some; see `PostgresStore.watch`.
        """
        self._writer.on_failure = lost
        if self.failure:
            lost(self.failure)

    @property
    def leads(self) -> bool:
        """Whether this process is the one that works; the others of the same engine stand by."""
        return True

    def get(self, key: str) -> bytes | None:
        """Return a small value."""
        return self.reads.value(key)

    async def put(self, key: str, value: bytes) -> None:
        """Store a small value; on return it is synced. Raises STORAGE_FULL or INTERNAL."""
        await self.write(Write(values=((key, value),), refusable=True))

    async def remember(self, entries: Sequence[tuple[bytes, int]]) -> None:
        """Store replay keys with their expiry in Unix ms; on return they are synced. Raises STORAGE_FULL.

        Nothing submitted later is synced earlier; who awaits a later write anyway can use `submit` instead.
        """
        await self.write(Write(replay=tuple(entries), refusable=True))

    def replay_keys(self, now_ms: int) -> list[tuple[bytes, int]]:
        """Return the replay keys still in force."""
        return self.reads.replay(now_ms)

    async def forget_replay(self, now_ms: int) -> None:
        """Delete replay keys that have expired."""
        await self._performed(partial(_delete_replay, now_ms=now_ms))

    async def delete_runs(self, before_ms: int, most: int | None = None) -> int:
        """Delete runs that ended before a time, oldest first, with what they started, journal and payload files.

        At most so many, where ``most`` is given; returns how many. A run whose family has not ended stays.
        """
        count, after = 0, 0
        while most is None or count < most:
            limit = _DELETE_CHUNK if most is None else min(_DELETE_CHUNK, most - count)
            roots = await asyncio.to_thread(self.archive.ended_roots, before_ms, after, limit)
            if not roots:
                break
            after = roots[-1]
            families = await asyncio.to_thread(lambda: [self.archive.family(root) for root in roots])  # noqa: B023
            numbers = [number for family in families for number in family]
            await self._performed(partial(self._chores.delete, numbers))
            count += sum(map(bool, families))
        if count:
            await self._performed(self._chores.delete_workflows)
        return count

    async def count_ended(self) -> int:
        """Count the ended runs that no other run started."""
        return await asyncio.to_thread(self.archive.count_ended)

    async def size(self) -> int:
        """Return the bytes that the database and the payload files take."""
        return await asyncio.to_thread(lambda: self.archive.used_bytes() + self.blobs.size())

    async def settle_run(self, run_id: str) -> None:
        """Note that everybody who waited for the end of a run has been told."""
        await self._performed(partial(self._chores.settle, run_id))

    def close(self) -> None:
        """Write what is queued, close the files and let go of the lock; blocks."""
        ended = self._writer.close(_PATIENCE)
        self.reads.close()
        self.archive.close()
        if ended:  # else it may still write: the lock then stays until the process is gone
            self._lock.release()

    async def write(self, write: Write) -> None:
        """Store one write; on return it is synced. Raises STORAGE_FULL (when refusable), CONFLICT or INTERNAL."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._writer.submit([write], lambda _, error: _tell(loop, future, None, error))
        await future

    async def perform(self, job: Job) -> Any:
        """Call ``job`` with the writing connection, after all that was submitted before; return its result.

        The job commits for itself and raises nothing but errors of the database, which come out translated.
        """
        return await self._performed(job)

    def perform_blocking(self, job: Job, timeout: float) -> Any:
        """Do what `perform` does from another thread than the event loop's, where there is none to await.

        Raises DEADLINE_EXCEEDED after ``timeout`` seconds; the job may then still be done.
        """
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()

        def tell(value: Any, error: FloworkError | None) -> None:
            if error:
                future.set_exception(error)
            else:
                future.set_result(value)

        self._writer.perform(job, tell)
        try:
            return future.result(timeout)
        except concurrent.futures.TimeoutError:
            message = f"The engine's database did not answer within {timeout:g} s."
            raise FloworkError(ErrorCode.DEADLINE_EXCEEDED, message) from None

    async def _performed(self, job: Job) -> Any:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._writer.perform(job, lambda value, error: _tell(loop, future, value, error))
        return await future


def _tell(
    loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any], value: Any, error: FloworkError | None
) -> None:
    with suppress(RuntimeError):  # the loop is closed, so nobody waits
        loop.call_soon_threadsafe(_settle, future, value, error)


def _settle(future: asyncio.Future[Any], value: Any, error: FloworkError | None) -> None:
    if future.done():
        return
    if error:
        future.set_exception(error)
    else:
        future.set_result(value)


def _delete_replay(connection: Link, *, now_ms: int) -> None:
    connection.execute("DELETE FROM replay WHERE expires_ms <= ?", (now_ms,))
