"""What lets a GUI reconnect for hours with the signature of its first connect (protocol §2.4)."""

from __future__ import annotations

import hashlib
from enum import Enum

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway.db import audit
from gateway.db.database import Database
from gateway.db.tables import socket_sessions


class SessionState(Enum):
    """Whether a signed text may open a socket beyond the time window of its signature."""

    UNKNOWN = "never connected with"
    ALIVE = "may reconnect"
    ENDED = "ended by a logout"


class SocketSessions:
    """The sessions, each bound to one address and one signed text."""

    def __init__(self, database: Database, lifetime_ms: int) -> None:
        self._database = database
        self._lifetime_ms = lifetime_ms

    @property
    def lifetime_ms(self) -> int:
        """How long a session lives after its first connect."""
        return self._lifetime_ms

    def state(self, address: str, message: str, now_ms: int) -> SessionState:
        """Tell what is known of a signed text."""
        with self._database.read() as connection:
            row = connection.execute(
                select(socket_sessions.c.expires_ms, socket_sessions.c.revoked_ms).where(
                    socket_sessions.c.key == _key(address, message)
                )
            ).first()
        if row is None or row.expires_ms <= now_ms:
            return SessionState.UNKNOWN
        return SessionState.ALIVE if row.revoked_ms is None else SessionState.ENDED

    def open(self, address: str, message: str, now_ms: int) -> None:
        """Begin a session at its first connect, and forget those that have expired."""
        row = {
            "key": _key(address, message),
            "address": address,
            "expires_ms": now_ms + self._lifetime_ms,
        }
        with self._database.write() as connection:
            connection.execute(delete(socket_sessions).where(socket_sessions.c.expires_ms <= now_ms))
            known = select(socket_sessions.c.key).where(socket_sessions.c.key == row["key"])
            # Two tabs may connect in the same second, and then with the same text.
            if connection.execute(known).first() is not None:
                return
            try:
                with connection.begin_nested():
                    connection.execute(insert(socket_sessions).values(row))
            except IntegrityError:  # the other tab's gateway process was quicker
                return
            audit.record(connection, address, "sign_in", address, now_ms)

    def revoke(self, address: str, now_ms: int) -> None:
        """End every session of an address."""
        with self._database.write() as connection:
            connection.execute(
                update(socket_sessions)
                .where(socket_sessions.c.address == address, socket_sessions.c.revoked_ms.is_(None))
                .values(revoked_ms=now_ms)
            )


def _key(address: str, message: str) -> bytes:
    return hashlib.sha256(f"{address}|{message}".encode()).digest()
