"""Large payloads as rows, where every engine process finds them."""

from __future__ import annotations

from core_engine.storage.blobs import blob_name
from core_engine.storage.postgres.link import PostgresLink
from core_engine.storage.reader import Reader
from shared.errors import ErrorCode, FloworkError


class PayloadTable:
    """The table ``payload``: contents under the SHA-256 of them. Written in the transaction that names them."""

    def __init__(self, reader: Reader, link: PostgresLink) -> None:
        self._query = reader.query
        self._link = link

    def write(self, name: str, content: bytes) -> None:
        """Store a content under its name; the caller is the writer, in a transaction."""
        self._link.run("INSERT INTO payload VALUES (?, ?) ON CONFLICT DO NOTHING", (name, content))

    def read(self, name: str) -> bytes:
        """Return a content; raises JOURNAL_CORRUPT when it is missing or is not what its name says."""
        rows = self._query("SELECT body FROM payload WHERE name = ?", (name,))
        content = bytes(rows[0][0]) if rows else None
        if content is None or blob_name(content) != name:
            state = "missing" if content is None else "damaged"
            raise FloworkError(ErrorCode.JOURNAL_CORRUPT, f"The payload {name} is {state}.")
        return content

    def size(self) -> int:
        """Return 0: the table is part of the database, which is measured as a whole."""
        return 0
