"""SQLite files inside the folders that workflows may use, and nothing beside the one file."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.engine import URL

from core_engine.kernel.context import Files
from shared.errors import ErrorCode, FloworkError

_PRAGMAS = frozenset({
    "table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list",
    "foreign_key_check", "foreign_keys", "user_version", "integrity_check", "quick_check", "encoding",
    "read_uncommitted",  # SQLAlchemy asks for it
})  # fmt: skip
# regexp: SQLAlchemy brings one whose time has no bound
_REFUSED_FUNCTIONS = frozenset({"load_extension", "fts3_tokenizer", "regexp"})
_LARGEST_VALUE = 64 * 1024 * 1024
_LONGEST_PATTERN = 1000
_STEPS_BETWEEN_LOOKS = 20_000
_LONGEST_WAIT_FOR_A_LOCK = 30.0


@contextmanager
def opened(
    url: URL, files: Files, *, read_only: bool, until: float
) -> Iterator[tuple[str, Callable[[], sqlite3.Connection]]]:
    """Give SQLAlchemy's dialect and what connects; raises FloworkError FORBIDDEN, NOT_FOUND or INVALID_REQUEST."""
    if url.query or url.host or not url.database or url.database.startswith((":", "file:")):
        raise FloworkError(
            ErrorCode.INVALID_REQUEST,
            "A SQLite address is sqlite:/// and a file inside the folders of workflows.",
        )
    path = files.readable(url.database) if read_only else files.writable(url.database)

    def create() -> sqlite3.Connection:
        wait = min(max(until - time.monotonic(), 0.0), _LONGEST_WAIT_FOR_A_LOCK)
        made = sqlite3.connect(
            f"{path.as_uri()}?mode={'ro' if read_only else 'rwc'}",
            uri=True,
            timeout=wait,
            check_same_thread=False,
        )
        _wall_in(made, until)
        return made

    yield "sqlite://", create


def _wall_in(connection: sqlite3.Connection, until: float) -> None:
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST_VALUE)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, _LONGEST_PATTERN)
    connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS_BETWEEN_LOOKS)
    connection.set_authorizer(_judge)


def _judge(action: int, first: str | None, second: str | None, _database: str | None, _by: str | None) -> int:
    if action in {sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH}:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_PRAGMA and (first or "").lower() not in _PRAGMAS:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _REFUSED_FUNCTIONS:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK
