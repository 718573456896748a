"""Runs one statement of a step and collects or exports its rows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy

from core_engine.components.databases.database import Deadline, connect
from core_engine.components.databases.export import Export
from core_engine.components.databases.rows import to_database, to_json
from core_engine.components.fields import typed_values
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.context import Files
from shared.errors import ErrorCode, FloworkError

if TYPE_CHECKING:
    from core_engine.components.builtin.sql_query.component import SqlQueryConfig

MOST_DATA_ROWS = 100_000
MOST_DATA_BYTES = 32 * 1024 * 1024
MOST_FILE_BYTES = 4 * 1024 * 1024 * 1024
_FETCHED_AT_ONCE = 500
_CURSOR = re.compile(r"\s*(SELECT|VALUES|TABLE)\b", re.IGNORECASE)
_CURSOR_WHEN_READING = re.compile(r"\s*(SELECT|VALUES|TABLE|WITH)\b", re.IGNORECASE)


def run(config: SqlQueryConfig, files: Files, network: NetworkPolicy) -> dict[str, Any]:
    """Return the statement's answer as the step's data. Blocks; raises FloworkError."""
    deadline = Deadline.after(config.timeout_seconds)
    export = _export(config, files)
    statement, values = _statement(config)
    with connect(config.url, files, network, read_only=config.read_only, deadline=deadline) as connection:
        pattern = _CURSOR_WHEN_READING if config.read_only else _CURSOR
        streamed = connection.dialect.name == "sqlite" or pattern.match(config.query) is not None
        options = {"stream_results": streamed, "max_row_buffer": _FETCHED_AT_ONCE}
        with connection.execute(statement, values, execution_options=options) as result:
            if not result.returns_rows:
                return _answer(config, [], [], result.rowcount, more=False)
            columns = _unique(list(result.keys()))
            rows = Rows(result, deadline, config.max_rows if export else min(config.max_rows, MOST_DATA_ROWS))
            if export:
                count, size = export.write(columns, rows)
                place = {"path": str(export.path), "size_bytes": size}
                return {"columns": columns, "row_count": count, "more": rows.more, **place}
            found = _collect(columns, rows)
            return _answer(config, columns, found, len(found), more=rows.more)


class Rows:
    """The rows of a result as JSON values, at most so many; ``more`` tells whether there are further ones."""

    def __init__(self, result: sqlalchemy.CursorResult[Any], deadline: Deadline, most: int) -> None:
        self._result = result
        self._deadline = deadline
        self._most = most
        self.more = False

    def __iter__(self) -> Iterator[list[Any]]:
        count = 0
        while part := self._result.fetchmany(_FETCHED_AT_ONCE):
            self._deadline.check()
            for row in part:
                if count == self._most:
                    self.more = True
                    return
                count += 1
                yield [to_json(value) for value in row]


def _answer(
    config: SqlQueryConfig, columns: list[str], rows: list[dict[str, Any]], count: int, *, more: bool
) -> dict[str, Any]:
    head: dict[str, Any] = {"columns": columns, "row_count": count, "more": more}
    return head | ({"rows": rows} if config.output == "rows" else {"path": "", "size_bytes": 0})


def _collect(columns: Sequence[str], rows: Rows) -> list[dict[str, Any]]:
    found = []
    size = 0
    for row in rows:
        found.append(dict(zip(columns, row, strict=True)))
        size += len(json.dumps(row))
        if size > MOST_DATA_BYTES:
            raise FloworkError(
                ErrorCode.TOO_LARGE,
                f"The rows have more than {MOST_DATA_BYTES // (1024 * 1024)} MiB; write them to a file instead.",
            )
    return found


def _unique(names: list[str]) -> list[str]:
    """Return the columns' names; a second one of the same name gets a number."""
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return unique


def _export(config: SqlQueryConfig, files: Files) -> Export | None:
    if config.output == "rows":
        return None
    if not config.path:
        raise FloworkError(ErrorCode.INVALID_REQUEST, "Writing rows to a file needs its path.")
    return Export(files.writable(config.path), config.output, MOST_FILE_BYTES)


def _statement(config: SqlQueryConfig) -> tuple[sqlalchemy.TextClause, dict[str, Any]]:
    try:
        values = typed_values(config.parameters)
    except ValueError as error:
        raise FloworkError(ErrorCode.INVALID_REQUEST, str(error)) from error
    statement = sqlalchemy.text(config.query)
    used = {name: value for name, value in values.items() if name in statement.compile().params}
    lists = [name for name, value in used.items() if isinstance(value, list)]
    if lists:
        statement = statement.bindparams(*(sqlalchemy.bindparam(name, expanding=True) for name in lists))
    return statement, {
        name: [to_database(item) for item in value] if name in lists else to_database(value)
        for name, value in used.items()
    }
