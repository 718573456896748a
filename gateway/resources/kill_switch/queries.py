"""What is asked of the table of switched-off components."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select

from gateway.db import upsert
from gateway.db.tables import disabled_components


@dataclass(frozen=True, slots=True)
class DisabledRow:
    """A component that is switched off; ``by`` is in lower case."""

    component_id: str
    reason: str
    by: str
    at_ms: int


def all_disabled(connection: Connection) -> list[DisabledRow]:
    """Return them all, by id."""
    table = disabled_components.c
    query = select(table.component_id, table.reason, table.by_address, table.at_ms)
    return [DisabledRow(*row) for row in connection.execute(query.order_by(table.component_id))]


def count(connection: Connection) -> int:
    """Return how many there are."""
    return int(connection.execute(select(func.count()).select_from(disabled_components)).scalar_one())


def put(connection: Connection, row: DisabledRow) -> None:
    """Enter a component, or change its reason."""
    values = {"reason": row.reason, "by_address": row.by, "at_ms": row.at_ms}
    upsert.put(connection, disabled_components, {"component_id": row.component_id}, values)


def remove(connection: Connection, component_id: str) -> bool:
    """Take a component off the table; return False if it is not there."""
    query = delete(disabled_components).where(disabled_components.c.component_id == component_id)
    return connection.execute(query).rowcount == 1
