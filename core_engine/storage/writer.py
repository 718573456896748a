"""The one thread that writes the journal: everything waiting goes into one transaction and one sync."""

from __future__ import annotations

import errno
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from core_engine.storage.blobs import Blobs
from core_engine.storage.fence import StaleWriterError
from core_engine.storage.link import Link, RemoteError
from core_engine.storage.rows import Statements, Write
from shared.errors import ErrorCode, FloworkError

_LOG = logging.getLogger(__name__)
Done = Callable[[Sequence[Write], FloworkError | None], None]
Job = Callable[[Link], Any]

_PASSING_SQLITE = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CANTOPEN}
)
_PASSING_OS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE, errno.EAGAIN})
_FIRST_WAIT = 0.05
_LONGEST_WAIT = 2.0
_BATCH = 4096


class Submission(NamedTuple):
    """Writes that were submitted together, and who is told of them."""

    writes: Sequence[Write]
    done: Done


class _Errand(NamedTuple):
    job: Job
    done: Callable[[Any, FloworkError | None], None]


class Writer:
    """Commits what is submitted, in order. The callbacks run on the writer's thread.

    The queue is bounded by its callers: a run has one write under way at a time, and open runs are limited.
    """

    def __init__(self, connection: Link, blobs: Blobs) -> None:
        self._connection = connection
        self._blobs = blobs
        self._statements = Statements()
        self._queue: queue.SimpleQueue[Submission | _Errand | None] = queue.SimpleQueue()
        self._kept: list[Submission] = []
        self._wait = 0.0
        self._closing = False
        self.failure: FloworkError | None = None
        self.on_failure: Callable[[FloworkError], None] = _nobody
        self._thread = threading.Thread(target=self._work, name="journal-writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    @property
    def blocked(self) -> bool:
        """Whether writes wait for the disk."""
        return self._wait > 0

    def submit(self, writes: Sequence[Write], done: Done) -> None:
        """Have the writes stored; ``done`` is called once for each of them, maybe in several groups.

        It gets None once they are synced, STORAGE_FULL for refusable ones that found no room, CONFLICT for a
        refusable one whose new run has a taken id, or INTERNAL when the disk failed for good: then nothing is
        written any more and the process should end.
        """
        self._queue.put(Submission(writes, done))

    def perform(self, job: Job, done: Callable[[Any, FloworkError | None], None]) -> None:
        """Call ``job`` with the writing connection, between two transactions."""
        self._queue.put(_Errand(job, done))

    def close(self, timeout: float) -> bool:
        """Write what is queued, then end; return whether the thread has ended in time."""
        self._queue.put(None)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while not (self._closing and (self._wait or self._queue.empty())):
            submissions = self._collect()
            if self.failure:
                self._give_up(submissions)
            else:
                self._commit(submissions)
        self._give_up(self._kept)
        self._connection.close()

    def _collect(self) -> list[Submission]:
        """Take everything that waits; errands are run on the way, after what was submitted before them."""
        found: list[Submission] = []
        timeout, block = self._wait or None, True
        with suppress(queue.Empty):
            while len(found) < _BATCH:
                item = self._queue.get(block, timeout)
                block = False
                if item is None:
                    self._closing = True
                elif isinstance(item, _Errand):
                    self._commit(self._kept_and(found))
                    found = []
                    self._run_errand(item)
                else:
                    found.append(item)
        return self._kept_and(found)

    def _kept_and(self, found: list[Submission]) -> list[Submission]:
        kept, self._kept = self._kept, []
        return kept + found

    def _commit(self, submissions: list[Submission]) -> None:
        if not submissions:
            return
        writes = [write for submission in submissions for write in submission.writes]
        error = self._attempt(writes)
        if error is None:
            if self._wait:
                _LOG.info("The journal can be written again.")
            self._wait = 0.0
            for submission in submissions:
                submission.done(submission.writes, None)
        elif error.code is ErrorCode.STORAGE_FULL:
            self._keep(submissions, error)
        elif error.code is ErrorCode.CONFLICT:
            self._refuse_known(submissions, error)
        else:
            self._fail(error)
            self._give_up(submissions)

    def _attempt(self, writes: Sequence[Write]) -> FloworkError | None:
        connection = self._connection
        try:
            for write in writes:
                for blob in write.blobs:
                    self._blobs.write(blob.name, blob.content)
            connection.execute("BEGIN IMMEDIATE")
            self._statements.insert(connection, writes)
            connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            with suppress(sqlite3.Error):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            return judge(error)
        return None

    def _refuse_known(self, submissions: list[Submission], error: FloworkError) -> None:
        """Give new runs back whose id is taken, and commit the rest."""
        left = self._without_known(submissions, error)
        if sum(len(item.writes) for item in left) == sum(len(item.writes) for item in submissions):
            self._fail(FloworkError(ErrorCode.INTERNAL, f"The journal contradicts itself: {error.message}"))
            self._give_up(submissions)
            return
        self._commit(left)

    def _without_known(self, submissions: list[Submission], error: FloworkError) -> list[Submission]:
        left: list[Submission] = []
        for writes, done in submissions:
            known: list[Write] = []
            rest: list[Write] = []
            for write in writes:
                (known if self._is_known(write) else rest).append(write)
            if known:
                done(known, error)
            if rest:
                left.append(Submission(rest, done))
        return left

    def _is_known(self, write: Write) -> bool:
        if not (write.refusable and write.run):
            return False
        row = self._connection.execute("SELECT number FROM run WHERE id = ?", (write.run.id,)).fetchone()
        return bool(row) and row[0] != write.run.number

    def _keep(self, submissions: list[Submission], error: FloworkError) -> None:
        """Refuse what may be refused; the rest waits for the disk."""
        if not self._wait:
            _LOG.error("The journal cannot be written; runs wait.", extra={"reason": error.message})
        self._kept = [
            Submission(kept, done)
            for writes, done in submissions
            if (kept := [write for write in writes if not write.refusable])
        ]
        self._wait = min(max(self._wait * 2, _FIRST_WAIT), _LONGEST_WAIT) if self._kept else 0.0
        for writes, done in submissions:
            refused = [write for write in writes if write.refusable]
            if refused:
                done(refused, error)

    def _fail(self, error: FloworkError) -> None:
        """Write nothing any more, whoever wrote last, and tell that."""
        self.failure = error
        self.on_failure(error)

    def _give_up(self, submissions: Iterable[Submission]) -> None:
        error = self.failure or FloworkError(
            ErrorCode.STORAGE_FULL, "The engine ended before the disk had room."
        )
        for submission in submissions:
            submission.done(submission.writes, error)

    def _run_errand(self, errand: _Errand) -> None:
        if self.failure:
            errand.done(None, self.failure)
            return
        try:
            result = self._call(errand.job)
        except (sqlite3.Error, OSError) as error:
            with suppress(sqlite3.Error):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            judged = judge(error)
            if _ends_all(error, judged):
                self._fail(judged)
            errand.done(None, judged)
        else:
            errand.done(result, None)

    def _call(self, job: Job) -> Any:
        return job(self._connection)


def _nobody(_: FloworkError) -> None:
    """Tell nobody of a failure."""


def _ends_all(error: sqlite3.Error | OSError, judged: FloworkError) -> bool:
    """Tell whether the disk must not be trusted any more: a lost folder, or an error in reading or syncing it."""
    if isinstance(error, StaleWriterError):
        return True
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return judged.code is ErrorCode.INTERNAL and code == sqlite3.SQLITE_IOERR


def judge(error: sqlite3.Error | OSError) -> FloworkError:
    """Tell a disk that has no room now from one that must not be trusted any more, and both from a taken id.

    After a failed sync the kernel may have dropped the pages, so a later sync that succeeds proves nothing.
    """
    if isinstance(error, StaleWriterError):
        return FloworkError(ErrorCode.INTERNAL, f"The engine writes nothing any more: {error}.")
    if isinstance(error, sqlite3.IntegrityError):
        return FloworkError(ErrorCode.CONFLICT, f"A run of this id exists already: {error}.")
    if isinstance(error, RemoteError):
        passing = error.passing
    elif isinstance(error, OSError):
        passing = error.errno in _PASSING_OS
    else:
        code = getattr(error, "sqlite_errorcode", 0)
        passing = code & 0xFF in _PASSING_SQLITE or code == sqlite3.SQLITE_IOERR_WRITE
    if passing:
        return FloworkError(
            ErrorCode.STORAGE_FULL, f"The engine cannot write its journal: {error}.", retry_after=5.0
        )
    return FloworkError(ErrorCode.INTERNAL, f"The engine's disk failed: {error}.")
