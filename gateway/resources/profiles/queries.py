"""What is asked of the documents that pages keep for their user."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from gateway.db.tables import user_documents
from gateway.db.upsert import put


def document(connection: Connection, address: str, kind: str, *, to_change: bool = False) -> str | None:
    """Return a document's JSON; ``to_change`` makes other writers wait, where the database has several."""
    query = select(user_documents.c.body).where(
        user_documents.c.address == address, user_documents.c.kind == kind
    )
    query = query.with_for_update() if to_change else query
    found: str | None = connection.execute(query).scalar()
    return found


def put_document(connection: Connection, address: str, kind: str, body: str, now_ms: int) -> None:
    """Write a document's JSON."""
    key = {"address": address, "kind": kind}
    put(connection, user_documents, key, {"body": body, "updated_ms": now_ms})


def remove_documents(connection: Connection, address: str) -> None:
    """Forget everything that was kept for an address."""
    connection.execute(delete(user_documents).where(user_documents.c.address == address))
