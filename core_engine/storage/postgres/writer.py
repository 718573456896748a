"""The one thread of a process that writes to PostgreSQL: journal transactions, and errands between them."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from typing_extensions import override

from core_engine.storage.fence import StaleWriterError
from core_engine.storage.link import LostContactError, RemoteError
from core_engine.storage.postgres.link import DoubtError, PostgresLink
from core_engine.storage.postgres.ownership import Ownership, TakenOverError
from core_engine.storage.postgres.payloads import PayloadTable
from core_engine.storage.rows import Write
from core_engine.storage.writer import Job, Submission, Writer, judge
from shared.errors import ErrorCode, FloworkError

_LOG = logging.getLogger(__name__)
_PATIENCE = 5.0
_FIRST_WAIT, _LONGEST_WAIT = 0.05, 1.0
_CLOSING_SHARE = 0.7
_STATUS = "SELECT pg_xact_status(?::xid8)"

_Outcome = TypeVar("_Outcome")


class PostgresWriter(Writer):
    """Commits what is submitted, in order, as `Writer` does; a restart of the server loses and doubles nothing.

    Contact that is lost before a commit: the writes are tried again, and only after some seconds the refusable ones
    are given back. Contact that is lost during a commit: the server is asked what became of the transaction, and
    nobody is told anything before that is known.
    """

    def __init__(self, link: PostgresLink, owners: Ownership, payloads: PayloadTable) -> None:
        super().__init__(link, payloads)
        self._link = link
        self._owners = owners
        self._given_back: frozenset[int] = frozenset()
        self._end_by = math.inf
        self._stuck = False

    @property
    @override
    def blocked(self) -> bool:
        return self._stuck or super().blocked

    @override
    def close(self, timeout: float) -> bool:
        self._end_by = time.monotonic() + timeout * _CLOSING_SHARE
        return super().close(timeout)

    @override
    def _attempt(self, writes: Sequence[Write]) -> FloworkError | None:
        error = self._patiently(lambda: self._once(writes))
        if error is None or isinstance(error, FloworkError):
            return error
        if isinstance(error, TakenOverError):
            self._given_back = frozenset(id(write) for write in error.stale)
            message = "Another engine process has taken the run over; ask again."
            return FloworkError(ErrorCode.CONFLICT, message)
        return judge(error)

    def _once(self, writes: Sequence[Write]) -> RemoteError | StaleWriterError | TakenOverError | None:
        link = self._link
        try:
            link.begin(check=self._owners.check_shared)
            self._owners.claim(link, writes)
            self._statements.insert(link, writes)
            blobs = {blob.name: blob.content for write in writes for blob in write.blobs}
            for name in sorted(blobs):  # in one order, so that two processes never wait for each other
                self._blobs.write(name, blobs[name])
            link.execute("COMMIT")
        except DoubtError as error:
            return self._settled(error)
        except (RemoteError, StaleWriterError, TakenOverError) as error:
            link.roll_back()
            return error
        return None

    def _settled(self, doubt: DoubtError) -> RemoteError | None:
        """Wait until the server tells what became of the last transaction; None: it is stored."""
        _LOG.warning(
            "Contact was lost during a commit; its outcome is asked for.", extra={"reason": str(doubt)}
        )
        self._stuck = True
        for wait in _waits():
            if time.monotonic() > self._end_by:
                break
            with suppress(RemoteError):
                row = self._link.run(_STATUS, (self._owners.transaction,)).fetchone()
                if row and row[0] == "committed":
                    return None
                if row and row[0] == "aborted":
                    return LostContactError(str(doubt))
            time.sleep(wait)
        return doubt

    def _patiently(self, work: Callable[[], _Outcome]) -> _Outcome:
        """Do the work again while contact is lost, for some seconds."""
        deadline = time.monotonic() + _PATIENCE
        try:
            for wait in _waits():
                outcome = work()
                if not isinstance(outcome, LostContactError):
                    return outcome
                if time.monotonic() > min(self._end_by, deadline):
                    return outcome
                self._stuck = True
                time.sleep(wait)
        finally:
            self._stuck = False
        raise AssertionError("the waits never end")

    @override
    def _call(self, job: Job) -> Any:
        def attempt() -> Any:
            try:
                return job(self._link)
            except LostContactError as error:
                self._link.roll_back()
                return error

        outcome = self._patiently(attempt)
        if isinstance(outcome, LostContactError):
            raise outcome
        return outcome

    @override
    def _without_known(self, submissions: list[Submission], error: FloworkError) -> list[Submission]:
        try:
            return super()._without_known(submissions, error)
        finally:
            self._given_back = frozenset()

    @override
    def _is_known(self, write: Write) -> bool:
        if self._given_back:
            return id(write) in self._given_back
        for wait in _waits():
            try:
                return super()._is_known(write)
            except RemoteError as error:
                if time.monotonic() > self._end_by or not error.passing:
                    raise
                time.sleep(wait)
        return False


def _waits() -> Iterator[float]:
    wait = _FIRST_WAIT
    while True:
        yield wait
        wait = min(wait * 2, _LONGEST_WAIT)
