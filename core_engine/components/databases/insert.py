"""Writes a list of rows into a table, all of them or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlalchemy.dialects import postgresql, sqlite

from core_engine.components.databases.database import Deadline, connect
from core_engine.components.databases.rows import to_database
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.context import Files
from shared.errors import ErrorCode, FloworkError

if TYPE_CHECKING:
    from core_engine.components.builtin.sql_insert.component import SqlInsertConfig

MOST_ROWS = 1_000_000
MOST_COLUMNS = 500
_AT_ONCE = 1000


def run(config: SqlInsertConfig, rows: Sequence[dict[str, Any]], files: Files, network: NetworkPolicy) -> int:
    """Write the rows in one transaction and return how many were changed. Blocks; raises FloworkError."""
    columns = _columns(rows)
    unknown = [name for name in config.key_columns if name not in columns]
    if unknown:
        raise FloworkError(ErrorCode.INVALID_REQUEST, f"No row has the key column {unknown[0]!r}.")
    if not rows:
        return 0
    deadline = Deadline.after(config.timeout_seconds)
    changed = 0
    with connect(config.url, files, network, read_only=False, deadline=deadline) as connection:
        statement = _statement(config, columns, connection.dialect.name)
        for start in range(0, len(rows), _AT_ONCE):
            deadline.check()
            part = [
                {name: to_database(row.get(name)) for name in columns}
                for row in rows[start : start + _AT_ONCE]
            ]
            changed += max(0, connection.execute(statement, part).rowcount)
    return changed


def _columns(rows: Sequence[dict[str, Any]]) -> list[str]:
    if len(rows) > MOST_ROWS:
        raise FloworkError(ErrorCode.TOO_LARGE, f"There are more than {MOST_ROWS} rows.")
    columns: dict[str, None] = {}
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise FloworkError(
                ErrorCode.INVALID_REQUEST, f"Row {number} is not an object of columns and values."
            )
        columns |= dict.fromkeys(row)
        if len(columns) > MOST_COLUMNS or "" in row:
            raise FloworkError(
                ErrorCode.INVALID_REQUEST, f"Row {number} has too many columns or an empty name."
            )
    if rows and not columns:
        raise FloworkError(ErrorCode.INVALID_REQUEST, "The rows have no columns.")
    return list(columns)


def _statement(config: SqlInsertConfig, columns: list[str], dialect: str) -> Any:
    schema, _, name = config.table.rpartition(".")
    table = sqlalchemy.table(name, *map(sqlalchemy.column, columns), schema=schema or None)
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement = insert(table).values({name: sqlalchemy.bindparam(name) for name in columns})
    keys = config.key_columns
    if config.mode == "insert":
        return statement
    rest = {name: statement.excluded[name] for name in columns if name not in keys}
    if config.mode == "ignore" or not rest:
        return statement.on_conflict_do_nothing(index_elements=keys or None)
    return statement.on_conflict_do_update(index_elements=keys, set_=rest)
