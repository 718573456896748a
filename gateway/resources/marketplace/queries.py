"""What is asked of the marketplace's tables. Addresses are in lower case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, case, delete, func, insert, select, update

from gateway.db import upsert
from gateway.db.tables import marketplace_items, marketplace_versions, marketplace_votes, users

_ITEM = marketplace_items.c
_VERSION = marketplace_versions.c
_VOTE = marketplace_votes.c


@dataclass(frozen=True, slots=True)
class ItemRow:
    """A published item with the votes on it; ``version`` is its newest."""

    id: str
    type: str
    name: str
    description: str
    price: str
    author: str
    version: int
    published_ms: int
    author_name: str | None = None
    likes: int = 0
    dislikes: int = 0


def _items() -> Select[Any]:
    votes = (
        select(
            _VOTE.item_id,
            func.sum(case((_VOTE.vote == 1, 1), else_=0)).label("likes"),
            func.sum(case((_VOTE.vote == -1, 1), else_=0)).label("dislikes"),
        )
        .group_by(_VOTE.item_id)
        .subquery()
    )
    return (
        select(
            _ITEM.id,
            _ITEM.type,
            _ITEM.name,
            _ITEM.description,
            _ITEM.price,
            _ITEM.author_address,
            _ITEM.version,
            _ITEM.published_ms,
            users.c.username,
            func.coalesce(votes.c.likes, 0),
            func.coalesce(votes.c.dislikes, 0),
        )
        .outerjoin(votes, votes.c.item_id == _ITEM.id)
        .outerjoin(users, users.c.address == _ITEM.author_address)
    )


def listing(connection: Connection, kind: str | None, limit: int) -> list[ItemRow]:
    """Return items, newest first."""
    query = _items().order_by(_ITEM.published_ms.desc(), _ITEM.id).limit(limit)
    if kind is not None:
        query = query.where(_ITEM.type == kind)
    return [ItemRow(*row) for row in connection.execute(query)]


def find(connection: Connection, item_id: str) -> ItemRow | None:
    """Return an item."""
    row = connection.execute(_items().where(_ITEM.id == item_id)).first()
    return None if row is None else ItemRow(*row)


def lock(connection: Connection, item_id: str) -> None:
    """Let one writer at a time change an item, where the database has several."""
    connection.execute(select(_ITEM.id).where(_ITEM.id == item_id).with_for_update())


def versions(connection: Connection, item_id: str) -> list[int]:
    """Return an item's versions, newest first."""
    query = select(_VERSION.version).where(_VERSION.item_id == item_id).order_by(_VERSION.version.desc())
    return list(connection.execute(query).scalars())


def content(connection: Connection, item_id: str, version: int) -> str | None:
    """Return a version's JSON."""
    query = select(_VERSION.data).where(_VERSION.item_id == item_id, _VERSION.version == version)
    found: str | None = connection.execute(query).scalar()
    return found


def count_of(connection: Connection, author: str) -> int:
    """Return how many items an author has."""
    query = select(func.count()).select_from(marketplace_items).where(_ITEM.author_address == author)
    return int(connection.execute(query).scalar_one())


def published_since(connection: Connection, author: str, since_ms: int) -> int:
    """Return how many versions an author published lately."""
    query = (
        select(func.count())
        .select_from(marketplace_versions.join(marketplace_items))
        .where(_ITEM.author_address == author, _VERSION.published_ms > since_ms)
    )
    return int(connection.execute(query).scalar_one())


def put(connection: Connection, row: ItemRow, data: str, *, keep: int) -> None:
    """Enter an item or its next version; only the newest ``keep`` versions stay."""
    values = {
        "type": row.type,
        "name": row.name,
        "description": row.description,
        "price": row.price,
        "version": row.version,
        "published_ms": row.published_ms,
    }
    if row.version == 1:
        connection.execute(insert(marketplace_items).values(id=row.id, author_address=row.author, **values))
    else:
        connection.execute(update(marketplace_items).where(_ITEM.id == row.id).values(**values))
    connection.execute(
        insert(marketplace_versions).values(
            item_id=row.id, version=row.version, data=data, published_ms=row.published_ms
        )
    )
    connection.execute(
        delete(marketplace_versions).where(_VERSION.item_id == row.id, _VERSION.version <= row.version - keep)
    )


def vote(connection: Connection, item_id: str, address: str, value: int) -> None:
    """Count a vote in place of an earlier one; 0 takes it back."""
    if value:
        upsert.put(connection, marketplace_votes, {"item_id": item_id, "address": address}, {"vote": value})
    else:
        own = (_VOTE.item_id == item_id, _VOTE.address == address)
        connection.execute(delete(marketplace_votes).where(*own))


def remove(connection: Connection, item_id: str) -> None:
    """Delete an item with its versions and votes."""
    connection.execute(delete(marketplace_items).where(_ITEM.id == item_id))


def remove_of(connection: Connection, address: str) -> int:
    """Delete the items and votes of an address; return how many items there were."""
    connection.execute(delete(marketplace_votes).where(_VOTE.address == address))
    return connection.execute(delete(marketplace_items).where(_ITEM.author_address == address)).rowcount
