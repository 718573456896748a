"""The engine's side of claims: it offers steps, hears what became of them, and takes back what was lost."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from core_engine.storage.claims_connection import Connection, KeptConnection
from core_engine.storage.claims_schema import LOCK, TABLES

KEPT_SECONDS = 60
"""How long a claim that has ended stays: a result that was read is in the journal long before."""
FORGOTTEN_SECONDS = 7 * 86_400
"""After this time a claim that no living process of the engine knows is deleted."""


class Offer(NamedTuple):
    """A step to be carried out; ``request`` is sealed, ``lease_seconds`` how long a worker may be silent.

    ``step`` names this execution of the step, and stays the same over restarts of the engine.
    """

    id: str
    run: str
    node: str
    attempt: int
    step: str
    epoch: int
    queue: str
    label: str
    lease_seconds: float
    request: bytes


class ClaimNews(NamedTuple):
    """How a claim stands; ``note`` says why a lost one was lost."""

    state: str
    worker: str
    note: str
    fence: int
    result: bytes | None


def channel(engine_id: str) -> str:
    """Return the name under which PostgreSQL tells an engine of its claims."""
    return "flowork_" + hashlib.sha256(engine_id.encode()).hexdigest()[:32]


class Claims:
    """The claims of one engine."""

    def __init__(self, connection: KeptConnection, engine_id: str, speaks: str = "") -> None:
        """``speaks`` is the version of this engine; only workers of the same one may take its steps."""
        self.connection = connection
        self._engine = engine_id
        self._speaks = speaks
        self.channel = channel(engine_id)

    async def prepare(self) -> None:
        """Make the tables where they are missing."""

        async def make(connection: Connection) -> None:
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
                for statement in TABLES:
                    await connection.execute(statement.encode())

        await self.connection.run(make)

    async def announce(self) -> None:
        """Tell workers which version the engine is from now on."""
        await self._execute(
            "INSERT INTO step_engine (engine, speaks) VALUES (%s, %s)"
            " ON CONFLICT (engine) DO UPDATE SET speaks = excluded.speaks",
            (self._engine, self._speaks),
        )

    async def offer(self, offer: Offer) -> None:
        """Put a step up for workers; offering it twice changes nothing."""
        await self._execute(
            "INSERT INTO step_claim (id, run, node, attempt, step, epoch, queue, label, lease_seconds, request,"
            " engine, speaks, state) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'READY')"
            " ON CONFLICT (id) DO NOTHING",
            (*offer, self._engine, self._speaks),
        )

    async def withdraw(self, ids: Collection[str]) -> None:
        """Take steps back, whoever has them: no worker can write to them any more."""
        await self._execute(
            "DELETE FROM step_claim WHERE engine = %s AND id = ANY(%s)", (self._engine, list(ids))
        )

    async def withdraw_steps(self, steps: Collection[str], epoch: int) -> None:
        """Take executions of steps back by their names, as `withdraw`; not what a later process has adopted."""
        await self._execute(
            "DELETE FROM step_claim WHERE engine = %s AND step = ANY(%s) AND epoch <= %s",
            (self._engine, list(steps), epoch),
        )

    async def news(self, ids: Collection[str]) -> dict[str, ClaimNews]:
        """Return how these claims stand; one that is not there any more is left out."""
        rows = await self._fetch(
            "SELECT id, state, worker, note, fence, result FROM step_claim WHERE engine = %s AND id = ANY(%s)",
            (self._engine, list(ids)),
        )
        return {
            row["id"]: ClaimNews(row["state"], row["worker"], row["note"], row["fence"], row["result"])
            for row in rows
        }

    async def events(self, after: Mapping[str, int]) -> dict[str, list[tuple[int, bytes]]]:
        """Return what steps have told since, each after the number given for its claim, in order."""
        rows = await self._fetch(
            "SELECT claim, number, body FROM step_event"
            " JOIN unnest(%s::text[], %s::int[]) AS known (id, after) ON claim = known.id AND number > known.after"
            " ORDER BY claim, number",
            (list(after), list(after.values())),
        )
        told: dict[str, list[tuple[int, bytes]]] = {}
        for row in rows:
            told.setdefault(row["claim"], []).append((row["number"], row["body"]))
        return told

    async def expire(self) -> list[str]:
        """Declare the leases lost whose workers have been silent for too long; return their claims."""
        rows = await self._fetch(
            "UPDATE step_claim SET state = 'LOST', note = 'silent', ended_at = clock_timestamp()"
            " WHERE engine = %s AND state = 'LEASED' AND lease_until < clock_timestamp() RETURNING id",
            (self._engine,),
        )
        return [row["id"] for row in rows]

    async def adopt(self, step: str, epoch: int) -> str | None:
        """Take over the claim that an earlier process of the engine made for this execution of a step.

        One that nobody has taken yet is for workers of this engine's version from now on.
        """
        rows = await self._fetch(
            "UPDATE step_claim SET epoch = %s, speaks = CASE state WHEN 'READY' THEN %s ELSE speaks END"
            " WHERE id = (SELECT id FROM step_claim WHERE engine = %s AND step = %s"
            " ORDER BY made_at DESC LIMIT 1) RETURNING id",
            (epoch, self._speaks, self._engine, step),
        )
        return str(rows[0]["id"]) if rows else None

    async def tidy(self, epoch: int, known: Collection[str]) -> None:
        """Delete what this process made and needs no more, and what no process has needed for long."""
        await self._execute(
            "DELETE FROM step_claim WHERE engine = %s AND NOT id = ANY(%s) AND ("
            " epoch = %s AND coalesce(ended_at, made_at) < clock_timestamp() - make_interval(secs => %s)"
            " OR coalesce(ended_at, lease_until, made_at) < clock_timestamp() - make_interval(secs => %s))",
            (self._engine, list(known), epoch, KEPT_SECONDS, FORGOTTEN_SECONDS),
        )

    async def forget_others(self, epoch: int) -> None:
        """Withdraw everything that earlier processes left; only right where the engine is one process."""
        await self._execute("DELETE FROM step_claim WHERE engine = %s AND epoch <> %s", (self._engine, epoch))

    async def _execute(self, statement: str, values: Sequence[Any]) -> None:
        async def execute(connection: Connection) -> None:
            await connection.execute(statement.encode(), values)

        await self.connection.run(execute)

    async def _fetch(self, statement: str, values: Sequence[Any]) -> list[dict[str, Any]]:
        async def fetch(connection: Connection) -> list[dict[str, Any]]:
            cursor = await connection.execute(statement.encode(), values)
            return await cursor.fetchall()

        return await self.connection.run(fetch)
