"""What is asked of the tables of engines and their shares. Addresses are in lower case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from gateway.db.questions import Question, Source
from gateway.db.tables import engine_shares, engines


@dataclass(frozen=True, slots=True)
class EngineRow:
    """An engine; ``owner_address`` is None until a bundled engine is claimed."""

    id: str
    owner_address: str | None
    name: str
    token_hash: str
    last_seen_ms: int | None


_COLUMNS = (
    engines.c.id,
    engines.c.owner_address,
    engines.c.name,
    engines.c.token_hash,
    engines.c.last_seen_ms,
)


# What is asked all the time.
_OWN = Question(
    select(engines.c.id)
    .where(engines.c.owner_address == bindparam("address"))
    .order_by(engines.c.name, engines.c.id)
)
_SHARED = Question(
    select(engines.c.id, engine_shares.c.role)
    .join(engine_shares, engine_shares.c.engine_id == engines.c.id)
    .where(engine_shares.c.guest_address == bindparam("address"))
    .order_by(engines.c.name, engines.c.id)
)
_BY_ID = Question(select(*_COLUMNS).where(engines.c.id == bindparam("engine")))
_BY_TOKEN = Question(select(*_COLUMNS).where(engines.c.token_hash == bindparam("token_hash")))
_BY_OWNER = Question(select(*_COLUMNS).where(engines.c.owner_address == bindparam("owner")))
_OWNER = Question(select(engines.c.owner_address).where(engines.c.id == bindparam("engine")))
_GUESTS = Question(
    select(engine_shares.c.guest_address)
    .where(engine_shares.c.engine_id == bindparam("engine"))
    .order_by(engine_shares.c.guest_address)
)
_VISIBLE = Question(
    select(engines.c.id)
    .where(engines.c.owner_address == bindparam("address"))
    .union(select(engine_shares.c.engine_id).where(engine_shares.c.guest_address == bindparam("address")))
)
_TOUCH = update(engines).where(engines.c.id == bindparam("engine")).values(last_seen_ms=bindparam("heard"))


def find(source: Source, engine_id: str) -> EngineRow | None:
    """Return an engine by its id."""
    return _engine(_BY_ID.first(source, engine=engine_id))


def find_by_token_hash(source: Source, token_hash: str) -> EngineRow | None:
    """Return the engine whose token has this hash."""
    return _engine(_BY_TOKEN.first(source, token_hash=token_hash))


def owned_by(source: Source, owner: str) -> list[EngineRow]:
    """Return the engines of an owner, by name."""
    rows = [EngineRow(*row) for row in _BY_OWNER.rows(source, owner=owner)]
    return sorted(rows, key=lambda row: (row.name.casefold(), row.id))


def count_owned_by(connection: Connection, owner: str) -> int:
    """Return how many engines an owner has."""
    query = select(func.count()).select_from(engines).where(engines.c.owner_address == owner)
    return int(connection.execute(query).scalar_one())


def visible_to(source: Source, address: str) -> list[str]:
    """Return the ids of the engines an address owns or was given access to, sorted."""
    return sorted(engine_id for (engine_id,) in _VISIBLE.rows(source, address=address))


def access_of(source: Source, address: str) -> dict[str, str]:
    """Return the engines that an address may use and its role on each: its own first, then shared ones, by name."""
    found = {engine_id: "owner" for (engine_id,) in _OWN.rows(source, address=address)}
    for engine_id, role in _SHARED.rows(source, address=address):
        found.setdefault(engine_id, role)
    return found


def audience(source: Source, engine_id: str) -> list[str]:
    """Return the addresses that may know of an engine: its owner first, then its guests, sorted."""
    known = (*_OWNER.rows(source, engine=engine_id), *_GUESTS.rows(source, engine=engine_id))
    return [address for (address,) in known if address]


def add(  # noqa: PLR0913 - the columns of the row
    connection: Connection, *, engine_id: str, owner: str | None, name: str, token_hash: str, now_ms: int
) -> None:
    """Enter an engine."""
    connection.execute(
        insert(engines).values(
            id=engine_id, owner_address=owner, name=name, token_hash=token_hash, created_ms=now_ms
        )
    )


def remove(connection: Connection, engine_id: str, owner: str) -> bool:
    """Delete an engine and its shares; return False if the owner has no such engine."""
    query = delete(engines).where(engines.c.id == engine_id, engines.c.owner_address == owner)
    return connection.execute(query).rowcount == 1


def set_token_hash(connection: Connection, engine_id: str, owner: str, token_hash: str) -> bool:
    """Replace an engine's token; return False if the owner has no such engine."""
    return _change(connection, engine_id, owner, {"token_hash": token_hash})


def rename(connection: Connection, engine_id: str, owner: str, name: str) -> bool:
    """Rename an engine; return False if the owner has no such engine."""
    return _change(connection, engine_id, owner, {"name": name})


def set_first_owner(connection: Connection, engine_id: str, owner: str) -> bool:
    """Give an unowned engine its owner; return False if it has one or does not exist."""
    query = update(engines).where(engines.c.id == engine_id, engines.c.owner_address.is_(None))
    return connection.execute(query.values(owner_address=owner)).rowcount == 1


def touch(connection: Connection, heard_ms: Mapping[str, int]) -> None:
    """Note when engines were last heard of."""
    connection.execute(_TOUCH, [{"engine": name, "heard": at} for name, at in heard_ms.items()])


def _change(connection: Connection, engine_id: str, owner: str, values: dict[str, Any]) -> bool:
    query = update(engines).where(engines.c.id == engine_id, engines.c.owner_address == owner)
    return connection.execute(query.values(**values)).rowcount == 1


def _engine(row: Any) -> EngineRow | None:
    return None if row is None else EngineRow(*row)
