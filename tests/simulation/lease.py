"""P4: the claims of steps. The product's SQL in a real PostgreSQL with a virtual clock, its executor, leases and watch.

Between them are a broker that drops, repeats and reorders tickets, a database that is away or whose answers get lost,
workers that die, stall and come late.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import msgspec
import psycopg
from psycopg.rows import dict_row
from typing_extensions import override

from core_engine.kernel.component import Execution, StepPolicy
from core_engine.storage import EngineStore
from core_engine.storage.claims import Claims
from core_engine.storage.claims_work import ClaimedWork
from core_engine.workers.broker import Hint
from core_engine.workers.carrier import _Watch
from core_engine.workers.executor import WorkerExecutor
from core_engine.workers.lease import Lease
from core_engine.workers.office import WorkersOffice, _for_ever
from core_engine.workers.step_process import ENDED, HEADER
from core_engine.workers.tickets import Seals
from core_engine.workers.wire import ended_badly, ended_well
from shared.errors import ErrorCode, FloworkError
from tests.simulation.disk import Trouble
from tests.simulation.loop import SimClock, SimLoop
from tests.simulation.runner import FAULTS_END, Errand, Process, Simulation
from tests.simulation.world import Act, Parts, World
from tests.support.postgres import PASSWORD, PostgresServer

LEASE_SECONDS = 4.0
_CLOCK = """
CREATE SCHEMA IF NOT EXISTS sim;
SET search_path = sim, pg_catalog;
CREATE OR REPLACE FUNCTION sim.clock_timestamp() RETURNS timestamptz LANGUAGE sql STABLE
  AS $$ SELECT to_timestamp(current_setting('sim.now')::float8) $$;
SET sim.now = '0';
SET synchronous_commit = off;
"""


class Far(Act):
    """A step that is carried out by a worker."""

    id = "far"
    execution = Execution.ASYNC
    policy = StepPolicy.REPEATABLE


class FarOnce(Far):
    """The same with an effect that must not happen twice."""

    id = "far_once"
    policy = StepPolicy.ONCE


class FarKeyed(Far):
    """The same with an effect that knows its key."""

    id = "far_keyed"
    policy = StepPolicy.KEYED


FAR = (Far, FarOnce, FarKeyed)
for _kind in FAR:
    _kind.__module__ = "core_engine.components.builtin.far"  # only shipped components are sent away


class Database:
    """A connection whose statements see the simulation's time, and the product's tables."""

    def __init__(self, server: PostgresServer) -> None:
        self.connection = psycopg.connect(
            host=server.host, port=server.port, user=server.user, password=PASSWORD,
            dbname=server.database, autocommit=True, row_factory=dict_row,
        )  # fmt: skip
        self.connection.execute(_CLOCK)
        directly: Any = _AtOnce(self.connection)
        asyncio.run(Claims(directly, "engine-1").prepare())

    def clear(self) -> None:
        """Leave nothing of another seed, so that each is the same wherever it is tried."""
        self.connection.execute("TRUNCATE step_claim, step_event")
        self.connection.execute("ALTER SEQUENCE step_fence RESTART")

    def close(self) -> None:
        self.connection.execute("DROP SCHEMA sim CASCADE")
        self.connection.close()


class _Cursor:
    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    async def fetchone(self) -> Any:
        return self._cursor.fetchone()

    async def fetchall(self) -> Any:
        return self._cursor.fetchall()


class _Now:
    """The connection as a call sees it: its statements are done at one moment."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    async def execute(self, statement: Any, values: Sequence[Any] = ()) -> _Cursor:
        return _Cursor(self._connection.execute(statement, values or None))

    def transaction(self) -> Any:
        return _Together(self._connection.transaction())


class _Together:
    def __init__(self, transaction: Any) -> None:
        self._transaction = transaction

    async def __aenter__(self) -> None:
        self._transaction.__enter__()

    async def __aexit__(self, *error: object) -> None:
        self._transaction.__exit__(*error)


