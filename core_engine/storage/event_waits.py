"""Reads about steps that wait for events, by the event's name or by the wait's token."""

from __future__ import annotations

from core_engine.storage.reader import Reader
from core_engine.storage.rows import EventWaitRow

_COLUMNS = ",".join(EventWaitRow._fields)


class EventWaitTable:
    """The waits for events. The methods block for the disk and may be called on any thread."""

    def __init__(self, reader: Reader) -> None:
        self._query = reader.query

    def of_token(self, token: str) -> EventWaitRow | None:
        """Return the wait of a token."""
        rows = self._query(f"SELECT {_COLUMNS} FROM event_wait WHERE token = ?", (token,))  # noqa: S608 - fixed names
        return EventWaitRow(*rows[0]) if rows else None

    def of_event(self, event: str, correlation: str, after: str, limit: int) -> list[EventWaitRow]:
        """Return waits that an event ends, in the order of their tokens, from just after one."""
        sql = (
            f"SELECT {_COLUMNS} FROM event_wait WHERE event = ? AND (correlation IS NULL OR correlation = ?)"  # noqa: S608 - fixed names
            " AND token > ? ORDER BY token LIMIT ?"
        )
        return [EventWaitRow(*row) for row in self._query(sql, (event, correlation, after, limit))]
