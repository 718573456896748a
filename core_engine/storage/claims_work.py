"""A worker's side of claims: it takes a step, keeps its lease, and writes what came of it, all under the fence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from core_engine.storage.claims import channel
from core_engine.storage.claims_connection import Connection, KeptConnection


class Claimed(NamedTuple):
    """A lease that was got; ``waited`` is how many seconds the step was to be had before."""

    id: str
    fence: int
    lease_seconds: float
    request: bytes
    waited: float = 0.0


class ClaimedWork:
    """What a worker may do to the claims of one engine; ``worker`` is its name, ``labels`` what it has."""

    def __init__(
        self,
        connection: KeptConnection,
        engine_id: str,
        worker: str,
        labels: Sequence[str] = (),
        speaks: str = "",
    ) -> None:
        self.connection = connection
        self.worker = worker
        self._engine = engine_id
        self._channel = channel(engine_id)
        self._labels = ["", *labels]
        self._speaks = speaks

    async def claim(self, claim: str) -> Claimed | None:
        """Take a step that nobody has; None: it is taken, over, withdrawn, or not for this worker."""
        row = await self._one(
            "WITH won AS (UPDATE step_claim SET state = 'LEASED', fence = nextval('step_fence'), worker = %s,"
            " lease_until = clock_timestamp() + make_interval(secs => lease_seconds)"
            " WHERE id = %s AND engine = %s AND state = 'READY' AND label = ANY(%s) AND speaks = %s"
            " RETURNING id, fence, lease_seconds, request,"
            " extract(epoch FROM clock_timestamp() - made_at)::float8 AS waited)"
            " SELECT won.*, pg_notify(%s, id) FROM won",
            (self.worker, claim, self._engine, self._labels, self._speaks, self._channel),
        )
        return Claimed(*(row[name] for name in Claimed._fields)) if row else None

    async def spoken(self) -> str | None:
        """Return the version of the engine that started last; None: none has yet."""
        row = await self._one("SELECT speaks FROM step_engine WHERE engine = %s", (self._engine,))
        return str(row["speaks"]) if row else None

    async def leave(self, claim: str) -> str | None:
        """Tell the engine of a step that this worker cannot take for being of another version than it.

        Return the engine's version; None where that is not the reason.
        """
        row = await self._one(
            "WITH left_alone AS (UPDATE step_claim SET note = %s"
            " WHERE id = %s AND engine = %s AND state = 'READY' AND speaks <> %s RETURNING id, speaks)"
            " SELECT speaks, pg_notify(%s, id) FROM left_alone",
            (self._speaks, claim, self._engine, self._speaks, self._channel),
        )
        return str(row["speaks"]) if row else None

    async def holds(self, claim: Claimed) -> bool:
        """Tell whether the lease is still there."""
        row = await self._one(
            "SELECT 1 FROM step_claim WHERE id = %s AND fence = %s AND state = 'LEASED'",
            (claim.id, claim.fence),
        )
        return row is not None

    async def fell_silent(self, claim: Claimed) -> bool:
        """Tell whether the engine took a step for lost because it heard nothing of its worker."""
        row = await self._one("SELECT 1 FROM step_claim WHERE id = %s AND note = 'silent'", (claim.id,))
        return row is not None

    async def renew(self, claim: Claimed) -> bool:
        """Make the lease last again as long; False: it is lost."""
        row = await self._one(
            "UPDATE step_claim SET lease_until = clock_timestamp() + make_interval(secs => lease_seconds)"
            " WHERE id = %s AND fence = %s AND state = 'LEASED' AND lease_until > clock_timestamp() RETURNING 1",
            (claim.id, claim.fence),
        )
        return row is not None

    async def tell(self, claim: Claimed, number: int, body: bytes) -> bool:
        """Write what the step tells under its number; telling it again changes nothing. False: the lease is lost."""
        row = await self._one(
            "WITH mine AS (SELECT id FROM step_claim WHERE id = %s AND fence = %s AND state = 'LEASED' FOR SHARE),"
            " told AS (INSERT INTO step_event (claim, number, body) SELECT id, %s, %s FROM mine ON CONFLICT DO NOTHING)"
            " SELECT id, pg_notify(%s, id) FROM mine",
            (claim.id, claim.fence, number, body, self._channel),
        )
        return row is not None

    async def finish(self, claim: Claimed, result: bytes) -> bool:
        """Write the result; False: the lease was lost, and the result is refused."""
        return await self._end(claim, "DONE", "", result)

    async def give_up(self, claim: Claimed, note: str) -> bool:
        """Say that the step ended without a result."""
        return await self._end(claim, "LOST", note, None)

    async def release_all(self) -> int:
        """Give every lease of this worker back, because it ends; return how many there were."""
        row = await self._one(
            "WITH freed AS (UPDATE step_claim SET state = 'LOST', note = 'drained', ended_at = clock_timestamp()"
            " WHERE engine = %s AND worker = %s AND state = 'LEASED' RETURNING id)"
            " SELECT count(pg_notify(%s, id)) AS freed FROM freed",
            (self._engine, self.worker, self._channel),
        )
        return int(row["freed"]) if row else 0

    async def running(self) -> int:
        """Return how many steps this worker has."""
        row = await self._one(
            "SELECT count(*) AS running FROM step_claim WHERE worker = %s AND state = 'LEASED'",
            (self.worker,),
        )
        return int(row["running"]) if row else 0

    async def _end(self, claim: Claimed, state: str, note: str, result: bytes | None) -> bool:
        row = await self._one(
            "WITH ended AS (UPDATE step_claim SET state = %s, note = %s, result = %s, ended_at = clock_timestamp()"
            " WHERE id = %s AND fence = %s AND state = 'LEASED' RETURNING id)"
            " SELECT id, pg_notify(%s, id) FROM ended",
            (state, note, result, claim.id, claim.fence, self._channel),
        )
        return row is not None

    async def _one(self, statement: str, values: Sequence[Any]) -> dict[str, Any] | None:
        async def fetch(connection: Connection) -> dict[str, Any] | None:
            cursor = await connection.execute(statement.encode(), values)
            return await cursor.fetchone()

        return await self.connection.run(fetch)
