"""What can be done in the marketplace. The author is the wallet that signed, whatever a body says."""

from __future__ import annotations

import json
from typing import Any

from gateway.auth.admins import Admins
from gateway.db import audit
from gateway.db.database import Database
from gateway.resources.accounts.service import register
from gateway.resources.marketplace import queries
from gateway.resources.marketplace.queries import ItemRow
from shared.clock import Clock, iso
from shared.contract.marketplace import (
    LARGEST_ITEM,
    MOST_LISTED,
    MarketItem,
    MarketItemDetail,
    PublishBody,
    Published,
)
from shared.errors import ErrorCode, FloworkError
from shared.ids import new_id
from shared.signing.keys import checksum_address

DAY_MS = 24 * 60 * 60 * 1000
PER_DAY = 50
MAX_ITEMS = 200
MAX_VERSIONS = 10


class Marketplace:
    """The use cases of the marketplace; addresses are in lower case."""

    def __init__(self, database: Database, clock: Clock, admins: Admins) -> None:
        self._database = database
        self._clock = clock
        self._admins = admins

    def listing(self, kind: str | None) -> list[MarketItem]:
        """List items, newest first."""
        with self._database.read() as connection:
            rows = queries.listing(connection, kind, MOST_LISTED)
        return [MarketItem.model_validate(_shown(row)) for row in rows]

    def item(self, item_id: str, version: int | None) -> MarketItemDetail:
        """Return an item with the content of a version; raises NOT_FOUND."""
        with self._database.read() as connection:
            row = queries.find(connection, item_id)
            if row is None:
                raise _no_item()
            content = queries.content(connection, item_id, version or row.version)
            kept = queries.versions(connection, item_id)
        if content is None:
            raise FloworkError(ErrorCode.NOT_FOUND, "There is no such version of the item.")
        shown = _shown(row) | {"version": version or row.version}
        return MarketItemDetail.model_validate(shown | {"data": json.loads(content), "versions": kept})

    def publish(self, author: str, body: PublishBody) -> Published:
        """Publish an item or the next version of an own one.

        Raises TOO_LARGE, NOT_FOUND (no own item of that id), CONFLICT (too many items) or RATE_LIMITED.
        """
        data = json.dumps(body.data, ensure_ascii=False, separators=(",", ":"))
        if len(data.encode()) > LARGEST_ITEM:
            raise FloworkError(ErrorCode.TOO_LARGE, f"An item has at most {LARGEST_ITEM // 1024} KiB.")
        register(self._database, self._clock, author)
        now_ms = self._clock.now_ms()
        with self._database.write() as connection:
            if queries.published_since(connection, author, now_ms - DAY_MS) >= PER_DAY:
                raise FloworkError(
                    ErrorCode.RATE_LIMITED, f"At most {PER_DAY} publications a day.", retry_after=3600
                )
            if body.id:
                queries.lock(connection, body.id)
            known = queries.find(connection, body.id) if body.id else None
            if body.id and (known is None or known.author != author):
                raise FloworkError(
                    ErrorCode.NOT_FOUND, "You have no item of this id; leave id away to publish a new one."
                )
            if known is None and queries.count_of(connection, author) >= MAX_ITEMS:
                raise FloworkError(
                    ErrorCode.CONFLICT, f"You have {MAX_ITEMS} items already; delete one first."
                )
            row = _row(body, author, known, now_ms)
            queries.put(connection, row, data, keep=MAX_VERSIONS)
            audit.record(connection, author, "item_publish", row.id, now_ms)
        return Published(message=f"Version {row.version} was published.", id=row.id, version=row.version)

    def vote(self, address: str, item_id: str, value: int) -> None:
        """Count a vote, one for each address; raises NOT_FOUND."""
        with self._database.write() as connection:
            if queries.find(connection, item_id) is None:
                raise _no_item()
            queries.vote(connection, item_id, address, value)

    def delete(self, address: str, item_id: str) -> None:
        """Delete an own item, or any as an operator; raises NOT_FOUND."""
        with self._database.write() as connection:
            row = queries.find(connection, item_id)
            if row is None or (row.author != address and not self._admins.include(address)):
                raise _no_item()
            queries.remove(connection, item_id)
            audit.record(connection, address, "item_delete", item_id, self._clock.now_ms())


def _row(body: PublishBody, author: str, known: ItemRow | None, now_ms: int) -> ItemRow:
    return ItemRow(
        id=known.id if known else new_id(),
        type=body.type,
        name=body.title,
        description=body.desc,
        price=str(body.price),
        author=author,
        version=known.version + 1 if known else 1,
        published_ms=now_ms,
    )


def _shown(row: ItemRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "type": row.type,
        "name": row.name,
        "desc": row.description,
        "price": row.price,
        "author": checksum_address(row.author),
        "author_name": row.author_name,
        "published_at": iso(row.published_ms),
        "version": row.version,
        "likes": row.likes,
        "dislikes": row.dislikes,
    }


def _no_item() -> FloworkError:
    return FloworkError(ErrorCode.NOT_FOUND, "There is no such item, or it is not yours.")
