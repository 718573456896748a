"""What is asked of the table of users."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from gateway.db.tables import users
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class UserRow:
    """A known identity; ``address`` is in lower case."""

    id: str
    address: str
    username: str | None
    email: str | None


def find(connection: Connection, address: str) -> UserRow | None:
    """Return the user of an address in lower case."""
    columns = (users.c.id, users.c.address, users.c.username, users.c.email)
    row = connection.execute(select(*columns).where(users.c.address == address)).first()
    return None if row is None else UserRow(row.id, row.address, row.username, row.email)


def add(connection: Connection, address: str, now_ms: int) -> bool:
    """Enter an address; return False if it is known already, also when another process was quicker."""
    if find(connection, address) is not None:
        return False
    try:
        with connection.begin_nested():
            connection.execute(insert(users).values(id=new_id(), address=address, created_ms=now_ms))
    except IntegrityError:
        return False
    return True
