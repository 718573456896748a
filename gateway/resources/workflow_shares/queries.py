"""What is asked of the share links. Addresses are in lower case, tokens known by their hash only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from gateway.db.questions import Question, Source
from gateway.db.tables import workflow_shares


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A share link; ``signed_text`` and ``signature`` are what the owner signed about it."""

    id: str
    engine_id: str
    owner_address: str
    preset: str
    level: str
    link_name: str
    token_hash: str
    signed_text: str | None
    signature: str | None
    expires_ms: int | None
    created_ms: int


_COLUMNS = tuple(workflow_shares.c[name] for name in LinkRow.__slots__)
_BY_TOKEN = Question(select(*_COLUMNS).where(workflow_shares.c.token_hash == bindparam("token_hash")))


def of_preset(connection: Connection, owner: str, engine_id: str, preset: str) -> list[LinkRow]:
    """Return the links to a preset, newest first."""
    query = select(*_COLUMNS).where(
        workflow_shares.c.owner_address == owner,
        workflow_shares.c.engine_id == engine_id,
        workflow_shares.c.preset == preset,
    )
    query = query.order_by(workflow_shares.c.created_ms.desc(), workflow_shares.c.id)
    return [LinkRow(*row) for row in connection.execute(query)]


def find(connection: Connection, share_id: str, owner: str) -> LinkRow | None:
    """Return a link of an owner."""
    query = select(*_COLUMNS).where(
        workflow_shares.c.id == share_id, workflow_shares.c.owner_address == owner
    )
    row = connection.execute(query).first()
    return None if row is None else LinkRow(*row)


def find_by_token_hash(source: Source, token_hash: str) -> LinkRow | None:
    """Return the link whose token has this hash."""
    row = _BY_TOKEN.first(source, token_hash=token_hash)
    return None if row is None else LinkRow(*row)


def count_of(connection: Connection, owner: str) -> int:
    """Return how many links an owner has."""
    query = select(func.count()).select_from(workflow_shares).where(workflow_shares.c.owner_address == owner)
    return int(connection.execute(query).scalar_one())


def add(connection: Connection, row: LinkRow) -> None:
    """Enter a link."""
    connection.execute(
        insert(workflow_shares).values({name: getattr(row, name) for name in LinkRow.__slots__})
    )


def change(connection: Connection, share_id: str, owner: str, values: dict[str, Any]) -> bool:
    """Change a link; return False if the owner has no such link."""
    query = update(workflow_shares).where(
        workflow_shares.c.id == share_id, workflow_shares.c.owner_address == owner
    )
    return connection.execute(query.values(**values)).rowcount == 1


def remove(connection: Connection, share_id: str, owner: str) -> bool:
    """End a link; return False if the owner has no such link."""
    query = delete(workflow_shares).where(
        workflow_shares.c.id == share_id, workflow_shares.c.owner_address == owner
    )
    return connection.execute(query).rowcount == 1


def remove_of(connection: Connection, owner: str) -> None:
    """End every link of an owner."""
    connection.execute(delete(workflow_shares).where(workflow_shares.c.owner_address == owner))


def purge(connection: Connection, now_ms: int) -> None:
    """Forget links that have expired."""
    connection.execute(delete(workflow_shares).where(workflow_shares.c.expires_ms <= now_ms))
