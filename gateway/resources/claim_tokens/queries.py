"""What is asked of the requests that wait for their token."""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from gateway.db.tables import claim_requests


def add(connection: Connection, key: bytes, engine_id: str, owner: str, expires_ms: int) -> bool:
    """Enter a request; return False if there is one of this key."""
    values = {"key": key, "engine_id": engine_id, "owner_address": owner, "expires_ms": expires_ms}
    try:
        with connection.begin_nested():
            connection.execute(insert(claim_requests).values(**values))
    except IntegrityError:
        return False
    return True


def count_of(connection: Connection, owner: str) -> int:
    """Return how many requests of an owner wait."""
    query = select(func.count()).select_from(claim_requests).where(claim_requests.c.owner_address == owner)
    return int(connection.execute(query).scalar_one())


def take(connection: Connection, key: bytes, now_ms: int) -> tuple[str, str] | None:
    """Take a request that has not expired off the table; return engine and owner."""
    row = connection.execute(
        select(claim_requests.c.engine_id, claim_requests.c.owner_address).where(
            claim_requests.c.key == key, claim_requests.c.expires_ms > now_ms
        )
    ).first()
    taken = connection.execute(delete(claim_requests).where(claim_requests.c.key == key)).rowcount
    return (row.engine_id, row.owner_address) if row is not None and taken == 1 else None


def purge(connection: Connection, now_ms: int) -> None:
    """Forget requests that have expired."""
    connection.execute(delete(claim_requests).where(claim_requests.c.expires_ms <= now_ms))
