"""Connections to the database: SQLite in the data folder, or PostgreSQL by URL."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

from gateway.db.direct import DirectReads, Rows, Value
from shared.errors import ErrorCode, FloworkError

WRITE_WAIT_SECONDS = 10.0
BUSY_MILLISECONDS = 5000
LOCK_WAIT_SECONDS = 5.0
_LOOK_SECONDS = 0.02
_AGAIN_SECONDS = 1.0
# A request holds a connection for milliseconds; who gets none within ten seconds is told so.
SERVER_POOL: dict[str, Any] = {"pool_pre_ping": True, "pool_size": 10, "max_overflow": 20, "pool_timeout": 10}
_WRITES = "flowork_writes"


class Database:
    """Hands out connections, each of them one transaction.

    ``url`` is an SQLAlchemy URL. Raises `FloworkError` CONFIGURATION where the URL or its driver is unusable.
    """

    def __init__(self, url: str) -> None:
        self._engine = _open(url)
        self._writing = self._engine.execution_options(**{_WRITES: True})
        # SQLite has one writer. Waiting for it inside its C library would hold up every green thread, the one
        # that is to finish its own write among them; so writers of this process queue here.
        self._writers = threading.Lock() if self.is_sqlite else None
        self._witness = _Witness(self._engine) if self.is_sqlite else None
        file = self.file
        self._direct = None if file is None else DirectReads(lambda: connect_sqlite(file))
        self._endings: list[Callable[[], None]] = []

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a file of this machine."""
        return self._engine.dialect.name == "sqlite"

    @property
    def file(self) -> str | None:
        """The file of the database; None where it is none, or in memory."""
        return self._witness.file if self._witness is not None else None

    def state(self) -> int | None:
        """Return a number that is another one after every commit, whichever process made it; None: not known here.

        What was read under a number is still so while the number is the same. It costs some microseconds.
        """
        return None if self._witness is None else self._witness.state()

    @property
    def has_direct_reads(self) -> bool:
        """Whether `read_directly` is there: the database is a file of SQLite."""
        return self._direct is not None

    def read_directly(self, text: str, values: Mapping[str, Value]) -> Rows:
        """Return what a query, as SQLite reads it, says now. For `gateway.db.questions`."""
        if self._direct is None:
            raise TypeError("This database has no direct reads.")
        with TRANSLATED:
            return self._direct.rows(text, values)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection to read from."""
        with TRANSLATED, self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection whose changes are committed together at the end, or not at all.

        Raises BUSY where other writers, of this process or another program, do not come to an end,
        STORAGE_FULL where the disk is full.
        """
        with self._writers_turn(), self._writing.begin() as connection:
            yield connection

    @contextmanager
    def _writers_turn(self) -> Iterator[None]:
        """Wait until no other writer of this process is at work, where there can be only one."""
        if self._writers is None:
            with TRANSLATED:
                yield
            return
        if not self._writers.acquire(timeout=WRITE_WAIT_SECONDS):
            raise busy()
        try:
            with TRANSLATED:
                yield
        finally:
            self._writers.release()

    def close_too(self, close: Callable[[], None]) -> None:
        """Have something else closed before the connections are."""
        self._endings.append(close)

    def close(self) -> None:
        """Close every connection."""
        for end in self._endings:
            end()
        if self._direct is not None:
            self._direct.close()
        if self._witness is not None:
            self._witness.close()
        self._engine.dispose()


class _Witness:
    """A connection of its own that changes nothing: SQLite tells it whether any other one did.

    That needs a file, opened at the first use; a database in memory belongs to its connection alone. Who finds the
    connection in use, by another thread, does without: to wait for it would cost everybody a lock.
    """

    def __init__(self, engine: Engine) -> None:
        self._path = str(engine.url.database or ":memory:")
        self.file = self._path if self._path.partition(":")[0] not in {"", "file"} else None
        self._closed = self.file is None
        self._free: deque[sqlite3.Connection | None] = deque([None])  # None: to be opened

    def state(self) -> int | None:
        """Return SQLite's number of the file's state; None where there is none, or it cannot be had now."""
        if self._closed:
            return None
        try:
            connection = self._free.pop()
        except IndexError:
            return None
        number: int | None = None
        try:
            if connection is None:
                connection = self._open()
            (number,) = connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            pass
        finally:
            self._free.append(connection)
        if self._closed:
            self.close()
        return number

    def close(self) -> None:
        """Close the connection for good: the numbers of another one would be no later ones.

        One that is in use closes after that.
        """
        self._closed = True
        while self._free:
            connection = self._free.pop()
            if connection is not None:
                connection.close()

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)


def _open(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.drivername in {"postgres", "postgresql"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        served = {} if parsed.get_backend_name() == "sqlite" else SERVER_POOL
        engine = create_engine(parsed, **served)
    except (ArgumentError, NoSuchModuleError) as error:
        raise FloworkError(
            ErrorCode.CONFIGURATION,
            "DATABASE_URL is not a database URL, such as postgresql://user:password@host/name.",
        ) from error
    except ModuleNotFoundError as error:
        raise FloworkError(
            ErrorCode.CONFIGURATION,
            f"DATABASE_URL needs the Python package {error.name}, which is not installed.",
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def connect_sqlite(file: str) -> sqlite3.Connection:
    """Return a connection of its own to a file of SQLite, which any thread may use, one at a time."""
    made = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    prepare_sqlite(made, None)
    return made


def prepare_sqlite(connection: Any, _record: Any) -> None:
    """Set a new connection of SQLite's driver up as all of them are."""
    # The driver's own idea of when a transaction begins is switched off; _begin_sqlite says it.
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout={BUSY_MILLISECONDS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get(_WRITES, False):
        _begin_writing(connection.connection.driver_connection)
    else:
        connection.exec_driver_sql("BEGIN")


def _begin_writing(driver: Any) -> None:
    """Take the write lock, which another program may hold: waiting is done here, where other green threads go on.

    Raises BUSY.
    """
    deadline = time.monotonic() + LOCK_WAIT_SECONDS
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while not _has_begun(driver):
            if time.monotonic() > deadline:
                raise busy()
            time.sleep(_LOOK_SECONDS)
    finally:
        driver.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")


def _has_begun(driver: Any) -> bool:
    try:
        driver.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if not is_busy(error):
            raise
        return False
    return True


def is_busy(error: sqlite3.OperationalError) -> bool:
    """Tell whether somebody else has the file's lock."""
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


def busy() -> FloworkError:
    """Return the refusal for as long as somebody else writes."""
    return FloworkError(ErrorCode.BUSY, "The database is busy; try again.", retry_after=_AGAIN_SECONDS)


class _Translated:
    """Around what asks the database: a full disk is STORAGE_FULL."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if not isinstance(error, (OperationalError, sqlite3.OperationalError)):
            return
        text = str(
            error.orig if isinstance(error, OperationalError) else error
        )  # without what was to be written
        if "disk is full" in text or "No space left" in text:
            raise FloworkError(ErrorCode.STORAGE_FULL, "The gateway cannot write its database.") from error


TRANSLATED = _Translated()
"""Stands around what asks a database, or a file beside it."""
