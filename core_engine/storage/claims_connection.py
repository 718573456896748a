"""A connection to PostgreSQL that is made again when it broke, and on which no call waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

import psycopg
from psycopg.rows import dict_row

from shared.errors import ErrorCode, FloworkError

Connection = psycopg.AsyncConnection[dict[str, Any]]
Found = TypeVar("Found")
_FORMS = ("postgresql://", "postgres://")
_BROKEN = (psycopg.OperationalError, psycopg.InterfaceError, OSError, TimeoutError)


def postgres_address(url: str) -> str:
    """Return a database URL as libpq reads it; raises CONFIGURATION for anything but PostgreSQL."""
    address = url.replace("postgresql+psycopg://", "postgresql://", 1)
    if not address.startswith(_FORMS):
        message = (
            "Worker processes need PostgreSQL: set DATABASE_URL to postgresql://user:password@host/name."
        )
        raise FloworkError(ErrorCode.CONFIGURATION, message)
    return address


class KeptConnection:
    """One connection, used by one caller at a time; ``seconds`` is the deadline of each call.

    A call that fails because the server is away raises ENGINE_UNAVAILABLE and leaves no connection; the next call
    makes a new one.
    """

    def __init__(self, address: str, name: str, seconds: float) -> None:
        self._address = address
        self._name = name
        self._seconds = seconds
        self._lock = asyncio.Lock()
        self._connection: Connection | None = None

    async def run(self, job: Callable[[Connection], Awaitable[Found]]) -> Found:
        """Call the job with the connection; every statement outside of a transaction is committed at once."""
        async with self._lock:
            try:
                async with asyncio.timeout(self._seconds):
                    if self._connection is None or self._connection.broken:
                        self._connection = await self.open()
                    return await job(self._connection)
            except _BROKEN as error:
                await self._drop()
                message = f"PostgreSQL cannot be used at the moment ({type(error).__name__})."
                raise FloworkError(ErrorCode.ENGINE_UNAVAILABLE, message) from error
            except asyncio.CancelledError:
                await self._drop()  # it may be in the middle of an answer
                raise

    async def open(self) -> Connection:
        """Return a connection of the caller's own."""
        return await psycopg.AsyncConnection.connect(
            self._address,
            autocommit=True,
            row_factory=dict_row,
            application_name=self._name,
            connect_timeout=max(2, int(self._seconds)),
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=3,
        )

    async def close(self) -> None:
        """Close the connection."""
        async with self._lock:
            await self._drop()

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            with suppress(*_BROKEN):
                await connection.close()
