"""What is asked of the documents that pages keep for their user."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select, update

from gateway.db.tables import user_documents


def document(connection: Connection, address: str, kind: str) -> str | None:
    """Return a document's JSON."""
    query = select(user_documents.c.body).where(
        user_documents.c.address == address, user_documents.c.kind == kind
    )
    found: str | None = connection.execute(query).scalar()
    return found


def put_document(connection: Connection, address: str, kind: str, body: str, now_ms: int) -> None:
    """Write a document's JSON."""
    values = {"body": body, "updated_ms": now_ms}
    changed = connection.execute(
        update(user_documents)
        .where(user_documents.c.address == address, user_documents.c.kind == kind)
        .values(**values)
    )
    if changed.rowcount == 0:
        connection.execute(insert(user_documents).values(address=address, kind=kind, **values))


def remove_documents(connection: Connection, address: str) -> None:
    """Forget everything that was kept for an address."""
    connection.execute(delete(user_documents).where(user_documents.c.address == address))
