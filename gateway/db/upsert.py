"""Writes rows whether they are there or not, also when another process does so in the same moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, and_, insert, update
from sqlalchemy.exc import IntegrityError


def insert_on_conflict(dialect: str, table: Table) -> Any:
    """Return an ``INSERT`` that can be told what to do with rows that are there, for ``sqlite`` or ``postgresql``."""
    # Of the two only the one that is used: each takes a while to load.
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as make  # noqa: PLC0415
    else:
        from sqlalchemy.dialects.postgresql import insert as make  # type: ignore[assignment] # noqa: PLC0415
    return make(table)


def put(
    connection: Connection,
    table: Table,
    key: Mapping[str, Any],
    values: Mapping[str, Any],
    first: Mapping[str, Any] | None = None,
) -> bool:
    """Set a row's values, or enter the row with ``first`` beside them; tell whether it is a new one."""
    known = and_(*(table.c[name] == value for name, value in key.items()))
    change = update(table).where(known).values(**values)
    if connection.execute(change).rowcount:
        return False
    try:
        with connection.begin_nested():
            connection.execute(insert(table).values(**key, **values, **(first or {})))
    except IntegrityError:
        connection.execute(change)
        return False
    return True
