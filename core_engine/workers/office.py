"""Keeps the engine's dealings with workers going: hears of claims, sends tickets, sweeps; and opens it all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import psycopg

from core_engine.settings import EngineSettings
from core_engine.storage import EngineStore
from core_engine.storage.claims import Claims
from core_engine.storage.claims_connection import KeptConnection, postgres_address
from core_engine.workers.broker import Broker, check_redis
from core_engine.workers.executor import WorkerExecutor
from core_engine.workers.tickets import Seals
from shared.clock import Clock
from shared.errors import ErrorCode, FloworkError
from shared.settings import reveal

CALL_SECONDS = 10.0
_AGAIN = 1.0
_SWEEPS_PER_LEASE = 3
_TIDY_EVERY = 60.0
_LOG = logging.getLogger(__name__)


class WorkersOffice:
    """The executor of an engine that has workers, with everything that keeps it going. `open`, `start`, `close`."""

    def __init__(self, settings: EngineSettings, store: EngineStore, clock: Clock) -> None:
        """Check the settings; raises CONFIGURATION naming what is missing."""
        workers, engine_id = settings.workers, settings.identity.engine_id
        self._redis_url = workers.broker_url
        address = postgres_address(reveal(workers.database_url))
        if not self._redis_url:
            raise FloworkError(ErrorCode.CONFIGURATION, "Worker processes need Redis: set REDIS_URL.")
        seals = Seals(reveal(workers.secret), engine_id)
        self._connection = KeptConnection(address, "flowork engine claims", CALL_SECONDS)
        self._listening = KeptConnection(address, "flowork engine news", CALL_SECONDS)
        self._broker = Broker(self._redis_url)
        self._clock = clock
        self._shared = store.shared
        self._sweep_seconds = min(workers.lease_seconds, workers.resend_seconds) / _SWEEPS_PER_LEASE
        self._tidied = clock.monotonic()
        self._tasks: list[asyncio.Task[None]] = []
        self.executor = WorkerExecutor(
            Claims(self._connection, engine_id),
            self._broker,
            seals,
            clock,
            engine_id=engine_id,
            epoch=store.epoch,
            lease_seconds=workers.lease_seconds,
            resend_seconds=workers.resend_seconds,
        )

    async def open(self) -> None:
        """Look at Redis and PostgreSQL; to be awaited before the runs are recovered. Raises CONFIGURATION."""
        await asyncio.to_thread(check_redis, self._redis_url, must_answer=False)
        try:
            await self.executor.claims.prepare()
        except (FloworkError, psycopg.Error) as error:
            message = f"The database for worker processes cannot be used: {error}"
            raise FloworkError(ErrorCode.CONFIGURATION, message) from error

    def start(self) -> None:
        """Begin to send and to hear."""
        endless: dict[str, Callable[[], Awaitable[None]]] = {
            "claims heard": self._hear,
            "claims looked at": self.executor.look,
            "tickets sent": self.executor.send,
            "claims swept": self._sweep,
        }
        for name, part in endless.items():
            self._tasks.append(asyncio.create_task(_for_ever(part), name=name))

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """What never ends by itself unless by a mistake of ours."""
        return self._tasks

    async def close(self) -> None:
        """End; to be awaited after the runs are closed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._connection.close()
        await asyncio.to_thread(self._broker.close)

    async def _hear(self) -> None:
        """Listen to what PostgreSQL tells; whatever was told while nobody listened, the look at all claims finds."""
        try:
            async with asyncio.timeout(CALL_SECONDS):
                connection = await self._listening.open()
        except (psycopg.OperationalError, OSError, TimeoutError) as error:
            raise FloworkError(ErrorCode.ENGINE_UNAVAILABLE, "PostgreSQL does not answer.") from error
        try:
            await connection.execute(f"LISTEN {self.executor.claims.channel}".encode())
            self.executor.look_at(list(self.executor.follows))
            async for notice in connection.notifies():
                self.executor.look_at([notice.payload])
        except psycopg.OperationalError as error:
            raise FloworkError(ErrorCode.ENGINE_UNAVAILABLE, "PostgreSQL has gone.") from error
        finally:
            await connection.close()

    async def _sweep(self) -> None:
        """Take lost leases back, send again what nobody took, and look at everything once, whatever was heard."""
        await asyncio.sleep(self._sweep_seconds)
        await self.executor.withdraw_owed()
        await self.executor.claims.expire()
        self.executor.look_at(list(self.executor.follows))
        await self.executor.send_again()
        now = self._clock.monotonic()
        if now - self._tidied >= _TIDY_EVERY:
            self._tidied = now
            await self.executor.tidy(alone=not self._shared)


async def _for_ever(part: Callable[[], Awaitable[None]]) -> None:
    """Do a part again and again; while the database is away, with a pause."""
    while True:
        try:
            await part()
        except FloworkError as error:
            _LOG.warning("workers cannot be reached now: %s", error.message)
            await asyncio.sleep(_AGAIN)
