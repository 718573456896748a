"""PostgreSQL servers at addresses that may be dialled, with every wait bounded."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from sqlalchemy.engine import URL

from core_engine.components.dialling import resolve
from core_engine.components.network import NetworkPolicy
from shared.errors import ErrorCode, FloworkError

_PORT = 5432
_LONGEST_CONNECT = 30
_GRACE_SECONDS = 2.0
_TLS_MODES = frozenset({"disable", "prefer", "require", "verify-ca", "verify-full"})


@contextmanager
def opened(
    url: URL, network: NetworkPolicy, *, read_only: bool, until: float
) -> Iterator[tuple[str, Callable[[], psycopg.Connection[Any]]]]:
    """Give SQLAlchemy's dialect and what connects; raises FloworkError FORBIDDEN or INVALID_REQUEST.

    The server ends a statement at the deadline. A server that does not is left a moment later.
    """
    settings = _settings(url, network, read_only=read_only, until=until)
    made: list[psycopg.Connection[Any]] = []

    def create() -> psycopg.Connection[Any]:
        connection: psycopg.Connection[Any] = psycopg.connect(**settings)
        made.append(connection)
        return connection

    timer = threading.Timer(max(0.0, until - time.monotonic()) + _GRACE_SECONDS, lambda: _cut_off(made))
    timer.daemon = True
    timer.start()
    try:
        yield "postgresql+psycopg://", create
    finally:
        timer.cancel()


def _settings(url: URL, network: NetworkPolicy, *, read_only: bool, until: float) -> dict[str, Any]:
    options = dict(url.query)
    mode = options.pop("sslmode", "prefer")
    if options or mode not in _TLS_MODES or not url.host or not url.username:
        raise FloworkError(
            ErrorCode.INVALID_REQUEST,
            "A PostgreSQL address is postgresql://user:password@host:port/name, at most with ?sslmode=… after it.",
        )
    port = url.port or _PORT
    left = max(1, int((until - time.monotonic()) * 1000))
    bounds = {
        "statement_timeout": left,
        "lock_timeout": left,
        "idle_in_transaction_session_timeout": left + 10_000,
        "default_transaction_read_only": "on" if read_only else "off",
    }
    return {
        "host": url.host,
        "hostaddr": resolve(network, url.host, port),  # what was judged is what is dialled
        "port": port,
        "user": url.username,
        "password": str(url.password) if url.password is not None else "",
        "dbname": url.database or url.username,
        "sslmode": mode,
        "application_name": "flowork",
        "connect_timeout": min(_LONGEST_CONNECT, max(2, left // 1000)),
        "tcp_user_timeout": left,
        "options": " ".join(f"-c {name}={value}" for name, value in bounds.items()),
        "prepare_threshold": 0,  # a prepared statement is one statement, so none can be smuggled in behind it
        "passfile": os.devnull,
    }


def _cut_off(connections: list[psycopg.Connection[Any]]) -> None:
    """End the connections from another thread: whoever waits for the server is woken by their end."""
    for connection in connections:
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as doubled:
            doubled.shutdown(socket.SHUT_RDWR)
