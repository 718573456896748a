"""Variables on disk: one sealed record for each owner and name."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from core_engine.storage.link import Link
from core_engine.storage.rows import Write
from core_engine.storage.store import EngineStore


class VariableRow(NamedTuple):
    """A variable; ``body`` is JSON in which a secret value is encrypted."""

    owner: str
    name: str
    body: bytes


class VariableTable:
    """The variables of an engine."""

    def __init__(self, store: EngineStore) -> None:
        self._store = store

    def all(self) -> list[VariableRow]:
        """Return every variable of every owner, by name; blocks for a moment."""
        rows = self._store.reads.query("SELECT owner, name, body FROM variable ORDER BY owner, name")
        return [VariableRow(*row) for row in rows]

    async def put(self, row: VariableRow) -> None:
        """Store a variable in place of an earlier one; synced on return. Raises STORAGE_FULL or INTERNAL."""
        sql = (
            "INSERT INTO variable VALUES (?, ?, ?)"
            " ON CONFLICT (owner, name) DO UPDATE SET body = excluded.body"
        )
        await self._store.perform(partial(_execute, sql=sql, parameters=row))

    async def delete(self, owner: str, name: str) -> None:
        """Delete a variable; synced on return."""
        sql = "DELETE FROM variable WHERE owner = ? AND name = ?"
        await self._store.perform(partial(_execute, sql=sql, parameters=(owner, name)))

    def turn(self, owner: str, name: str) -> int:
        """Return how many values of a sequential variable were handed out."""
        stored = self._store.get(_turn_key(owner, name))
        return int(stored) if stored else 0

    def note_turn(self, owner: str, name: str, turn: int) -> None:
        """Store that number without waiting: it is synced before whatever is submitted after it."""
        write = Write(values=((_turn_key(owner, name), str(turn).encode("ascii")),), refusable=True)
        self._store.submit([write], lambda _, __: None)


def _turn_key(owner: str, name: str) -> str:
    return f"variable.turn|{owner}|{name}"


def _execute(connection: Link, *, sql: str, parameters: tuple[str | bytes, ...]) -> None:
    connection.execute(sql, parameters)  # in autocommit mode: a transaction of its own
