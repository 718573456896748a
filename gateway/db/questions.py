"""Queries that are asked all the time: their text is made once, and on SQLite nothing else stands around them.

What a library does for one small query (a connection from its pool, a transaction, finding out what the query means,
an object for each row) costs many times what the query itself does.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from sqlalchemy import CompoundSelect, Connection, Select
from sqlalchemy.dialects import sqlite

from gateway.db.database import Database
from gateway.db.direct import Rows, Value

Source = Connection | Database
"""Where a question is asked: within a transaction, or of the database as it is now."""


class Question:
    """A query whose parameters all have names (``bindparam("…")``), of plain numbers and texts."""

    def __init__(self, query: Select[Any] | CompoundSelect[Any]) -> None:
        self._query = query

    def rows(self, source: Source, **values: Value) -> Rows:
        """Return the rows that answer it; ``values`` are those of its parameters."""
        if isinstance(source, Connection):
            return [tuple(row) for row in source.execute(self._query, values)]
        if source.has_direct_reads:
            return source.read_directly(self._text, values)
        with source.read() as connection:
            return self.rows(connection, **values)

    def first(self, source: Source, **values: Value) -> tuple[Any, ...] | None:
        """Return the first row that answers it, None where there is none."""
        rows = self.rows(source, **values)
        return rows[0] if rows else None

    @cached_property
    def _text(self) -> str:
        """The query as SQLite reads it; raises TypeError for one that needs more than its text and named values."""
        dialect = sqlite.dialect(paramstyle="named")
        compiled = self._query.compile(dialect=dialect)
        converted = (column.type.dialect_impl(dialect) for column in self._query.selected_columns)
        named = all(value is None for value in compiled.params.values())
        if not named or any(kind.result_processor(dialect, None) for kind in converted):
            raise TypeError(f"not a question: {compiled}")
        return str(compiled)