class _AtOnce:
    """In place of `KeptConnection` where time does not matter."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    async def run(self, job: Callable[[Any], Awaitable[Any]]) -> Any:
        return await job(_Now(self._connection))


class SlowConnection:
    """In place of `KeptConnection`: each call takes a while, and now and then its answer never comes."""

    def __init__(self, database: Database, loop: SimLoop, trouble: Callable[[], Trouble | None]) -> None:
        self._database = database
        self._loop = loop
        self._trouble = trouble
        self.after: Callable[[], None] = _nothing

    async def run(self, job: Callable[[Any], Awaitable[Any]]) -> Any:
        loop, trouble = self._loop, self._trouble()
        faulty = trouble is not None and trouble.on
        await asyncio.sleep(loop.rng.expovariate(200))
        if faulty and loop.rng.random() < 0.02:
            await asyncio.sleep(loop.rng.choice([0.0, 3.0, 10.0]))
            raise FloworkError(ErrorCode.ENGINE_UNAVAILABLE, "the database is away")
        self._database.connection.execute("SELECT set_config('sim.now', %s, false)", (str(loop.now),))
        found = await job(_Now(self._database.connection))
        self.after()
        await asyncio.sleep(loop.rng.expovariate(200))
        if faulty and loop.rng.random() < 0.02:
            raise FloworkError(ErrorCode.ENGINE_UNAVAILABLE, "the answer was lost")
        return found


class Tickets:
    """In place of the broker: a queue that drops, repeats and shuffles."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.trouble: Trouble | None = None
        self.waiting_tickets: list[Hint] = []

    def _is_bad(self, chance: float) -> bool:
        return self.trouble is not None and self.trouble.on and self._rng.random() < chance

    def send(self, hints: Sequence[Hint]) -> list[str]:
        if self._is_bad(0.1):
            return []
        for hint in hints:
            copies = 1 if not self._is_bad(0.2) else self._rng.choice([0, 2, 3])
            self.waiting_tickets += [hint] * copies
        return [hint.claim for hint in hints]

    def waiting(self, queues: Iterable[str]) -> dict[str, int]:
        if self._is_bad(0.1):
            return {}
        names = [hint.queue for hint in self.waiting_tickets]
        return {name: names.count(name) for name in queues}

    def take(self) -> Hint | None:
        if not self.waiting_tickets:
            return None
        return self.waiting_tickets.pop(self._rng.randrange(len(self.waiting_tickets)))

    def close(self) -> None:
        """Have nothing to close."""


class Office(WorkersOffice):
    """The product's executor and sweeps, on the simulated database and broker."""

    def __init__(self, plant: Plant, clock: Any, store: EngineStore) -> None:
        self._plant = plant
        self._shared = False
        self._sweep_seconds = 1.0
        self._tidied = clock.monotonic()
        self._tasks: list[asyncio.Task[None]] = []
        self._fail = plant.note_failure
        connection: Any = plant.connection()
        broker: Any = plant.tickets
        WorkerExecutor.__init__(
            self, Claims(connection, "engine-1"), broker, plant.seals, clock, engine_id="engine-1",
            epoch=store.epoch, lease_seconds=LEASE_SECONDS, resend_seconds=3.0,
        )  # fmt: skip

    @override
    async def open(self) -> None:
        self._plant.heard = lambda: self.look_at(list(self.follows))
        for part in (self.look, self.send, self._sweep):
            task = asyncio.create_task(_for_ever(part), name=part.__name__)
            task.add_done_callback(self._note_end)
            self._tasks.append(task)

    @override
    async def close(self) -> None:
        self._plant.heard = _nothing
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Plant(Simulation):
    """One seed: an engine that is started again and again, and workers that outlive its clean ends."""

    eventful = False

    def __init__(self, seed: int, database: Database) -> None:
        super().__init__(seed)
        self.database = database
        self.seals = Seals("s" * 40, "engine-1")
        self.tickets = Tickets(self.rng)
        self.heard: Callable[[], None] = _nothing
        self.loop: SimLoop | None = None
        self.fences: dict[int, str] = {}
        self.kinds = {kind.id: kind(self.world) for kind in FAR}
        self.swarm |= {"broken": False, "full": False, "slow": False}
        for errand in self.errands:
            _send_away(errand, self.rng)
        database.clear()

    def connection(self) -> SlowConnection:
        assert self.loop
        return SlowConnection(self.database, self.loop, lambda: self.tickets.trouble)

    def note_failure(self, error: FloworkError) -> None:
        self.world.wrong.append(f"the engine gave up: {error}")

    @override
    def parts(self) -> Parts:
        return FarParts(self.world)

    @override
    def executor(self, clock: SimClock, store: EngineStore) -> Any:
        return Office(self, clock, store)

    @override
    def process(self, loop: SimLoop, trouble: Trouble) -> Any:
        self.loop = loop
        self.heard = _nothing
        self.tickets.trouble = trouble
        return self._shifts(loop, trouble)

    async def _shifts(self, loop: SimLoop, trouble: Trouble) -> bool:
        """Keep workers going while engines come and go."""
        clock: Any = SimClock(loop)
        workers = [
            asyncio.create_task(Worker(self, number, clock).work())
            for number in range(self.rng.randint(1, 3))
        ]
        try:
            while not await Process(self, loop, trouble).main():
                self.world.process += 1
                trouble.on = trouble.on and loop.now < FAULTS_END
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        return True


