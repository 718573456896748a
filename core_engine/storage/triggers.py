"""Trigger rules, accepted events and remembered deliveries on disk."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from core_engine.storage.link import Link
from core_engine.storage.store import EngineStore

_PUT_RULE = "INSERT INTO trigger_rule VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body"
_PUT_DECIDED = "INSERT INTO trigger_decided VALUES (?, ?) ON CONFLICT (rule) DO UPDATE SET due = excluded.due"
_PUT_DELIVERY = (
    "INSERT INTO trigger_delivery VALUES (?, ?, ?, ?) ON CONFLICT (rule, delivery)"
    " DO UPDATE SET run_id = excluded.run_id, expires_ms = excluded.expires_ms"
)


class RuleRow(NamedTuple):
    """A rule; ``body`` is JSON in which a secret is encrypted."""

    id: str
    body: bytes


class FireRow(NamedTuple):
    """An accepted event: it stands here until the run ``run_id`` that it starts has ended.

    ``due`` is the earliest start and ``at`` when it was accepted, in Unix milliseconds. ``depth`` counts the runs
    that led to it, one firing the next.
    """

    run_id: str
    rule: str
    key: str
    due: int
    at: int
    depth: int
    body: bytes


class DeliveryRow(NamedTuple):
    """A delivery of a webhook that was accepted, with the run it started; forgotten at ``expires_ms``."""

    rule: str
    delivery: str
    run_id: str
    expires_ms: int


class Remembered(NamedTuple):
    """What is noted together: all of it or nothing. ``decided`` is a rule and the last due time decided for it."""

    fires: Sequence[FireRow] = ()
    decided: tuple[str, int] | None = None
    delivery: DeliveryRow | None = None
    replaced: Sequence[str] = ()


class TriggerTable:
    """The triggers of an engine. Reading methods block for a moment; writing ones are synced on return."""

    def __init__(self, store: EngineStore) -> None:
        self._store = store

    def rules(self) -> list[RuleRow]:
        """Return every rule."""
        return [
            RuleRow(*row) for row in self._store.reads.query("SELECT id, body FROM trigger_rule ORDER BY id")
        ]

    def decided(self) -> dict[str, int]:
        """Return for each rule the last due time that was decided."""
        return dict(self._store.reads.query("SELECT rule, due FROM trigger_decided"))

    def fires(self) -> list[FireRow]:
        """Return the accepted events in their order."""
        columns = ", ".join(FireRow._fields)
        sql = f"SELECT {columns} FROM trigger_fire ORDER BY number"  # noqa: S608 - names of our own
        return [FireRow(*row) for row in self._store.reads.query(sql)]

    def delivered(self, rule: str, delivery: str, now_ms: int) -> str | None:
        """Return the run that a delivery started."""
        sql = "SELECT run_id FROM trigger_delivery WHERE rule = ? AND delivery = ? AND expires_ms > ?"
        rows = self._store.reads.query(sql, (rule, delivery, now_ms))
        return str(rows[0][0]) if rows else None

    async def put_rules(self, rows: Sequence[RuleRow], gone: Sequence[str] = ()) -> None:
        """Store rules in place of earlier ones and delete others."""
        await self._store.perform(partial(_put_rules, rows=rows, gone=gone))

    async def remember(self, noted: Remembered) -> None:
        """Note what was accepted or decided; a run that is known is not noted twice."""
        await self._store.perform(partial(_remember, noted=noted))

    async def forget_fires(self, run_ids: Sequence[str]) -> None:
        """Forget events that are done with."""
        await self._store.perform(partial(_forget_fires, run_ids=run_ids))

    async def tidy(self, now_ms: int, most: int) -> None:
        """Forget old deliveries, and the oldest where there are more than ``most``."""
        await self._store.perform(partial(_tidy, now_ms=now_ms, most=most))


def _put_rules(connection: Link, *, rows: Sequence[RuleRow], gone: Sequence[str]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(_PUT_RULE, rows)
    for rule in gone:
        for table, column in (("rule", "id"), ("decided", "rule"), ("delivery", "rule")):
            connection.execute(f"DELETE FROM trigger_{table} WHERE {column} = ?", (rule,))  # noqa: S608 - ours
    connection.execute("COMMIT")


def _remember(connection: Link, *, noted: Remembered) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("DELETE FROM trigger_fire WHERE run_id = ?", [(run,) for run in noted.replaced])
    names = ", ".join(FireRow._fields)
    sql = f"INSERT INTO trigger_fire ({names}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"  # noqa: S608 - names of our own
    connection.executemany(sql, noted.fires)
    if noted.decided:
        connection.execute(_PUT_DECIDED, noted.decided)
    if noted.delivery:
        connection.execute(_PUT_DELIVERY, noted.delivery)
    connection.execute("COMMIT")


def _forget_fires(connection: Link, *, run_ids: Sequence[str]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("DELETE FROM trigger_fire WHERE run_id = ?", [(run,) for run in run_ids])
    connection.execute("COMMIT")


def _tidy(connection: Link, *, now_ms: int, most: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM trigger_delivery WHERE expires_ms <= ?", (now_ms,))
    connection.execute(
        "DELETE FROM trigger_delivery WHERE expires_ms <= (SELECT expires_ms FROM trigger_delivery"
        " ORDER BY expires_ms DESC LIMIT 1 OFFSET ?)",
        (most,),
    )
    connection.execute("COMMIT")
