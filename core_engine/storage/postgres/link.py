"""A connection to PostgreSQL that takes the statements of the storage, and opens again after it was lost."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import psycopg
from psycopg.types.numeric import FloatLoader

from core_engine.storage.link import Answer, LostContactError, RemoteError, TakenKeyError
from core_engine.storage.postgres.target import Target

_BEGINS = frozenset({"BEGIN IMMEDIATE", "BEGIN"})
_ENDS = frozenset({"COMMIT", "ROLLBACK"})
_WRITES = ("INSERT", "UPDATE", "DELETE")
_PASSING_CLASSES = frozenset({"40", "53", "55", "57"})
_PASSING = frozenset({"25006"})  # a standby that does not take writes yet
_REST_SECONDS = 0.5
_REST_SHARE = 3.0
_SETTINGS = {
    # a process that stands still in a transaction must not hold up the others for ever
    "idle_in_transaction_session_timeout": "15s",
    "lock_timeout": "20s",
    "statement_timeout": "120s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "timezone": "UTC",
}
Check = Callable[["PostgresLink"], None]


class DoubtError(RemoteError):
    """Contact was lost during the commit of a transaction: it may be stored or not."""

    def __init__(self, message: str) -> None:
        super().__init__(f"{message} (it is not known whether the last change was stored)", passing=True)


class PostgresLink:
    """A connection in autocommit mode; used by one thread at a time. See `core_engine.storage.link.Link`.

    It is opened by its first statement, and again by the first one after it was lost, but not while it is in a
    transaction, and not more often than twice a second, nor for more than a quarter of the time. ``check`` is called
    at the begin of each writing transaction, in it; a lone writing statement gets a transaction of its own then.
    """

    def __init__(self, target: Target, about: str, *, check: Check | None = None, patience: int = 5) -> None:
        self._target = target
        self._about = about
        self._check = check
        self._patience = patience
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None
        self._open = False
        self._closed = False
        self._refused_until = 0.0

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._open

    @property
    def connected(self) -> bool:
        """Whether the connection is there, as far as is known."""
        return self._connection is not None and not self._connection.closed

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Answer:
        """Run a statement; raises `RemoteError`."""
        if sql in _BEGINS:
            return self.begin()
        if sql in _ENDS:
            return self._end(sql)
        if self._check is None or self._open or not sql.startswith(_WRITES):
            return self.run(sql, parameters)
        self.begin()
        try:
            answer = self.run(sql, parameters)
        except RemoteError:
            self.roll_back()
            raise
        self._end("COMMIT")
        return answer

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> None:
        """Run a statement once for each row of parameters."""
        connection, rows = self._ready(), [[_clean(item) for item in row] for row in parameters]
        try:
            with connection.cursor() as cursor:
                cursor.executemany(_translate(sql), rows)
        except psycopg.Error as error:
            raise self._translated(error) from error

    def begin(self, how: str = "BEGIN", *, check: Check | None = None) -> Answer:
        """Begin a transaction, checked."""
        answer = self.run(how)
        self._open = True
        check = check or self._check
        if check is not None:
            try:
                check(self)
            except sqlite3.Error:
                self.roll_back()
                raise
        return answer

    def roll_back(self) -> None:
        """Take a transaction back; also after the connection was lost."""
        with suppress(RemoteError):
            if self._open and self.connected:
                self._end("ROLLBACK")
        self._open = False

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> psycopg.Cursor[tuple[Any, ...]]:
        """Run a statement as it is."""
        connection = self._ready()
        try:
            if parameters:
                return connection.execute(_translate(sql), [_clean(item) for item in parameters])
            return connection.execute(sql)
        except psycopg.Error as error:
            raise self._translated(error) from error

    def raw(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Return the driver's connection, opened where need be, for what only PostgreSQL has."""
        return self._ready()

    def close(self) -> None:
        """Close it for good: a later statement, of a thread that nobody waits for any more, is refused."""
        self._closed = True
        connection, self._connection = self._connection, None
        self._open = False
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()

    def _end(self, sql: str) -> Answer:
        self._open = False
        try:
            return self.run(sql)
        except LostContactError as error:
            raise (DoubtError(str(error)) if sql == "COMMIT" else error) from error

    def _ready(self) -> psycopg.Connection[tuple[Any, ...]]:
        if self._connection is not None and not self._connection.closed:
            return self._connection
        self._connection = None
        if self._closed:
            raise LostContactError("the connection was closed")
        if self._open:
            raise LostContactError("the connection was lost")
        if time.monotonic() < self._refused_until:
            raise LostContactError("the database could not be reached a moment ago")
        began = time.monotonic()
        try:
            self._connection = self._connect()
        except psycopg.Error as error:
            now = time.monotonic()
            self._refused_until = now + max(_REST_SECONDS, _REST_SHARE * (now - began))
            raise LostContactError(_first_line(error)) from error
        return self._connection

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        connection = psycopg.connect(
            self._target.url,
            autocommit=True,
            connect_timeout=self._patience,
            application_name=f"flowork-engine {self._about}"[:63],
            # a server that does not answer any more is given up after about twice the patience
            keepalives_idle=self._patience,
            keepalives_interval=max(1, self._patience // 2),
            keepalives_count=2,
            tcp_user_timeout=self._patience * 2000,
        )
        try:
            connection.adapters.register_loader("numeric", FloatLoader)
            settings = _SETTINGS | {"search_path": f'"{self._target.schema}"'}
            calls = ", ".join(["set_config(%s, %s, false)"] * len(settings))
            values = [value for pair in settings.items() for value in pair]
            connection.execute(f"SELECT {calls}", values)
        except psycopg.Error:
            connection.close()
            raise
        return connection

    def _translated(self, error: psycopg.Error) -> RemoteError:
        state, text = error.sqlstate or "", _first_line(error)
        if self._connection is None or self._connection.closed or state.startswith("08"):
            self.close_after_loss()
            return LostContactError(text)
        if isinstance(error, psycopg.errors.UniqueViolation):
            return TakenKeyError(text)
        return RemoteError(text, passing=state[:2] in _PASSING_CLASSES or state in _PASSING)

    def close_after_loss(self) -> None:
        """Forget a connection that is of no use any more; an open transaction stays known as open."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()


def _translate(sql: str) -> str:
    return sql.replace("%", "%%").replace("?", "%s")


def _clean(value: Any) -> Any:
    """Return a value as PostgreSQL takes it: its texts have no zero characters."""
    return (
        value.replace("\0", "\N{REPLACEMENT CHARACTER}")
        if isinstance(value, str) and "\0" in value
        else value
    )


def _first_line(error: psycopg.Error) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