class Worker:
    """A worker's pool process: claims what tickets name, and watches over one step at a time."""

    def __init__(self, plant: Plant, number: int, clock: Any) -> None:
        self._plant = plant
        self._clock = clock
        connection: Any = plant.connection()
        connection.after = self._told
        self._work = ClaimedWork(connection, "engine-1", f"worker-{number}")

    def _told(self) -> None:
        """Have PostgreSQL tell the engine, or not."""
        loop = self._plant.loop
        assert loop
        if loop.rng.random() < 0.7:
            loop.call_later(loop.rng.expovariate(100), self._hear)

    def _hear(self) -> None:
        self._plant.heard()

    async def work(self) -> None:
        rng = self._plant.rng
        while True:
            await asyncio.sleep(rng.expovariate(10))
            hint = self._plant.tickets.take()
            if hint is None:
                continue
            ticket = self._plant.seals.read(hint.ticket, 0)
            assert ticket, "a ticket of ours"
            try:
                await self._carry(ticket.claim)
            except FloworkError:
                continue

    async def _carry(self, claim: str) -> None:
        since = self._clock.monotonic()
        claimed = await self._work.claim(claim)
        if claimed is None:
            return
        plant = self._plant
        if claimed.fence in plant.fences:
            plant.world.wrong.append(f"fence {claimed.fence} was given out twice")
        plant.fences[claimed.fence] = claimed.id
        request = plant.seals.open(claimed.request, claimed.id, "request")
        step = FarStep(plant, request)
        watch: Any = _Watch(self._work, plant.seals, claimed, Lease(self._work, claimed, self._clock, since))
        try:
            await watch.watch(step.end, step.reader, step, request)
        finally:
            step.end()


class FarStep:
    """The process of a step: it acts for a while, may die, and is dead at once when it is ended."""

    def __init__(self, plant: Plant, request: bytes) -> None:
        self._plant = plant
        self._request = msgspec.json.decode(request)
        self.reader = asyncio.StreamReader()
        self._task = asyncio.create_task(self._run(), name="far step")

    def write(self, _content: bytes) -> None:
        """Take the request, which it has."""

    async def drain(self) -> None:
        """Never be full."""

    def close(self) -> None:
        """Be closed."""

    def end(self) -> None:
        if not self._task.done():
            self._task.cancel()
            self._plant.world.active.discard(self._step)

    @property
    def _step(self) -> tuple[str, str]:
        return self._request["run_id"], self._request["node_id"]

    async def _run(self) -> None:
        plant, rng = self._plant, self._plant.rng
        context: Any = FarContext(self._request)
        component = plant.kinds[self._request["component"]]
        plant.world.begin(component, context)
        await asyncio.sleep(rng.choice([0.05, 0.5, 3.0, 12.0]))
        faulty = plant.tickets.trouble is not None and plant.tickets.trouble.on
        if faulty and rng.random() < 0.1:
            plant.world.active.discard(self._step)
            self.reader.feed_eof()
            return
        failed = rng.random() < self._request["values"].get("fails", 0.0)
        plant.world.end(context, failed=failed)
        body = (
            ended_badly(ValueError("it failed")) if failed else ended_well({"success": b'{"data": {"n": 1}}'})
        )
        self.reader.feed_data(HEADER.pack(ENDED, len(body)) + body)


class FarContext:
    """What the world asks of a step's context, from the request that a worker got."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.run_id, self.node_id = request["run_id"], request["node_id"]
        self.attempt, self.idempotency_key = request["attempt"], request["idempotency_key"]
        self.iteration, self.round = request["iteration"], request["round"]


class FarParts(Parts):
    """The registry with steps that are sent away."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._components |= {kind.id: kind(world) for kind in FAR}


def _send_away(errand: Errand, rng: random.Random) -> None:
    for node in errand.workflow["nodes"]:
        if node["module_id"] in {"slow", "slow_once", "slow_keyed", "blocking", "blocking_once"}:
            node["module_id"] = rng.choice(FAR).id
            node.pop("timeout_seconds", None)


def _nothing() -> None:
    pass


def simulate(seed: int, database: Database) -> Plant:
    """Run one seed."""
    plant = Plant(seed, database)
    plant.run()
    return plant
