"""Opens a database that a step names by its SQLAlchemy URL: SQLite inside the roots, or PostgreSQL over the network."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from core_engine.components.databases import postgresql, sqlite
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.context import Files
from shared.errors import ErrorCode, FloworkError

_LONGEST_MESSAGE = 1000


@dataclass(frozen=True, slots=True)
class Deadline:
    """The end of a step's time, on the monotonic clock."""

    seconds: float
    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the deadline that many seconds from now."""
        return cls(seconds, time.monotonic() + seconds)

    def passed(self) -> bool:
        """Tell whether it is over."""
        return time.monotonic() > self.at

    def check(self) -> None:
        """Raise FloworkError COMPONENT_FAILED when it is over."""
        if self.passed():
            raise FloworkError(
                ErrorCode.COMPONENT_FAILED, f"The database step ran longer than {self.seconds:g} s."
            )


@contextmanager
def connect(
    url: str, files: Files, network: NetworkPolicy, *, read_only: bool, deadline: Deadline
) -> Iterator[sqlalchemy.Connection]:
    """Connect for one transaction: committed at the end, rolled back after an error and when it only reads. Blocks.

    Raises FloworkError: INVALID_REQUEST, FORBIDDEN, NOT_FOUND, COMPONENT_FAILED for what the database refused.
    """
    parsed = _parse(url)
    try:
        opened: AbstractContextManager[tuple[str, Callable[[], Any]]]
        if parsed.get_backend_name() == "sqlite":
            opened = sqlite.opened(parsed, files, read_only=read_only, until=deadline.at)
        else:
            opened = postgresql.opened(parsed, network, read_only=read_only, until=deadline.at)
        with opened as (dialect, creator):
            engine = sqlalchemy.create_engine(dialect, creator=creator, poolclass=NullPool)
            with engine.connect() as connection, connection.begin() as transaction:
                if parsed.get_backend_name() == "postgresql":
                    connection.exec_driver_sql("SELECT 1")  # from here on reading cannot become writing
                yield connection
                if read_only:
                    transaction.rollback()
    except (SQLAlchemyError, psycopg.Error, sqlite3.Error) as error:
        deadline.check()
        raise FloworkError(ErrorCode.COMPONENT_FAILED, explain(error)) from None


def explain(error: Exception) -> str:
    """Return what the database said, without the statement and its parameters."""
    said = getattr(error, "orig", None) or error
    text = " ".join(str(said).split())[:_LONGEST_MESSAGE]
    return f"The database refused: {text or type(said).__name__}"


def _parse(text: str) -> URL:
    try:
        url = make_url(text.strip())
    except (ArgumentError, ValueError):
        raise FloworkError(ErrorCode.INVALID_REQUEST, "The address of the database is not valid.") from None
    if url.drivername in {"postgres", "postgresql"}:
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"}:
        raise FloworkError(
            ErrorCode.INVALID_REQUEST,
            f"{url.drivername} is not supported; there are sqlite:///file and postgresql://user:password@host/name.",
        )
    return url
