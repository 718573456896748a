"""What is asked of the table of users."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway.db.questions import Question, Source
from gateway.db.tables import users
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class UserRow:
    """A known identity; ``address`` is in lower case."""

    id: str
    address: str
    username: str | None
    email: str | None
    bio: str | None = None
    avatar: str | None = None
    created_ms: int = 0


_COLUMNS = (
    users.c.id,
    users.c.address,
    users.c.username,
    users.c.email,
    users.c.bio,
    users.c.avatar,
    users.c.created_ms,
)


_BY_ADDRESS = Question(select(*_COLUMNS).where(users.c.address == bindparam("address")))


def find(source: Source, address: str) -> UserRow | None:
    """Return the user of an address in lower case."""
    row = _BY_ADDRESS.first(source, address=address)
    return None if row is None else UserRow(*row)


def find_by_name(connection: Connection, name: str) -> UserRow | None:
    """Return the user of a name, without regard to capital letters."""
    row = connection.execute(select(*_COLUMNS).where(users.c.username_key == name.lower())).first()
    return None if row is None else UserRow(*row)


def names_of(connection: Connection, addresses: Iterable[str]) -> dict[str, str]:
    """Return the names of those addresses that have one."""
    query = select(users.c.address, users.c.username).where(
        users.c.address.in_(list(addresses)), users.c.username.is_not(None)
    )
    return {row.address: row.username for row in connection.execute(query)}


def change(connection: Connection, address: str, values: dict[str, Any]) -> bool:
    """Change a profile; return False where another user has the name."""
    name = values.get("username")
    values = values | ({"username_key": name.lower()} if name else {})
    try:
        with connection.begin_nested():
            connection.execute(update(users).where(users.c.address == address).values(**values))
    except IntegrityError:
        return False
    return True


def remove(connection: Connection, address: str) -> None:
    """Forget a user."""
    connection.execute(delete(users).where(users.c.address == address))


def page(connection: Connection, after: str, limit: int) -> list[UserRow]:
    """Return users in the order of addresses."""
    query = select(*_COLUMNS).where(users.c.address > after).order_by(users.c.address).limit(limit)
    return [UserRow(*row) for row in connection.execute(query)]


def count(connection: Connection) -> int:
    """Return how many users there are."""
    return int(connection.execute(select(func.count()).select_from(users)).scalar_one())


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
