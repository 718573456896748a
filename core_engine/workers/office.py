"""Keeps the engine's dealings with workers going: hears of claims, sends tickets, sweeps; and opens it all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import psycopg
from typing_extensions import override

from core_engine.settings import EngineSettings
from core_engine.storage import EngineStore
from core_engine.storage.claims import Claims
from core_engine.storage.claims_connection import KeptConnection, postgres_address
from core_engine.workers.broker import Broker, check_redis
from core_engine.workers.executor import WorkerExecutor
from core_engine.workers.tickets import Seals
from core_engine.workers.wire import speaks
from shared.clock import Clock
from shared.errors import ErrorCode, FloworkError
from shared.settings import reveal

CALL_SECONDS = 10.0
_AGAIN = 1.0
_SWEEPS_PER_LEASE = 3
_TIDY_EVERY = 60.0
_LOG = logging.getLogger(__name__)


class WorkersOffice(WorkerExecutor):
    """The executor of an engine that has workers, with everything that keeps it going. `open` it, `close` it."""

    def __init__(
        self,
        settings: EngineSettings,
        store: EngineStore,
        clock: Clock,
        fail: Callable[[FloworkError], None],
    ) -> None:
        """Check the settings; raises CONFIGURATION naming what is missing.

        ``fail`` is called when the engine cannot go on, by a mistake of ours.
        """
        workers, engine_id = settings.workers, settings.identity.engine_id
        self._redis_url = workers.broker_url
        address = postgres_address(reveal(settings.shared.database_url))
        if not self._redis_url:
            raise FloworkError(ErrorCode.CONFIGURATION, "Worker processes need Redis: set REDIS_URL.")
        seals = Seals(reveal(workers.secret), engine_id)
        self._connection = KeptConnection(address, "flowork engine claims", CALL_SECONDS)
        self._listening = KeptConnection(address, "flowork engine news", CALL_SECONDS)
        self._fail = fail
        self._shared = store.shared
        self._sweep_seconds = min(workers.lease_seconds, workers.resend_seconds) / _SWEEPS_PER_LEASE
        self._tidied = clock.monotonic()
        self._tasks: list[asyncio.Task[None]] = []
        super().__init__(
            Claims(self._connection, engine_id, speaks()),
            Broker(self._redis_url),
            seals,
            clock,
            engine_id=engine_id,
            epoch=store.epoch,
            lease_seconds=workers.lease_seconds,
            resend_seconds=workers.resend_seconds,
            traced=bool(settings.telemetry.collector),
        )

    @override
    async def open(self) -> None:
        """Look at Redis and PostgreSQL, and begin to hear and to send. Raises CONFIGURATION."""
        await asyncio.to_thread(check_redis, self._redis_url, must_answer=False)
        try:
            await self.claims.prepare()
            await self.claims.announce()
        except (FloworkError, psycopg.Error) as error:
            message = f"The database for worker processes cannot be used: {error}"
            raise FloworkError(ErrorCode.CONFIGURATION, message) from error
        endless: dict[str, Callable[[], Awaitable[None]]] = {
            "claims heard": self._hear,
            "claims looked at": self.look,
            "tickets sent": self.send,
            "claims swept": self._sweep,
        }
        for name, part in endless.items():
            task = asyncio.create_task(_for_ever(part), name=name)
            task.add_done_callback(self._note_end)
            self._tasks.append(task)

    @override
    async def close(self) -> None:
        """End; to be awaited after the runs are closed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._connection.close()
        await asyncio.to_thread(self.broker.close)

    def _note_end(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            _LOG.critical("the task %s failed", task.get_name(), exc_info=error)
            self._fail(FloworkError(ErrorCode.INTERNAL, f"The engine's task {task.get_name()} failed."))

    async def _hear(self) -> None:
        """Listen to what PostgreSQL tells; whatever was told while nobody listened, the look at all claims finds."""
        try:
            async with asyncio.timeout(CALL_SECONDS):
                connection = await self._listening.open()
        except (psycopg.OperationalError, OSError, TimeoutError) as error:
            raise FloworkError(ErrorCode.ENGINE_UNAVAILABLE, "PostgreSQL does not answer.") from error
        try:
            await connection.execute(f"LISTEN {self.claims.channel}".encode())
            self.look_at(list(self.follows))
            await self.withdraw_owed()
            async for notice in connection.notifies():
                self.look_at([notice.payload])
        except psycopg.OperationalError as error:
            raise FloworkError(ErrorCode.ENGINE_UNAVAILABLE, "PostgreSQL has gone.") from error
        finally:
            await connection.close()

    async def _sweep(self) -> None:
        """Take lost leases back, send again what nobody took, and look at everything once, whatever was heard."""
        await asyncio.sleep(self._sweep_seconds)
        await self.withdraw_owed()
        await self.claims.expire()
        self.look_at(list(self.follows))
        await self.send_again()
        now = self.clock.monotonic()
        if now - self._tidied >= _TIDY_EVERY:
            self._tidied = now
            await self.tidy(alone=not self._shared)


async def _for_ever(part: Callable[[], Awaitable[None]]) -> None:
    """Do a part again and again; while the database is away, with a pause."""
    while True:
        try:
            await part()
        except FloworkError as error:
            _LOG.warning("workers cannot be reached now: %s", error.message)
            await asyncio.sleep(_AGAIN)
